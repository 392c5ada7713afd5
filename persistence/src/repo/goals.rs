//! The client's goals.

use diesel::prelude::*;
use lahete_domain::codes::{GoalOutcome, Role};
use lahete_domain::goal::{Goal, GoalStep, Teller, ToldOutcome};
use lahete_domain::ids::{GoalId, Id, SupportPeriodId, UserId};
use lahete_domain::version::Version;
use serde_json::Value;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::goals;
use crate::sql_types::{CodeCol, IdCol, InstantCol, JsonCol, VersionCol, parse_instant};

const TABLE: &str = "goals";

/// A step as it is stored. Older rows have its words alone.
fn read_step(stored: &Value) -> Option<GoalStep> {
    match stored {
        Value::String(words) => Some(GoalStep { words: words.clone(), done: false }),
        step => Some(GoalStep { words: step.get("words")?.as_str()?.to_owned(), done: step.get("done")?.as_bool()? }),
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = goals, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct GoalRow {
    id: IdCol<GoalId>,
    version: VersionCol,
    support_period_id: IdCol<SupportPeriodId>,
    words: String,
    steps: JsonCol,
    outcome: Option<CodeCol<GoalOutcome>>,
    recorded_at: InstantCol,
    outcome_role: Option<CodeCol<Role>>,
    outcome_by: Option<IdCol<UserId>>,
    outcome_at: Option<InstantCol>,
}

impl GoalRow {
    fn of(goal: &Goal, version: Version) -> Self {
        let teller = goal.outcome.and_then(|told| told.by);
        let step = |step: &GoalStep| serde_json::json!({"words": step.words, "done": step.done});
        Self {
            id: IdCol(goal.id),
            version: VersionCol(version),
            support_period_id: IdCol(goal.support_period),
            words: goal.words.clone(),
            steps: JsonCol(goal.steps.iter().map(step).collect()),
            outcome: goal.outcome.map(|told| CodeCol(told.outcome)),
            recorded_at: InstantCol(goal.recorded_at),
            outcome_role: teller.map(|teller| CodeCol(teller.role)),
            outcome_by: teller.and_then(|teller| teller.user).map(IdCol),
            outcome_at: teller.map(|teller| InstantCol(teller.at)),
        }
    }
}

impl TryFrom<GoalRow> for Goal {
    type Error = StoreError;

    fn try_from(row: GoalRow) -> Result<Self, StoreError> {
        let user = row.outcome_by.map(|user| user.0);
        let by = row.outcome_role.zip(row.outcome_at).map(|(role, at)| Teller { user, role: role.0, at: at.0 });
        let steps: Option<Vec<GoalStep>> = row.steps.0.as_array().and_then(|steps| steps.iter().map(read_step).collect());
        Ok(Self {
            id: row.id.0,
            version: row.version.0,
            support_period: row.support_period_id.0,
            words: row.words,
            steps: steps.ok_or_else(|| StoreError::corrupt(TABLE, "steps", row.id.0))?,
            outcome: row.outcome.map(|code| ToldOutcome { outcome: code.0, by }),
            recorded_at: row.recorded_at.0,
        })
    }
}

impl Db<'_> {
    /// Writes a new goal.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn goal_insert(&mut self, goal: &Goal) -> Result<(), StoreError> {
        diesel::insert_into(goals::table).values(GoalRow::of(goal, goal.version)).execute(self.conn())?;
        Ok(())
    }

    /// Reads a goal.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn goal_get(&mut self, id: GoalId) -> Result<Option<Goal>, StoreError> {
        let row = goals::table.find(IdCol(id)).select(GoalRow::as_select()).first(self.conn()).optional()?;
        row.map(Goal::try_from).transpose()
    }

    /// Writes a changed goal over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn goal_update(&mut self, goal: &Goal, expected: Version) -> Result<(), StoreError> {
        let stored = goals::table.find(IdCol(goal.id)).filter(goals::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(GoalRow::of(goal, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// A page of the goals of a support period, in the order in which they were written down.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn goals_of(&mut self, period: SupportPeriodId, request: &PageRequest) -> Result<Page<Goal>, StoreError> {
        let mut query =
            goals::table.select(GoalRow::as_select()).filter(goals::support_period_id.eq(IdCol(period))).into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = goals::recorded_at.gt(InstantCol(at)).or(goals::id.gt(IdCol(GoalId::from_uuid(cursor.id))));
            query = query.filter(goals::recorded_at.ge(InstantCol(at))).filter(behind);
        }
        let rows = query.order((goals::recorded_at.asc(), goals::id.asc())).limit(request.fetch()).load::<GoalRow>(self.conn())?;
        let cursor = |row: &GoalRow| Cursor { sort: row.recorded_at.0.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(Goal::try_from)
    }
}
