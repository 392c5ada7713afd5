//! Who is asking, and the roles that they hold today.

use chrono::NaiveDate;

use crate::codes::{Role, Sector};
use crate::ids::{ApiClientId, OrganisationId, ProgrammeId, UserId};

/// Who the token says is calling. It says nothing of rights: those come from the role assignments in the database.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Caller {
    /// A person who signed in.
    User(UserId),
    /// A machine that signed in.
    ApiClient(ApiClientId),
    /// Nobody signed in.
    Anonymous,
    /// The program itself: expiries and retention.
    Clock,
}

/// One role that the caller holds now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where it holds.
    pub programme: ProgrammeId,
    /// For which organisation; an integration may have several grants, one for each organisation that it serves.
    pub organisation: Option<OrganisationId>,
    /// The sector of that organisation, taken over into a referral when the sender names none.
    pub sector: Option<Sector>,
}

/// A caller with the roles that are valid today.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// Who.
    pub caller: Caller,
    /// With which roles.
    pub grants: Vec<Grant>,
}

impl Actor {
    /// Somebody without a token.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { caller: Caller::Anonymous, grants: Vec::new() }
    }

    /// The program itself, for a job that the clock starts.
    #[must_use]
    pub fn clock() -> Self {
        Self { caller: Caller::Clock, grants: Vec::new() }
    }

    /// The user behind the token, if it is a person.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self.caller {
            Caller::User(id) => Some(id),
            Caller::ApiClient(_) | Caller::Anonymous | Caller::Clock => None,
        }
    }

    /// The machine behind the token, if it is one.
    #[must_use]
    pub fn api_client(&self) -> Option<ApiClientId> {
        match self.caller {
            Caller::ApiClient(id) => Some(id),
            Caller::User(_) | Caller::Anonymous | Caller::Clock => None,
        }
    }

    /// Whether the caller holds a role in a programme.
    #[must_use]
    pub fn has(&self, role: Role, programme: ProgrammeId) -> bool {
        self.grants.iter().any(|grant| grant.role == role && grant.programme == programme)
    }

    /// The programmes in which the caller holds a role.
    #[must_use]
    pub fn programmes(&self, role: Role) -> Vec<ProgrammeId> {
        let mut all: Vec<_> = self.grants.iter().filter(|grant| grant.role == role).map(|grant| grant.programme).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// The days on which a role assignment, a contract or a rate is in force; both ends belong to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// The first day.
    pub from: NaiveDate,
    /// The last day; open when there is none.
    pub until: Option<NaiveDate>,
}

impl Validity {
    /// Whether a day lies in it.
    #[must_use]
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    /// Whether the last day does not lie before the first one.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.until.is_none_or(|until| self.from <= until)
    }

    /// Whether some day lies in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.until.is_none_or(|until| other.from <= until) && other.until.is_none_or(|until| self.from <= until)
    }
}
