//! Bodies of support periods.

use chrono::NaiveDate;
use lahete_domain::codes::VisitPurpose;
use lahete_domain::ids::{Id as _, LinkWorkerId};
use lahete_domain::link_worker::Absence;
use lahete_domain::mileage::PASSENGERS_MAX;
use lahete_domain::programme_break::ProgrammeBreak;
use lahete_domain::referral::command::ClosingNeeds;
use lahete_domain::support_period::{EndProposal, SupportPeriod, SupportPeriodState};
use lahete_domain::text::{NOTE_MAX, REASON_MAX};
use lahete_domain::time::{minus_days, plus_days};
use lahete_domain::visit::{METRES_MAX, MINUTES_MAX, VisitContent};
use lahete_persistence::repo::support_periods::{Companion, SupportPeriodFilter};
use lahete_persistence::repo::visits::MonthTotals;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::activity_links::wire::ActivityLinkAnswer;
use crate::hour_sheets::wire::HourSheetTotals;
use crate::http::wire::{
    AssignmentEndReasonCode, Date, EndReasonCode, LongText, OutcomeCode, PauseReasonCode, SupportPeriodStateCode, Timestamp, VisitModeCode,
    VisitPurposeCode,
};
use crate::http::wire_sets::Count;
use crate::measures::wire::MeasureAnswer;
use crate::programme_breaks::wire::ProgrammeBreakView;
use crate::referrals::wire::ClosingNeedsView;
use crate::visits::wire::{Barriers, Minutes, MonthHoursView, SupportKinds, UnmetNeeds, closing_needs, codes};

/// The visit with which the support begins. It was held.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "on": "2026-09-01", "minutes": 60, "mode": "home_visit", "support_kinds": ["emotional"], "travel_metres": 8200, "travel_minutes": 20,
    "note": "We got to know each other and talked about what Aino misses most."
}))]
pub struct FirstVisit {
    /// The day; today or before, and inside the support period.
    pub on: Date,
    /// Minutes with the client. They count against the month's hours.
    pub minutes: Minutes,
    /// How it was made.
    pub mode: VisitModeCode,
    /// What for; `first_visit` when left out.
    pub purpose: Option<VisitPurposeCode>,
    /// What kind of support.
    #[serde(default)]
    pub support_kinds: SupportKinds,
    /// Metres travelled by own car; none when left out.
    pub travel_metres: Option<Count<{ METRES_MAX }>>,
    /// Minutes travelled; none when left out.
    pub travel_minutes: Option<Count<{ MINUTES_MAX }>>,
    /// Passengers on the way; none when left out. The client counts as one while riding.
    pub travel_passengers: Option<Count<{ PASSENGERS_MAX }>>,
    /// A note that the client can read.
    pub note: Option<LongText<{ NOTE_MAX }>>,
    /// Barriers met.
    #[serde(default)]
    pub barriers: Barriers,
    /// What the client would need and nobody offers.
    #[serde(default)]
    pub unmet_needs: UnmetNeeds,
}

impl FirstVisit {
    /// What the visit was.
    #[must_use]
    pub fn content(&self) -> VisitContent {
        VisitContent {
            on: self.on,
            minutes: self.minutes.0,
            mode: self.mode.0,
            purpose: self.purpose.map_or(VisitPurpose::FirstVisit, |code| code.0),
            support_kinds: codes(&self.support_kinds),
            travel_metres: self.travel_metres.map_or(0, |metres| metres.0),
            travel_minutes: self.travel_minutes.map_or(0, |minutes| minutes.0),
            travel_passengers: self.travel_passengers.map_or(0, |count| count.0),
            note: self.note.clone().map(LongText::into_string),
            barriers: codes(&self.barriers),
            unmet_needs: codes(&self.unmet_needs),
        }
    }
}

/// The start of the support.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "starts_on": "2026-11-21", "planned_end_on": "2027-02-21",
    "first_visit": {"on": "2026-11-21", "minutes": 60, "mode": "home_visit", "support_kinds": ["emotional"], "travel_metres": 8200},
    "start_measure": {"mode": "helped", "answers": [3, 3, 2, 3, 3, 2, 3]}
}))]
pub struct SupportPeriodStart {
    /// The first day; today or before.
    pub starts_on: Date,
    /// The planned last day, one month or more and no more months than the programme allows after the first.
    pub planned_end_on: Date,
    /// The first visit, which was held.
    #[validate(nested)]
    pub first_visit: FirstVisit,
    /// SWEMWBS at the start, or why it was not answered.
    #[validate(nested)]
    pub start_measure: MeasureAnswer,
    /// The recommendation question at the start, or why it was not answered.
    #[validate(nested)]
    pub start_recommendation: Option<MeasureAnswer>,
}

/// A temporary stop.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "client_ill", "comment": "Aino is in hospital until the end of the month."}))]
pub struct SupportPeriodPause {
    /// Why.
    pub reason: PauseReasonCode,
    /// In words, for the timeline, which the client reads.
    pub comment: Option<LongText<{ REASON_MAX }>>,
}

/// A new planned end.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"planned_end_on": "2027-03-15", "reason": "Aino was ill for a month; the club begins again in February."}))]
pub struct SupportPeriodExtend {
    /// The planned last day, still inside the months that the programme allows after the start.
    pub planned_end_on: Date,
    /// Why, in words, for the timeline, which the client reads.
    pub reason: LongText<{ REASON_MAX }>,
}

/// Another link worker.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "link_worker_id": "01900000-0000-7000-8000-000000000031", "reason": "link_worker_unavailable",
    "message": "A woman over 80 in the centre of Sodankylä, who likes singing."
}))]
pub struct SupportPeriodChangeLinkWorker {
    /// The link worker to propose.
    pub link_worker_id: Uuid,
    /// Why the present assignment ends.
    pub reason: AssignmentEndReasonCode,
    /// A word to the new link worker, without name or contact of the client.
    pub message: Option<LongText<{ NOTE_MAX }>>,
}

/// A link worker's proposal to end.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Aino goes to the club by herself now and has a friend to go with."}))]
pub struct SupportPeriodProposeEnd {
    /// Why, in words, which the client reads.
    pub reason: LongText<{ REASON_MAX }>,
}

/// The end of the support. It closes the referral.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "outcome": "completed_as_planned", "end_reason": "continues_in_activity", "ended_on": "2026-11-20",
    "end_measure": {"mode": "helped", "answers": [4, 3, 3, 4, 3, 3, 4]}, "end_recommendation": {"mode": "self", "answers": [9]},
    "activity_links": [{"activity_link_id": "01900000-0000-7000-8000-000000000067", "state": "attending", "continues": true}],
    "barriers": ["transport"], "unmet_needs": ["transport"],
    "comment": "Aino goes to the Thursday club on her own."
}))]
pub struct SupportPeriodEnd {
    /// How it turned out: `completed_as_planned` or `discontinued`.
    pub outcome: OutcomeCode,
    /// Why it ended; a reason that fits the outcome.
    pub end_reason: EndReasonCode,
    /// The last day; today or before.
    pub ended_on: Date,
    /// SWEMWBS at the end, or why it was not answered. Left out when it is recorded already.
    #[validate(nested)]
    pub end_measure: Option<MeasureAnswer>,
    /// The recommendation question at the end, or why it was not answered. Left out when it is recorded already.
    #[validate(nested)]
    pub end_recommendation: Option<MeasureAnswer>,
    /// What comes of the activities of the plan: whether the client goes on, or what stood in the way. Those that nobody answers for are counted in
    /// `unanswered_activity_links`.
    #[serde(default)]
    #[validate(nested)]
    #[schema(max_items = 50)]
    pub activity_links: Vec<ActivityLinkAnswer>,
    /// What stood in the client's way.
    #[serde(default)]
    pub barriers: Barriers,
    /// What the client would have needed and nobody offers.
    #[serde(default)]
    pub unmet_needs: UnmetNeeds,
    /// In words, for the timeline, which the client reads.
    pub comment: Option<LongText<{ REASON_MAX }>>,
}

impl SupportPeriodEnd {
    /// What is known at the end for those who decide about services.
    #[must_use]
    pub fn needs(&self) -> ClosingNeeds {
        closing_needs(&self.barriers, &self.unmet_needs)
    }
}

/// Which support periods are wanted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SupportPeriodQuery {
    /// In this state.
    state: Option<SupportPeriodStateCode>,
    /// Of this link worker, who walks beside the client now or did until the end.
    link_worker_id: Option<Uuid>,
    /// Planned to end before this day.
    ends_before: Option<Date>,
    /// Active, and without a visit for so many days or more, a call being a visit, too; counted from the start where there was none. Paused ones are left
    /// out. Who has waited longest comes first. A usual measure is 21.
    #[param(minimum = 0, maximum = 366)]
    no_visit_for_days: Option<i32>,
    /// Under way and planned to end within so many days, or planned to have ended before. Usual measures are 30 and 14.
    #[param(minimum = 0, maximum = 366)]
    ends_within_days: Option<i32>,
    /// Whose link worker is away on this day.
    link_worker_absent_on: Option<Date>,
}

impl SupportPeriodQuery {
    /// What is asked for on a day.
    #[must_use]
    pub fn filter(self, today: NaiveDate) -> SupportPeriodFilter {
        let days = |days: i32| u64::from(days.unsigned_abs());
        SupportPeriodFilter {
            state: self.state.map(|code| code.0),
            link_worker: self.link_worker_id.map(LinkWorkerId::from_uuid),
            ends_before: self.ends_before,
            ends_by: self.ends_within_days.map(|within| plus_days(today, days(within))),
            quiet_since: self.no_visit_for_days.map(|quiet| minus_days(today, days(quiet))),
            link_worker_absent_on: self.link_worker_absent_on,
        }
    }
}

/// The link worker of a support period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01900000-0000-7000-8000-000000000030", "name": "Liisa Linkki", "current": true}))]
pub struct CompanionView {
    /// The link worker.
    pub id: Uuid,
    /// Their name.
    pub name: String,
    /// Whether they walk beside the client now. Otherwise they were the last to.
    pub current: bool,
    /// The first day on which they are away: now, or the next time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_from: Option<Date>,
    /// The last day of it, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_until: Option<Date>,
}

impl CompanionView {
    fn of(companion: &Companion, absence: Option<&Absence>) -> Self {
        Self {
            id: companion.link_worker.as_uuid(),
            name: companion.name.clone(),
            current: companion.current,
            absent_from: absence.map(|absence| absence.days.from),
            absent_until: absence.and_then(|absence| absence.days.until),
        }
    }
}

/// A link worker's proposal to end.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "proposed_by": "01900000-0000-7000-8000-000000000022", "proposed_at": "2026-11-18T12:00:00.000000Z",
    "reason": "Aino goes to the club by herself now and has a friend to go with."
}))]
pub struct EndProposalView {
    /// Who proposed it.
    pub proposed_by: Uuid,
    /// When.
    pub proposed_at: Timestamp,
    /// Why.
    pub reason: String,
}

impl From<&EndProposal> for EndProposalView {
    fn from(proposal: &EndProposal) -> Self {
        Self { proposed_by: proposal.by.as_uuid(), proposed_at: proposal.at.into(), reason: proposal.reason.clone() }
    }
}

/// What the held visits of a support period come to.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"visits": 9, "counted_minutes": 790, "phone_minutes": 35, "travel_metres": 73800, "travel_minutes": 180, "over_limit_visits": 0}))]
pub struct VisitTotalsView {
    /// How many visits, calls and messages.
    #[schema(minimum = 0)]
    pub visits: i64,
    /// Minutes that count against the months' hours.
    #[schema(minimum = 0)]
    pub counted_minutes: i64,
    /// Minutes on the phone and with messages, which do not.
    #[schema(minimum = 0)]
    pub phone_minutes: i64,
    /// Metres travelled.
    #[schema(minimum = 0)]
    pub travel_metres: i64,
    /// Minutes travelled.
    #[schema(minimum = 0)]
    pub travel_minutes: i64,
    /// Visits that a coordinator recorded with a reason for passing the month's hours; the reason stands at the visit.
    #[schema(minimum = 0)]
    pub over_limit_visits: i64,
}

impl VisitTotalsView {
    fn with(self, month: &MonthTotals) -> Self {
        Self {
            visits: self.visits + month.visits,
            counted_minutes: self.counted_minutes + month.counted_minutes,
            phone_minutes: self.phone_minutes + month.phone_minutes,
            travel_metres: self.travel_metres + month.travel_metres,
            travel_minutes: self.travel_minutes + month.travel_minutes,
            over_limit_visits: self.over_limit_visits + month.over_limit_visits,
        }
    }
}

/// What the held visits of a support period come to in one month.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "month": "2026-11", "totals": {"visits": 3, "counted_minutes": 245, "phone_minutes": 10, "travel_metres": 24600, "travel_minutes": 60, "over_limit_visits": 0}
}))]
pub struct MonthTotalsView {
    /// The month, `YYYY-MM`.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$", min_length = 7, max_length = 7)]
    pub month: String,
    /// The sums.
    pub totals: VisitTotalsView,
}

/// A support period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000063", "programme_id": "01900000-0000-7000-8000-000000000001",
    "referral_id": "01900000-0000-7000-8000-000000000060", "client_id": "01900000-0000-7000-8000-000000000050", "version": 12,
    "state": "active", "starts_on": "2026-11-21", "planned_end_on": "2027-02-21", "first_planned_end_on": "2026-12-01",
    "days_to_planned_end": 9, "last_visit_on": "2026-11-18", "days_without_visit": 4, "unanswered_activity_links": 1,
    "link_worker": {"id": "01900000-0000-7000-8000-000000000030", "name": "Liisa Linkki", "current": true},
    "month_hours": {"month": "2026-11", "limit_minutes": 600, "used_minutes": 245, "left_minutes": 355, "level": "free", "warning": false},
    "totals": {"visits": 9, "counted_minutes": 790, "phone_minutes": 35, "travel_metres": 73800, "travel_minutes": 180, "over_limit_visits": 0},
    "months": [
        {"month": "2026-09", "totals": {"visits": 4, "counted_minutes": 330, "phone_minutes": 25,
         "travel_metres": 32800, "travel_minutes": 80, "over_limit_visits": 0}},
        {"month": "2026-10", "totals": {"visits": 2, "counted_minutes": 215, "phone_minutes": 0,
         "travel_metres": 16400, "travel_minutes": 40, "over_limit_visits": 0}},
        {"month": "2026-11", "totals": {"visits": 3, "counted_minutes": 245, "phone_minutes": 10,
         "travel_metres": 24600, "travel_minutes": 60, "over_limit_visits": 0}}
    ]
}))]
pub struct SupportPeriodView {
    /// Its id.
    pub id: Uuid,
    /// The programme.
    pub programme_id: Uuid,
    /// The referral.
    pub referral_id: Uuid,
    /// The client.
    pub client_id: Uuid,
    /// The version, as in the `ETag`. Goals, visits and measures move it on, too.
    #[schema(minimum = 1)]
    pub version: i64,
    /// Where it stands.
    pub state: SupportPeriodStateCode,
    /// The first day.
    pub starts_on: Date,
    /// The planned last day.
    pub planned_end_on: Date,
    /// The last day that was planned at the start.
    pub first_planned_end_on: Date,
    /// Since when it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_since: Option<Timestamp>,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_reason: Option<PauseReasonCode>,
    /// The last day, when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Date>,
    /// Days from today to the planned end; negative when it has passed. Not there when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_to_planned_end: Option<i64>,
    /// The day of the last visit, a call being one, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_visit_on: Option<Date>,
    /// Days since the last visit, or since the start where there was none. Not there when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days_without_visit: Option<i64>,
    /// Who walks beside the client, or was the last to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_worker: Option<CompanionView>,
    /// The link worker's proposal to end, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_proposal: Option<EndProposalView>,
    /// The client's hours in this month, over all of their support periods.
    pub month_hours: MonthHoursView,
    /// What its held visits come to.
    pub totals: VisitTotalsView,
    /// The same month by month; months without a visit are left out.
    pub months: Vec<MonthTotalsView>,
    /// Activities of the plan of which nobody has said whether the client goes on with them, or what stood in the way.
    #[schema(minimum = 0)]
    pub unanswered_activity_links: i64,
    /// When it is over: what stood in the client's way and what was missing. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<ClosingNeedsView>,
    /// The break of the programme in which today lies. Nothing is refused because of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programme_break: Option<ProgrammeBreakView>,
    /// What the link worker's hour sheet comes to with the first visit. Only in the answer to the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour_sheet: Option<HourSheetTotals>,
}

/// What a support period is shown with.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    /// Today.
    pub today: NaiveDate,
    /// Who walks beside the client.
    pub companion: Option<&'a Companion>,
    /// The client's hours in this month.
    pub month_hours: MonthHoursView,
    /// Sums of the visits month by month.
    pub months: &'a [MonthTotals],
    /// Activities of which nobody has said what comes of them.
    pub unanswered_links: i64,
    /// When the link worker is away.
    pub absence: Option<&'a Absence>,
    /// The break of the programme in which today lies.
    pub programme_break: Option<&'a ProgrammeBreak>,
}

impl SupportPeriodView {
    /// Takes out what was said about the client: what is left are days and sums.
    pub fn veil(&mut self) {
        self.pause_reason = None;
        self.end_proposal = None;
        self.needs = None;
    }

    /// Shows a support period.
    #[must_use]
    pub fn new(period: &SupportPeriod, around: Surroundings<'_>) -> Self {
        let (paused, ended_on) = match period.state {
            SupportPeriodState::Active => (None, None),
            SupportPeriodState::Paused { since, reason } => (Some((since, reason)), None),
            SupportPeriodState::Ended { on } => (None, Some(on)),
        };
        let last_visit_on = around.months.last().map(|month| month.last_on);
        let month =
            |month: &MonthTotals| MonthTotalsView { month: month.month.to_string(), totals: VisitTotalsView::default().with(month) };
        Self {
            id: period.id.as_uuid(),
            programme_id: period.programme.as_uuid(),
            referral_id: period.referral.as_uuid(),
            client_id: period.client.as_uuid(),
            version: period.version.get(),
            state: period.state_code().into(),
            starts_on: period.starts_on,
            planned_end_on: period.planned_end_on,
            first_planned_end_on: period.first_planned_end_on,
            paused_since: paused.map(|(since, _)| since.into()),
            pause_reason: paused.map(|(_, reason)| reason.into()),
            ended_on,
            days_to_planned_end: ended_on.is_none().then(|| (period.planned_end_on - around.today).num_days()),
            last_visit_on,
            days_without_visit: ended_on.is_none().then(|| (around.today - last_visit_on.unwrap_or(period.starts_on)).num_days()),
            link_worker: around.companion.map(|companion| CompanionView::of(companion, around.absence)),
            end_proposal: period.end_proposal.as_ref().map(EndProposalView::from),
            month_hours: around.month_hours,
            totals: around.months.iter().fold(VisitTotalsView::default(), VisitTotalsView::with),
            months: around.months.iter().map(month).collect(),
            unanswered_activity_links: around.unanswered_links,
            needs: None,
            programme_break: around.programme_break.map(|found| ProgrammeBreakView::of(found, around.today)),
            hour_sheet: None,
        }
    }
}
