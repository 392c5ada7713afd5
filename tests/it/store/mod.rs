//! The behaviour of the store over both databases: one suite, because a difference between them is a bug of ours.

mod constraints;
mod load;
mod pages;
mod round_trips;
mod transactions;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use lahete_domain::client::{Birth, Client, ClientData, Contact};
use lahete_domain::codes::{Channel, ReferralReason, Sector, Sex};
use lahete_domain::consent::OPEN_ENDED;
use lahete_domain::ids::Id;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::referral::state::ReferralState;
use lahete_domain::referral::{Content, Referral, Referrer, Snapshot, Submission};
use lahete_domain::support_period::{SupportPeriod, SupportPeriodState};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use lahete_persistence::repo::referrals::Case;
use lahete_persistence::{Db, Store, StoreError};
use uuid::Uuid;

use crate::support::Kind;
use crate::support::clock::instant;
use crate::support::database::{TestDatabase, open, wait};
use crate::support::world::{self, People};

/// Runs one behaviour of the store on SQLite and on PostgreSQL.
macro_rules! store_test {
    (fn $name:ident($stage:ident: Stage) $body:block) => {
        mod $name {
            use super::*;

            fn behaviour($stage: &$crate::store::Stage) $body

            #[test]
            fn sqlite() {
                behaviour(&$crate::store::Stage::new($crate::support::Kind::Sqlite));
            }

            #[test]
            fn postgresql() {
                behaviour(&$crate::store::Stage::new($crate::support::Kind::Postgresql));
            }
        }
    };
}
pub(crate) use store_test;

/// A store with the usual world in it.
pub struct Stage {
    pub store: Store,
    pub own: People,
    pub other: People,
    pub database: TestDatabase,
}

impl Stage {
    pub fn new(kind: Kind) -> Self {
        let database = TestDatabase::new(kind);
        let store = open(&database.url);
        let world = world::build(&store, now());
        Self { store, own: world.own, other: world.other, database }
    }

    pub fn write<T: Send + 'static>(&self, f: impl FnMut(&mut Db<'_>) -> Result<T, StoreError> + Send + 'static) -> Result<T, StoreError> {
        wait(self.store.write(f))
    }

    /// Writes what has to succeed.
    #[track_caller]
    pub fn put<T: Send + 'static>(&self, f: impl FnMut(&mut Db<'_>) -> Result<T, StoreError> + Send + 'static) -> T {
        self.write(f).unwrap_or_else(|error| panic!("{error:?}"))
    }

    #[track_caller]
    pub fn read<T: Send + 'static>(&self, f: impl FnMut(&mut Db<'_>) -> Result<T, StoreError> + Send + 'static) -> T {
        wait(self.store.read(f)).unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// A client and a referral about them, stored.
    #[track_caller]
    pub fn referral(&self, state: ReferralState) -> Case {
        let client = client(&self.own);
        let case = case(&self.own, &client, state);
        let (stored, kept) = (client, case.clone());
        self.put(move |db| store_case(db, &stored, &kept));
        case
    }

    /// A referral in support with its period, stored.
    #[track_caller]
    pub fn supported(&self) -> (Case, SupportPeriod) {
        let id = fresh();
        let case = self.referral(ReferralState::InSupport { support_period: id, assignment: None });
        let period = SupportPeriod {
            id,
            version: Version::FIRST,
            programme: case.referral.programme,
            referral: case.referral.id,
            client: case.referral.client,
            starts_on: day("2026-09-01"),
            planned_end_on: day("2026-12-01"),
            first_planned_end_on: day("2026-12-01"),
            state: SupportPeriodState::Active,
            end_proposal: None,
        };
        let stored = period.clone();
        self.put(move |db| db.support_period_insert(&stored));
        (case, period)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        wait(self.store.close());
    }
}

pub fn now() -> Instant {
    instant("2026-11-22T10:00:00.123456Z")
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn fresh<I: Id>() -> I {
    I::from_uuid(Uuid::now_v7())
}

pub fn municipality(people: &People) -> MunicipalityCode {
    MunicipalityCode::parse(people.municipality).unwrap()
}

pub fn client(people: &People) -> Client {
    Client {
        id: fresh(),
        version: Version::FIRST,
        programme: people.programme,
        user: None,
        standing: lahete_domain::codes::ClientStanding::Open,
        data: ClientData {
            given_name: "Aino".to_owned(),
            family_name: "Esimerkki".to_owned(),
            contact: Contact { phone: Some("+358 40 555 0101".to_owned()), ..Contact::default() },
            birth: Birth::Date(day("1942-05-07")),
            identity_code: None,
            sex: Some(Sex::Female),
            municipality: municipality(people),
            language: "fi".to_owned(),
            interpreter_needed: false,
            non_disclosure: false,
            lives_at_home: Some(true),
        },
    }
}

pub fn case(people: &People, client: &Client, state: ReferralState) -> Case {
    let sent = state != ReferralState::Draft;
    let submission = Submission {
        at: now().plus_days(-3),
        on: now().plus_days(-3).helsinki_date(),
        snapshot: Snapshot { age: 84, sex: Some(Sex::Female), municipality: municipality(people) },
    };
    Case {
        referral: Referral {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            client: client.id,
            referrer: Referrer {
                channel: Channel::SignedIn,
                user: Some(people.referrer),
                api_client: None,
                organisation: Some(people.organisation),
                sector: Sector::Elderly,
                name: Some("Riikka Lähettäjä".to_owned()),
                contact: None,
                feedback_wanted: true,
            },
            content: Content {
                reasons: BTreeSet::from([ReferralReason::Loneliness, ReferralReason::Outdoors]),
                wish: Some("Haluaisin taas ulkoilemaan jonkun kanssa.".to_owned()),
                background: None,
                written_together: true,
                joint_meeting_wished: false,
                not_a_service_acknowledged: true,
                source: None,
                previous: None,
            },
            state,
            state_since: now().plus_days(-2),
            coordinator: sent.then_some(people.coordinator),
            queue: None,
            created_at: now().plus_days(-4),
            submission: sent.then_some(submission),
        },
        client_user: client.user,
        link_worker_user: None,
        shared_until: sent.then_some(OPEN_ENDED),
        standing: lahete_domain::codes::ClientStanding::Open,
        municipality: municipality(people),
    }
}

/// Stores a client and a referral as a use case does: the client is provisional until somebody has confirmed who it is.
pub fn store_case(db: &mut Db<'_>, client: &Client, case: &Case) -> Result<(), StoreError> {
    db.client_insert(client, false, now())?;
    db.referral_insert(case)?;
    db.referral_snapshot_insert(&case.referral, Some(lahete_domain::consent::OPEN_ENDED))
}
