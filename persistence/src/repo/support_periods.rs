//! Support periods, and who walks beside the client in them.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use lahete_domain::access::Visibility;
use lahete_domain::codes::{AssignmentEndReason, AssignmentStateCode, PauseReason, SupportPeriodStateCode};
use lahete_domain::ids::{ClientId, Id, LinkWorkerId, ProgrammeId, ReferralId, SupportPeriodId, UserId};
use lahete_domain::support_period::{EndProposal, SupportPeriod, SupportPeriodState};
use lahete_domain::version::Version;

use crate::among::{among, among_codes};
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest, merged};
use crate::schema::{absences, assignments, clients, link_workers, referrals, support_periods};
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol};

const TABLE: &str = "support_periods";

/// Which rows of a table with `programme_id`, `referral_id` and `client_id` a caller may see, as one condition; `None` when they see none.
macro_rules! visible_rows {
    ($table:ident, $visibility:expr, $today:expr) => {{
        type Condition = Box<dyn BoxableExpression<$table::table, MultiBackend, SqlType = Bool>>;
        let visibility: &Visibility = $visibility;
        let mut conditions: Vec<Condition> = Vec::new();
        if !visibility.programmes.is_empty() {
            // One programme is asked for by equality, so that the order of the list can come from an index.
            match visibility.programmes.as_slice() {
                [one] => conditions.push(Box::new($table::programme_id.eq(IdCol(*one)))),
                some => conditions.push(Box::new($crate::among::among($table::programme_id, some.iter().copied()))),
            }
        }
        if let Some((user, programmes)) = &visibility.assigned_to {
            let assigned = referrals::table
                .filter(referrals::link_worker_user_id.eq(IdCol(*user)))
                .filter(referrals::shared_until.ge($today))
                .filter($crate::among::among(referrals::programme_id, programmes.iter().copied()))
                .select(referrals::id);
            conditions.push(Box::new($table::referral_id.eq_any(assigned)));
        }
        // What is restricted is shown to nobody but the client. Each part says so for itself: only then does each find its rows in an index.
        let restricted = crate::repo::clients::restricted_clients(visibility.known_programmes());
        let mut conditions: Vec<Condition> = conditions
            .into_iter()
            .map(|shown| -> Condition { Box::new(shown.and($table::client_id.ne_all(restricted.clone()))) })
            .collect();
        if let Some((user, programmes)) = &visibility.about {
            let about = clients::table
                .filter(clients::user_id.eq(IdCol(*user)))
                .filter($crate::among::among(clients::programme_id, programmes.iter().copied()))
                .select(clients::id);
            conditions.push(Box::new($table::client_id.eq_any(about)));
        }
        conditions.into_iter().reduce(|all, next| -> Condition { Box::new(all.or(next)) })
    }};
}
pub(super) use visible_rows;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = support_periods, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct SupportPeriodRow {
    id: IdCol<SupportPeriodId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    client_id: IdCol<ClientId>,
    starts_on: NaiveDate,
    planned_end_on: NaiveDate,
    first_planned_end_on: NaiveDate,
    state: CodeCol<SupportPeriodStateCode>,
    paused_since: Option<InstantCol>,
    pause_reason: Option<CodeCol<PauseReason>>,
    ended_on: Option<NaiveDate>,
    end_proposed_by: Option<IdCol<UserId>>,
    end_proposed_at: Option<InstantCol>,
    end_proposal_reason: Option<String>,
}

impl SupportPeriodRow {
    fn of(period: &SupportPeriod, version: Version) -> Self {
        let (paused, ended_on) = match period.state {
            SupportPeriodState::Active => (None, None),
            SupportPeriodState::Paused { since, reason } => (Some((since, reason)), None),
            SupportPeriodState::Ended { on } => (None, Some(on)),
        };
        let proposal = period.end_proposal.as_ref();
        Self {
            id: IdCol(period.id),
            version: VersionCol(version),
            programme_id: IdCol(period.programme),
            referral_id: IdCol(period.referral),
            client_id: IdCol(period.client),
            starts_on: period.starts_on,
            planned_end_on: period.planned_end_on,
            first_planned_end_on: period.first_planned_end_on,
            state: CodeCol(period.state_code()),
            paused_since: paused.map(|(since, _)| InstantCol(since)),
            pause_reason: paused.map(|(_, reason)| CodeCol(reason)),
            ended_on,
            end_proposed_by: proposal.map(|proposal| IdCol(proposal.by)),
            end_proposed_at: proposal.map(|proposal| InstantCol(proposal.at)),
            end_proposal_reason: proposal.map(|proposal| proposal.reason.clone()),
        }
    }
}

impl TryFrom<SupportPeriodRow> for SupportPeriod {
    type Error = StoreError;

    fn try_from(row: SupportPeriodRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt(TABLE, column, row.id.0);
        let state = match row.state.0 {
            SupportPeriodStateCode::Active => SupportPeriodState::Active,
            SupportPeriodStateCode::Paused => SupportPeriodState::Paused {
                since: row.paused_since.ok_or_else(|| corrupt("paused_since"))?.0,
                reason: row.pause_reason.ok_or_else(|| corrupt("pause_reason"))?.0,
            },
            SupportPeriodStateCode::Ended => SupportPeriodState::Ended { on: row.ended_on.ok_or_else(|| corrupt("ended_on"))? },
        };
        let end_proposal = match (row.end_proposed_by, row.end_proposed_at, row.end_proposal_reason) {
            (None, None, None) => None,
            (Some(by), Some(at), Some(reason)) => Some(EndProposal { by: by.0, at: at.0, reason }),
            _ => return Err(corrupt("end_proposed_at")),
        };
        Ok(Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            referral: row.referral_id.0,
            client: row.client_id.0,
            starts_on: row.starts_on,
            planned_end_on: row.planned_end_on,
            first_planned_end_on: row.first_planned_end_on,
            state,
            end_proposal,
        })
    }
}

/// Which support periods are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SupportPeriodFilter {
    /// In this state.
    pub state: Option<SupportPeriodStateCode>,
    /// Of this link worker: who walks beside the client now, or did until the end.
    pub link_worker: Option<LinkWorkerId>,
    /// Planned to end before this day.
    pub ends_before: Option<NaiveDate>,
    /// Under way and planned to end on this day or before.
    pub ends_by: Option<NaiveDate>,
    /// Active, and not visited since this day or longer: then the one that has waited longest comes first.
    pub quiet_since: Option<NaiveDate>,
    /// Whose link worker is away on this day.
    pub link_worker_absent_on: Option<NaiveDate>,
}

impl SupportPeriodFilter {
    /// The states that are asked for, each of which has its place in an index; none is none in particular.
    fn states(&self) -> Vec<Option<SupportPeriodStateCode>> {
        use SupportPeriodStateCode as S;
        let possible: &[S] = match (self.quiet_since, self.ends_by) {
            (Some(_), _) => &[S::Active],
            (None, Some(_)) => &[S::Active, S::Paused],
            (None, None) => return vec![self.state],
        };
        possible.iter().copied().filter(|state| self.state.is_none_or(|wanted| wanted == *state)).map(Some).collect()
    }
}

/// A row of a list, with the day since which nobody has visited.
type ListedRow = (SupportPeriodRow, Option<NaiveDate>);

/// The link worker of a support period.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Companion {
    /// The referral of the support period.
    pub referral: ReferralId,
    /// The link worker.
    pub link_worker: LinkWorkerId,
    /// Their name.
    pub name: String,
    /// Whether the assignment is still in force.
    pub current: bool,
}

impl Db<'_> {
    /// Writes a new support period.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn support_period_insert(&mut self, period: &SupportPeriod) -> Result<(), StoreError> {
        // Until the first visit is there, silence is counted from the first day.
        let row = (SupportPeriodRow::of(period, period.version), support_periods::quiet_since.eq(period.starts_on));
        diesel::insert_into(support_periods::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// Reads a support period.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn support_period_get(&mut self, id: SupportPeriodId) -> Result<Option<SupportPeriod>, StoreError> {
        let row = support_periods::table.find(IdCol(id)).select(SupportPeriodRow::as_select()).first(self.conn()).optional()?;
        row.map(SupportPeriod::try_from).transpose()
    }

    /// The support period of a referral: there is never more than one.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn support_period_of_referral(&mut self, referral: ReferralId) -> Result<Option<SupportPeriod>, StoreError> {
        let row = support_periods::table
            .filter(support_periods::referral_id.eq(IdCol(referral)))
            .select(SupportPeriodRow::as_select())
            .first(self.conn())
            .optional()?;
        row.map(SupportPeriod::try_from).transpose()
    }

    /// Writes a changed support period over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn support_period_update(&mut self, period: &SupportPeriod, expected: Version) -> Result<(), StoreError> {
        let stored = support_periods::table.find(IdCol(period.id)).filter(support_periods::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(SupportPeriodRow::of(period, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// Moves the version on after a change of what belongs to the support period: its goals, visits and measures.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when there is no such support period; whatever else the database says.
    pub fn support_period_moved_on(&mut self, id: SupportPeriodId) -> Result<(), StoreError> {
        let moved_on = diesel::update(support_periods::table.find(IdCol(id)))
            .set(support_periods::version.eq(spelled::<BigInt>("version + 1")))
            .execute(self.conn())?;
        if moved_on == 0 { Err(StoreError::Stale) } else { Ok(()) }
    }

    /// A page of the support periods that a caller may see, those that end soonest first; or, when it is asked who has not been visited, those that have
    /// waited longest.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn support_period_list(
        &mut self,
        visibility: &Visibility,
        today: NaiveDate,
        filter: SupportPeriodFilter,
        request: &PageRequest,
    ) -> Result<Page<SupportPeriod>, StoreError> {
        let key = |(row, quiet): &ListedRow| if filter.quiet_since.is_some() { quiet.unwrap_or(row.starts_on) } else { row.planned_end_on };
        let order = |one: &ListedRow, other: &ListedRow| (key(one), one.0.id).cmp(&(key(other), other.0.id));
        let states = filter.states();
        let branches = visibility.branches().into_iter().flat_map(|branch| states.iter().map(move |state| (branch.clone(), *state)));
        let rows = |(branch, state): (Visibility, Option<SupportPeriodStateCode>)| {
            self.support_period_rows(&branch, today, SupportPeriodFilter { state, ..filter }, request)
        };
        let rows = merged(branches, request, rows, order)?;
        let cursor = |row: &ListedRow| Cursor { sort: key(row).to_string(), id: row.0.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(|(row, _)| SupportPeriod::try_from(row))
    }

    fn support_period_rows(
        &mut self,
        visibility: &Visibility,
        today: NaiveDate,
        filter: SupportPeriodFilter,
        request: &PageRequest,
    ) -> Result<Vec<ListedRow>, StoreError> {
        let Some(visible) = visible_rows!(support_periods, visibility, today) else { return Ok(Vec::new()) };
        let mut query = support_periods::table
            .select((SupportPeriodRow::as_select(), support_periods::quiet_since))
            .filter(visible)
            .into_boxed::<MultiBackend>();
        if let Some(state) = filter.state {
            query = query.filter(support_periods::state.eq(CodeCol(state)));
        }
        if let Some(before) = filter.ends_before {
            query = query.filter(support_periods::planned_end_on.lt(before));
        }
        if let Some(by) = filter.ends_by {
            query = query.filter(support_periods::planned_end_on.le(by));
        }
        if let Some(day) = filter.link_worker_absent_on {
            let away = absences::table
                .filter(absences::from_day.le(day))
                .filter(absences::until_day.is_null().or(absences::until_day.ge(day).assume_not_null()))
                .select(absences::link_worker_id);
            let left_alone = assignments::table
                .filter(assignments::link_worker_id.eq_any(away))
                .filter(assignments::state.eq(CodeCol(AssignmentStateCode::Accepted)))
                .select(assignments::referral_id);
            query = query.filter(support_periods::referral_id.eq_any(left_alone));
        }
        if let Some(link_worker) = filter.link_worker {
            let to_the_end = assignments::state
                .eq(CodeCol(AssignmentStateCode::Accepted))
                .or(assignments::end_reason.assume_not_null().eq(CodeCol(AssignmentEndReason::SupportEnded)));
            let walked = assignments::table
                .filter(assignments::link_worker_id.eq(IdCol(link_worker)))
                .filter(to_the_end)
                .select(assignments::referral_id);
            query = query.filter(support_periods::referral_id.eq_any(walked));
        }
        // A cursor that no list gave out ends the list: there is nothing behind it.
        if let Some(since) = filter.quiet_since {
            query = query.filter(support_periods::quiet_since.le(since).assume_not_null());
            if let Some(cursor) = &request.after {
                let Ok(last) = cursor.sort.parse::<NaiveDate>() else { return Ok(Vec::new()) };
                let later = support_periods::quiet_since.gt(last).assume_not_null();
                let behind = later.or(support_periods::id.gt(IdCol(SupportPeriodId::from_uuid(cursor.id))));
                query = query.filter(support_periods::quiet_since.ge(last).assume_not_null()).filter(behind);
            }
            return Ok(query
                .order((support_periods::quiet_since.asc(), support_periods::id.asc()))
                .limit(request.fetch())
                .load(self.conn())?);
        }
        if let Some(cursor) = &request.after {
            let Ok(end) = cursor.sort.parse::<NaiveDate>() else { return Ok(Vec::new()) };
            let behind = support_periods::planned_end_on.gt(end).or(support_periods::id.gt(IdCol(SupportPeriodId::from_uuid(cursor.id))));
            query = query.filter(support_periods::planned_end_on.ge(end)).filter(behind);
        }
        Ok(query.order((support_periods::planned_end_on.asc(), support_periods::id.asc())).limit(request.fetch()).load(self.conn())?)
    }

    /// The link workers who accepted these referrals, for each referral the newest: the one who walks beside the client now, or was the
    /// last to.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn companions(&mut self, referrals: &[ReferralId]) -> Result<Vec<Companion>, StoreError> {
        let states = [AssignmentStateCode::Accepted, AssignmentStateCode::Ended];
        let rows = assignments::table
            .inner_join(link_workers::table)
            .filter(among(assignments::referral_id, referrals.iter().copied()))
            .filter(among_codes(assignments::state, states))
            .filter(assignments::answered_at.is_not_null())
            .order((assignments::referral_id.asc(), assignments::answered_at.desc(), assignments::id.desc()))
            .select((assignments::referral_id, assignments::link_worker_id, link_workers::name, assignments::state))
            .load::<(IdCol<ReferralId>, IdCol<LinkWorkerId>, String, CodeCol<AssignmentStateCode>)>(self.conn())?;
        let mut newest: Vec<Companion> = Vec::new();
        for (referral, link_worker, name, state) in rows {
            if newest.last().is_none_or(|last| last.referral != referral.0) {
                let current = state.0 == AssignmentStateCode::Accepted;
                newest.push(Companion { referral: referral.0, link_worker: link_worker.0, name, current });
            }
        }
        Ok(newest)
    }
}
