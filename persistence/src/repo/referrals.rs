//! Referrals: the row of the life cycle, the written content beside it, the reasons, and the snapshot for the statistics.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};
use lahete_domain::access::{Subject, Visibility, is_past};
use lahete_domain::codes::{
    Channel, ClientStanding, Code, EndReason, MessageParty, Outcome, Priority, ReferralReason, ReferralStateCode, Role, Route, Sector, Sex,
};
use lahete_domain::consent::OPEN_ENDED;
use lahete_domain::ids::{ApiClientId, AssignmentId, ClientId, OrganisationId, ProgrammeId, ReferralId, SupportPeriodId, UserId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::referral::state::{BackTo, ClosedBy, Closure, QueuePlace, ReferralState};
use lahete_domain::referral::{Content, Referral, Referrer, Snapshot, Source, Submission};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;

use crate::among::{among, among_codes};
use crate::cipher::Keys;
use crate::connection::{MultiBackend, on_backend};
use crate::page::{Cursor, Page, PageRequest, merged};
use crate::repo::clients::restricted_clients;
use crate::repo::sealed::{self, Resealed};
use crate::schema::{clients, consents, referral_details, referral_reasons, referral_snapshots, referrals};
use crate::spelled::spelled;
use crate::sql_types::{CodeCol, CodeSetCol, IdCol, InstantCol, VersionCol, parse_instant};
use crate::{Db, StoreError};

/// What a list of referrals is sorted by: id, creation, begin of the state, acceptance to the waiting list and priority on it.
type ReferralKey = (IdCol<ReferralId>, InstantCol, InstantCol, Option<InstantCol>, Option<CodeCol<Priority>>);

impl ReferralOrder {
    /// The order of the statement, for keys that come from several of them.
    fn compare(self, one: &ReferralKey, other: &ReferralKey) -> Ordering {
        let priority = |key: &ReferralKey| key.4.map_or("", |priority| priority.0.as_str());
        match self {
            Self::Newest => (other.1, other.0).cmp(&(one.1, one.0)),
            Self::LongestInState => (one.2, one.0).cmp(&(other.2, other.0)),
            Self::LongestWaiting => (one.3, one.0).cmp(&(other.3, other.0)),
            Self::WaitingList => priority(other).cmp(priority(one)).then_with(|| (one.3, one.0).cmp(&(other.3, other.0))),
        }
    }
}

/// Stands between priority and instant in the cursors of the waiting list.
const BESIDE_PRIORITY: char = '|';

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = referrals, check_for_backend(MultiBackend), treat_none_as_null = true, primary_key(id), treat_none_as_default_value = false)]
struct ReferralRow {
    id: IdCol<ReferralId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    client_id: IdCol<ClientId>,
    channel: CodeCol<Channel>,
    referrer_user_id: Option<IdCol<UserId>>,
    api_client_id: Option<IdCol<ApiClientId>>,
    organisation_id: Option<IdCol<OrganisationId>>,
    sector: CodeCol<Sector>,
    municipality: String,
    state: CodeCol<ReferralStateCode>,
    state_since: InstantCol,
    coordinator_id: Option<IdCol<UserId>>,
    asked: Option<CodeCol<MessageParty>>,
    queue_accepted_at: Option<InstantCol>,
    queue_priority: Option<CodeCol<Priority>>,
    resume_on: Option<NaiveDate>,
    back_to: Option<String>,
    assignment_id: Option<IdCol<AssignmentId>>,
    support_period_id: Option<IdCol<SupportPeriodId>>,
    follow_up_on: Option<NaiveDate>,
    outcome: Option<CodeCol<Outcome>>,
    end_reason: Option<CodeCol<EndReason>>,
    route: Option<CodeCol<Route>>,
    closed_at: Option<InstantCol>,
    closed_by_user: Option<IdCol<UserId>>,
    closed_by_role: Option<CodeCol<Role>>,
    created_at: InstantCol,
    submitted_at: Option<InstantCol>,
    link_worker_user_id: Option<IdCol<UserId>>,
    shared_until: Option<NaiveDate>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = referral_details, check_for_backend(MultiBackend), treat_none_as_null = true, primary_key(referral_id), treat_none_as_default_value = false)]
struct DetailsRow {
    referral_id: IdCol<ReferralId>,
    referrer_name: Option<String>,
    referrer_contact: Option<String>,
    feedback_wanted: bool,
    wish: Option<String>,
    background: Option<String>,
    written_together: bool,
    joint_meeting_wished: bool,
    not_a_service_acknowledged: bool,
    source_system: Option<String>,
    source_id: Option<String>,
    previous_referral_id: Option<IdCol<ReferralId>>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = referral_snapshots, check_for_backend(MultiBackend))]
struct SnapshotRow {
    submitted_on: NaiveDate,
    age: i64,
    sex: Option<CodeCol<Sex>>,
    municipality: String,
}

/// What the report must know of the life of a referral, kept in the snapshot so that it reads nothing else.
#[derive(AsChangeset)]
#[diesel(table_name = referral_snapshots)]
struct StandingColumns {
    state: CodeCol<ReferralStateCode>,
    outcome: Option<Option<CodeCol<Outcome>>>,
    route: Option<Option<CodeCol<Route>>>,
    /// Set once a link worker has said yes, and never taken back: their visits and agreements are counted whatever comes after.
    assigned: Option<bool>,
}

impl From<&ReferralState> for StandingColumns {
    fn from(state: &ReferralState) -> Self {
        let closure = if let ReferralState::Closed(closure) = state { Some(closure) } else { None };
        Self {
            state: CodeCol(state.code()),
            outcome: Some(closure.map(|closure| CodeCol(closure.outcome))),
            route: Some(closure.and_then(|closure| closure.route).map(CodeCol)),
            assigned: matches!(state, ReferralState::Assigned { .. } | ReferralState::InSupport { .. }).then_some(true),
        }
    }
}

/// A referral with the relations that decide who may see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The referral.
    pub referral: Referral,
    /// The client's own sign-in.
    pub client_user: Option<UserId>,
    /// The link worker of the accepted assignment.
    pub link_worker_user: Option<UserId>,
    /// Until when a verified consent shares it with a link worker; [`lahete_domain::consent::OPEN_ENDED`] without end.
    pub shared_until: Option<NaiveDate>,
    /// The municipality that the client lives in.
    pub municipality: MunicipalityCode,
    /// Whether the client's data may be used.
    pub standing: ClientStanding,
}

impl Case {
    /// The case as the access policy sees it on a day.
    #[must_use]
    pub fn subject(&self, today: NaiveDate) -> Subject {
        let referrer = &self.referral.referrer;
        Subject {
            referrer: referrer.user,
            api_client: referrer.api_client,
            organisation: referrer.organisation,
            link_worker: self.link_worker_user,
            client: self.client_user,
            shared_with_link_worker: self.shared_until.is_some_and(|until| today <= until),
            draft: self.referral.state == ReferralState::Draft,
            standing: self.standing,
            past: is_past(self.referral.state.code(), self.referral.state_since, today),
            ..Subject::of_programme(self.referral.programme)
        }
    }
}

/// In which order a list of referrals is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReferralOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The one that has stood longest in its state first.
    LongestInState,
    /// The one that has waited longest on the waiting list first; only waitlisted ones.
    LongestWaiting,
    /// As [`ReferralOrder::LongestWaiting`], the more urgent before the less urgent.
    WaitingList,
}

/// Which referrals of those that one may see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReferralFilter {
    /// Of this programme.
    pub programme: Option<ProgrammeId>,
    /// In one of these states; in any when empty.
    pub states: Vec<ReferralStateCode>,
    /// Of a client in this municipality.
    pub municipality: Option<MunicipalityCode>,
    /// With this reason.
    pub reason: Option<ReferralReason>,
    /// Taken by this coordinator.
    pub coordinator: Option<UserId>,
    /// About this client.
    pub client: Option<ClientId>,
    /// In its state since this instant or longer.
    pub in_state_since: Option<Instant>,
    /// The order.
    pub order: ReferralOrder,
}

const TABLE: &str = "referrals";

fn back_to_text(back_to: BackTo) -> &'static str {
    match back_to {
        BackTo::InReview => ReferralStateCode::InReview.as_str(),
        BackTo::Waitlisted => ReferralStateCode::Waitlisted.as_str(),
    }
}

impl ReferralRow {
    fn of(case: &Case) -> Self {
        let referral = &case.referral;
        let mut row = Self {
            id: referral.id.into(),
            version: referral.version.into(),
            programme_id: referral.programme.into(),
            client_id: referral.client.into(),
            channel: referral.referrer.channel.into(),
            referrer_user_id: referral.referrer.user.map(IdCol),
            api_client_id: referral.referrer.api_client.map(IdCol),
            organisation_id: referral.referrer.organisation.map(IdCol),
            sector: referral.referrer.sector.into(),
            municipality: case.municipality.as_str().to_owned(),
            state: referral.state.code().into(),
            state_since: referral.state_since.into(),
            coordinator_id: referral.coordinator.map(IdCol),
            asked: None,
            queue_accepted_at: referral.queue.map(|queue| InstantCol(queue.accepted_at)),
            queue_priority: referral.queue.map(|queue| CodeCol(queue.priority)),
            resume_on: None,
            back_to: None,
            assignment_id: referral.state.assignment().map(IdCol),
            support_period_id: referral.state.support_period().map(IdCol),
            follow_up_on: None,
            outcome: None,
            end_reason: None,
            route: None,
            closed_at: None,
            closed_by_user: None,
            closed_by_role: None,
            created_at: referral.created_at.into(),
            submitted_at: referral.submission.as_ref().map(|submission| InstantCol(submission.at)),
            link_worker_user_id: case.link_worker_user.map(IdCol),
            shared_until: case.shared_until,
        };
        match &referral.state {
            ReferralState::AwaitingInformation { asked } => row.asked = Some(CodeCol(*asked)),
            ReferralState::Deferred { resume_on, back_to } => {
                row.resume_on = Some(*resume_on);
                row.back_to = Some(back_to_text(*back_to).to_owned());
            }
            ReferralState::DirectlyGuided { follow_up_on } => row.follow_up_on = Some(*follow_up_on),
            ReferralState::Closed(closure) => {
                row.outcome = Some(CodeCol(closure.outcome));
                row.end_reason = Some(CodeCol(closure.end_reason));
                row.route = closure.route.map(CodeCol);
                row.closed_at = Some(InstantCol(closure.at));
                row.closed_by_user = closure.by.user.map(IdCol);
                row.closed_by_role = Some(CodeCol(closure.by.role));
            }
            ReferralState::Draft
            | ReferralState::Submitted
            | ReferralState::InReview
            | ReferralState::Waitlisted
            | ReferralState::Assigned { .. }
            | ReferralState::InSupport { .. }
            | ReferralState::EnteredInError => {}
        }
        row
    }

    /// The state from its columns. A combination that no transition makes is a corrupt row, and says which column.
    fn state(&self) -> Result<ReferralState, StoreError> {
        let missing = |column| StoreError::corrupt(TABLE, column, self.id.0);
        Ok(match self.state.0 {
            ReferralStateCode::Draft => ReferralState::Draft,
            ReferralStateCode::Submitted => ReferralState::Submitted,
            ReferralStateCode::InReview => ReferralState::InReview,
            ReferralStateCode::AwaitingInformation => {
                ReferralState::AwaitingInformation { asked: self.asked.ok_or_else(|| missing("asked"))?.0 }
            }
            ReferralStateCode::Waitlisted => ReferralState::Waitlisted,
            ReferralStateCode::Deferred => ReferralState::Deferred {
                resume_on: self.resume_on.ok_or_else(|| missing("resume_on"))?,
                back_to: match self.back_to.as_deref().and_then(ReferralStateCode::parse) {
                    Some(ReferralStateCode::InReview) => BackTo::InReview,
                    Some(ReferralStateCode::Waitlisted) => BackTo::Waitlisted,
                    _ => return Err(missing("back_to")),
                },
            },
            ReferralStateCode::Assigned => {
                ReferralState::Assigned { assignment: self.assignment_id.ok_or_else(|| missing("assignment_id"))?.0 }
            }
            ReferralStateCode::InSupport => ReferralState::InSupport {
                support_period: self.support_period_id.ok_or_else(|| missing("support_period_id"))?.0,
                assignment: self.assignment_id.map(|id| id.0),
            },
            ReferralStateCode::DirectlyGuided => {
                ReferralState::DirectlyGuided { follow_up_on: self.follow_up_on.ok_or_else(|| missing("follow_up_on"))? }
            }
            ReferralStateCode::Closed => ReferralState::Closed(Closure {
                outcome: self.outcome.ok_or_else(|| missing("outcome"))?.0,
                end_reason: self.end_reason.ok_or_else(|| missing("end_reason"))?.0,
                route: self.route.map(|route| route.0),
                at: self.closed_at.ok_or_else(|| missing("closed_at"))?.0,
                by: ClosedBy {
                    user: self.closed_by_user.map(|user| user.0),
                    role: self.closed_by_role.ok_or_else(|| missing("closed_by_role"))?.0,
                },
            }),
            ReferralStateCode::EnteredInError => ReferralState::EnteredInError,
        })
    }
}

const DETAILS: &str = "referral_details";
const CONTACT: &str = "referrer_contact";

impl DetailsRow {
    fn of(referral: &Referral, keys: &Keys) -> Result<Self, StoreError> {
        let (content, referrer) = (&referral.content, &referral.referrer);
        Ok(Self {
            referral_id: referral.id.into(),
            referrer_name: referrer.name.clone(),
            // Whoever writes without signing in is often a relative, or the client: their number is as much a person's as the client's.
            referrer_contact: sealed::seal(keys, DETAILS, CONTACT, referral.id, referrer.contact.as_deref())?,
            feedback_wanted: referrer.feedback_wanted,
            wish: content.wish.clone(),
            background: content.background.clone(),
            written_together: content.written_together,
            joint_meeting_wished: content.joint_meeting_wished,
            not_a_service_acknowledged: content.not_a_service_acknowledged,
            source_system: content.source.as_ref().map(|source| source.system.clone()),
            source_id: content.source.as_ref().map(|source| source.id.clone()),
            previous_referral_id: content.previous.map(IdCol),
        })
    }
}

type JoinedRow = (ReferralRow, DetailsRow, (Option<IdCol<UserId>>, CodeCol<ClientStanding>), Option<SnapshotRow>);

fn into_case(joined: JoinedRow, reasons: BTreeSet<ReferralReason>) -> Result<Case, StoreError> {
    let (row, details, (client_user, standing), snapshot) = joined;
    let id = row.id.0;
    let place = |text: &str| MunicipalityCode::parse(text).ok_or_else(|| StoreError::corrupt(TABLE, "municipality", id));
    let submission = match (row.submitted_at, snapshot) {
        (Some(at), Some(snapshot)) => Some(Submission {
            at: at.0,
            on: snapshot.submitted_on,
            snapshot: Snapshot {
                age: u32::try_from(snapshot.age).map_err(|_| StoreError::corrupt("referral_snapshots", "age", id))?,
                sex: snapshot.sex.map(|sex| sex.0),
                municipality: place(&snapshot.municipality)?,
            },
        }),
        (None, None) => None,
        _ => return Err(StoreError::corrupt(TABLE, "submitted_at", id)),
    };
    let queue = match (row.queue_accepted_at, row.queue_priority) {
        (Some(at), Some(priority)) => Some(QueuePlace { accepted_at: at.0, priority: priority.0 }),
        (None, None) => None,
        _ => return Err(StoreError::corrupt(TABLE, "queue_priority", id)),
    };
    let source = match (details.source_system, details.source_id) {
        (Some(system), Some(id)) => Some(Source { system, id }),
        _ => None,
    };
    let state = row.state()?;
    let municipality = place(&row.municipality)?;
    Ok(Case {
        referral: Referral {
            id,
            version: row.version.into(),
            programme: row.programme_id.0,
            client: row.client_id.0,
            referrer: Referrer {
                channel: row.channel.0,
                user: row.referrer_user_id.map(|user| user.0),
                api_client: row.api_client_id.map(|client| client.0),
                organisation: row.organisation_id.map(|organisation| organisation.0),
                sector: row.sector.0,
                name: details.referrer_name,
                contact: details.referrer_contact,
                feedback_wanted: details.feedback_wanted,
            },
            content: Content {
                reasons,
                wish: details.wish,
                background: details.background,
                written_together: details.written_together,
                joint_meeting_wished: details.joint_meeting_wished,
                not_a_service_acknowledged: details.not_a_service_acknowledged,
                source,
                previous: details.previous_referral_id.map(|previous| previous.0),
            },
            state,
            state_since: row.state_since.0,
            coordinator: row.coordinator_id.map(|coordinator| coordinator.0),
            queue,
            created_at: row.created_at.0,
            submission,
        },
        client_user: client_user.map(|user| user.0),
        link_worker_user: row.link_worker_user_id.map(|user| user.0),
        shared_until: row.shared_until,
        municipality,
        standing: standing.0,
    })
}

/// A last day as it is stored: none when it lies at the end of all days.
fn limited(until: Option<NaiveDate>) -> Option<NaiveDate> {
    until.filter(|day| *day != OPEN_ENDED)
}

type Condition = Box<dyn BoxableExpression<referrals::table, MultiBackend, SqlType = Nullable<Bool>>>;

/// In a place, as far as a sender may know: the place that they have sent, and that of a draft of their own. Where the client has moved since, or where
/// somebody lives whose places are protected (turvakielto), is not for them, and cannot be found out by asking for one place after the other.
fn known_to_sender(place: &MunicipalityCode) -> Condition {
    let protected = clients::table.filter(clients::id.eq(referrals::client_id)).filter(clients::non_disclosure);
    let sent = referral_snapshots::table
        .filter(referral_snapshots::referral_id.eq(referrals::id))
        .filter(referral_snapshots::municipality.eq(place.as_str().to_owned()));
    let written = referrals::state.eq(CodeCol(ReferralStateCode::Draft)).and(referrals::municipality.eq(place.as_str().to_owned()));
    Box::new(written.or(exists(sent).and(diesel::dsl::not(exists(protected)))).nullable())
}

/// What a caller may see, as a condition; `None` when that is nothing. In a place, when the list is narrowed to one.
fn visible(visibility: &Visibility, today: NaiveDate, place: Option<&MunicipalityCode>) -> Option<Condition> {
    let sent = |condition: Condition| -> Condition {
        match place {
            Some(place) => Box::new(condition.and(known_to_sender(place))),
            None => condition,
        }
    };
    let lived = |condition: Condition| -> Condition {
        match place {
            Some(place) => Box::new(condition.and(referrals::municipality.eq(place.as_str().to_owned()).nullable())),
            None => condition,
        }
    };
    let draft = CodeCol(ReferralStateCode::Draft);
    let mut all: Vec<Condition> = Vec::new();
    if !visibility.programmes.is_empty() {
        // One programme is the rule, and with `=` the index gives the rows in the order of the list.
        all.push(lived(match visibility.programmes.as_slice() {
            [one] => Box::new(referrals::programme_id.eq(IdCol(*one)).and(referrals::state.ne(draft)).nullable()),
            several => Box::new(among(referrals::programme_id, several.iter().copied()).and(referrals::state.ne(draft)).nullable()),
        }));
    }
    if let Some((user, programmes)) = &visibility.written_by {
        let written = referrals::referrer_user_id.eq(IdCol(*user)).and(among(referrals::programme_id, programmes.iter().copied()));
        all.push(sent(Box::new(written)));
    }
    if let Some((api_client, served)) = &visibility.pushed_by {
        for (programme, organisation) in served {
            let pushed = referrals::api_client_id
                .eq(IdCol(*api_client))
                .and(referrals::programme_id.eq(IdCol(*programme)))
                .and(referrals::organisation_id.eq(IdCol(*organisation)));
            all.push(sent(Box::new(pushed)));
        }
    }
    if let Some((user, programmes)) = &visibility.assigned_to {
        all.push(lived(Box::new(
            referrals::link_worker_user_id
                .eq(IdCol(*user))
                .and(among(referrals::programme_id, programmes.iter().copied()))
                .and(referrals::shared_until.ge(today)),
        )));
    }
    // What is restricted is shown to nobody but the client. Each part says so for itself: only then does each find its rows in an index.
    let restricted = restricted_clients(visibility.known_programmes());
    let mut all: Vec<Condition> = all
        .into_iter()
        .map(|shown| -> Condition { Box::new(shown.and(referrals::client_id.ne_all(restricted.clone()).nullable())) })
        .collect();
    if let Some((user, programmes)) = &visibility.about {
        let own = clients::table.filter(clients::user_id.eq(IdCol(*user))).select(clients::id);
        // What somebody has written about others, in a role that is over, is not about them: of what they wrote only their drafts are here.
        let written = referrals::referrer_user_id.eq(IdCol(*user)).and(referrals::state.eq(draft));
        all.push(lived(Box::new(
            among(referrals::programme_id, programmes.iter().copied())
                .and(referrals::client_id.eq_any(own).and(referrals::state.ne(draft)).nullable().or(written)),
        )));
    }
    all.into_iter().reduce(|left, right| Box::new(left.or(right)))
}

impl Db<'_> {
    /// `opened` says whether the sender's contact is opened or left out: no list shows it, and opening a page of them takes longer than reading it.
    fn cases(&mut self, ids: &[IdCol<ReferralId>], opened: bool) -> Result<Vec<Case>, StoreError> {
        let wanted = || ids.iter().map(|id| id.0);
        let joined = referrals::table
            .inner_join(referral_details::table)
            .inner_join(clients::table)
            .left_join(referral_snapshots::table)
            .filter(among(referrals::id, wanted()));
        let rows: Vec<JoinedRow> = on_backend!(self.conn(), |c| joined
            .select((
                ReferralRow::as_select(),
                DetailsRow::as_select(),
                (clients::user_id, clients::standing),
                Option::<SnapshotRow>::as_select()
            ))
            .load(c))?;
        let mut reasons: BTreeMap<IdCol<ReferralId>, BTreeSet<ReferralReason>> = BTreeMap::new();
        let of_these = referral_reasons::table.filter(among(referral_reasons::referral_id, wanted()));
        let pairs: Vec<(IdCol<ReferralId>, CodeCol<ReferralReason>)> = on_backend!(self.conn(), |c| of_these.load(c))?;
        for (referral, reason) in pairs {
            reasons.entry(referral).or_default().insert(reason.0);
        }
        let keys = self.keys();
        let mut cases = rows
            .into_iter()
            .map(|mut row| {
                let own = reasons.remove(&row.0.id).unwrap_or_default();
                let contact = row.1.referrer_contact.take().filter(|_| opened);
                row.1.referrer_contact = sealed::open(keys, DETAILS, CONTACT, row.0.id.0, contact)?;
                into_case(row, own).map(|case| (case.referral.id, case))
            })
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        Ok(ids.iter().filter_map(|id| cases.remove(&id.0)).collect())
    }

    /// One referral with the relations that decide who may see it. Whoever calls this asks the access policy before anything leaves.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn referral_case(&mut self, id: ReferralId) -> Result<Option<Case>, StoreError> {
        Ok(self.cases(&[IdCol(id)], true)?.pop())
    }

    /// Where some referrals stand, and since when.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referral_standings(&mut self, ids: &[ReferralId]) -> Result<BTreeMap<ReferralId, (ReferralStateCode, Instant)>, StoreError> {
        let wanted = referrals::table.filter(among(referrals::id, ids.iter().copied()));
        let rows = on_backend!(self.conn(), |c| wanted.select((referrals::id, referrals::state, referrals::state_since)).load::<(
            IdCol<ReferralId>,
            CodeCol<ReferralStateCode>,
            InstantCol
        )>(c))?;
        Ok(rows.into_iter().map(|(id, state, since)| (id.0, (state.0, since.0))).collect())
    }

    /// Where the referrals of a client stand, and since when; without drafts.
    ///
    /// # Errors
    /// When the database fails.
    pub fn client_standings(&mut self, client: ClientId) -> Result<Vec<(ReferralStateCode, Instant)>, StoreError> {
        let sent = referrals::table
            .filter(referrals::client_id.eq(IdCol(client)))
            .filter(referrals::state.ne(CodeCol(ReferralStateCode::Draft)))
            .select((referrals::state, referrals::state_since));
        let rows = on_backend!(self.conn(), |c| sent.load::<(CodeCol<ReferralStateCode>, InstantCol)>(c))?;
        Ok(rows.into_iter().map(|(state, since)| (state.0, since.0)).collect())
    }

    /// The first keys of a list, as far as one relation opens it.
    fn referral_keys(
        &mut self,
        visibility: &Visibility,
        filter: &ReferralFilter,
        today: NaiveDate,
        page: &PageRequest,
    ) -> Result<Vec<ReferralKey>, StoreError> {
        // A plain condition where it can be one: the index by place is found by it.
        let sends = visibility.written_by.is_some() || visibility.pushed_by.is_some();
        let Some(condition) = visible(visibility, today, filter.municipality.as_ref().filter(|_| sends)) else { return Ok(Vec::new()) };
        let mut query = referrals::table
            .select((referrals::id, referrals::created_at, referrals::state_since, referrals::queue_accepted_at, referrals::queue_priority))
            .filter(condition)
            .into_boxed::<MultiBackend>();
        if let Some(programme) = filter.programme {
            query = query.filter(referrals::programme_id.eq(IdCol(programme)));
        }
        match filter.states.as_slice() {
            [] => {}
            [state] => query = query.filter(referrals::state.eq(CodeCol(*state))),
            states => query = query.filter(among_codes(referrals::state, states.iter().copied())),
        }
        if let Some(municipality) = filter.municipality.as_ref().filter(|_| !sends) {
            query = query.filter(referrals::municipality.eq(municipality.as_str().to_owned()));
        }
        if let Some(coordinator) = filter.coordinator {
            query = query.filter(referrals::coordinator_id.eq(IdCol(coordinator)));
        }
        if let Some(client) = filter.client {
            query = query.filter(referrals::client_id.eq(IdCol(client)));
        }
        if let Some(since) = filter.in_state_since {
            query = query.filter(referrals::state_since.le(InstantCol(since)));
        }
        if let Some(reason) = filter.reason {
            // Asked of each referral in the order of the list, not of all that have the reason.
            let has = referral_reasons::table
                .filter(referral_reasons::referral_id.eq(referrals::id))
                .filter(referral_reasons::reason.eq(CodeCol(reason)));
            query = query.filter(exists(has));
        }
        // A cursor of another form belongs to no list of ours; its signature was checked before it came here.
        let after = page.after.as_ref().and_then(|cursor| {
            let at = parse_instant(cursor.sort.split_once(BESIDE_PRIORITY).map_or(&cursor.sort, |(_, at)| at)).map(InstantCol)?;
            Some((at, IdCol(<ReferralId as lahete_domain::ids::Id>::from_uuid(cursor.id))))
        });
        match filter.order {
            ReferralOrder::Newest => {
                if let Some((at, id)) = after {
                    query = query.filter(referrals::created_at.le(at).and(referrals::created_at.lt(at).or(referrals::id.lt(id))));
                }
                query = query.order((referrals::created_at.desc(), referrals::id.desc()));
            }
            ReferralOrder::LongestInState => {
                if let Some((at, id)) = after {
                    query = query.filter(referrals::state_since.ge(at).and(referrals::state_since.gt(at).or(referrals::id.gt(id))));
                }
                query = query.order((referrals::state_since.asc(), referrals::id.asc()));
            }
            ReferralOrder::LongestWaiting => {
                query = query.filter(referrals::state.eq(CodeCol(ReferralStateCode::Waitlisted)));
                if let Some((at, id)) = after {
                    query = query.filter(
                        referrals::queue_accepted_at.ge(at).and(referrals::queue_accepted_at.gt(at).or(referrals::id.gt(id).nullable())),
                    );
                }
                query = query.order((referrals::queue_accepted_at.asc(), referrals::id.asc()));
            }
            // The codes fall from urgent over soon to normal, in the alphabet as on the list.
            ReferralOrder::WaitingList => {
                query = query.filter(referrals::state.eq(CodeCol(ReferralStateCode::Waitlisted)));
                let priority =
                    page.after.as_ref().and_then(|cursor| Priority::parse(cursor.sort.split_once(BESIDE_PRIORITY)?.0)).map(CodeCol);
                if let (Some((at, id)), Some(priority)) = (after, priority) {
                    let behind =
                        referrals::queue_accepted_at.gt(at).or(referrals::queue_accepted_at.eq(at).and(referrals::id.gt(id).nullable()));
                    let rest = referrals::queue_priority.lt(priority).or(referrals::queue_priority.eq(priority).and(behind));
                    query = query.filter(referrals::queue_priority.le(priority).and(rest));
                }
                query = query.order((referrals::queue_priority.desc(), referrals::queue_accepted_at.asc(), referrals::id.asc()));
            }
        }
        Ok(query.limit(page.fetch()).load(self.conn())?)
    }

    /// A page of the referrals that a caller may see.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn referral_list(
        &mut self,
        visibility: &Visibility,
        filter: &ReferralFilter,
        today: NaiveDate,
        page: &PageRequest,
    ) -> Result<Page<Case>, StoreError> {
        let keys = merged(
            visibility.branches(),
            page,
            |branch| self.referral_keys(&branch, filter, today, page),
            |one, other| filter.order.compare(one, other),
        )?;
        let page = Page::from_rows(keys, page, |(id, created_at, state_since, accepted_at, priority)| {
            let sort = match filter.order {
                ReferralOrder::Newest => created_at.0.to_string(),
                ReferralOrder::LongestInState => state_since.0.to_string(),
                ReferralOrder::LongestWaiting => accepted_at.unwrap_or(*created_at).0.to_string(),
                ReferralOrder::WaitingList => {
                    let priority = priority.map_or(Priority::Normal, |priority| priority.0);
                    format!("{}{BESIDE_PRIORITY}{}", priority.as_str(), accepted_at.unwrap_or(*created_at).0)
                }
            };
            Cursor { sort, id: lahete_domain::ids::Id::as_uuid(id.0) }
        });
        let ids: Vec<_> = page.items.iter().map(|(id, ..)| *id).collect();
        Ok(Page { items: self.cases(&ids, false)?, next: page.next })
    }

    /// Seals with the key in use the contacts of some senders that are sealed with another one or not at all; a part of a walk over all referrals.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn referral_contacts_reseal(&mut self, after: Option<&str>, limit: i64) -> Result<Resealed, StoreError> {
        let columns = (referral_details::referral_id, referral_details::referrer_contact);
        let mut query =
            referral_details::table.select(columns).order(referral_details::referral_id.asc()).limit(limit).into_boxed::<MultiBackend>();
        if let Some(after) = after.and_then(|id| uuid::Uuid::parse_str(id).ok()) {
            query = query.filter(referral_details::referral_id.gt(IdCol(<ReferralId as lahete_domain::ids::Id>::from_uuid(after))));
        }
        let rows: Vec<(IdCol<ReferralId>, Option<String>)> = query.load(self.conn())?;
        let mut done = Resealed::of(rows.len(), limit, rows.last().map(|(id, _)| id.0.to_string()));
        for (id, old) in rows {
            let mut new = old.clone();
            match sealed::reseal(self.keys(), DETAILS, CONTACT, lahete_domain::ids::Id::as_uuid(id.0), &mut new) {
                Ok(()) if new == old => {}
                Ok(()) => {
                    done.resealed += 1;
                    let row = referral_details::table.find(id);
                    diesel::update(row).set(referral_details::referrer_contact.eq(new)).execute(self.conn())?;
                }
                Err(_) => done.refused.push(id.0.to_string()),
            }
        }
        Ok(done)
    }

    /// Stores a new draft.
    ///
    /// # Errors
    /// [`crate::Constraint::SourceTaken`] when its source system has sent it already.
    pub fn referral_insert(&mut self, case: &Case) -> Result<(), StoreError> {
        let (row, details) = (ReferralRow::of(case), DetailsRow::of(&case.referral, self.keys())?);
        on_backend!(self.conn(), |c| diesel::insert_into(referrals::table).values(row).execute(c))?;
        on_backend!(self.conn(), |c| diesel::insert_into(referral_details::table).values(details).execute(c))?;
        self.referral_insert_reasons(&case.referral)
    }

    fn referral_insert_reasons(&mut self, referral: &Referral) -> Result<(), StoreError> {
        let id = IdCol(referral.id);
        for reason in &referral.content.reasons {
            let row = (referral_reasons::referral_id.eq(id), referral_reasons::reason.eq(CodeCol(*reason)));
            on_backend!(self.conn(), |c| diesel::insert_into(referral_reasons::table).values(row).execute(c))?;
        }
        Ok(())
    }

    /// Stores a referral after a transition, guarded by the version that it was read at.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the version is another one.
    pub fn referral_update(&mut self, case: &Case, expected: Version) -> Result<(), StoreError> {
        let mut row = ReferralRow::of(case);
        row.version = expected.next().into();
        let present = referrals::table.filter(referrals::id.eq(row.id)).filter(referrals::version.eq(VersionCol(expected)));
        let updated = on_backend!(self.conn(), |c| diesel::update(present).set(&row).execute(c))?;
        if updated != 1 {
            return Err(StoreError::Stale);
        }
        // A draft has no snapshot. Sending makes one, and nothing else leads to that state, so there it stands right.
        if case.referral.submission.is_some() && case.referral.state != ReferralState::Submitted {
            diesel::update(referral_snapshots::table.find(row.id)).set(StandingColumns::from(&case.referral.state)).execute(self.conn())?;
        }
        Ok(())
    }

    /// Stores what a draft says. [`Db::referral_update`] guards it in the same transaction.
    ///
    /// # Errors
    /// [`crate::Constraint::SourceTaken`] when its source system has sent it already.
    pub fn referral_update_content(&mut self, referral: &Referral) -> Result<(), StoreError> {
        let row = DetailsRow::of(referral, self.keys())?;
        diesel::update(referral_details::table.find(row.referral_id)).set(&row).execute(self.conn())?;
        let id = IdCol(referral.id);
        diesel::delete(referral_reasons::table.filter(referral_reasons::referral_id.eq(id))).execute(self.conn())?;
        self.referral_insert_reasons(referral)
    }

    /// Stores the snapshot that the statistics count; taken once, when the referral is sent. `evaluation` is the last day on which a consent covers
    /// evaluation, if one does.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn referral_snapshot_insert(&mut self, referral: &Referral, evaluation: Option<NaiveDate>) -> Result<(), StoreError> {
        let Some(submission) = &referral.submission else { return Ok(()) };
        let standing = StandingColumns::from(&referral.state);
        let row = (
            referral_snapshots::referral_id.eq(IdCol(referral.id)),
            referral_snapshots::programme_id.eq(IdCol(referral.programme)),
            referral_snapshots::submitted_on.eq(submission.on),
            referral_snapshots::age.eq(i64::from(submission.snapshot.age)),
            referral_snapshots::sex.eq(submission.snapshot.sex.map(CodeCol)),
            referral_snapshots::municipality.eq(submission.snapshot.municipality.as_str()),
            referral_snapshots::evaluation.eq(evaluation.is_some()),
            referral_snapshots::evaluation_until.eq(limited(evaluation)),
            referral_snapshots::state.eq(standing.state),
            referral_snapshots::outcome.eq(standing.outcome.flatten()),
            referral_snapshots::route.eq(standing.route.flatten()),
            referral_snapshots::sector.eq(CodeCol(referral.referrer.sector)),
            referral_snapshots::reasons.eq(CodeSetCol::from(referral.content.reasons.iter().copied().collect::<Vec<_>>())),
            referral_snapshots::assigned.eq(standing.assigned.is_some()),
        );
        on_backend!(self.conn(), |c| diesel::insert_into(referral_snapshots::table).values(row).execute(c))?;
        Ok(())
    }

    /// Notes until when the client's consent covers evaluation, if it does, after it was given, verified or withdrawn.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn referral_snapshot_evaluation(&mut self, id: ReferralId, evaluation: Option<NaiveDate>) -> Result<(), StoreError> {
        diesel::update(referral_snapshots::table.find(IdCol(id)))
            .set((referral_snapshots::evaluation.eq(evaluation.is_some()), referral_snapshots::evaluation_until.eq(limited(evaluation))))
            .execute(self.conn())?;
        Ok(())
    }

    /// Keeps the hash of the code by which an anonymous sender can ask for the state.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn referral_tracking_code_store(&mut self, id: ReferralId, sha256: &[u8]) -> Result<(), StoreError> {
        diesel::update(referral_details::table.find(IdCol(id)))
            .set(referral_details::tracking_code_sha256.eq(Some(sha256)))
            .execute(self.conn())?;
        Ok(())
    }

    /// The state, and since when, of the referral behind a tracking code.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referral_state_by_tracking_code(&mut self, sha256: &[u8]) -> Result<Option<(ReferralStateCode, Instant)>, StoreError> {
        let row: Option<(CodeCol<ReferralStateCode>, InstantCol)> = referral_details::table
            .inner_join(referrals::table)
            .filter(referral_details::tracking_code_sha256.eq(sha256))
            .select((referrals::state, referrals::state_since))
            .first(self.conn())
            .optional()?;
        Ok(row.map(|(state, since)| (state.0, since.0)))
    }

    /// The referral that a source system has sent under an id.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referral_by_source(&mut self, source: &Source) -> Result<Option<ReferralId>, StoreError> {
        let id: Option<IdCol<ReferralId>> = referral_details::table
            .filter(referral_details::source_system.eq(&source.system))
            .filter(referral_details::source_id.eq(&source.id))
            .select(referral_details::referral_id)
            .first(self.conn())
            .optional()?;
        Ok(id.map(|id| id.0))
    }

    /// Drafts that were begun before an instant and never sent.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referral_drafts_before(&mut self, before: Instant, limit: i64) -> Result<Vec<ReferralId>, StoreError> {
        let ids: Vec<IdCol<ReferralId>> = referrals::table
            // Spelled out, and not bound: only so can the database see that its index over the drafts holds them all.
            .filter(spelled::<Bool>("referrals.state = 'draft'"))
            .filter(referrals::created_at.lt(InstantCol(before)))
            .order((referrals::created_at.asc(), referrals::id.asc()))
            .limit(limit)
            .select(referrals::id)
            .load(self.conn())?;
        Ok(ids.into_iter().map(|id| id.0).collect())
    }

    /// Deletes a draft with its provisional client and everything else of it. A referral that was sent is never deleted here.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referral_delete_draft(&mut self, id: ReferralId) -> Result<(), StoreError> {
        let Some(case) = self.referral_case(id)? else { return Ok(()) };
        if case.referral.state != ReferralState::Draft {
            return Ok(());
        }
        let id = IdCol(id);
        diesel::delete(crate::schema::events::table.filter(crate::schema::events::referral_id.eq(id))).execute(self.conn())?;
        diesel::delete(consents::table.filter(consents::referral_id.eq(id))).execute(self.conn())?;
        diesel::delete(referral_reasons::table.filter(referral_reasons::referral_id.eq(id))).execute(self.conn())?;
        diesel::delete(referral_details::table.find(id)).execute(self.conn())?;
        diesel::delete(referrals::table.find(id)).execute(self.conn())?;
        self.idempotency_forget_client(case.referral.client)?;
        self.client_delete_provisional(case.referral.client)
    }
}
