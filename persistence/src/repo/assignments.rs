//! Link workers proposed for referrals, and what they may know of the case before they accept.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use lahete_domain::assignment::{Assignment, AssignmentState};
use lahete_domain::codes::{AssignmentEndReason, AssignmentStateCode, ClientStanding, DeclineReason, ReferralReason, ReferralStateCode};
use lahete_domain::ids::{AssignmentId, ClientId, Id, LinkWorkerId, ProgrammeId, ReferralId, UserId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;

use crate::among::{among, among_codes};
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{assignments, clients, link_workers, referral_reasons, referral_snapshots, referrals};
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol, parse_instant};

const TABLE: &str = "assignments";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = assignments, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct AssignmentRow {
    id: IdCol<AssignmentId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    link_worker_id: IdCol<LinkWorkerId>,
    link_worker_user_id: IdCol<UserId>,
    proposed_by: IdCol<UserId>,
    proposed_at: InstantCol,
    expires_at: InstantCol,
    message: Option<String>,
    state: CodeCol<AssignmentStateCode>,
    answered_at: Option<InstantCol>,
    decline_reason: Option<CodeCol<DeclineReason>>,
    ended_at: Option<InstantCol>,
    end_reason: Option<CodeCol<AssignmentEndReason>>,
}

/// The columns in which an assignment keeps its state.
#[derive(AsChangeset, Default)]
#[diesel(table_name = assignments, treat_none_as_null = true)]
struct AnswerColumns {
    answered_at: Option<InstantCol>,
    decline_reason: Option<CodeCol<DeclineReason>>,
    ended_at: Option<InstantCol>,
    end_reason: Option<CodeCol<AssignmentEndReason>>,
}

impl From<&AssignmentState> for AnswerColumns {
    fn from(state: &AssignmentState) -> Self {
        match state {
            AssignmentState::Proposed => Self::default(),
            AssignmentState::Accepted { at } => Self { answered_at: Some(InstantCol(*at)), ..Self::default() },
            AssignmentState::Declined { at, reason } => {
                Self { answered_at: Some(InstantCol(*at)), decline_reason: Some(CodeCol(*reason)), ..Self::default() }
            }
            AssignmentState::Expired { at } => Self { ended_at: Some(InstantCol(*at)), ..Self::default() },
            AssignmentState::Ended { accepted_at, at, reason } => Self {
                answered_at: accepted_at.map(InstantCol),
                ended_at: Some(InstantCol(*at)),
                end_reason: Some(CodeCol(*reason)),
                ..Self::default()
            },
        }
    }
}

impl From<&Assignment> for AssignmentRow {
    fn from(assignment: &Assignment) -> Self {
        let columns = AnswerColumns::from(&assignment.state);
        Self {
            id: IdCol(assignment.id),
            version: VersionCol(assignment.version),
            programme_id: IdCol(assignment.programme),
            referral_id: IdCol(assignment.referral),
            link_worker_id: IdCol(assignment.link_worker),
            link_worker_user_id: IdCol(assignment.link_worker_user),
            proposed_by: IdCol(assignment.proposed_by),
            proposed_at: InstantCol(assignment.proposed_at),
            expires_at: InstantCol(assignment.expires_at),
            message: assignment.message.clone(),
            state: CodeCol(assignment.state_code()),
            answered_at: columns.answered_at,
            decline_reason: columns.decline_reason,
            ended_at: columns.ended_at,
            end_reason: columns.end_reason,
        }
    }
}

impl TryFrom<AssignmentRow> for Assignment {
    type Error = StoreError;

    fn try_from(row: AssignmentRow) -> Result<Self, StoreError> {
        let id = row.id.0;
        let corrupt = |column| StoreError::corrupt(TABLE, column, id);
        let state = match row.state.0 {
            AssignmentStateCode::Proposed => AssignmentState::Proposed,
            AssignmentStateCode::Accepted => AssignmentState::Accepted { at: row.answered_at.ok_or_else(|| corrupt("answered_at"))?.0 },
            AssignmentStateCode::Declined => AssignmentState::Declined {
                at: row.answered_at.ok_or_else(|| corrupt("answered_at"))?.0,
                reason: row.decline_reason.ok_or_else(|| corrupt("decline_reason"))?.0,
            },
            AssignmentStateCode::Expired => AssignmentState::Expired { at: row.ended_at.ok_or_else(|| corrupt("ended_at"))?.0 },
            AssignmentStateCode::Ended => AssignmentState::Ended {
                accepted_at: row.answered_at.map(|at| at.0),
                at: row.ended_at.ok_or_else(|| corrupt("ended_at"))?.0,
                reason: row.end_reason.ok_or_else(|| corrupt("end_reason"))?.0,
            },
        };
        Ok(Self {
            id,
            version: row.version.0,
            programme: row.programme_id.0,
            referral: row.referral_id.0,
            link_worker: row.link_worker_id.0,
            link_worker_user: row.link_worker_user_id.0,
            proposed_by: row.proposed_by.0,
            proposed_at: row.proposed_at.0,
            expires_at: row.expires_at.0,
            message: row.message,
            state,
        })
    }
}

/// An assignment with what a link worker must know of the case to answer: nothing that names the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssignmentCase {
    /// The assignment.
    pub assignment: Assignment,
    /// The link worker's name.
    pub link_worker_name: String,
    /// The client.
    pub client: ClientId,
    /// Where the client lives now.
    pub municipality: MunicipalityCode,
    /// The client's age on the day of sending.
    pub age: Option<u32>,
    /// The client's language.
    pub language: String,
    /// Whether an interpreter is needed.
    pub interpreter_needed: bool,
    /// Why the referral was written.
    pub reasons: BTreeSet<ReferralReason>,
    /// The last day on which a verified consent shares the case with a link worker.
    pub shared_until: Option<NaiveDate>,
    /// Whether the client's data may be used.
    pub standing: ClientStanding,
    /// Whether the client's places are protected (turvakielto).
    pub non_disclosure: bool,
    /// Where the referral stands.
    pub referral_state: ReferralStateCode,
    /// Since when.
    pub referral_state_since: Instant,
}

/// Which assignments are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AssignmentFilter {
    /// All of these programmes may be seen.
    pub programmes: Vec<ProgrammeId>,
    /// In these programmes, only what is proposed to this person and can still be answered, or accepted by them and not ended; and only while a
    /// verified consent shares the case.
    pub own: Option<(UserId, Vec<ProgrammeId>, Instant)>,
    /// Only those of this referral.
    pub referral: Option<ReferralId>,
    /// Only those in this state.
    pub state: Option<AssignmentStateCode>,
    /// Only those of this link worker.
    pub link_worker: Option<LinkWorkerId>,
}

type CaseRow = (
    AssignmentRow,
    String,
    IdCol<ClientId>,
    String,
    Option<i64>,
    String,
    bool,
    Option<NaiveDate>,
    bool,
    CodeCol<ReferralStateCode>,
    InstantCol,
    CodeCol<ClientStanding>,
);

impl Db<'_> {
    /// Adds an assignment.
    ///
    /// # Errors
    /// Whatever the database says; a rule of the schema when the referral has an open one already.
    pub fn assignment_insert(&mut self, assignment: &Assignment) -> Result<(), StoreError> {
        diesel::insert_into(assignments::table).values(AssignmentRow::from(assignment)).execute(self.conn())?;
        Ok(())
    }

    /// One assignment.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn assignment_get(&mut self, id: AssignmentId) -> Result<Option<Assignment>, StoreError> {
        let row = assignments::table.find(IdCol(id)).select(AssignmentRow::as_select()).first::<AssignmentRow>(self.conn()).optional()?;
        row.map(Assignment::try_from).transpose()
    }

    /// The assignment of a referral that is proposed or accepted.
    ///
    /// # Errors
    /// As [`Db::assignment_get`].
    pub fn assignment_open_of(&mut self, referral: ReferralId) -> Result<Option<Assignment>, StoreError> {
        let open = [AssignmentStateCode::Proposed, AssignmentStateCode::Accepted];
        let row = assignments::table
            .filter(assignments::referral_id.eq(IdCol(referral)))
            .filter(among_codes(assignments::state, open))
            .select(AssignmentRow::as_select())
            .first::<AssignmentRow>(self.conn())
            .optional()?;
        row.map(Assignment::try_from).transpose()
    }

    /// Proposals whose time to answer is over, the oldest first.
    ///
    /// # Errors
    /// As [`Db::assignment_get`].
    pub fn assignments_due(&mut self, now: Instant, limit: u16) -> Result<Vec<Assignment>, StoreError> {
        let rows = assignments::table
            // Spelled out, and not bound: only so can the database see that its index over the open proposals holds them all.
            .filter(spelled::<Bool>("assignments.state = 'proposed'"))
            .filter(assignments::expires_at.le(InstantCol(now)))
            .order((assignments::expires_at.asc(), assignments::id.asc()))
            .limit(i64::from(limit))
            .select(AssignmentRow::as_select())
            .load::<AssignmentRow>(self.conn())?;
        rows.into_iter().map(Assignment::try_from).collect()
    }

    /// Stores the state of an assignment, if nobody else has changed it since.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is not the expected one; whatever else the database says.
    pub fn assignment_update(&mut self, assignment: &Assignment, expected: Version) -> Result<(), StoreError> {
        let target = assignments::table.find(IdCol(assignment.id)).filter(assignments::version.eq(VersionCol(expected)));
        let changes = (
            assignments::version.eq(VersionCol(expected.next())),
            assignments::state.eq(CodeCol(assignment.state_code())),
            AnswerColumns::from(&assignment.state),
        );
        if diesel::update(target).set(changes).execute(self.conn())? == 0 {
            return Err(StoreError::Stale);
        }
        Ok(())
    }

    /// One assignment with what may be known of its case.
    ///
    /// # Errors
    /// As [`Db::assignment_get`].
    pub fn assignment_case(&mut self, id: AssignmentId) -> Result<Option<AssignmentCase>, StoreError> {
        let row = assignments::table
            .inner_join(link_workers::table)
            .inner_join(referrals::table.inner_join(clients::table).left_join(referral_snapshots::table))
            .filter(assignments::id.eq(IdCol(id)))
            .select((
                AssignmentRow::as_select(),
                link_workers::name,
                clients::id,
                clients::municipality,
                referral_snapshots::age.nullable(),
                clients::language,
                clients::interpreter_needed,
                referrals::shared_until,
                clients::non_disclosure,
                referrals::state,
                referrals::state_since,
                clients::standing,
            ))
            .first::<CaseRow>(self.conn())
            .optional()?;
        // Asked also for an assignment that is not there: to find nothing takes as long as to find what one may not see.
        let referrals = vec![row.as_ref().map_or_else(|| IdCol(ReferralId::nil()), |(row, ..)| row.referral_id)];
        self.with_reasons(referrals, row.into_iter().collect()).map(|found| found.into_iter().next())
    }

    /// A page of assignments, the newest proposal first.
    ///
    /// # Errors
    /// As [`Db::assignment_get`].
    pub fn assignment_list(&mut self, filter: &AssignmentFilter, request: &PageRequest) -> Result<Page<AssignmentCase>, StoreError> {
        let mut query = assignments::table
            .inner_join(link_workers::table)
            .inner_join(referrals::table.inner_join(clients::table).left_join(referral_snapshots::table))
            .select((
                AssignmentRow::as_select(),
                link_workers::name,
                clients::id,
                clients::municipality,
                referral_snapshots::age.nullable(),
                clients::language,
                clients::interpreter_needed,
                referrals::shared_until,
                clients::non_disclosure,
                referrals::state,
                referrals::state_since,
                clients::standing,
            ))
            .into_boxed::<MultiBackend>();
        let whole: Vec<_> = filter.programmes.iter().copied().map(IdCol).collect();
        query = match &filter.own {
            None => of_programmes!(query, assignments::programme_id, whole),
            Some((user, programmes, now)) => {
                let waiting =
                    assignments::state.eq(CodeCol(AssignmentStateCode::Proposed)).and(assignments::expires_at.gt(InstantCol(*now)));
                let current = assignments::state.eq(CodeCol(AssignmentStateCode::Accepted)).or(waiting);
                let shared = referrals::shared_until.ge(now.helsinki_date()).assume_not_null();
                let own = assignments::link_worker_user_id
                    .eq(IdCol(*user))
                    .and(among(assignments::programme_id, programmes.iter().copied()))
                    .and(current)
                    .and(shared.and(referrals::shared_until.is_not_null()));
                match filter.programmes.as_slice() {
                    [] => query.filter(own),
                    whole => query.filter(among(assignments::programme_id, whole.iter().copied()).or(own)),
                }
            }
        };
        // What is restricted is shown to nobody.
        query = query.filter(clients::standing.ne(CodeCol(ClientStanding::Restricted)));
        if let Some(referral) = filter.referral {
            query = query.filter(assignments::referral_id.eq(IdCol(referral)));
        }
        if let Some(state) = filter.state {
            query = query.filter(assignments::state.eq(CodeCol(state)));
        }
        if let Some(worker) = filter.link_worker {
            query = query.filter(assignments::link_worker_id.eq(IdCol(worker)));
        }
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = assignments::proposed_at.lt(InstantCol(at)).or(assignments::id.lt(IdCol(AssignmentId::from_uuid(cursor.id))));
            query = query.filter(assignments::proposed_at.le(InstantCol(at))).filter(behind);
        }
        let rows =
            query.order((assignments::proposed_at.desc(), assignments::id.desc())).limit(request.fetch()).load::<CaseRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |(row, ..)| Cursor { sort: row.proposed_at.0.to_string(), id: row.id.0.as_uuid() });
        let referrals = page.items.iter().map(|(row, ..)| row.referral_id).collect();
        Ok(Page { items: self.with_reasons(referrals, page.items)?, next: page.next })
    }

    fn with_reasons(&mut self, ids: Vec<IdCol<ReferralId>>, rows: Vec<CaseRow>) -> Result<Vec<AssignmentCase>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = referral_reasons::table
            .filter(among(referral_reasons::referral_id, ids.iter().map(|id| id.0)))
            .select((referral_reasons::referral_id, referral_reasons::reason))
            .load::<(IdCol<ReferralId>, CodeCol<ReferralReason>)>(self.conn())?;
        let mut reasons: BTreeMap<ReferralId, BTreeSet<ReferralReason>> = BTreeMap::new();
        for (id, reason) in found {
            reasons.entry(id.0).or_default().insert(reason.0);
        }
        rows.into_iter()
            .map(|row| {
                let (
                    row,
                    link_worker_name,
                    client,
                    municipality,
                    age,
                    language,
                    interpreter_needed,
                    shared_until,
                    non_disclosure,
                    state,
                    since,
                    standing,
                ) = row;
                let municipality =
                    MunicipalityCode::parse(&municipality).ok_or_else(|| StoreError::corrupt("clients", "municipality", client.0))?;
                let age = age.map(u32::try_from).transpose();
                let age = age.map_err(|_| StoreError::corrupt("referral_snapshots", "age", row.referral_id.0))?;
                let assignment = Assignment::try_from(row)?;
                // One referral can stand in a list more than once: each of its assignments shows the same reasons.
                let reasons = reasons.get(&assignment.referral).cloned().unwrap_or_default();
                Ok(AssignmentCase {
                    assignment,
                    link_worker_name,
                    client: client.0,
                    municipality,
                    age,
                    language,
                    interpreter_needed,
                    reasons,
                    shared_until,
                    standing: standing.0,
                    non_disclosure,
                    referral_state: state.0,
                    referral_state_since: since.0,
                })
            })
            .collect()
    }
}
