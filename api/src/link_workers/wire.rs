//! Link workers on the wire.

use chrono::NaiveDate;
use lahete_domain::actor::Validity;
use lahete_domain::codes::TrainingKind;
use lahete_domain::ids::Id;
use lahete_domain::link_worker::{Contract, HOURS_PER_MONTH_LIMIT, MAX_CLIENTS_LIMIT, Training, absence_from, contract_on};
use lahete_domain::text::{LINE_MAX, NAME_MAX, NOTE_MAX};
use lahete_domain::time::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::cases::LinkWorkerCard;
use crate::http::wire::{
    Change, ContractKindCode, Date, Decimal, LinkWorkerStatusCode, LongText, Patch, Text, TrainingKindCode, expect_days_in_order,
};
use crate::http::wire_sets::{Count, LanguageTag, Municipality, SetOf};

/// Most municipalities of one link worker.
pub const MUNICIPALITIES_MAX: usize = 50;
/// Most languages of one link worker or activity.
pub const LANGUAGES_MAX: usize = 20;

/// Which link workers are wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LinkWorkerQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those who go to this municipality.
    #[param(inline)]
    pub municipality: Option<Municipality>,
    /// Only those with this status.
    pub status: Option<LinkWorkerStatusCode>,
    /// Only those who speak this language.
    #[param(inline)]
    pub language: Option<LanguageTag>,
    /// Only those who take clients on this day: active, with a contract in force, and not away.
    pub available_on: Option<Date>,
    /// Only those whose training is to be refreshed before this day.
    pub refresher_due_before: Option<Date>,
}

/// A new link worker.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "user_id": "01900000-0000-7000-8000-000000000029",
    "name": "Veera Vapaa",
    "municipalities": ["758"],
    "languages": ["fi", "se"],
    "interests": "Hiihto, kuorolaulu, käsityöt",
    "max_clients": 3,
    "hours_per_month": 30
}))]
pub struct NewLinkWorker {
    /// The programme that they work in.
    pub programme_id: Uuid,
    /// Their sign-in. A person is a link worker once in a programme.
    pub user_id: Uuid,
    /// Their name.
    pub name: Text<{ NAME_MAX }>,
    /// The municipalities that they go to.
    #[serde(default)]
    pub municipalities: SetOf<Municipality, { MUNICIPALITIES_MAX }>,
    /// The languages that they speak.
    #[serde(default)]
    pub languages: SetOf<LanguageTag, { LANGUAGES_MAX }>,
    /// What they like to do, in their words.
    pub interests: Option<LongText<{ NOTE_MAX }>>,
    /// How many clients they take at once.
    pub max_clients: Count<{ MAX_CLIENTS_LIMIT }>,
    /// How many hours a month they give.
    pub hours_per_month: Count<{ HOURS_PER_MONTH_LIMIT }>,
}

/// A change of a link worker. What is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "status": "paused", "max_clients": 2 }))]
pub struct LinkWorkerUpdate {
    /// Their name.
    #[serde(default)]
    pub name: Change<Text<{ NAME_MAX }>>,
    /// Whether they take clients.
    #[serde(default)]
    pub status: Change<LinkWorkerStatusCode>,
    /// The municipalities that they go to, all of them.
    #[serde(default)]
    pub municipalities: Change<SetOf<Municipality, { MUNICIPALITIES_MAX }>>,
    /// The languages that they speak, all of them.
    #[serde(default)]
    pub languages: Change<SetOf<LanguageTag, { LANGUAGES_MAX }>>,
    /// What they like to do; null takes it away.
    #[serde(default)]
    pub interests: Patch<LongText<{ NOTE_MAX }>>,
    /// How many clients they take at once.
    #[serde(default)]
    pub max_clients: Change<Count<{ MAX_CLIENTS_LIMIT }>>,
    /// How many hours a month they give.
    #[serde(default)]
    pub hours_per_month: Change<Count<{ HOURS_PER_MONTH_LIMIT }>>,
}

impl LinkWorkerUpdate {
    /// Whether it changes only what a link worker may say of themself: languages and interests.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.name.is_absent()
            && self.status.is_absent()
            && self.municipalities.is_absent()
            && self.max_clients.is_absent()
            && self.hours_per_month.is_absent()
    }
}

/// A link worker, and how much room they have today.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000030",
    "programme_id": "01900000-0000-7000-8000-000000000001",
    "user_id": "01900000-0000-7000-8000-000000000022",
    "name": "Liisa Linkki",
    "status": "active",
    "municipalities": ["758"],
    "languages": ["fi", "se"],
    "interests": "Hiihto, kuorolaulu, käsityöt",
    "max_clients": 3,
    "open_clients": 1,
    "hours_per_month": 30,
    "minutes_this_month": 240,
    "trained": true,
    "contract_valid": true,
    "refresher_due_on": "2026-12-15",
    "absent": false,
    "absent_from": "2026-12-06",
    "absent_until": "2026-12-13"
}))]
pub struct LinkWorkerView {
    /// Their id.
    pub id: Uuid,
    /// The programme that they work in.
    pub programme_id: Uuid,
    /// Their sign-in.
    pub user_id: Uuid,
    /// Their name.
    #[schema(max_length = 120)]
    pub name: String,
    /// Whether they take clients.
    pub status: LinkWorkerStatusCode,
    /// The municipalities that they go to.
    #[schema(max_items = 50)]
    pub municipalities: Vec<Municipality>,
    /// The languages that they speak.
    #[schema(max_items = 20)]
    pub languages: Vec<String>,
    /// What they like to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub interests: Option<String>,
    /// How many clients they take at once.
    pub max_clients: u32,
    /// How many clients they have accepted and still work with.
    pub open_clients: u32,
    /// How many hours a month they give.
    pub hours_per_month: u32,
    /// The minutes of the visits that they have held this month.
    pub minutes_this_month: i64,
    /// Whether they have completed the basic course.
    pub trained: bool,
    /// Whether a contract is in force today.
    pub contract_valid: bool,
    /// When the training is to be refreshed: the programme's months after the last course or refresher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresher_due_on: Option<NaiveDate>,
    /// Whether they are away today. Nobody proposes them then.
    pub absent: bool,
    /// The first day of the present absence, or of the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_from: Option<NaiveDate>,
    /// Its last day, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_until: Option<NaiveDate>,
}

impl LinkWorkerView {
    /// The view at an instant.
    #[must_use]
    pub fn new(card: &LinkWorkerCard, now: Instant) -> Self {
        let (worker, standing, today) = (&card.link_worker, &card.standing, now.helsinki_date());
        let absence = absence_from(&card.absences, today);
        let is_course = |training: &Training| training.kind == TrainingKind::BasicCourse && training.completed_on <= today;
        Self {
            id: worker.id.as_uuid(),
            programme_id: worker.programme.as_uuid(),
            user_id: worker.user.as_uuid(),
            name: worker.name.clone(),
            status: worker.status.into(),
            municipalities: worker.municipalities.iter().map(Municipality::from).collect(),
            languages: worker.languages.iter().cloned().collect(),
            interests: worker.interests.clone(),
            max_clients: worker.max_clients,
            open_clients: standing.open_clients,
            hours_per_month: worker.hours_per_month,
            minutes_this_month: standing.minutes_in_month,
            trained: standing.trainings.iter().any(is_course),
            contract_valid: contract_on(&standing.contracts, today).is_some(),
            refresher_due_on: card.refresher_due_on,
            absent: absence.is_some_and(|absence| absence.days.covers(today)),
            absent_from: absence.map(|absence| absence.days.from),
            absent_until: absence.and_then(|absence| absence.days.until),
        }
    }
}

/// A new contract of a link worker.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "validity_in_order"))]
#[schema(example = json!({
    "kind": "fee",
    "employer_id": "01900000-0000-7000-8000-000000000010",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "fee_per_hour": "13.00",
    "insurance_note": "Kunnan tapaturma- ja vastuuvakuutus"
}))]
pub struct NewContract {
    /// On what footing they work.
    pub kind: ContractKindCode,
    /// The organisation that employs them or answers for them.
    pub employer_id: Uuid,
    /// The first day on which it is in force.
    pub valid_from: Date,
    /// The last day; open when there is none.
    pub valid_until: Option<Date>,
    /// A fee of its own, euros an hour; the programme's when there is none.
    pub fee_per_hour: Option<Decimal>,
    /// How they are insured.
    pub insurance_note: Option<Text<{ LINE_MAX }>>,
}

/// Highest fee of an hour that a contract may state, in cents.
const FEE_MAX_CENTS: i64 = 100_000;

fn validity_in_order(contract: &NewContract) -> Result<(), validator::ValidationError> {
    expect_days_in_order(Validity { from: contract.valid_from, until: contract.valid_until })?;
    if contract.fee_per_hour.is_some_and(|fee| !(0..=FEE_MAX_CENTS).contains(&fee.hundredths())) {
        return Err(validator::ValidationError::new("fee_out_of_range").with_message("The fee lies between 0.00 and 1000.00.".into()));
    }
    Ok(())
}

/// A contract of a link worker.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000032",
    "link_worker_id": "01900000-0000-7000-8000-000000000030",
    "kind": "fee",
    "employer_id": "01900000-0000-7000-8000-000000000010",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
    "fee_per_hour": "13.00",
    "insurance_note": "Kunnan tapaturma- ja vastuuvakuutus"
}))]
pub struct ContractView {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub link_worker_id: Uuid,
    /// On what footing they work.
    pub kind: ContractKindCode,
    /// The organisation that employs them or answers for them.
    pub employer_id: Uuid,
    /// The first day on which it is in force.
    pub valid_from: NaiveDate,
    /// The last day; left out when it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<NaiveDate>,
    /// A fee of its own, euros an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_per_hour: Option<Decimal>,
    /// How they are insured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub insurance_note: Option<String>,
}

impl From<Contract> for ContractView {
    fn from(contract: Contract) -> Self {
        Self {
            id: contract.id.as_uuid(),
            link_worker_id: contract.link_worker.as_uuid(),
            kind: contract.kind.into(),
            employer_id: contract.employer.as_uuid(),
            valid_from: contract.validity.from,
            valid_until: contract.validity.until,
            fee_per_hour: contract.fee_per_hour.map(|fee| Decimal::from_hundredths(fee.0)),
            insurance_note: contract.insurance_note,
        }
    }
}

/// A training that a link worker has completed.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "kind": "basic_course", "provider": "Lapin ammattikorkeakoulu", "completed_on": "2026-03-15", "credits": "5.0" }))]
pub struct NewTraining {
    /// What it was. Only who has completed the basic course can be proposed for a referral.
    pub kind: TrainingKindCode,
    /// Who gave it.
    pub provider: Text<{ NAME_MAX }>,
    /// When it was completed; not in the future.
    pub completed_on: Date,
    /// Credits (ECTS), with one decimal.
    #[validate(custom(function = "credits_in_tenths"))]
    pub credits: Option<Decimal>,
}

fn credits_in_tenths(credits: &Decimal) -> Result<(), validator::ValidationError> {
    let hundredths = credits.hundredths();
    if (0..=100_000).contains(&hundredths) && hundredths % 10 == 0 {
        return Ok(());
    }
    Err(validator::ValidationError::new("credits_out_of_range").with_message("Credits have one decimal and lie between 0 and 1000.".into()))
}

/// A training that a link worker has completed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000033",
    "link_worker_id": "01900000-0000-7000-8000-000000000030",
    "kind": "basic_course",
    "provider": "Lapin ammattikorkeakoulu",
    "completed_on": "2026-03-15",
    "credits": "5.00"
}))]
pub struct TrainingView {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub link_worker_id: Uuid,
    /// What it was.
    pub kind: TrainingKindCode,
    /// Who gave it.
    #[schema(max_length = 120)]
    pub provider: String,
    /// When it was completed.
    pub completed_on: NaiveDate,
    /// Credits (ECTS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<Decimal>,
}

impl From<Training> for TrainingView {
    fn from(training: Training) -> Self {
        Self {
            id: training.id.as_uuid(),
            link_worker_id: training.link_worker.as_uuid(),
            kind: training.kind.into(),
            provider: training.provider,
            completed_on: training.completed_on,
            credits: training.credits_tenths.map(|tenths| Decimal::from_hundredths(i64::from(tenths) * 10)),
        }
    }
}
