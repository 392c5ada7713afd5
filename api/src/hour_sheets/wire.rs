//! Bodies of hour sheets.

use lahete_domain::hour_sheet::{HourSheet, HourSheetState, Line, Step, VOLUNTEER_CAP};
use lahete_domain::ids::Id as _;
use lahete_domain::mileage::MileageRate;
use lahete_domain::money::Cents;
use lahete_domain::text::REASON_MAX;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::cases::Card;
use crate::http::wire::{ContractKindCode, Date, Decimal, HourSheetLineKindCode, HourSheetStateCode, LongText, Timestamp, VehicleCode};
use crate::http::wire_sets::YearMonth;

fn euros(cents: Cents) -> Decimal {
    Decimal::from_hundredths(cents.0)
}

/// Which hour sheets are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HourSheetQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those of this month.
    #[param(inline)]
    pub month: Option<YearMonth>,
    /// Only those in this state.
    pub state: Option<HourSheetStateCode>,
    /// Only those of this link worker.
    pub link_worker_id: Option<Uuid>,
}

/// Which month is wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HourSheetExportQuery {
    /// The programme.
    #[param(example = "01900000-0000-7000-8000-000000000001")]
    pub programme_id: Uuid,
    /// The month.
    #[param(inline, example = "2026-11")]
    pub month: YearMonth,
    /// Only sheets in this state.
    pub state: Option<HourSheetStateCode>,
}

/// Handing an hour sheet in.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"nothing_more_this_month": true}))]
pub struct HourSheetSubmit {
    /// That nothing comes any more, for a month that is not over.
    pub nothing_more_this_month: Option<bool>,
}

/// Giving an hour sheet back.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Torstain käynniltä puuttuvat kilometrit."}))]
pub struct HourSheetReturn {
    /// What is to be put right.
    pub reason: LongText<{ REASON_MAX }>,
}

/// The payment of an hour sheet.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"paid_on": "2026-11-22"}))]
pub struct HourSheetMarkPaid {
    /// The day of payment, between the approval and today.
    pub paid_on: Date,
}

/// What an hour sheet comes to, beside what was just written down.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000a01", "month": "2026-11", "state": "open", "minutes": 245, "phone_minutes": 20, "travel_minutes": 60,
    "fee": "53.08", "metres": 24600, "mileage": "13.53", "total": "66.61"
}))]
pub struct HourSheetTotals {
    /// The hour sheet.
    pub id: Uuid,
    /// Its month, `YYYY-MM`.
    #[schema(min_length = 7, max_length = 7)]
    pub month: String,
    /// Where it stands.
    pub state: HourSheetStateCode,
    /// Paid minutes: those with clients. A correction may take some away, so that a total can be negative.
    pub minutes: i64,
    /// Minutes on the telephone and with messages, which are not paid.
    pub phone_minutes: i64,
    /// Minutes travelled, which are not paid.
    pub travel_minutes: i64,
    /// Euros for the minutes.
    pub fee: Decimal,
    /// Metres with the own car.
    pub metres: i64,
    /// Euros for the metres.
    pub mileage: Decimal,
    /// Fee and mileage together, in euros.
    pub total: Decimal,
}

impl From<&HourSheet> for HourSheetTotals {
    fn from(sheet: &HourSheet) -> Self {
        let totals = &sheet.totals;
        Self {
            id: sheet.id.as_uuid(),
            month: sheet.month.to_string(),
            state: sheet.state_code().into(),
            minutes: totals.minutes,
            phone_minutes: totals.phone_minutes,
            travel_minutes: totals.travel_minutes,
            fee: euros(totals.fee),
            metres: totals.metres,
            mileage: euros(totals.mileage),
            total: euros(totals.total()),
        }
    }
}

/// An hour sheet in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000a01", "version": 2, "programme_id": "01900000-0000-7000-8000-000000000001",
    "link_worker_id": "01900000-0000-7000-8000-000000000030", "link_worker_name": "Liisa Linkki", "month": "2026-11", "state": "open", "minutes": 245,
    "phone_minutes": 20, "travel_minutes": 60, "fee": "53.08", "metres": 24600, "mileage": "13.53", "total": "66.61"
}))]
pub struct HourSheetItem {
    /// Its id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The programme.
    pub programme_id: Uuid,
    /// Whose.
    pub link_worker_id: Uuid,
    /// Their name.
    #[schema(max_length = 120)]
    pub link_worker_name: String,
    /// The month, `YYYY-MM`.
    #[schema(min_length = 7, max_length = 7)]
    pub month: String,
    /// Where it stands.
    pub state: HourSheetStateCode,
    /// Paid minutes: those with clients. A correction may take some away, so that a total can be negative.
    pub minutes: i64,
    /// Minutes on the telephone and with messages, which are not paid.
    pub phone_minutes: i64,
    /// Minutes travelled, which are not paid.
    pub travel_minutes: i64,
    /// Euros for the minutes: summed exactly and rounded once, half up.
    pub fee: Decimal,
    /// Metres with the own car.
    pub metres: i64,
    /// Euros for the metres: the sum of the lines.
    pub mileage: Decimal,
    /// Fee and mileage together, in euros.
    pub total: Decimal,
    /// When it was handed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<Timestamp>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// The day of payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_on: Option<Date>,
    /// When it was given back last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned_at: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub return_reason: Option<String>,
}

/// The steps that a sheet has gone.
fn steps(sheet: &HourSheet) -> (Option<Step>, Option<Step>, Option<Date>) {
    match sheet.state {
        HourSheetState::Open => (None, None, None),
        HourSheetState::Submitted(submitted) => (Some(submitted), None, None),
        HourSheetState::Approved { submitted, approved } => (Some(submitted), Some(approved), None),
        HourSheetState::Paid { submitted, approved, on, .. } => (Some(submitted), Some(approved), Some(on)),
    }
}

impl HourSheetItem {
    /// Shows a sheet.
    #[must_use]
    pub fn new(sheet: &HourSheet, name: String) -> Self {
        let (submitted, approved, paid_on) = steps(sheet);
        let totals = HourSheetTotals::from(sheet);
        Self {
            id: totals.id,
            version: sheet.version.get(),
            programme_id: sheet.programme.as_uuid(),
            link_worker_id: sheet.link_worker.as_uuid(),
            link_worker_name: name,
            month: totals.month,
            state: totals.state,
            minutes: totals.minutes,
            phone_minutes: totals.phone_minutes,
            travel_minutes: totals.travel_minutes,
            fee: totals.fee,
            metres: totals.metres,
            mileage: totals.mileage,
            total: totals.total,
            submitted_at: submitted.map(|step| step.at.into()),
            approved_at: approved.map(|step| step.at.into()),
            paid_on,
            returned_at: sheet.returned.as_ref().map(|returned| returned.step.at.into()),
            return_reason: sheet.returned.as_ref().map(|returned| returned.reason.clone()),
        }
    }
}

/// The rate by which a line was reckoned, as it was then.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "rate_id": "01939a5c-7a10-7000-8000-00000000bbbb", "agreement": "Verohallinnon enimmäismäärä", "per_km": "0.55", "per_passenger_km": "0.04"
}))]
pub struct LineRate {
    /// The rate.
    pub rate_id: Uuid,
    /// The agreement or decision that it comes from.
    pub agreement: String,
    /// Euros for a kilometre.
    pub per_km: Decimal,
    /// Euros for a kilometre above the yearly limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_km_above: Option<Decimal>,
    /// Euros for a kilometre with each passenger.
    pub per_passenger_km: Decimal,
}

impl From<&MileageRate> for LineRate {
    fn from(rate: &MileageRate) -> Self {
        Self {
            rate_id: rate.id.as_uuid(),
            agreement: rate.agreement.clone(),
            per_km: euros(rate.per_km),
            per_km_above: rate.tier.map(|tier| euros(tier.per_km_above)),
            per_passenger_km: euros(rate.per_passenger_km),
        }
    }
}

/// Whom a visit was with.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "visit_id": "01900000-0000-7000-8000-000000000065", "referral_id": "01900000-0000-7000-8000-000000000060",
    "client_id": "01900000-0000-7000-8000-000000000050", "client_name": "Aino Esimerkki"
}))]
pub struct LineVisit {
    /// The visit.
    pub visit_id: Uuid,
    /// The referral.
    pub referral_id: Uuid,
    /// The client.
    pub client_id: Uuid,
    /// Their name.
    pub client_name: String,
}

/// The line that a correction is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "hour_sheet_id": "01900000-0000-7000-8000-000000000a00", "line_id": "01939a5c-7a10-7000-8000-00000000cccc"
}))]
pub struct LineCorrected {
    /// The hour sheet on which it stands.
    pub hour_sheet_id: Uuid,
    /// The line.
    pub line_id: Uuid,
}

/// A line of an hour sheet: a visit, or the difference by which a visit was corrected after its line stood.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01939a5c-7a10-7000-8000-00000000dddd", "kind": "visit", "on": "2026-11-19", "contract": "fee", "minutes": 90, "phone_minutes": 0,
    "travel_minutes": 20, "fee_per_hour": "13.00", "fee": "19.50", "metres": 8200, "metres_above_limit": 0, "passengers": 1, "vehicle": "car",
    "rate": {
        "rate_id": "01939a5c-7a10-7000-8000-00000000bbbb", "agreement": "Verohallinnon enimmäismäärä", "per_km": "0.55", "per_passenger_km": "0.04"
    },
    "mileage": "4.84", "total": "24.34",
    "visit": {
        "visit_id": "01900000-0000-7000-8000-000000000065", "referral_id": "01900000-0000-7000-8000-000000000060",
        "client_id": "01900000-0000-7000-8000-000000000050", "client_name": "Aino Esimerkki"
    }
}))]
pub struct HourSheetLineView {
    /// Its id.
    pub id: Uuid,
    /// A visit, or a correction.
    pub kind: HourSheetLineKindCode,
    /// The day of the visit. It lies in another month when it was written down late or corrected.
    pub on: Date,
    /// On what footing it was done.
    pub contract: ContractKindCode,
    /// The employer behind the contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employer_id: Option<Uuid>,
    /// Paid minutes; of a correction the difference, as all numbers.
    pub minutes: i64,
    /// Minutes on the telephone and with messages, which are not paid.
    pub phone_minutes: i64,
    /// Minutes travelled, which are not paid.
    pub travel_minutes: i64,
    /// Euros for an hour on that day.
    pub fee_per_hour: Decimal,
    /// The line's share of the sheet's fee: the sum is rounded once, and the lines add up to it.
    pub fee: Decimal,
    /// Metres with the own car.
    pub metres: i64,
    /// How many of them lie above the yearly limit of the rate.
    pub metres_above_limit: i64,
    /// Passengers.
    #[schema(minimum = 0, maximum = 8)]
    pub passengers: i64,
    /// With which vehicle.
    pub vehicle: VehicleCode,
    /// The rate of the day of travel; none without kilometres, or when nobody has decided one yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<LineRate>,
    /// Euros for the metres, rounded once, half up.
    pub mileage: Decimal,
    /// Fee and mileage together, in euros.
    pub total: Decimal,
    /// What it corrects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects: Option<LineCorrected>,
    /// The visit and whom it was with, for somebody who may know it today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visit: Option<LineVisit>,
}

impl HourSheetLineView {
    fn new(line: &Line, card: &Card) -> Self {
        let (work, terms) = (&line.work, &line.work.terms);
        Self {
            id: line.id.as_uuid(),
            kind: line.kind().into(),
            on: terms.on,
            contract: terms.contract.into(),
            employer_id: terms.payer.map(|id| id.as_uuid()),
            minutes: work.minutes,
            phone_minutes: work.phone_minutes,
            travel_minutes: work.travel_minutes,
            fee_per_hour: euros(terms.fee_per_hour),
            fee: euros(line.fee),
            metres: work.metres,
            metres_above_limit: line.mileage.metres_above,
            passengers: work.passengers,
            vehicle: terms.vehicle.into(),
            rate: line.mileage.rate.and_then(|id| card.rates.get(&id)).map(LineRate::from),
            mileage: euros(line.mileage.cents),
            total: euros(Cents(line.fee.0 + line.mileage.cents.0)),
            corrects: line
                .corrects
                .map(|corrected| LineCorrected { hour_sheet_id: corrected.sheet.as_uuid(), line_id: corrected.line.as_uuid() }),
            visit: card.about.get(&line.visit).map(|(client, referral, name)| LineVisit {
                visit_id: line.visit.as_uuid(),
                referral_id: referral.as_uuid(),
                client_id: client.as_uuid(),
                client_name: name.clone(),
            }),
        }
    }
}

/// That a volunteer's mileage passes what a non-profit body may pay free of tax in a calendar year.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"year": 2026, "mileage": "3004.40", "limit": "3000.00"}))]
pub struct VolunteerCapWarning {
    /// The calendar year.
    pub year: i32,
    /// Euros for the kilometres of the year, by the day of travel, for this employer.
    pub mileage: Decimal,
    /// What is free of tax.
    pub limit: Decimal,
}

/// An hour sheet with its lines.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000a01", "version": 2, "programme_id": "01900000-0000-7000-8000-000000000001",
    "link_worker_id": "01900000-0000-7000-8000-000000000030", "link_worker_name": "Liisa Linkki", "month": "2026-11", "state": "open", "minutes": 90,
    "phone_minutes": 0, "travel_minutes": 20, "fee": "19.50", "metres": 8200, "mileage": "4.84", "total": "24.34", "rate_missing": false,
    "lines": [{
        "id": "01939a5c-7a10-7000-8000-00000000dddd", "kind": "visit", "on": "2026-11-19", "contract": "fee", "minutes": 90, "phone_minutes": 0,
        "travel_minutes": 20, "fee_per_hour": "13.00", "fee": "19.50", "metres": 8200, "metres_above_limit": 0, "passengers": 1, "vehicle": "car",
        "mileage": "4.84", "total": "24.34"
    }]
}))]
pub struct HourSheetView {
    /// The sheet.
    #[serde(flatten)]
    pub sheet: HourSheetItem,
    /// Whether kilometres wait for a rate that nobody has decided yet. Until then it cannot be handed in.
    pub rate_missing: bool,
    /// A warning: a volunteer's mileage passes what is free of tax. Nothing is refused for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volunteer_cap_warning: Option<VolunteerCapWarning>,
    /// Its lines, by day.
    pub lines: Vec<HourSheetLineView>,
}

impl HourSheetView {
    /// Shows a sheet with its lines.
    #[must_use]
    pub(crate) fn new(card: &Card) -> Self {
        Self {
            sheet: HourSheetItem::new(&card.sheet, card.name.clone()),
            rate_missing: card.lines.iter().any(Line::lacks_rate),
            volunteer_cap_warning: card.volunteer_year.map(|cents| VolunteerCapWarning {
                year: card.sheet.month.year(),
                mileage: euros(cents),
                limit: euros(VOLUNTEER_CAP),
            }),
            lines: card.lines.iter().map(|line| HourSheetLineView::new(line, card)).collect(),
        }
    }
}
