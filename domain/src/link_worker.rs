//! The link worker: the trained companion, with contract, training, places and room for clients.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::actor::Validity;
use crate::codes::{ContractKind, LinkWorkerStatus, TrainingKind};
use crate::ids::{ContractId, LinkWorkerId, OrganisationId, ProgrammeId, TrainingId, UserId};
use crate::money::Cents;
use crate::programme::MunicipalityCode;
use crate::version::Version;

/// Most clients that one link worker may have agreed to; the pilot saw up to six.
pub const MAX_CLIENTS_LIMIT: u32 = 20;
/// Most hours a month that one link worker may have agreed to.
pub const HOURS_PER_MONTH_LIMIT: u32 = 160;

/// A link worker of a programme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkWorker {
    /// Their id.
    pub id: LinkWorkerId,
    /// Version of the row.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// Their sign-in.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Whether they take clients.
    pub status: LinkWorkerStatus,
    /// Where they go.
    pub municipalities: BTreeSet<MunicipalityCode>,
    /// Languages that they speak, BCP 47 tags.
    pub languages: BTreeSet<String>,
    /// What they like to do, in their words.
    pub interests: Option<String>,
    /// How many clients they take at once.
    pub max_clients: u32,
    /// How many hours a month they give.
    pub hours_per_month: u32,
}

/// A contract of a link worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// Whose it is.
    pub link_worker: LinkWorkerId,
    /// On what footing.
    pub kind: ContractKind,
    /// The employer behind it.
    pub employer: OrganisationId,
    /// When it is in force.
    pub validity: Validity,
    /// A fee of its own; the programme's when there is none.
    pub fee_per_hour: Option<Cents>,
    /// How the link worker is insured.
    pub insurance_note: Option<String>,
}

impl Contract {
    /// The fee of an hour under this contract: nothing for a volunteer.
    #[must_use]
    pub fn fee(&self, programme_fee: Cents) -> Cents {
        match self.kind {
            ContractKind::Volunteer => Cents(0),
            ContractKind::Fee | ContractKind::Hourly => self.fee_per_hour.unwrap_or(programme_fee),
        }
    }
}

/// A training of a link worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Training {
    /// Its id.
    pub id: TrainingId,
    /// Whose it is.
    pub link_worker: LinkWorkerId,
    /// What it was.
    pub kind: TrainingKind,
    /// Who gave it.
    pub provider: String,
    /// When it was completed.
    pub completed_on: NaiveDate,
    /// Credits (ECTS), in tenths.
    pub credits_tenths: Option<u32>,
}

/// The contract in force on a day, the newest first.
#[must_use]
pub fn contract_on(contracts: &[Contract], day: NaiveDate) -> Option<&Contract> {
    contracts.iter().filter(|contract| contract.validity.covers(day)).max_by_key(|contract| contract.validity.from)
}
