//! Who works with the program: organisations, the people and machines that sign in, and the roles that they are given.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

use crate::actor::{Caller, Validity};
use crate::codes::{OrganisationKind, Role, Sector};
use crate::identity_code::IdentityCode;
use crate::ids::{ApiClientId, ApiClientKeyId, IdentityId, OrganisationId, ProgrammeId, RoleAssignmentId, UserId};
use crate::programme::MunicipalityCode;
use crate::time::Instant;
use crate::version::Version;

/// An employer of referrers or workers, or a provider of activities.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its version.
    pub version: Version,
    /// The programme that it takes part in.
    pub programme: ProgrammeId,
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: OrganisationKind,
    /// The sector of its referrers, taken over into a referral that names none.
    pub sector: Option<Sector>,
    /// Where it is, when it belongs to one municipality.
    pub municipality: Option<MunicipalityCode>,
    /// Whether it still takes part.
    pub active: bool,
}

/// A person who signs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Version of the row.
    pub version: Version,
    /// The programme whose administrators look after the account.
    pub programme: ProgrammeId,
    /// The name that they sign in with.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Whether they may sign in and use their roles.
    pub active: bool,
}

/// One role of one user in one programme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleAssignment {
    /// Its id.
    pub id: RoleAssignmentId,
    /// Its version.
    pub version: Version,
    /// Where it holds.
    pub programme: ProgrammeId,
    /// Whose it is.
    pub user: UserId,
    /// The role.
    pub role: Role,
    /// For which organisation.
    pub organisation: Option<OrganisationId>,
    /// The days on which it holds.
    pub validity: Validity,
    /// Who gave it; none when the program was set up with it.
    pub given_by: Option<UserId>,
    /// When it was given.
    pub given_at: Instant,
}

/// A machine that signs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiClient {
    /// Its id, which is also the client id at the token endpoint.
    pub id: ApiClientId,
    /// Its version.
    pub version: Version,
    /// Where it works.
    pub programme: ProgrammeId,
    /// Its name.
    pub name: String,
    /// The name that its own ids are known under: (source system, source id) is unique.
    pub source_system: String,
    /// When its secret stops working; never when there is none.
    pub secret_expires_at: Option<Instant>,
    /// Until when the secret before the present one works as well.
    pub old_secret_until: Option<Instant>,
    /// When it last signed in with a secret, to the hour.
    pub secret_used_at: Option<Instant>,
    /// Whether it may sign in. Once revoked, it stays so.
    pub active: bool,
    /// When it was added.
    pub created_at: Instant,
    /// The organisations that it pushes referrals for.
    pub organisations: BTreeSet<OrganisationId>,
}

/// A name by which a user or a machine is known at another issuer. Only the pair of issuer and subject names somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Its id.
    pub id: IdentityId,
    /// The issuer, letter by letter as in `iss`.
    pub issuer: String,
    /// Their name there, as in `sub`.
    pub subject: String,
    /// Whose it is.
    pub of: Caller,
    /// Who linked it; none when it came about by a person's own sign-in or from the command line.
    pub created_by: Option<UserId>,
    /// When it was linked.
    pub created_at: Instant,
}

/// The longest subject that an issuer may give (OpenID Connect Core, 2).
pub const SUBJECT_MAX: usize = 255;

/// The longest name of an issuer.
pub const ISSUER_MAX: usize = 300;

/// What a subject may look like: visible ASCII, and never a personal identity code, which is stored nowhere in plain.
#[must_use]
pub fn is_subject(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= SUBJECT_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && IdentityCode::parse(text, NaiveDate::MAX).is_err()
}

/// An algorithm of signatures with two keys. There is none with a shared secret here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA, PKCS #1.
    Rs256,
    /// RSA, PSS.
    Ps256,
}

impl KeyAlgorithm {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// Its name in RFC 7518 and RFC 8037.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// Reads a name, letter by letter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.as_str() == text)
    }

    /// Whether one kind of key serves both.
    #[must_use]
    pub fn is_kin(self, other: Self) -> bool {
        let rsa = |one: Self| matches!(one, Self::Rs256 | Self::Ps256);
        self == other || (rsa(self) && rsa(other))
    }
}

/// A public key of a machine, by which it proves who it is (RFC 7523).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiClientKey {
    /// Its id.
    pub id: ApiClientKeyId,
    /// Whose it is.
    pub api_client: ApiClientId,
    /// Its name in the head of an assertion, `kid`.
    pub name: String,
    /// The one algorithm that it is used with.
    pub algorithm: KeyAlgorithm,
    /// The public key, RFC 7517.
    pub jwk: String,
    /// When it stops working; never when there is none.
    pub expires_at: Option<Instant>,
    /// When it was added.
    pub created_at: Instant,
}

/// Most keys that a machine can have at once: enough to change from one to the next.
pub const API_CLIENT_KEYS_MAX: usize = 10;

/// How long a new secret works when nobody says until when.
pub const SECRET_DAYS: i64 = 365;

/// The longest life of a new secret. A machine that should sign in for longer gets a new one, or proves itself by a key.
pub const SECRET_DAYS_MAX: i64 = 730;

/// The longest time for which a secret and its successor both work.
pub const SECRET_OVERLAP_HOURS_MAX: i64 = 30 * 24;

/// Why a role cannot be given or ended, or an account be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RoleError {
    /// A machine's role for a person.
    #[error("the role integration is for machines: add an API client instead")]
    NotForPeople,
    /// A role that begins after its end.
    #[error("the last day lies before the first")]
    EndsBeforeItBegins,
    /// The account is closed.
    #[error("the user is not active")]
    UserInactive,
    /// The organisation is of another programme or no longer takes part.
    #[error("the organisation does not take part in the programme")]
    OrganisationNotInProgramme,
    /// The same role for the same organisation, on days that both hold.
    #[error("the user has this role already on some of these days")]
    AlreadyGiven,
    /// The days on which it held are over.
    #[error("the role has ended already")]
    AlreadyEnded,
    /// What was true yesterday stays true; and an end is never put off by ending.
    #[error("the last day lies between yesterday and the present last day")]
    LastDayOutOfRange,
    /// A programme without an administrator could never get one again.
    #[error("a programme keeps at least one administrator")]
    LastAdmin,
}

/// What a new role assignment needs to know of its surroundings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Giving<'a> {
    /// Who gets it.
    pub user: &'a User,
    /// For which organisation, if for one.
    pub organisation: Option<&'a Organisation>,
    /// What the user has in the programme already.
    pub present: &'a [RoleAssignment],
}

impl RoleAssignment {
    /// Checks a new role before it is given.
    ///
    /// # Errors
    /// Every reason of [`RoleError`] that concerns giving.
    pub fn check_new(&self, giving: Giving<'_>) -> Result<(), RoleError> {
        if self.role == Role::Integration {
            return Err(RoleError::NotForPeople);
        }
        if self.validity.until.is_some_and(|until| until < self.validity.from) {
            return Err(RoleError::EndsBeforeItBegins);
        }
        if !giving.user.active {
            return Err(RoleError::UserInactive);
        }
        if giving.organisation.is_some_and(|organisation| organisation.programme != self.programme || !organisation.active) {
            return Err(RoleError::OrganisationNotInProgramme);
        }
        let same = |other: &RoleAssignment| {
            (other.programme, other.user, other.role, other.organisation) == (self.programme, self.user, self.role, self.organisation)
                && other.validity.overlaps(&self.validity)
        };
        if giving.present.iter().any(same) { Err(RoleError::AlreadyGiven) } else { Ok(()) }
    }

    /// The role with its last day set; at once, when none is named: then yesterday was the last one. `admin_remains` says whether somebody else is
    /// administrator of the programme on the day after it.
    ///
    /// # Errors
    /// [`RoleError::AlreadyEnded`], [`RoleError::LastDayOutOfRange`] or [`RoleError::LastAdmin`].
    pub fn ended(&self, last_day: Option<NaiveDate>, today: NaiveDate, admin_remains: bool) -> Result<Self, RoleError> {
        let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
        if self.validity.until.is_some_and(|until| until < today) {
            return Err(RoleError::AlreadyEnded);
        }
        let last_day = last_day.unwrap_or(yesterday);
        if last_day < yesterday || self.validity.until.is_some_and(|until| until < last_day) {
            return Err(RoleError::LastDayOutOfRange);
        }
        if self.role == Role::Admin && !admin_remains {
            return Err(RoleError::LastAdmin);
        }
        Ok(Self { validity: Validity { until: Some(last_day), ..self.validity }, ..self.clone() })
    }
}

/// Why an API client cannot be added or changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApiClientError {
    /// A secret that could never be used, or for longer than any may.
    #[error("a secret ends after now and within two years")]
    SecretExpiryOutOfRange,
    /// A key that could never be used.
    #[error("the key would have expired already")]
    KeyExpired,
    /// More keys than one needs.
    #[error("an API client has ten keys at most")]
    TooManyKeys,
    /// An organisation of another programme, or one that no longer takes part.
    #[error("an organisation does not take part in the programme")]
    OrganisationNotInProgramme,
    /// It was revoked for good.
    #[error("the API client is revoked")]
    Revoked,
}

impl ApiClient {
    /// Checks that each organisation that it is to serve takes part in its programme.
    ///
    /// # Errors
    /// [`ApiClientError::OrganisationNotInProgramme`].
    pub fn check_organisations(&self, found: &[Organisation]) -> Result<(), ApiClientError> {
        let fits = |id: &OrganisationId| {
            found.iter().any(|organisation| organisation.id == *id && organisation.programme == self.programme && organisation.active)
        };
        if self.organisations.iter().all(fits) { Ok(()) } else { Err(ApiClientError::OrganisationNotInProgramme) }
    }

    /// Checks that it can get a secret that works until then.
    ///
    /// # Errors
    /// [`ApiClientError::Revoked`] or [`ApiClientError::SecretExpiryOutOfRange`].
    pub fn check_secret(&self, now: Instant) -> Result<(), ApiClientError> {
        self.check_active()?;
        match self.secret_expires_at {
            Some(expiry) if now < expiry && expiry <= now.plus_days(SECRET_DAYS_MAX) => Ok(()),
            _ => Err(ApiClientError::SecretExpiryOutOfRange),
        }
    }

    /// The machine when it gets a new secret: until when that one works, and for how long the present one goes on beside it, within its own time.
    ///
    /// # Errors
    /// As [`ApiClient::check_secret`].
    pub fn with_new_secret(self, expires_at: Option<Instant>, overlap_hours: i64, now: Instant) -> Result<Self, ApiClientError> {
        let overlap_ends = now.plus_minutes(overlap_hours.clamp(0, SECRET_OVERLAP_HOURS_MAX) * 60);
        let old = self.secret_expires_at.map_or(overlap_ends, |expiry| expiry.min(overlap_ends));
        let client = Self {
            secret_expires_at: Some(expires_at.unwrap_or_else(|| now.plus_days(SECRET_DAYS))),
            old_secret_until: (old > now).then_some(old),
            ..self
        };
        client.check_secret(now)?;
        Ok(client)
    }

    /// Checks that it can get one more key, which works until then.
    ///
    /// # Errors
    /// [`ApiClientError::Revoked`], [`ApiClientError::KeyExpired`] or [`ApiClientError::TooManyKeys`].
    pub fn check_new_key(&self, expires_at: Option<Instant>, present: usize, now: Instant) -> Result<(), ApiClientError> {
        self.check_active()?;
        if expires_at.is_some_and(|expiry| expiry <= now) {
            return Err(ApiClientError::KeyExpired);
        }
        if present >= API_CLIENT_KEYS_MAX { Err(ApiClientError::TooManyKeys) } else { Ok(()) }
    }

    /// Checks that it was not revoked.
    ///
    /// # Errors
    /// [`ApiClientError::Revoked`].
    pub fn check_active(&self) -> Result<(), ApiClientError> {
        if self.active { Ok(()) } else { Err(ApiClientError::Revoked) }
    }
}

/// An account that is closed while it holds the last administrator of a programme would leave the programme without one.
///
/// # Errors
/// [`RoleError::LastAdmin`].
pub fn check_deactivation(is_last_admin: bool) -> Result<(), RoleError> {
    if is_last_admin { Err(RoleError::LastAdmin) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id;
    use uuid::Uuid;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn role(role: Role, from: &str, until: Option<&str>) -> RoleAssignment {
        RoleAssignment {
            id: RoleAssignmentId::from_uuid(Uuid::nil()),
            version: Version::FIRST,
            programme: ProgrammeId::from_uuid(Uuid::from_u128(1)),
            user: UserId::from_uuid(Uuid::from_u128(2)),
            role,
            organisation: None,
            validity: Validity { from: day(from), until: until.map(day) },
            given_by: None,
            given_at: Instant::new("2026-01-01T10:00:00Z".parse().expect("an instant")),
        }
    }

    fn user(active: bool) -> User {
        User {
            id: UserId::from_uuid(Uuid::from_u128(2)),
            version: Version::FIRST,
            programme: ProgrammeId::from_uuid(Uuid::from_u128(1)),
            login: "riikka".into(),
            name: "Riikka Lähettäjä".into(),
            active,
        }
    }

    #[test]
    fn a_role_is_given_once_for_the_same_days_and_never_a_machines_role() {
        let present = [role(Role::Coordinator, "2026-01-01", Some("2026-06-30"))];
        let check = |new: RoleAssignment, active| new.check_new(Giving { user: &user(active), organisation: None, present: &present });
        assert_eq!(check(role(Role::Coordinator, "2026-06-30", None), true), Err(RoleError::AlreadyGiven));
        assert_eq!(check(role(Role::Coordinator, "2026-07-01", None), true), Ok(()));
        assert_eq!(check(role(Role::Coordinator, "2025-01-01", Some("2025-12-31")), true), Ok(()));
        assert_eq!(check(role(Role::Referrer, "2026-01-01", None), true), Ok(()));
        assert_eq!(check(role(Role::Referrer, "2026-01-01", None), false), Err(RoleError::UserInactive));
        assert_eq!(check(role(Role::Referrer, "2026-01-02", Some("2026-01-01")), true), Err(RoleError::EndsBeforeItBegins));
        assert_eq!(check(role(Role::Integration, "2026-01-01", None), true), Err(RoleError::NotForPeople));
    }

    #[test]
    fn a_role_ends_at_once_or_on_a_day_ahead_but_never_in_the_past_or_later_than_before() {
        let today = day("2026-11-22");
        let open = role(Role::Coordinator, "2026-01-01", None);
        let until = |ended: Result<RoleAssignment, RoleError>| ended.map(|role| role.validity.until);
        assert_eq!(until(open.ended(None, today, true)), Ok(Some(day("2026-11-21"))));
        assert_eq!(until(open.ended(Some(day("2026-12-31")), today, true)), Ok(Some(day("2026-12-31"))));
        assert_eq!(until(open.ended(Some(day("2026-11-20")), today, true)), Err(RoleError::LastDayOutOfRange));
        let dated = role(Role::Coordinator, "2026-01-01", Some("2026-11-30"));
        assert_eq!(until(dated.ended(Some(day("2026-12-01")), today, true)), Err(RoleError::LastDayOutOfRange));
        assert_eq!(until(role(Role::Coordinator, "2026-01-01", Some("2026-11-21")).ended(None, today, true)), Err(RoleError::AlreadyEnded));
        assert_eq!(until(role(Role::Admin, "2026-01-01", None).ended(None, today, false)), Err(RoleError::LastAdmin));
        assert!(role(Role::Admin, "2026-01-01", None).ended(None, today, true).is_ok());
    }

    fn machine(expires: Option<&str>) -> ApiClient {
        ApiClient {
            id: ApiClientId::from_uuid(Uuid::from_u128(3)),
            version: Version::FIRST,
            programme: ProgrammeId::from_uuid(Uuid::from_u128(1)),
            name: "Potilastietojärjestelmä".into(),
            source_system: "ehr".into(),
            secret_expires_at: expires.map(at),
            old_secret_until: None,
            secret_used_at: None,
            active: true,
            created_at: at("2026-01-01T10:00:00Z"),
            organisations: BTreeSet::new(),
        }
    }

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    #[test]
    fn a_new_secret_works_a_year_and_the_old_one_for_as_long_as_was_said() {
        let now = at("2026-11-22T10:00:00Z");
        let ends = |client: ApiClient| (client.secret_expires_at, client.old_secret_until);
        let rotated = machine(None).with_new_secret(None, 0, now).expect("rotated");
        assert_eq!(ends(rotated), (Some(at("2027-11-22T10:00:00Z")), None));
        let rotated = machine(None).with_new_secret(None, 24, now).expect("rotated");
        assert_eq!(ends(rotated), (Some(at("2027-11-22T10:00:00Z")), Some(at("2026-11-23T10:00:00Z"))));
        let rotated = machine(Some("2026-11-22T12:00:00Z")).with_new_secret(None, 24, now).expect("rotated");
        assert_eq!(ends(rotated).1, Some(at("2026-11-22T12:00:00Z")), "never beyond its own end");
        let rotated = machine(Some("2026-11-20T12:00:00Z")).with_new_secret(None, 24, now).expect("rotated");
        assert_eq!(ends(rotated).1, None, "what has ended does not begin again");
        for bad in ["2026-11-22T10:00:00Z", "2028-11-22T10:00:01Z"] {
            let refused = machine(None).with_new_secret(Some(at(bad)), 0, now);
            assert_eq!(refused, Err(ApiClientError::SecretExpiryOutOfRange), "{bad}");
        }
        let revoked = ApiClient { active: false, ..machine(None) };
        assert_eq!(revoked.clone().with_new_secret(None, 0, now), Err(ApiClientError::Revoked));
        assert_eq!(revoked.check_new_key(None, 0, now), Err(ApiClientError::Revoked));
        assert_eq!(machine(None).check_new_key(Some(now), 0, now), Err(ApiClientError::KeyExpired));
        assert_eq!(machine(None).check_new_key(None, API_CLIENT_KEYS_MAX, now), Err(ApiClientError::TooManyKeys));
        assert_eq!(machine(None).check_new_key(None, API_CLIENT_KEYS_MAX - 1, now), Ok(()));
    }

    #[test]
    fn an_identity_code_is_no_subject() {
        for good in ["kaisa", "248289761001", "a|b:c/d", "131052-308", "x"] {
            assert!(is_subject(good), "{good}");
        }
        for bad in ["", "131052-308T", "131052-308t", "a b", "ä", "a\u{0}", &"x".repeat(SUBJECT_MAX + 1)] {
            assert!(!is_subject(bad), "{bad}");
        }
    }

    #[test]
    fn only_the_two_of_rsa_are_kin() {
        for one in KeyAlgorithm::ALL {
            assert_eq!(KeyAlgorithm::parse(one.as_str()), Some(*one));
            for other in KeyAlgorithm::ALL {
                let rsa = [KeyAlgorithm::Rs256, KeyAlgorithm::Ps256];
                assert_eq!(one.is_kin(*other), one == other || (rsa.contains(one) && rsa.contains(other)));
            }
        }
        for bad in ["none", "HS256", "es256", "ES256K", ""] {
            assert_eq!(KeyAlgorithm::parse(bad), None, "{bad}");
        }
    }
}
