//! Instruments that programmes have added, the words of instruments, decisions to ask single persons, and what groups answered.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::codes::{Code as _, ScoreBand};
use lahete_domain::ids::{GroupAnswerId, Id as _, IndividualUseId, MeasureInstrumentId, MeasureTextId, ProgrammeId, UserId};
use lahete_domain::measure::definition::{Band, Definition, Direction, InstrumentKey, Item, MissingRule, Scoring, Thresholds};
use lahete_domain::measure::group::GroupAnswer;
use lahete_domain::measure::registry::{AddedInstrument, IndividualUse, ItemTexts};
use lahete_domain::measure::shipped::{all_shipped, find_shipped};
use serde_json::{Value, json};

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{group_answers, individual_uses, measure_instruments, measure_texts};
use crate::sql_types::{IdCol, InstantCol, JsonCol};

/// The definition as it is kept.
fn to_json(definition: &Definition) -> Value {
    let scoring = match &definition.scoring {
        Scoring::Sum => json!({"kind": "sum"}),
        Scoring::SumTimes(times) => json!({"kind": "sum_times", "times": times}),
        Scoring::SumTable(table) => json!({"kind": "sum_table", "table": table}),
        Scoring::Linear { minus, factor } => json!({"kind": "linear", "minus": minus, "factor": factor}),
        Scoring::Separate => json!({"kind": "separate"}),
        Scoring::Single => json!({"kind": "single"}),
        Scoring::GoalAttainment => json!({"kind": "goal_attainment"}),
    };
    let items: Vec<_> = definition.items.iter().map(|item| json!({"key": item.key, "reversed": item.reversed})).collect();
    let band = |band: &Band| json!({"item": band.item, "from": band.from, "until": band.until, "code": band.code.as_str()});
    json!({
        "title": definition.title,
        "items": items,
        "answer_min": definition.answer_min,
        "answer_max": definition.answer_max,
        "direction": match definition.direction {
            Direction::HigherIsBetter => "higher_is_better",
            Direction::LowerIsBetter => "lower_is_better",
            Direction::Neutral => "none",
        },
        "scoring": scoring,
        "missing": match definition.missing {
            MissingRule::Refused => "refused",
            MissingRule::NoScore => "no_score",
        },
        "thresholds": definition.thresholds.map(|limits| json!({"reliable": limits.reliable, "none_below": limits.none_below})),
        "bands": definition.bands.iter().map(band).collect::<Vec<_>>(),
        "notice": definition.notice,
        "licence": definition.licence,
        "citation": definition.citation,
        "group_only": definition.group_only,
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    T::try_from(value.as_i64()?).ok()
}

/// The definition behind what was kept; `None` when it means nothing.
fn from_json(key: InstrumentKey, version: u16, json: &Value) -> Option<Definition> {
    let scoring = &json["scoring"];
    let item = |item: &Value| Some(Item { key: text(&item["key"])?, reversed: item["reversed"].as_bool()? });
    let band = |band: &Value| {
        Some(Band {
            item: text(&band["item"]),
            from: number(&band["from"])?,
            until: number(&band["until"])?,
            code: ScoreBand::parse(band["code"].as_str()?)?,
        })
    };
    let limits = &json["thresholds"];
    Some(Definition {
        key,
        version,
        title: text(&json["title"]),
        items: json["items"].as_array()?.iter().map(item).collect::<Option<_>>()?,
        answer_min: number(&json["answer_min"])?,
        answer_max: number(&json["answer_max"])?,
        direction: match json["direction"].as_str()? {
            "higher_is_better" => Direction::HigherIsBetter,
            "lower_is_better" => Direction::LowerIsBetter,
            "none" => Direction::Neutral,
            _ => return None,
        },
        scoring: match scoring["kind"].as_str()? {
            "sum" => Scoring::Sum,
            "sum_times" => Scoring::SumTimes(number(&scoring["times"])?),
            "sum_table" => Scoring::SumTable(scoring["table"].as_array()?.iter().map(number).collect::<Option<_>>()?),
            "linear" => Scoring::Linear { minus: number(&scoring["minus"])?, factor: number(&scoring["factor"])? },
            "separate" => Scoring::Separate,
            "single" => Scoring::Single,
            _ => return None,
        },
        missing: match json["missing"].as_str()? {
            "refused" => MissingRule::Refused,
            "no_score" => MissingRule::NoScore,
            _ => return None,
        },
        thresholds: if limits.is_null() {
            None
        } else {
            Some(Thresholds { reliable: number(&limits["reliable"])?, none_below: number(&limits["none_below"])? })
        },
        bands: json["bands"].as_array()?.iter().map(band).collect::<Option<_>>()?,
        notice: text(&json["notice"]),
        licence: text(&json["licence"]),
        citation: text(&json["citation"]),
        group_only: json["group_only"].as_bool()?,
    })
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = measure_instruments, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct InstrumentRow {
    id: IdCol<MeasureInstrumentId>,
    programme_id: IdCol<ProgrammeId>,
    code: String,
    version: i64,
    definition: JsonCol,
    added_at: InstantCol,
    added_by: IdCol<UserId>,
}

impl TryFrom<InstrumentRow> for AddedInstrument {
    type Error = StoreError;

    fn try_from(row: InstrumentRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("measure_instruments", column, row.id.0);
        let key = InstrumentKey::parse(&row.code).ok_or_else(|| corrupt("code"))?;
        let version = u16::try_from(row.version).map_err(|_| corrupt("version"))?;
        Ok(Self {
            id: row.id.0,
            programme: row.programme_id.0,
            definition: from_json(key, version, &row.definition.0).ok_or_else(|| corrupt("definition"))?,
            added_at: row.added_at.0,
            added_by: row.added_by.0,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = measure_texts, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct TextsRow {
    id: IdCol<MeasureTextId>,
    programme_id: IdCol<ProgrammeId>,
    code: String,
    version: i64,
    language: String,
    items: JsonCol,
    answer_labels: JsonCol,
    licence_ref: String,
    text_source: String,
    loaded_at: InstantCol,
    loaded_by: IdCol<UserId>,
}

impl From<&ItemTexts> for TextsRow {
    fn from(texts: &ItemTexts) -> Self {
        let items: Vec<_> = texts.items.iter().map(|(key, text)| json!([key, text])).collect();
        let labels: Vec<_> = texts.answer_labels.iter().map(|(answer, label)| json!([answer, label])).collect();
        Self {
            id: IdCol(texts.id),
            programme_id: IdCol(texts.programme),
            code: texts.instrument.as_str().to_owned(),
            version: i64::from(texts.version),
            language: texts.language.clone(),
            items: JsonCol(Value::from(items)),
            answer_labels: JsonCol(Value::from(labels)),
            licence_ref: texts.licence_ref.clone(),
            text_source: texts.text_source.clone(),
            loaded_at: InstantCol(texts.loaded_at),
            loaded_by: IdCol(texts.loaded_by),
        }
    }
}

impl TryFrom<TextsRow> for ItemTexts {
    type Error = StoreError;

    fn try_from(row: TextsRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("measure_texts", column, row.id.0);
        Ok(Self {
            id: row.id.0,
            programme: row.programme_id.0,
            instrument: InstrumentKey::parse(&row.code).ok_or_else(|| corrupt("code"))?,
            version: u16::try_from(row.version).map_err(|_| corrupt("version"))?,
            language: row.language,
            items: serde_json::from_value(row.items.0).map_err(|_| corrupt("items"))?,
            answer_labels: serde_json::from_value(row.answer_labels.0).map_err(|_| corrupt("answer_labels"))?,
            licence_ref: row.licence_ref,
            text_source: row.text_source,
            loaded_at: row.loaded_at.0,
            loaded_by: row.loaded_by.0,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = individual_uses, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct UseRow {
    id: IdCol<IndividualUseId>,
    programme_id: IdCol<ProgrammeId>,
    code: String,
    reason: String,
    begun_at: InstantCol,
    begun_by: IdCol<UserId>,
    end_reason: Option<String>,
    ended_at: Option<InstantCol>,
    ended_by: Option<IdCol<UserId>>,
}

impl TryFrom<UseRow> for IndividualUse {
    type Error = StoreError;

    fn try_from(row: UseRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("individual_uses", column, row.id.0);
        let ended = match (row.ended_at, row.ended_by, row.end_reason) {
            (None, None, None) => None,
            (Some(at), Some(by), Some(reason)) => Some((at.0, by.0, reason)),
            _ => return Err(corrupt("ended_at")),
        };
        Ok(Self {
            id: row.id.0,
            programme: row.programme_id.0,
            instrument: InstrumentKey::parse(&row.code).ok_or_else(|| corrupt("code"))?,
            reason: row.reason,
            begun_at: row.begun_at.0,
            begun_by: row.begun_by.0,
            ended,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = group_answers, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct GroupRow {
    id: IdCol<GroupAnswerId>,
    programme_id: IdCol<ProgrammeId>,
    code: String,
    version: i64,
    held_on: NaiveDate,
    answers: JsonCol,
    scores: JsonCol,
    recorded_at: InstantCol,
    recorded_by: IdCol<UserId>,
}

impl TryFrom<GroupRow> for GroupAnswer {
    type Error = StoreError;

    fn try_from(row: GroupRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("group_answers", column, row.id.0);
        Ok(Self {
            id: row.id.0,
            programme: row.programme_id.0,
            instrument: InstrumentKey::parse(&row.code).ok_or_else(|| corrupt("code"))?,
            version: u16::try_from(row.version).map_err(|_| corrupt("version"))?,
            held_on: row.held_on,
            answers: serde_json::from_value(row.answers.0).map_err(|_| corrupt("answers"))?,
            scores: serde_json::from_value(row.scores.0).map_err(|_| corrupt("scores"))?,
            recorded_at: row.recorded_at.0,
            recorded_by: row.recorded_by.0,
        })
    }
}

impl Db<'_> {
    /// Adds a version of an instrument.
    ///
    /// # Errors
    /// [`crate::Constraint::MeasureInstrumentTaken`] when somebody was faster with this version; whatever else the database says.
    pub fn measure_instrument_insert(&mut self, added: &AddedInstrument) -> Result<(), StoreError> {
        let row = InstrumentRow {
            id: IdCol(added.id),
            programme_id: IdCol(added.programme),
            code: added.definition.key.as_str().to_owned(),
            version: i64::from(added.definition.version),
            definition: JsonCol(to_json(&added.definition)),
            added_at: InstantCol(added.added_at),
            added_by: IdCol(added.added_by),
        };
        diesel::insert_into(measure_instruments::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// The version of an instrument that a programme uses now, or the one that is asked for: its own, or the shipped one.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_instrument(
        &mut self,
        programme: ProgrammeId,
        name: &str,
        version: Option<u16>,
    ) -> Result<Option<Definition>, StoreError> {
        let mut query = measure_instruments::table
            .filter(measure_instruments::programme_id.eq(IdCol(programme)))
            .filter(measure_instruments::code.eq(name))
            .select(InstrumentRow::as_select())
            .into_boxed::<MultiBackend>();
        if let Some(version) = version {
            query = query.filter(measure_instruments::version.eq(i64::from(version)));
        }
        let row = query.order(measure_instruments::version.desc()).first::<InstrumentRow>(self.conn()).optional()?;
        match row {
            Some(row) => Ok(Some(AddedInstrument::try_from(row)?.definition)),
            None => Ok(find_shipped(name, version.unwrap_or(1))),
        }
    }

    /// Every version of every instrument that a programme has used: the shipped ones and its own.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_instrument_versions(&mut self, programme: ProgrammeId) -> Result<Vec<Definition>, StoreError> {
        let rows: Vec<InstrumentRow> = measure_instruments::table
            .filter(measure_instruments::programme_id.eq(IdCol(programme)))
            .order((measure_instruments::code, measure_instruments::version))
            .select(InstrumentRow::as_select())
            .load(self.conn())?;
        let own = rows.into_iter().map(|row| AddedInstrument::try_from(row).map(|added| added.definition));
        all_shipped().into_iter().map(Ok).chain(own).collect()
    }

    /// All instruments of a programme in the version that it uses now: the shipped ones first, then its own by their names. A version of its own takes
    /// the place of a shipped one.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_instruments_of(&mut self, programme: Option<ProgrammeId>) -> Result<Vec<Definition>, StoreError> {
        let mut all = all_shipped();
        let Some(programme) = programme else { return Ok(all) };
        for newer in self.measure_instrument_versions(programme)? {
            match all.iter_mut().find(|known| known.key == newer.key) {
                Some(known) => *known = newer,
                None => all.push(newer),
            }
        }
        Ok(all)
    }

    /// Loads words.
    ///
    /// # Errors
    /// [`crate::Constraint::MeasureTextTaken`] when the programme has words for this version in this language; whatever else the database says.
    pub fn measure_texts_insert(&mut self, texts: &ItemTexts) -> Result<(), StoreError> {
        diesel::insert_into(measure_texts::table).values(TextsRow::from(texts)).execute(self.conn())?;
        Ok(())
    }

    /// One set of words.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_texts_get(&mut self, id: MeasureTextId) -> Result<Option<ItemTexts>, StoreError> {
        let row = measure_texts::table.find(IdCol(id)).select(TextsRow::as_select()).first(self.conn()).optional()?;
        row.map(ItemTexts::try_from).transpose()
    }

    /// The words of one version of an instrument in a language.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_texts_in(
        &mut self,
        programme: ProgrammeId,
        key: &InstrumentKey,
        version: u16,
        language: &str,
    ) -> Result<Option<ItemTexts>, StoreError> {
        let row = measure_texts::table
            .filter(measure_texts::programme_id.eq(IdCol(programme)))
            .filter(measure_texts::code.eq(key.as_str()))
            .filter(measure_texts::version.eq(i64::from(version)))
            .filter(measure_texts::language.eq(language))
            .select(TextsRow::as_select())
            .first::<TextsRow>(self.conn())
            .optional()?;
        row.map(ItemTexts::try_from).transpose()
    }

    /// A page of all words that a programme has loaded for an instrument, by their ids.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_texts_list(
        &mut self,
        programme: ProgrammeId,
        key: &InstrumentKey,
        request: &PageRequest,
    ) -> Result<Page<ItemTexts>, StoreError> {
        let mut query = measure_texts::table
            .filter(measure_texts::programme_id.eq(IdCol(programme)))
            .filter(measure_texts::code.eq(key.as_str()))
            .select(TextsRow::as_select())
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            query = query.filter(measure_texts::id.gt(IdCol(MeasureTextId::from_uuid(cursor.id))));
        }
        let rows = query.order(measure_texts::id.asc()).limit(request.fetch()).load::<TextsRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: String::new(), id: row.id.0.as_uuid() });
        page.try_map(ItemTexts::try_from)
    }

    /// Takes words away.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn measure_texts_remove(&mut self, id: MeasureTextId) -> Result<(), StoreError> {
        diesel::delete(measure_texts::table.find(IdCol(id))).execute(self.conn())?;
        Ok(())
    }

    /// Begins the time in which a programme asks single persons.
    ///
    /// # Errors
    /// [`crate::Constraint::IndividualUseOpen`] when it has begun already; whatever else the database says.
    pub fn individual_use_insert(&mut self, begun: &IndividualUse) -> Result<(), StoreError> {
        let row = UseRow {
            id: IdCol(begun.id),
            programme_id: IdCol(begun.programme),
            code: begun.instrument.as_str().to_owned(),
            reason: begun.reason.clone(),
            begun_at: InstantCol(begun.begun_at),
            begun_by: IdCol(begun.begun_by),
            end_reason: begun.ended.as_ref().map(|(_, _, reason)| reason.clone()),
            ended_at: begun.ended.as_ref().map(|(at, _, _)| InstantCol(*at)),
            ended_by: begun.ended.as_ref().map(|(_, by, _)| IdCol(*by)),
        };
        diesel::insert_into(individual_uses::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// The decision by which a programme asks single persons now, if there is one.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn individual_use_open(&mut self, programme: ProgrammeId, key: &InstrumentKey) -> Result<Option<IndividualUse>, StoreError> {
        let row = individual_uses::table
            .filter(individual_uses::programme_id.eq(IdCol(programme)))
            .filter(individual_uses::code.eq(key.as_str()))
            .filter(individual_uses::ended_at.is_null())
            .select(UseRow::as_select())
            .first::<UseRow>(self.conn())
            .optional()?;
        row.map(IndividualUse::try_from).transpose()
    }

    /// Ends it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it has ended already; whatever else the database says.
    pub fn individual_use_end(
        &mut self,
        id: IndividualUseId,
        at: lahete_domain::time::Instant,
        by: UserId,
        reason: &str,
    ) -> Result<(), StoreError> {
        let open = individual_uses::table.find(IdCol(id)).filter(individual_uses::ended_at.is_null());
        let ended = (
            individual_uses::ended_at.eq(Some(InstantCol(at))),
            individual_uses::ended_by.eq(Some(IdCol(by))),
            individual_uses::end_reason.eq(Some(reason)),
        );
        match diesel::update(open).set(ended).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// Keeps what a group answered.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn group_answer_insert(&mut self, group: &GroupAnswer) -> Result<(), StoreError> {
        let row = GroupRow {
            id: IdCol(group.id),
            programme_id: IdCol(group.programme),
            code: group.instrument.as_str().to_owned(),
            version: i64::from(group.version),
            held_on: group.held_on,
            answers: JsonCol(json!(group.answers)),
            scores: JsonCol(json!(group.scores)),
            recorded_at: InstantCol(group.recorded_at),
            recorded_by: IdCol(group.recorded_by),
        };
        diesel::insert_into(group_answers::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// A page of what groups of a programme answered, the newest session first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn group_answer_list(
        &mut self,
        programme: ProgrammeId,
        key: &InstrumentKey,
        request: &PageRequest,
    ) -> Result<Page<GroupAnswer>, StoreError> {
        let mut query = group_answers::table
            .filter(group_answers::programme_id.eq(IdCol(programme)))
            .filter(group_answers::code.eq(key.as_str()))
            .select(GroupRow::as_select())
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = group_answers::held_on.lt(day).or(group_answers::id.lt(IdCol(GroupAnswerId::from_uuid(cursor.id))));
            query = query.filter(group_answers::held_on.le(day)).filter(behind);
        }
        let rows =
            query.order((group_answers::held_on.desc(), group_answers::id.desc())).limit(request.fetch()).load::<GroupRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.held_on.to_string(), id: row.id.0.as_uuid() });
        page.try_map(GroupAnswer::try_from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_comes_back_as_it_was() {
        for definition in all_shipped() {
            let back = from_json(definition.key.clone(), definition.version, &to_json(&definition));
            match definition.scoring {
                Scoring::GoalAttainment => assert_eq!(back, None, "it is never added"),
                _ => assert_eq!(back, Some(definition)),
            }
        }
        assert_eq!(from_json(all_shipped()[0].key.clone(), 1, &json!({})), None);
    }
}
