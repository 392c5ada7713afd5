//! Bodies of visits.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use lahete_domain::codes::{Barrier, Code as DomainCode, SupportKind, UnmetNeed, VisitPurpose};
use lahete_domain::ids::{Id as _, LinkWorkerId};
use lahete_domain::mileage::PASSENGERS_MAX;
use lahete_domain::referral::command::ClosingNeeds;
use lahete_domain::text::{NOTE_MAX, REASON_MAX};
use lahete_domain::time::Month;
use lahete_domain::visit::{METRES_MAX, MINUTES_MAX, MonthHours, Visit, VisitContent, counts_against_limit};
use lahete_persistence::repo::visits::VisitFilter;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::error::AppError;
use crate::hour_sheets::wire::HourSheetTotals;
use crate::http::wire::{
    AbsentPartyCode, BarrierCode, Change, Code, Date, Decimal, HoursLevelCode, LongText, Patch, SupportKindCode, Timestamp, UnmetNeedCode,
    VisitAbsenceReasonCode, VisitModeCode, VisitPurposeCode, VisitStateCode,
};
use crate::http::wire_sets::{Count, SetOf};

/// The most link workers on one visit.
pub const WORKERS_MAX: usize = 5;

/// Minutes with the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Minutes(pub u32);

impl<'de> Deserialize<'de> for Minutes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let minutes = u32::deserialize(deserializer)?;
        if (1..=MINUTES_MAX).contains(&minutes) { Ok(Self(minutes)) } else { Err(D::Error::custom("out of range")) }
    }
}

impl ComposeSchema for Minutes {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MINUTES_MAX)).into()
    }
}

impl ToSchema for Minutes {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineMinutes")
    }
}

/// Kinds of support: the limit is the length of the list.
pub type SupportKinds = SetOf<SupportKindCode, { SupportKind::ALL.len() }>;

/// Barriers: the limit is the length of the list.
pub type Barriers = SetOf<BarrierCode, { Barrier::ALL.len() }>;

/// Unmet needs: the limit is the length of the list.
pub type UnmetNeeds = SetOf<UnmetNeedCode, { UnmetNeed::ALL.len() }>;

/// The codes of a set, without their form on the wire.
#[must_use]
pub fn codes<T: DomainCode, const MAX: usize>(set: &SetOf<Code<T>, MAX>) -> BTreeSet<T> {
    set.0.iter().map(|code| code.0).collect()
}

/// What stood in the client's way and what was missing, as it is known at an end.
#[must_use]
pub fn closing_needs(barriers: &Barriers, unmet_needs: &UnmetNeeds) -> ClosingNeeds {
    ClosingNeeds { barriers: codes(barriers), unmet_needs: codes(unmet_needs) }
}

/// The link workers of a visit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(transparent)]
pub struct Workers(pub BTreeSet<Uuid>);

impl Workers {
    /// Their ids.
    #[must_use]
    pub fn ids(&self) -> Vec<LinkWorkerId> {
        self.0.iter().copied().map(LinkWorkerId::from_uuid).collect()
    }
}

impl ComposeSchema for Workers {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let id = ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        ArrayBuilder::new().items(id).max_items(Some(WORKERS_MAX)).unique_items(true).into()
    }
}

impl ToSchema for Workers {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineWorkers")
    }
}

/// Whether a visit is still to come or has taken place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewVisitState {
    /// Still to come.
    Planned,
    /// It took place: the minutes count at once.
    Held,
}

/// A visit to write down.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "state": "held", "on": "2026-11-19", "minutes": 90, "mode": "activity_together", "purpose": "going_along",
    "support_kinds": ["emotional", "network"], "travel_metres": 8200, "travel_minutes": 20,
    "note": "We went to the Thursday club together. Aino knew two of the women there.", "barriers": ["shyness"]
}))]
pub struct VisitCreate {
    /// Planned, or held already.
    pub state: NewVisitState,
    /// The day; for a held visit today or before, and inside the support period.
    pub on: Date,
    /// Minutes with the client. Those of a held visit that is no phone call or message count against the month's hours.
    pub minutes: Minutes,
    /// How it is made.
    pub mode: VisitModeCode,
    /// What for; `support` when left out.
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
    /// Which of the link workers drove, and is paid the metres; the assigned one when left out.
    pub driver_id: Option<Uuid>,
    /// A note that the client can read.
    pub note: Option<LongText<{ NOTE_MAX }>>,
    /// Barriers met.
    #[serde(default)]
    pub barriers: Barriers,
    /// What the client would need and nobody offers.
    #[serde(default)]
    pub unmet_needs: UnmetNeeds,
    /// The link workers who make it; the assigned one when left out, nobody when the list is empty.
    pub workers: Option<Workers>,
    /// Why it is recorded over the month's hours. A coordinator alone may do that.
    pub over_limit_reason: Option<LongText<{ REASON_MAX }>>,
}

impl VisitCreate {
    /// What the visit is.
    #[must_use]
    pub fn content(&self) -> VisitContent {
        VisitContent {
            on: self.on,
            minutes: self.minutes.0,
            mode: self.mode.0,
            purpose: self.purpose.map_or(VisitPurpose::Support, |code| code.0),
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

/// What a planned visit turned out to be. What is left out was as planned.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"on": "2026-11-19", "minutes": 105, "travel_metres": 8200, "note": "A walk by the river, and coffee."}))]
pub struct VisitHold {
    /// The day; today or before.
    pub on: Option<Date>,
    /// Minutes with the client.
    pub minutes: Option<Minutes>,
    /// How it was made.
    pub mode: Option<VisitModeCode>,
    /// What for.
    pub purpose: Option<VisitPurposeCode>,
    /// What kind of support.
    pub support_kinds: Option<SupportKinds>,
    /// Metres travelled by own car.
    pub travel_metres: Option<Count<{ METRES_MAX }>>,
    /// Minutes travelled.
    pub travel_minutes: Option<Count<{ MINUTES_MAX }>>,
    /// Passengers on the way.
    pub travel_passengers: Option<Count<{ PASSENGERS_MAX }>>,
    /// Which of the link workers drove, and is paid the metres.
    pub driver_id: Option<Uuid>,
    /// A note that the client can read.
    pub note: Option<LongText<{ NOTE_MAX }>>,
    /// Barriers met.
    pub barriers: Option<Barriers>,
    /// What the client would need and nobody offers.
    pub unmet_needs: Option<UnmetNeeds>,
    /// The link workers who made it.
    pub workers: Option<Workers>,
    /// Why it is recorded over the month's hours. A coordinator alone may do that.
    pub over_limit_reason: Option<LongText<{ REASON_MAX }>>,
}

impl VisitHold {
    /// What the visit was, after what had been planned.
    #[must_use]
    pub fn content(&self, planned: &VisitContent) -> VisitContent {
        VisitContent {
            on: self.on.unwrap_or(planned.on),
            minutes: self.minutes.map_or(planned.minutes, |minutes| minutes.0),
            mode: self.mode.map_or(planned.mode, |code| code.0),
            purpose: self.purpose.map_or(planned.purpose, |code| code.0),
            support_kinds: self.support_kinds.as_ref().map_or_else(|| planned.support_kinds.clone(), codes),
            travel_metres: self.travel_metres.map_or(planned.travel_metres, |metres| metres.0),
            travel_minutes: self.travel_minutes.map_or(planned.travel_minutes, |minutes| minutes.0),
            travel_passengers: self.travel_passengers.map_or(planned.travel_passengers, |count| count.0),
            note: self.note.clone().map(LongText::into_string).or_else(|| planned.note.clone()),
            barriers: self.barriers.as_ref().map_or_else(|| planned.barriers.clone(), codes),
            unmet_needs: self.unmet_needs.as_ref().map_or_else(|| planned.unmet_needs.clone(), codes),
        }
    }
}

/// A correction of a planned or held visit.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"minutes": 95, "note": "A walk by the river, coffee, and a plan for next week."}))]
pub struct VisitUpdate {
    /// The day.
    #[serde(default)]
    #[schema(value_type = Date)]
    pub on: Change<Date>,
    /// Minutes with the client.
    #[serde(default)]
    pub minutes: Change<Minutes>,
    /// How it is made.
    #[serde(default)]
    pub mode: Change<VisitModeCode>,
    /// What for.
    #[serde(default)]
    pub purpose: Change<VisitPurposeCode>,
    /// What kind of support.
    #[serde(default)]
    pub support_kinds: Patch<SupportKinds>,
    /// Metres travelled by own car.
    #[serde(default)]
    pub travel_metres: Patch<Count<{ METRES_MAX }>>,
    /// Minutes travelled.
    #[serde(default)]
    pub travel_minutes: Patch<Count<{ MINUTES_MAX }>>,
    /// Passengers on the way.
    #[serde(default)]
    pub travel_passengers: Patch<Count<{ PASSENGERS_MAX }>>,
    /// Which of the link workers drove, and is paid the metres.
    pub driver_id: Option<Uuid>,
    /// A note that the client can read.
    #[serde(default)]
    pub note: Patch<LongText<{ NOTE_MAX }>>,
    /// Barriers met.
    #[serde(default)]
    pub barriers: Patch<Barriers>,
    /// What the client would need and nobody offers.
    #[serde(default)]
    pub unmet_needs: Patch<UnmetNeeds>,
    /// The link workers who make it.
    #[serde(default)]
    pub workers: Patch<Workers>,
    /// Why it is recorded over the month's hours. A coordinator alone may do that; a reason once given stays.
    pub over_limit_reason: Option<LongText<{ REASON_MAX }>>,
}

impl VisitUpdate {
    /// What the visit is after the correction.
    ///
    /// # Errors
    /// 422 for null in a member that is needed.
    pub fn content(&self, present: VisitContent) -> Result<VisitContent, AppError> {
        let patch = self.clone();
        Ok(VisitContent {
            on: patch.on.apply(present.on),
            minutes: patch.minutes.map(|minutes| minutes.0).apply(present.minutes),
            mode: patch.mode.map(|code| code.0).apply(present.mode),
            purpose: patch.purpose.map(|code| code.0).apply(present.purpose),
            support_kinds: patch.support_kinds.map(|set| codes(&set)).apply(Some(present.support_kinds)).unwrap_or_default(),
            travel_metres: patch.travel_metres.map(|metres| metres.0).apply(Some(present.travel_metres)).unwrap_or_default(),
            travel_minutes: patch.travel_minutes.map(|minutes| minutes.0).apply(Some(present.travel_minutes)).unwrap_or_default(),
            travel_passengers: patch.travel_passengers.map(|count| count.0).apply(Some(present.travel_passengers)).unwrap_or_default(),
            note: patch.note.map(LongText::into_string).apply(present.note),
            barriers: patch.barriers.map(|set| codes(&set)).apply(Some(present.barriers)).unwrap_or_default(),
            unmet_needs: patch.unmet_needs.map(|set| codes(&set)).apply(Some(present.unmet_needs)).unwrap_or_default(),
        })
    }
}

/// Who called a visit off.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "client", "reason": "ill"}))]
pub struct VisitCancel {
    /// Who.
    pub by: AbsentPartyCode,
    /// Why, when that was told.
    pub reason: Option<VisitAbsenceReasonCode>,
}

/// Who did not come to a visit, and why.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"by": "client", "reason": "forgot"}))]
pub struct VisitNotAttended {
    /// Who.
    pub by: AbsentPartyCode,
    /// Why; `unknown` when nobody knows.
    pub reason: VisitAbsenceReasonCode,
}

/// Which visits are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VisitQuery {
    /// On this day or later.
    from: Option<Date>,
    /// On this day or earlier.
    until: Option<Date>,
    /// In this state.
    state: Option<VisitStateCode>,
    /// Of this support period.
    support_period_id: Option<Uuid>,
}

impl From<VisitQuery> for VisitFilter {
    fn from(query: VisitQuery) -> Self {
        Self {
            from: query.from,
            until: query.until,
            state: query.state.map(|code| code.0),
            support_period: query.support_period_id.map(lahete_domain::ids::SupportPeriodId::from_uuid),
        }
    }
}

/// A link worker on a visit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"link_worker_id": "01900000-0000-7000-8000-000000000030", "name": "Liisa Linkki", "fee_per_hour": "13.00"}))]
pub struct VisitWorkerView {
    /// Who.
    pub link_worker_id: Uuid,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Euros for an hour with the client, by contract and terms of the day; known once the visit was held. Not shown to the client, and to a link worker
    /// only their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_per_hour: Option<Decimal>,
}

/// The hours of one client in one calendar month, over all of their support periods.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "month": "2026-11", "limit_minutes": 600, "used_minutes": 500, "left_minutes": 100, "level": "near_limit", "warning": true
}))]
pub struct MonthHoursView {
    /// The month, `YYYY-MM`.
    #[schema(pattern = "^[0-9]{4}-[0-9]{2}$", min_length = 7, max_length = 7)]
    pub month: String,
    /// Minutes allowed.
    #[schema(minimum = 0)]
    pub limit_minutes: i64,
    /// Minutes used. More than allowed when a coordinator recorded a visit over the limit.
    #[schema(minimum = 0)]
    pub used_minutes: i64,
    /// Minutes left.
    #[schema(minimum = 0)]
    pub left_minutes: i64,
    /// How far they are used: from 80 hundredths on `near_limit`, then `used_up` and `over_limit`. Its label is the wording of the warning.
    pub level: HoursLevelCode,
    /// Whether to warn whoever plans or writes down visits: from 80 hundredths on.
    pub warning: bool,
}

impl MonthHoursView {
    /// Shows the hours of a month.
    #[must_use]
    pub fn new(month: Month, hours: MonthHours) -> Self {
        Self {
            month: month.to_string(),
            limit_minutes: hours.limit,
            used_minutes: hours.used,
            left_minutes: hours.left(),
            level: hours.level().into(),
            warning: hours.warns(),
        }
    }
}

/// A visit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000065", "support_period_id": "01900000-0000-7000-8000-000000000063",
    "referral_id": "01900000-0000-7000-8000-000000000060", "client_id": "01900000-0000-7000-8000-000000000050", "version": 1,
    "state": "held", "on": "2026-11-19", "minutes": 90, "mode": "activity_together", "counts_against_month": true, "purpose": "going_along",
    "support_kinds": ["emotional", "network"], "travel_metres": 8200, "travel_minutes": 20, "travel_passengers": 1,
    "driver_id": "01900000-0000-7000-8000-000000000030",
    "note": "We went to the Thursday club together. Aino knew two of the women there.", "barriers": ["shyness"], "unmet_needs": [],
    "workers": [{"link_worker_id": "01900000-0000-7000-8000-000000000030", "name": "Liisa Linkki", "fee_per_hour": "13.00"}],
    "recorded_at": "2026-11-19T14:05:00.000000Z",
    "month_hours": {"month": "2026-11", "limit_minutes": 600, "used_minutes": 245, "left_minutes": 355, "level": "free", "warning": false}
}))]
pub struct VisitView {
    /// Its id.
    pub id: Uuid,
    /// The support period.
    pub support_period_id: Uuid,
    /// The referral.
    pub referral_id: Uuid,
    /// The client.
    pub client_id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// Where it stands.
    pub state: VisitStateCode,
    /// The day.
    pub on: Date,
    /// Minutes with the client.
    #[schema(minimum = 1, maximum = 1440)]
    pub minutes: u32,
    /// How it is made.
    pub mode: VisitModeCode,
    /// Whether its minutes count against the month's hours once it is held. Phone calls and messages do not.
    pub counts_against_month: bool,
    /// What for.
    pub purpose: VisitPurposeCode,
    /// What kind of support.
    pub support_kinds: Vec<SupportKindCode>,
    /// Metres travelled by own car.
    #[schema(minimum = 0, maximum = 2000000)]
    pub travel_metres: u32,
    /// Minutes travelled.
    #[schema(minimum = 0, maximum = 1440)]
    pub travel_minutes: u32,
    /// Passengers on the way.
    #[schema(minimum = 0, maximum = 8)]
    pub travel_passengers: u32,
    /// Which of the link workers drove.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<Uuid>,
    /// A note that the client can read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Barriers met.
    pub barriers: Vec<BarrierCode>,
    /// What the client would need and nobody offers.
    pub unmet_needs: Vec<UnmetNeedCode>,
    /// The link workers who make it.
    pub workers: Vec<VisitWorkerView>,
    /// Who called it off or did not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_party: Option<AbsentPartyCode>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absence_reason: Option<VisitAbsenceReasonCode>,
    /// When it was recorded as held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
    /// Why it was recorded over the month's hours. Not shown to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_limit_reason: Option<String>,
    /// The client's hours in the month of the visit, with this visit in them. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month_hours: Option<MonthHoursView>,
    /// What the hour sheet comes to with this visit: one's own, or for a coordinator that of whoever drove. Only in the answer to what was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour_sheet: Option<HourSheetTotals>,
}

/// Who reads a visit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// A coordinator: everything.
    Coordinator,
    /// A link worker: of the fees only their own.
    LinkWorker(LinkWorkerId),
    /// The client themself: no money.
    Client,
}

impl VisitView {
    /// Takes out what was said about the client: what is left are the day, the hours and who worked, which the month's accounts need.
    pub fn veil(&mut self) {
        self.note = None;
        self.barriers.clear();
        self.unmet_needs.clear();
        self.support_kinds.clear();
        self.absent_party = None;
        self.absence_reason = None;
        self.over_limit_reason = None;
    }

    /// Shows a visit; to the client themself without the reason for passing the limit, and without money.
    #[must_use]
    pub fn new(visit: &Visit, names: &BTreeMap<LinkWorkerId, String>, reader: Reader, month_hours: Option<MonthHoursView>) -> Self {
        let to_client = reader == Reader::Client;
        let content = &visit.content;
        let (recorded_at, over_limit_reason) =
            visit.state.held().map_or((None, None), |(at, reason)| (Some(at), reason.map(str::to_owned)));
        let (absent_party, absence_reason) = visit.state.absence().map_or((None, None), |(by, reason)| (Some(by), reason));
        let worker = |worker: &lahete_domain::visit::VisitWorker| VisitWorkerView {
            link_worker_id: worker.link_worker.as_uuid(),
            name: names.get(&worker.link_worker).cloned(),
            fee_per_hour: recorded_at
                .filter(|_| reader == Reader::Coordinator || reader == Reader::LinkWorker(worker.link_worker))
                .map(|_| Decimal::from_hundredths(worker.fee_per_hour.0)),
        };
        Self {
            id: visit.id.as_uuid(),
            support_period_id: visit.support_period.as_uuid(),
            referral_id: visit.referral.as_uuid(),
            client_id: visit.client.as_uuid(),
            version: visit.version.get(),
            state: visit.state_code().into(),
            on: content.on,
            minutes: content.minutes,
            mode: content.mode.into(),
            counts_against_month: counts_against_limit(content.mode),
            purpose: content.purpose.into(),
            support_kinds: content.support_kinds.iter().copied().map(Code).collect(),
            travel_metres: content.travel_metres,
            travel_minutes: content.travel_minutes,
            travel_passengers: content.travel_passengers,
            driver_id: visit.workers.iter().find(|worker| worker.drives).map(|worker| worker.link_worker.as_uuid()),
            note: content.note.clone(),
            barriers: content.barriers.iter().copied().map(Code).collect(),
            unmet_needs: content.unmet_needs.iter().copied().map(Code).collect(),
            workers: visit.workers.iter().map(worker).collect(),
            absent_party: absent_party.map(Code),
            absence_reason: absence_reason.map(Code),
            recorded_at: recorded_at.map(Timestamp),
            over_limit_reason: over_limit_reason.filter(|_| !to_client),
            month_hours,
            hour_sheet: None,
        }
    }
}
