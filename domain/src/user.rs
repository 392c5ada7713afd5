//! Who works with the program: organisations, the people and machines that sign in, and the roles that they are given.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

use crate::actor::Validity;
use crate::codes::{OrganisationKind, Role, Sector};
use crate::ids::{ApiClientId, OrganisationId, ProgrammeId, RoleAssignmentId, UserId};
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
    /// Whether it may sign in. Once revoked, it stays so.
    pub active: bool,
    /// When it was added.
    pub created_at: Instant,
    /// The organisations that it pushes referrals for.
    pub organisations: BTreeSet<OrganisationId>,
}

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
    /// A secret that could never be used.
    #[error("the secret would have expired already")]
    SecretExpired,
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
    /// [`ApiClientError::Revoked`] or [`ApiClientError::SecretExpired`].
    pub fn check_secret(&self, now: Instant) -> Result<(), ApiClientError> {
        self.check_active()?;
        if self.secret_expires_at.is_some_and(|expiry| expiry <= now) { Err(ApiClientError::SecretExpired) } else { Ok(()) }
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
}
