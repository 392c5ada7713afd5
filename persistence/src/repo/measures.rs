//! Answered questionnaires.

use diesel::prelude::*;
use lahete_domain::codes::{AnswerMode, Instrument, MissingReason, Timepoint};
use lahete_domain::ids::{Id, MeasureId, SupportPeriodId};
use lahete_domain::measure::{Answer, Measure, Score};

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
    instrument: CodeCol<Instrument>,
    timepoint: CodeCol<Timepoint>,
    mode: Option<CodeCol<AnswerMode>>,
    answers: Option<JsonCol>,
    raw: Option<i64>,
    hundredths: Option<i64>,
    missing_reason: Option<CodeCol<MissingReason>>,
    recorded_at: InstantCol,
}

impl From<&Measure> for MeasureRow {
    fn from(measure: &Measure) -> Self {
        let row = Self {
            id: IdCol(measure.id),
            support_period_id: IdCol(measure.support_period),
            instrument: CodeCol(measure.instrument),
            timepoint: CodeCol(measure.timepoint),
            mode: None,
            answers: None,
            raw: None,
            hundredths: None,
            missing_reason: None,
            recorded_at: InstantCol(measure.recorded_at),
        };
        match &measure.answer {
            Answer::Given { mode, answers, score } => Self {
                mode: Some(CodeCol(*mode)),
                answers: Some(JsonCol(serde_json::Value::from(answers.clone()))),
                raw: Some(i64::from(score.raw)),
                hundredths: Some(i64::from(score.hundredths)),
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
        let answer = match (row.missing_reason, row.mode, row.answers, row.raw, row.hundredths) {
            (Some(reason), None, None, None, None) => Answer::Missing(reason.0),
            (None, Some(mode), Some(answers), Some(raw), Some(hundredths)) => Answer::Given {
                mode: mode.0,
                answers: serde_json::from_value(answers.0).map_err(|_| corrupt("answers"))?,
                score: Score {
                    raw: i32::try_from(raw).map_err(|_| corrupt("raw"))?,
                    hundredths: i32::try_from(hundredths).map_err(|_| corrupt("hundredths"))?,
                },
            },
            _ => return Err(corrupt("missing_reason")),
        };
        Ok(Self {
            id: row.id.0,
            support_period: row.support_period_id.0,
            instrument: row.instrument.0,
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
