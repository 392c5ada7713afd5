//! Answered questionnaires.

use diesel::prelude::*;
use lahete_domain::codes::{AnswerMode, MissingReason, Timepoint};
use lahete_domain::ids::{GoalId, Id, MeasureId, SupportPeriodId};
use lahete_domain::measure::definition::InstrumentKey;
use lahete_domain::measure::goal_attainment::GoalAnswer;
use lahete_domain::measure::{Answer, Answered, Measure, Score};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::measures;
use crate::sql_types::{CodeCol, IdCol, InstantCol, JsonCol, parse_instant};

const TABLE: &str = "measures";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = measures, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct MeasureRow {
    id: IdCol<MeasureId>,
    support_period_id: IdCol<SupportPeriodId>,
    instrument: String,
    timepoint: CodeCol<Timepoint>,
    mode: Option<CodeCol<AnswerMode>>,
    answers: Option<JsonCol>,
    raw: Option<i64>,
    hundredths: Option<i64>,
    missing_reason: Option<CodeCol<MissingReason>>,
    recorded_at: InstantCol,
    instrument_version: i64,
}

/// Answers to items are an array of numbers, with null for a gap; answers by goals one of triples.
fn to_json(answered: &Answered) -> Value {
    match answered {
        Answered::Items(answers) => json!(answers),
        Answered::Goals(goals) => {
            let triple = |goal: &GoalAnswer| json!([goal.goal.as_uuid().hyphenated().to_string(), goal.weight, goal.attained]);
            Value::from(goals.iter().map(triple).collect::<Vec<_>>())
        }
    }
}

fn from_json(json: Value) -> Option<Answered> {
    if json.as_array()?.first().is_some_and(Value::is_array) {
        let triples: Vec<(String, u8, i8)> = serde_json::from_value(json).ok()?;
        let goal = |(goal, weight, attained): (String, u8, i8)| {
            Some(GoalAnswer { goal: GoalId::from_uuid(Uuid::parse_str(&goal).ok()?), weight, attained })
        };
        return triples.into_iter().map(goal).collect::<Option<_>>().map(Answered::Goals);
    }
    serde_json::from_value(json).ok().map(Answered::Items)
}

impl From<&Measure> for MeasureRow {
    fn from(measure: &Measure) -> Self {
        let row = Self {
            id: IdCol(measure.id),
            support_period_id: IdCol(measure.support_period),
            instrument: measure.instrument.as_str().to_owned(),
            timepoint: CodeCol(measure.timepoint),
            mode: None,
            answers: None,
            raw: None,
            hundredths: None,
            missing_reason: None,
            recorded_at: InstantCol(measure.recorded_at),
            instrument_version: i64::from(measure.version),
        };
        match &measure.answer {
            Answer::Given { mode, answered, score } => Self {
                mode: Some(CodeCol(*mode)),
                answers: Some(JsonCol(to_json(answered))),
                raw: score.map(|score| i64::from(score.raw)),
                hundredths: score.map(|score| i64::from(score.hundredths)),
                ..row
            },
            Answer::Missing(reason) => Self { missing_reason: Some(CodeCol(*reason)), ..row },
        }
    }
}

impl TryFrom<MeasureRow> for Measure {
    type Error = StoreError;

    fn try_from(row: MeasureRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt(TABLE, column, row.id.0);
        let score = match (row.raw, row.hundredths) {
            (Some(raw), Some(hundredths)) => Some(Score {
                raw: i32::try_from(raw).map_err(|_| corrupt("raw"))?,
                hundredths: i32::try_from(hundredths).map_err(|_| corrupt("hundredths"))?,
            }),
            (None, None) => None,
            _ => return Err(corrupt("raw")),
        };
        let answer = match (row.missing_reason, row.mode, row.answers) {
            (Some(reason), None, None) if score.is_none() => Answer::Missing(reason.0),
            (None, Some(mode), Some(answers)) => {
                Answer::Given { mode: mode.0, answered: from_json(answers.0).ok_or_else(|| corrupt("answers"))?, score }
            }
            _ => return Err(corrupt("missing_reason")),
        };
        Ok(Self {
            id: row.id.0,
            support_period: row.support_period_id.0,
            instrument: InstrumentKey::parse(&row.instrument).ok_or_else(|| corrupt("instrument"))?,
            version: u16::try_from(row.instrument_version).map_err(|_| corrupt("instrument_version"))?,
            timepoint: row.timepoint.0,
            answer,
            recorded_at: row.recorded_at.0,
        })
    }
}

impl Db<'_> {
    /// Writes a new measure.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when this instrument was recorded at this timepoint before; whatever else the database says.
    pub fn measure_insert(&mut self, measure: &Measure) -> Result<(), StoreError> {
        diesel::insert_into(measures::table).values(MeasureRow::from(measure)).execute(self.conn())?;
        Ok(())
    }

    /// All measures of a support period, in the order in which they were recorded: at most one for each instrument and timepoint.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measures_of(&mut self, period: SupportPeriodId) -> Result<Vec<Measure>, StoreError> {
        measures::table
            .filter(measures::support_period_id.eq(IdCol(period)))
            .order((measures::recorded_at.asc(), measures::id.asc()))
            .select(MeasureRow::as_select())
            .load::<MeasureRow>(self.conn())?
            .into_iter()
            .map(Measure::try_from)
            .collect()
    }

    /// Reads a measure.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_get(&mut self, id: MeasureId) -> Result<Option<Measure>, StoreError> {
        let row = measures::table.find(IdCol(id)).select(MeasureRow::as_select()).first(self.conn()).optional()?;
        row.map(Measure::try_from).transpose()
    }

    /// A page of the measures of a support period, in the order in which they were recorded.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn measure_list(&mut self, period: SupportPeriodId, request: &PageRequest) -> Result<Page<Measure>, StoreError> {
        let mut query = measures::table
            .select(MeasureRow::as_select())
            .filter(measures::support_period_id.eq(IdCol(period)))
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = measures::recorded_at.gt(InstantCol(at)).or(measures::id.gt(IdCol(MeasureId::from_uuid(cursor.id))));
            query = query.filter(measures::recorded_at.ge(InstantCol(at))).filter(behind);
        }
        let rows = query.order((measures::recorded_at.asc(), measures::id.asc())).limit(request.fetch()).load::<MeasureRow>(self.conn())?;
        let cursor = |row: &MeasureRow| Cursor { sort: row.recorded_at.0.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(Measure::try_from)
    }
}
