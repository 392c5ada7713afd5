//! The client: the adult whom a referral is about. Never "patient".

use chrono::NaiveDate;

use crate::codes::{ClientStanding, Sex};
use crate::identity_code::IdentityCode;
use crate::ids::{ClientId, ProgrammeId, UserId};
use crate::programme::MunicipalityCode;
use crate::time::{age_on, certain_age_on};
use crate::version::Version;

/// Youngest age at which a client can be referred.
pub const ADULT_AGE: u32 = 18;
/// Earliest accepted year of birth.
pub const BIRTH_YEAR_MIN: i32 = 1900;

/// What is known of somebody's birth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Birth {
    /// The day.
    Date(NaiveDate),
    /// Only the year.
    Year(i32),
}

impl Birth {
    /// Age that is certainly reached on a day.
    #[must_use]
    pub fn age_on(self, day: NaiveDate) -> Option<u32> {
        match self {
            Self::Date(born) => age_on(born, day),
            Self::Year(year) => certain_age_on(year, day),
        }
    }
}

/// How to reach the client.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contact {
    /// Telephone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Street address and village.
    pub address: Option<String>,
    /// "I will contact you": do not call the client.
    pub client_will_contact: bool,
}

/// Contact data and person of a client, without id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientData {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// How to reach them.
    pub contact: Contact,
    /// Date or year of birth.
    pub birth: Birth,
    /// Personal identity code, if unambiguous identification matters.
    pub identity_code: Option<IdentityCode>,
    /// Sex by own statement.
    pub sex: Option<Sex>,
    /// Municipality of residence.
    pub municipality: MunicipalityCode,
    /// Preferred language, any BCP 47 tag.
    pub language: String,
    /// Whether an interpreter is needed.
    pub interpreter_needed: bool,
    /// Non-disclosure for personal safety (turvakielto).
    pub non_disclosure: bool,
    /// Whether the client lives at home.
    pub lives_at_home: Option<bool>,
}

/// A client of a programme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Client {
    /// Their id.
    pub id: ClientId,
    /// Version of the row.
    pub version: Version,
    /// The programme whose client they are.
    pub programme: ProgrammeId,
    /// Their own sign-in.
    pub user: Option<UserId>,
    /// Whether their data may be used.
    pub standing: ClientStanding,
    /// What is known of them.
    pub data: ClientData,
}
