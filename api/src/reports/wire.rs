//! Bodies of reports.

use lahete_domain::statistics::Cell;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::wire::{Date, Decimal};
use crate::http::wire_sets::InstrumentName;

/// Which referrals the report is about.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutcomesQuery {
    /// The programme.
    #[param(example = "01900000-0000-7000-8000-000000000001")]
    pub programme_id: Uuid,
    /// Submitted on this day or later.
    #[param(example = "2026-01-01")]
    pub from: Date,
    /// Submitted on this day or earlier.
    #[param(example = "2026-12-31")]
    pub until: Date,
    /// Their visits are counted up to this day; `until` when left out.
    #[param(example = "2026-12-31")]
    pub visits_until: Option<Date>,
}

/// A number, or the fact that it is hidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"count": 31, "suppressed": false}))]
pub struct CountView {
    /// The number; null when it is hidden, which is not the same as nought.
    #[schema(required = true, minimum = 0)]
    pub count: Option<i64>,
    /// Whether it is hidden.
    pub suppressed: bool,
}

impl From<Cell> for CountView {
    fn from(cell: Cell) -> Self {
        Self { count: cell.value(), suppressed: cell == Cell::Hidden }
    }
}

/// One row of a breakdown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "elderly", "count": 17, "suppressed": false}))]
pub struct CellView {
    /// The code of the row.
    #[schema(max_length = 80)]
    pub code: String,
    /// The number; null when it is hidden, which is not the same as nought.
    #[schema(required = true, minimum = 0)]
    pub count: Option<i64>,
    /// Whether it is hidden.
    pub suppressed: bool,
}

impl CellView {
    /// A row with its number.
    #[must_use]
    pub fn new(code: &str, cell: Cell) -> Self {
        Self { code: code.to_owned(), count: cell.value(), suppressed: cell == Cell::Hidden }
    }
}

/// Ages on the day of sending.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"min": 29, "max": 94, "mean": "79.0"}))]
pub struct AgeView {
    /// The youngest; null without anybody, and for those who see suppressed figures: it is the age of one person.
    #[schema(required = true, minimum = 0)]
    pub min: Option<i64>,
    /// The oldest; as `min`.
    #[schema(required = true, minimum = 0)]
    pub max: Option<i64>,
    /// The mean with one decimal; null with too few people behind it.
    #[schema(required = true, max_length = 8)]
    pub mean: Option<String>,
}

/// The held visits of the referrals.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "total": {"count": 280, "suppressed": false}, "home_visits": {"count": 280, "suppressed": false},
    "by_mode": [{"code": "home_visit", "count": 280, "suppressed": false}],
    "hours": "538.0", "phone_minutes": 0, "travel_metres": 0, "fee_eur": "6994.00"
}))]
pub struct VisitsView {
    /// All of them, calls and messages too.
    pub total: CountView,
    /// Home visits.
    pub home_visits: CountView,
    /// By mode. Hidden when the visits belong to too few referrals.
    pub by_mode: Vec<CellView>,
    /// Hours with one decimal, without calls and messages; null with too few people behind them.
    #[schema(required = true, max_length = 20)]
    pub hours: Option<String>,
    /// Minutes of calls and messages; null with too few people behind them.
    #[schema(required = true, minimum = 0)]
    pub phone_minutes: Option<i64>,
    /// Metres travelled; null with too few people behind them.
    #[schema(required = true, minimum = 0)]
    pub travel_metres: Option<i64>,
    /// Fees in euros: the minutes of each worker on each visit, calls too, at the fee of the day, summed exactly and rounded once; null
    /// with too few people behind them.
    #[schema(required = true)]
    pub fee_eur: Option<Decimal>,
}

/// The link workers of the referrals.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"involved": {"count": 9, "suppressed": false}, "agreements_min": 1, "agreements_max": 6}))]
pub struct LinkWorkersView {
    /// How many accepted at least one referral.
    pub involved: CountView,
    /// The fewest referrals that one of them accepted; null without any, and for those who see suppressed figures.
    #[schema(required = true, minimum = 0)]
    pub agreements_min: Option<i64>,
    /// The most; as `agreements_min`.
    #[schema(required = true, minimum = 0)]
    pub agreements_max: Option<i64>,
}

/// A questionnaire that was answered at both ends, by people who agreed to evaluation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "instrument": "swemwbs", "instrument_version": 1, "pairs": {"count": 7, "suppressed": false}, "ended_periods": {"count": 14, "suppressed": false},
    "pair_rate": "7/14", "mean_start": "19.92", "mean_end": "22.18", "mean_change": "2.26"
}))]
pub struct MeasureChangeView {
    /// Which questionnaire.
    pub instrument: InstrumentName,
    /// The version that both answers were scored with; those of different versions are not a pair.
    #[schema(minimum = 1)]
    pub instrument_version: u16,
    /// How many people answered it at the start and at the end.
    pub pairs: CountView,
    /// How many support periods are over.
    pub ended_periods: CountView,
    /// Pairs out of ended support periods; null when one of the two is hidden.
    #[schema(required = true, max_length = 40)]
    pub pair_rate: Option<String>,
    /// Mean score at the start of those who have both; null with too few people behind it.
    #[schema(required = true, max_length = 12)]
    pub mean_start: Option<String>,
    /// Their mean score at the end.
    #[schema(required = true, max_length = 12)]
    pub mean_end: Option<String>,
    /// Their mean change, end less start.
    #[schema(required = true, max_length = 12)]
    pub mean_change: Option<String>,
}

/// How the referrals of a period turned out. `open` and all outcomes together are always `submitted`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "from": "2022-01-01", "until": "2022-12-31", "visits_until": "2022-12-31",
    "suppressed": false,
    "submitted": {"count": 31, "suppressed": false}, "open": {"count": 11, "suppressed": false},
    "open_by_state": [{"code": "deferred", "count": 2, "suppressed": false}, {"code": "in_support", "count": 9, "suppressed": false}],
    "outcomes": [
        {"code": "completed_as_planned", "count": 7, "suppressed": false}, {"code": "discontinued", "count": 7, "suppressed": false},
        {"code": "not_started", "count": 4, "suppressed": false}, {"code": "redirected", "count": 2, "suppressed": false},
        {"code": "declined", "count": 0, "suppressed": false}, {"code": "withdrawn", "count": 0, "suppressed": false}
    ],
    "routes": [
        {"code": "direct", "count": 0, "suppressed": false}, {"code": "link_worker", "count": 23, "suppressed": false},
        {"code": "none", "count": 8, "suppressed": false}
    ],
    "sex": [
        {"code": "female", "count": 21, "suppressed": false}, {"code": "male", "count": 10, "suppressed": false},
        {"code": "other", "count": 0, "suppressed": false}, {"code": "not_stated", "count": 0, "suppressed": false}
    ],
    "age": {"min": 29, "max": 94, "mean": "79.0"},
    "sectors": [{"code": "elderly", "count": 20, "suppressed": false}, {"code": "mental_health", "count": 11, "suppressed": false}],
    "reasons": [{"code": "loneliness", "count": 24, "suppressed": false}],
    "municipalities": [{"code": "758", "count": 31, "suppressed": false}],
    "visits": {
        "total": {"count": 280, "suppressed": false}, "home_visits": {"count": 280, "suppressed": false},
        "by_mode": [{"code": "home_visit", "count": 280, "suppressed": false}],
        "hours": "538.0", "phone_minutes": 0, "travel_metres": 0, "fee_eur": "6994.00"
    },
    "link_workers": {"involved": {"count": 9, "suppressed": false}, "agreements_min": 1, "agreements_max": 6},
    "measures": [{
        "instrument": "swemwbs", "instrument_version": 1, "pairs": {"count": 7, "suppressed": false}, "ended_periods": {"count": 14, "suppressed": false},
        "pair_rate": "7/14", "mean_start": "19.92", "mean_end": "22.18", "mean_change": "2.26"
    }]
}))]
pub struct OutcomesReport {
    /// The programme.
    pub programme_id: Uuid,
    /// Submitted on this day or later.
    pub from: Date,
    /// Submitted on this day or earlier.
    pub until: Date,
    /// Visits are counted up to this day.
    pub visits_until: Date,
    /// Whether small numbers are hidden from this caller.
    pub suppressed: bool,
    /// Referrals that were submitted and not entered in error.
    pub submitted: CountView,
    /// Those that have not ended.
    pub open: CountView,
    /// The open ones by state.
    pub open_by_state: Vec<CellView>,
    /// The closed ones by outcome.
    pub outcomes: Vec<CellView>,
    /// By the way that they went: `direct`, `link_worker`, or `none` when neither has begun or ever began.
    pub routes: Vec<CellView>,
    /// By the client's own statement; `not_stated` without one.
    pub sex: Vec<CellView>,
    /// Ages.
    pub age: AgeView,
    /// By the referrer's sector.
    pub sectors: Vec<CellView>,
    /// By reason. A referral can have several, so the rows add up to more.
    pub reasons: Vec<CellView>,
    /// By the client's municipality on the day of sending.
    pub municipalities: Vec<CellView>,
    /// Visits.
    pub visits: VisitsView,
    /// Link workers.
    pub link_workers: LinkWorkersView,
    /// Change of wellbeing.
    pub measures: Vec<MeasureChangeView>,
}
