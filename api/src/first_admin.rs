//! The first administrator of a programme. Everybody else is given an account and a role by somebody who has one; the first one comes from the command
//! line, by whoever may read the settings and the keys.

use std::collections::BTreeSet;

use lahete_domain::actor::{Caller, Validity};
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, Role};
use lahete_domain::ids::{Id as _, ProgrammeId, UserId};
use lahete_domain::programme::{
    DEFAULT_FEE_PER_HOUR, DEFAULT_MAX_MINUTES_PER_MONTH, DEFAULT_MAX_MONTHS, MunicipalityCode, Programme, Terms,
};
use lahete_domain::text::{LOGIN_MAX, NAME_MAX};
use lahete_domain::time::Instant;
use lahete_domain::user::{Identity, RoleAssignment, User, is_subject};
use lahete_domain::version::Version;
use lahete_persistence::{Constraint, Db, Store, StoreError};
use uuid::Uuid;

use crate::http::wire::Text;
use crate::municipalities::register;

/// Which programme the administrator is for.
#[derive(Clone, Debug)]
pub enum Where {
    /// One that is there.
    Present(Uuid),
    /// A new one.
    New {
        /// Its name.
        name: String,
        /// The controller of its register.
        controller: String,
        /// The codes of the municipalities that it serves.
        municipalities: Vec<String>,
    },
}

/// Who becomes administrator.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// Where.
    pub programme: Where,
    /// Their sign-in name.
    pub login: String,
    /// Their name.
    pub name: String,
    /// The issuer where they sign in.
    pub issuer: String,
    /// Their name there.
    pub subject: String,
}

/// What was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Made {
    /// The programme.
    pub programme: ProgrammeId,
    /// The administrator.
    pub user: UserId,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum FirstAdminError {
    /// Something that was given cannot be used.
    #[error("{0}")]
    Given(&'static str),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FirstAdmin {
    /// Makes the programme, if it is a new one, the account, its link with the issuer and its role, all or nothing.
    ///
    /// # Errors
    /// As [`FirstAdminError`] says.
    pub async fn create(self, store: &Store, now: Instant) -> Result<Made, FirstAdminError> {
        self.check()?;
        store.write(move |db: &mut Db<'_>| self.write(db, now)).await
    }

    fn check(&self) -> Result<(), FirstAdminError> {
        let refuse = |reason| Err(FirstAdminError::Given(reason));
        let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let login = self.login.as_bytes();
        if login.len() > LOGIN_MAX
            || !login.first().is_some_and(|first| small(*first))
            || !login.iter().all(|byte| small(*byte) || b"._@+-".contains(byte))
        {
            return refuse("--login: small letters, digits and . _ @ + -");
        }
        if Text::<{ NAME_MAX }>::new(&*self.name).is_none() {
            return refuse("--name: 1 to 120 characters");
        }
        if !is_subject(&self.subject) {
            return refuse("--subject: the `sub` of the person at the issuer, visible ASCII, never a personal identity code");
        }
        if let Where::New { name, controller, municipalities } = &self.programme {
            if Text::<{ NAME_MAX }>::new(&**name).is_none() || Text::<{ NAME_MAX }>::new(&**controller).is_none() {
                return refuse("--programme and --controller: 1 to 120 characters");
            }
            if municipalities.is_empty() || !municipalities.iter().all(|code| register::find(code).is_some()) {
                return refuse("--municipality: codes of Finnish municipalities, three digits, as 758");
            }
        }
        Ok(())
    }

    fn write(&self, db: &mut Db<'_>, now: Instant) -> Result<Made, FirstAdminError> {
        let today = now.helsinki_date();
        let programme = match &self.programme {
            Where::Present(id) => {
                let id = ProgrammeId::from_uuid(*id);
                db.programme_get(id)?.ok_or(FirstAdminError::Given("--programme-id: there is no such programme"))?;
                id
            }
            Where::New { name, controller, municipalities } => {
                let id: ProgrammeId = db.ids().next();
                db.programme_insert(&Programme {
                    id,
                    version: Version::FIRST,
                    name: name.clone(),
                    controller: controller.clone(),
                    privacy_notice_url: None,
                    municipalities: municipalities.iter().filter_map(|code| MunicipalityCode::parse(code)).collect::<BTreeSet<_>>(),
                    active: true,
                    refresher_months: lahete_domain::programme::DEFAULT_REFRESHER_MONTHS,
                })?;
                db.terms_insert(&Terms {
                    id: db.ids().next(),
                    programme: id,
                    valid_from: today,
                    max_months: DEFAULT_MAX_MONTHS,
                    max_minutes_per_month: DEFAULT_MAX_MINUTES_PER_MONTH,
                    fee_per_hour: DEFAULT_FEE_PER_HOUR,
                })?;
                id
            }
        };
        let user: UserId = db.ids().next();
        let account =
            User { id: user, version: Version::FIRST, programme, login: self.login.clone(), name: self.name.clone(), active: true };
        db.user_insert(&account, None).map_err(|error| match error {
            StoreError::Constraint(Constraint::LoginTaken) => FirstAdminError::Given("--login: somebody signs in with this name already"),
            other => other.into(),
        })?;
        let identity = Identity {
            id: db.ids().next(),
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            of: Caller::User(user),
            created_by: None,
            created_at: now,
        };
        db.identity_insert(&identity).map_err(|error| match error {
            StoreError::Constraint(Constraint::IdentityTaken) => {
                FirstAdminError::Given("--subject: this subject of the issuer is linked with an account already")
            }
            other => other.into(),
        })?;
        db.role_assignment_insert(&RoleAssignment {
            id: db.ids().next(),
            version: Version::FIRST,
            programme,
            user,
            role: Role::Admin,
            organisation: None,
            validity: Validity { from: today, until: None },
            given_by: None,
            given_at: now,
        })?;
        db.audit(AuditEvent {
            at: now,
            caller: Caller::Clock,
            role: None,
            organisation: None,
            programme: Some(programme),
            client: None,
            referral: None,
            operation: "admin_create",
            action: AuditAction::Created,
            outcome: AuditOutcome::Allowed,
            reason: None,
            request_id: format!("command-{user}"),
        });
        Ok(Made { programme, user })
    }
}
