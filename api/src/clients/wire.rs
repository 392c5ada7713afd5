//! Bodies of clients.

use std::collections::BTreeMap;

use chrono::Datelike as _;
use lahete_domain::client::{BIRTH_YEAR_MIN, Birth, Client, ClientData, Contact};
use lahete_domain::identity_code::IdentityCode;
use lahete_domain::ids::Id as _;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::text::{LANGUAGE_TAG_MAX, LINE_MAX, NAME_MAX, REASON_MAX};
use lahete_persistence::repo::client_changes::ClientChange;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::error::{AppError, Fault};
use crate::http::wire::{
    AuditActionCode, AuditOutcomeCode, Change, ClientStandingCode, Date, LongText, Patch, RoleCode, SexCode, Text, Timestamp,
};
use crate::municipalities;

/// A client as a referral names them. Either `birth_date` or `birth_year` is needed, or the identity code, which says it too.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "one_birth"))]
#[schema(example = json!({
    "given_name": "Aino", "family_name": "Esimerkki", "birth_date": "1942-05-07", "municipality": "758", "phone": "+358 40 555 0101", "language": "fi"
}))]
pub struct ClientCreate {
    /// Given name.
    pub given_name: Text<{ NAME_MAX }>,
    /// Family name.
    pub family_name: Text<{ NAME_MAX }>,
    /// Telephone number.
    pub phone: Option<Text<{ LINE_MAX }>>,
    /// E-mail address.
    pub email: Option<Text<{ LINE_MAX }>>,
    /// Street address and village.
    pub address: Option<Text<{ LINE_MAX }>>,
    /// The client wants to make contact themself: do not call.
    #[serde(default)]
    pub client_will_contact: bool,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// Year of birth, when the date is not known.
    #[schema(minimum = 1900, maximum = 2200)]
    pub birth_year: Option<i32>,
    /// Personal identity code, only when unambiguous identification matters. It is never shown again.
    pub personal_identity_code: Option<Text<20>>,
    /// Sex by the client's own statement. It is never taken from the identity code.
    pub sex: Option<SexCode>,
    /// Municipality, as a code of three digits.
    #[schema(pattern = "^[0-9]{3}$", min_length = 3, max_length = 3)]
    pub municipality: String,
    /// Preferred language, a BCP 47 tag; `fi` when left out.
    pub language: Option<Text<{ LANGUAGE_TAG_MAX }>>,
    /// Whether an interpreter is needed.
    #[serde(default)]
    pub interpreter_needed: bool,
    /// Non-disclosure for personal safety (turvakielto).
    #[serde(default)]
    pub non_disclosure: bool,
    /// Whether the client lives at home.
    pub lives_at_home: Option<bool>,
}

fn one_birth(client: &ClientCreate) -> Result<(), ValidationError> {
    let given = usize::from(client.birth_date.is_some()) + usize::from(client.birth_year.is_some());
    if given == 1 || (given == 0 && client.personal_identity_code.is_some()) {
        return Ok(());
    }
    Err(ValidationError::new("birth_missing").with_message("Give either birth_date or birth_year, or the identity code.".into()))
}

/// Reads an identity code; the fault never repeats it.
///
/// # Errors
/// 422 at the given place.
pub fn identity_code(text: &str, today: Date, pointer: &str) -> Result<IdentityCode, AppError> {
    IdentityCode::parse(text, today).map_err(|error| AppError::fault(Fault::new(pointer, "bad_identity_code", error.to_string())))
}

fn municipality(code: &str, pointer: &str) -> Result<MunicipalityCode, AppError> {
    MunicipalityCode::parse(code)
        .filter(|code| municipalities::register::find(code.as_str()).is_some())
        .ok_or_else(|| AppError::fault(Fault::new(pointer, "not_in_list", "There is no such municipality.")))
}

/// A birth that lies in the past and not before the year that is taken as the earliest.
fn birth(birth: Birth, today: Date, pointer: &str) -> Result<Birth, AppError> {
    let (year, past) = match birth {
        Birth::Date(date) => (date.year(), date <= today),
        Birth::Year(year) => (year, year <= today.year()),
    };
    if year >= BIRTH_YEAR_MIN && past {
        return Ok(birth);
    }
    let text = format!("The birth lies between the year {BIRTH_YEAR_MIN} and today.");
    Err(AppError::fault(Fault::new(pointer, "out_of_range", text)))
}

impl ClientCreate {
    /// The client's data.
    ///
    /// # Errors
    /// 422 for an identity code that is none, an unknown municipality, a birth that is not possible or contradicts the code.
    pub fn into_data(self, today: Date, at: &str) -> Result<ClientData, AppError> {
        let identity_code = self
            .personal_identity_code
            .map(|code| identity_code(code.as_str(), today, &format!("{at}/personal_identity_code")))
            .transpose()?;
        let given = match (self.birth_date, self.birth_year, &identity_code) {
            (Some(date), _, _) => birth(Birth::Date(date), today, &format!("{at}/birth_date"))?,
            (None, Some(year), _) => birth(Birth::Year(year), today, &format!("{at}/birth_year"))?,
            (None, None, Some(code)) => Birth::Date(code.birth_date()),
            (None, None, None) => return Err(AppError::fault(Fault::new(at, "birth_missing", "Give birth_date or birth_year."))),
        };
        expect_same_birth(given, identity_code.as_ref(), at)?;
        Ok(ClientData {
            given_name: self.given_name.into_string(),
            family_name: self.family_name.into_string(),
            contact: Contact {
                phone: self.phone.map(Text::into_string),
                email: self.email.map(Text::into_string),
                address: self.address.map(Text::into_string),
                client_will_contact: self.client_will_contact,
            },
            birth: given,
            identity_code,
            sex: self.sex.map(|sex| sex.0),
            municipality: municipality(&self.municipality, &format!("{at}/municipality"))?,
            language: self.language.map_or_else(|| "fi".to_owned(), Text::into_string),
            interpreter_needed: self.interpreter_needed,
            non_disclosure: self.non_disclosure,
            lives_at_home: self.lives_at_home,
        })
    }
}

fn expect_same_birth(birth: Birth, code: Option<&IdentityCode>, at: &str) -> Result<(), AppError> {
    let fits = code.is_none_or(|code| match birth {
        Birth::Date(date) => date == code.birth_date(),
        Birth::Year(year) => year == code.birth_date().year(),
    });
    if fits {
        return Ok(());
    }
    Err(AppError::fault(Fault::new(format!("{at}/personal_identity_code"), "contradicts_birth", "The identity code says another birth.")))
}

/// A change of a client's data.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"phone": "+358 40 555 0102", "reason": "Numero oli vanha."}))]
pub struct ClientUpdate {
    /// Given name.
    #[serde(default)]
    pub given_name: Change<Text<{ NAME_MAX }>>,
    /// Family name.
    #[serde(default)]
    pub family_name: Change<Text<{ NAME_MAX }>>,
    /// Telephone number.
    #[serde(default)]
    pub phone: Patch<Text<{ LINE_MAX }>>,
    /// E-mail address.
    #[serde(default)]
    pub email: Patch<Text<{ LINE_MAX }>>,
    /// Street address and village.
    #[serde(default)]
    pub address: Patch<Text<{ LINE_MAX }>>,
    /// Do not call.
    #[serde(default)]
    pub client_will_contact: Change<bool>,
    /// Date of birth.
    #[serde(default)]
    #[schema(value_type = Date)]
    pub birth_date: Change<Date>,
    /// Personal identity code.
    #[serde(default)]
    pub personal_identity_code: Patch<Text<20>>,
    /// Sex by own statement.
    #[serde(default)]
    pub sex: Patch<SexCode>,
    /// Municipality.
    #[serde(default)]
    pub municipality: Change<Text<3>>,
    /// Preferred language.
    #[serde(default)]
    pub language: Change<Text<{ LANGUAGE_TAG_MAX }>>,
    /// Interpreter.
    #[serde(default)]
    pub interpreter_needed: Change<bool>,
    /// Non-disclosure.
    #[serde(default)]
    pub non_disclosure: Change<bool>,
    /// Lives at home.
    #[serde(default)]
    pub lives_at_home: Patch<bool>,
    /// Why it is corrected. It is kept with what was before, where the client, the coordinator and the privacy officer can read it; of a draft nothing is
    /// kept.
    pub reason: Option<LongText<{ REASON_MAX }>>,
}

impl ClientUpdate {
    /// The data after the change.
    ///
    /// # Errors
    /// As [`ClientCreate::into_data`], and 422 for what does not fit together.
    pub fn apply(self, present: ClientData, today: Date, at: &str) -> Result<ClientData, AppError> {
        let place = |member: &str| format!("{at}/{member}");
        let identity_code = match self.personal_identity_code {
            Patch::Absent => present.identity_code,
            Patch::Null => None,
            Patch::Value(code) => Some(identity_code(code.as_str(), today, &place("personal_identity_code"))?),
        };
        let birth = match self.birth_date.given() {
            None => present.birth,
            Some(date) => birth(Birth::Date(date), today, &place("birth_date"))?,
        };
        expect_same_birth(birth, identity_code.as_ref(), at)?;
        Ok(ClientData {
            given_name: self.given_name.map(Text::into_string).apply(present.given_name),
            family_name: self.family_name.map(Text::into_string).apply(present.family_name),
            contact: Contact {
                phone: self.phone.map(Text::into_string).apply(present.contact.phone),
                email: self.email.map(Text::into_string).apply(present.contact.email),
                address: self.address.map(Text::into_string).apply(present.contact.address),
                client_will_contact: self.client_will_contact.apply(present.contact.client_will_contact),
            },
            birth,
            identity_code,
            sex: self.sex.map(|sex| sex.0).apply(present.sex),
            municipality: match self.municipality.given() {
                None => present.municipality,
                Some(code) => municipality(code.as_str(), &place("municipality"))?,
            },
            language: self.language.map(Text::into_string).apply(present.language),
            interpreter_needed: self.interpreter_needed.apply(present.interpreter_needed),
            non_disclosure: self.non_disclosure.apply(present.non_disclosure),
            lives_at_home: self.lives_at_home.apply(present.lives_at_home),
        })
    }
}

/// A client in a referral. Contact data is there for those who need it: the coordinator, the assigned link worker, the client, and the writer of a draft.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000050", "given_name": "Aino", "family_name": "Esimerkki", "municipality": "758", "language": "fi",
    "interpreter_needed": false, "non_disclosure": false
}))]
pub struct ClientSummary {
    /// Their id.
    pub id: Uuid,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Municipality; for senders the one that they have sent. Left out for them when the client is under non-disclosure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub municipality: Option<String>,
    /// Preferred language.
    pub language: String,
    /// Whether an interpreter is needed.
    pub interpreter_needed: bool,
    /// Non-disclosure (turvakielto): never pass address, telephone number or places on.
    pub non_disclosure: bool,
    /// How to reach them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactView>,
}

/// How to reach a client.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"phone": "+358 40 555 0101", "client_will_contact": false}))]
pub struct ContactView {
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Street address and village.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The client wants to make contact themself: do not call.
    pub client_will_contact: bool,
}

impl ClientSummary {
    /// The client in a referral, with or without contact data, and the place as far as it is shown.
    #[must_use]
    pub fn of(client: &Client, with_contact: bool, place: Option<&MunicipalityCode>) -> Self {
        let data = &client.data;
        Self {
            id: client.id.as_uuid(),
            given_name: data.given_name.clone(),
            family_name: data.family_name.clone(),
            municipality: place.map(|place| place.as_str().to_owned()),
            language: data.language.clone(),
            interpreter_needed: data.interpreter_needed,
            non_disclosure: data.non_disclosure,
            contact: with_contact.then(|| ContactView::from(&data.contact)),
        }
    }
}

impl From<&Contact> for ContactView {
    fn from(contact: &Contact) -> Self {
        Self {
            phone: contact.phone.clone(),
            email: contact.email.clone(),
            address: contact.address.clone(),
            client_will_contact: contact.client_will_contact,
        }
    }
}

/// A client with contact data.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-000000000050", "version": 1, "programme_id": "01900000-0000-7000-8000-000000000001", "given_name": "Aino",
    "family_name": "Esimerkki", "birth_date": "1942-05-07", "personal_identity_code_known": false, "sex": "female", "municipality": "758", "language": "fi",
    "interpreter_needed": false, "non_disclosure": false, "lives_at_home": true, "standing": "open", "contact": {"phone": "+358 40 555 0101", "client_will_contact": false}
}))]
pub struct ClientView {
    /// Their id.
    pub id: Uuid,
    /// The version, as in the `ETag`.
    pub version: i64,
    /// The programme whose client they are.
    pub programme_id: Uuid,
    /// Their own sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Uuid>,
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Date of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Date>,
    /// Year of birth, when the date is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birth_year: Option<i32>,
    /// Whether the identity code is on record. The code itself is not shown.
    pub personal_identity_code_known: bool,
    /// Sex by own statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<SexCode>,
    /// Municipality.
    pub municipality: String,
    /// Preferred language.
    pub language: String,
    /// Whether an interpreter is needed.
    pub interpreter_needed: bool,
    /// Non-disclosure (turvakielto).
    pub non_disclosure: bool,
    /// Whether the client lives at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lives_at_home: Option<bool>,
    /// Whether their data may be used.
    pub standing: ClientStandingCode,
    /// How to reach them.
    pub contact: ContactView,
}

impl From<&Client> for ClientView {
    fn from(client: &Client) -> Self {
        let data = &client.data;
        let (birth_date, birth_year) = match data.birth {
            Birth::Date(date) => (Some(date), None),
            Birth::Year(year) => (None, Some(year)),
        };
        Self {
            id: client.id.as_uuid(),
            version: client.version.get(),
            programme_id: client.programme.as_uuid(),
            user_id: client.user.map(|user| user.as_uuid()),
            given_name: data.given_name.clone(),
            family_name: data.family_name.clone(),
            birth_date,
            birth_year,
            personal_identity_code_known: data.identity_code.is_some(),
            sex: data.sex.map(Into::into),
            municipality: data.municipality.as_str().to_owned(),
            language: data.language.clone(),
            interpreter_needed: data.interpreter_needed,
            non_disclosure: data.non_disclosure,
            lives_at_home: data.lives_at_home,
            standing: client.standing.into(),
            contact: ContactView::from(&data.contact),
        }
    }
}

/// A search by identity code. It is a body and not a query, because addresses end up in logs.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"programme_id": "01900000-0000-7000-8000-000000000001", "personal_identity_code": "070542-902F"}))]
pub struct ClientSearch {
    /// The programme to search in.
    pub programme_id: Uuid,
    /// The identity code, with its separator.
    pub personal_identity_code: Text<20>,
}

/// What a search has found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": []}))]
pub struct ClientSearchResult {
    /// At most one client.
    #[schema(max_items = 1)]
    pub items: Vec<ClientView>,
}

/// Whose sign-in a client is.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"user_id": "01900000-0000-7000-8000-000000000023"}))]
pub struct ClientLinkUser {
    /// The user.
    pub user_id: Uuid,
}

/// Which part of a log is wanted.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AccessLogQuery {
    /// Also what is older than two years. That needs a special reason, stated in `X-Access-Reason`.
    pub older: Option<bool>,
}

/// One access to a client's data, in plain words.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "at": "2026-11-22T10:05:00.000000Z", "text": "Koordinaattori Kaisa Koordinaattori luki lähetteesi.", "who": "Kaisa Koordinaattori",
    "role": "coordinator", "organisation": "Sodankylän kunta", "action": "read", "outcome": "allowed", "purpose": "Lähetteesi ja tukesi hoitaminen",
    "operation": "referral_view"
}))]
pub struct AccessLogEntry {
    /// When.
    pub at: Timestamp,
    /// What happened, as a whole sentence of the wanted language.
    pub text: String,
    /// The name of the person or the system; left out when nobody was signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// In which role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleCode>,
    /// For which organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// What was done.
    pub action: AuditActionCode,
    /// Whether it was let through.
    pub outcome: AuditOutcomeCode,
    /// What it was for, in plain words; left out when it was not let through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// With which operation.
    pub operation: String,
    /// The referral in question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<Uuid>,
    /// The reason that was stated for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A correction of a client's data, or of the words of their referral.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01900000-0000-7000-8000-0000000000c6", "at": "2026-11-22T10:05:00.000000Z", "who": "Kaisa Koordinaattori", "role": "coordinator",
    "reason": "Numero oli vanha.", "before": {"phone": "+358 40 555 0101"}, "after": {"phone": "+358 40 555 0102"}
}))]
pub struct ClientChangeView {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who; left out when it was the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// In which role.
    pub role: RoleCode,
    /// The referral whose words were corrected; left out when it was the client's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<Uuid>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Each corrected member with what was there before; null when there was nothing.
    #[schema(value_type = Object)]
    pub before: BTreeMap<String, Value>,
    /// Each corrected member with what is there since.
    #[schema(value_type = Object)]
    pub after: BTreeMap<String, Value>,
}

impl ClientChangeView {
    /// A correction, with the name of who made it.
    #[must_use]
    pub fn of(change: ClientChange, who: Option<String>) -> Self {
        Self {
            id: change.id.as_uuid(),
            at: change.at.into(),
            who,
            role: change.role.into(),
            referral_id: change.referral.map(|id| id.as_uuid()),
            reason: change.details.reason,
            before: change.details.before,
            after: change.details.after,
        }
    }
}
