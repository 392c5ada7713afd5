//! Two programmes with people in them: one for what is one's own, another for what is somebody else's.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use lahete_domain::activity::Activity;
use lahete_domain::actor::Validity;
use lahete_domain::codes::{
    Code as _, ContractKind, Language, LinkWorkerStatus, OrganisationKind, Price, Role, Sector, Theme, TrainingKind,
};
use lahete_domain::consent::ConsentText;
use lahete_domain::ids::{ActivityId, ApiClientId, Id, LinkWorkerId, OrganisationId, ProgrammeId, UserId};
use lahete_domain::link_worker::{Contract, LinkWorker, Training};
use lahete_domain::money::Cents;
use lahete_domain::programme::{MunicipalityCode, Programme, Terms};
use lahete_domain::time::Instant;
use lahete_domain::user::{ApiClient, Organisation, RoleAssignment, User};
use lahete_domain::version::Version;
use lahete_persistence::{Db, Store, StoreError};
use uuid::Uuid;

use super::database::wait;

/// The people of one programme.
#[derive(Clone, Copy, Debug)]
pub struct People {
    pub programme: ProgrammeId,
    pub municipality: &'static str,
    pub organisation: OrganisationId,
    pub employer: OrganisationId,
    pub referrer: UserId,
    pub other_referrer: UserId,
    pub coordinator: UserId,
    pub link_worker: UserId,
    pub other_link_worker: UserId,
    pub client: UserId,
    pub other_client: UserId,
    pub report_reader: UserId,
    pub privacy_officer: UserId,
    pub admin: UserId,
    pub worker: LinkWorkerId,
    pub other_worker: LinkWorkerId,
    pub activity: ActivityId,
    pub other_activity: ActivityId,
    pub machine: Uuid,
}

/// Sodankylä, where the tests are at home, and Inari, which is somebody else's.
#[derive(Clone, Copy, Debug)]
pub struct World {
    pub own: People,
    pub other: People,
}

fn id<I: Id>(programme: u128, number: u128) -> I {
    I::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + programme * 0x1000 + number))
}

fn people(programme: u128, municipality: &'static str) -> People {
    People {
        programme: id(programme, 1),
        municipality,
        organisation: id(programme, 0x10),
        employer: id(programme, 0x11),
        referrer: id(programme, 0x20),
        other_referrer: id(programme, 0x21),
        coordinator: id(programme, 0x22),
        link_worker: id(programme, 0x23),
        other_link_worker: id(programme, 0x24),
        client: id(programme, 0x25),
        other_client: id(programme, 0x26),
        report_reader: id(programme, 0x27),
        privacy_officer: id(programme, 0x28),
        admin: id(programme, 0x29),
        worker: id(programme, 0x30),
        other_worker: id(programme, 0x31),
        activity: id(programme, 0x40),
        other_activity: id(programme, 0x41),
        machine: id::<ApiClientId>(programme, 0x50).as_uuid(),
    }
}

/// The secret of every machine.
pub const MACHINE_SECRET: &str = "lahete_test_machine_secret";

/// Fills a migrated database.
pub fn build(store: &Store, now: Instant) -> World {
    let world = World { own: people(1, "758"), other: people(2, "148") };
    wait(store.write(move |db: &mut Db<'_>| -> Result<(), StoreError> {
        fill(db, &world.own, "own", now)?;
        fill(db, &world.other, "other", now)
    }))
    .unwrap();
    world
}

fn fill(db: &mut Db<'_>, people: &People, prefix: &str, now: Instant) -> Result<(), StoreError> {
    let since = NaiveDate::from_ymd_opt(2022, 1, 1).unwrap();
    let municipality = MunicipalityCode::parse(people.municipality).unwrap();
    let always = Validity { from: since, until: None };
    db.programme_insert(&Programme {
        id: people.programme,
        version: Version::FIRST,
        name: format!("Ohjelma {prefix}"),
        controller: format!("Kunta {prefix}"),
        privacy_notice_url: None,
        municipalities: BTreeSet::from([municipality.clone()]),
        active: true,
        refresher_months: 6,
    })?;
    db.terms_insert(&Terms {
        id: db.ids().next(),
        programme: people.programme,
        valid_from: since,
        max_months: 6,
        max_minutes_per_month: 600,
        fee_per_hour: Cents(1300),
    })?;
    // Two versions in each language, and one that nobody may use yet.
    for (version, valid_from) in [("2026-1", since), ("2026-2", since), ("2027-1", NaiveDate::from_ymd_opt(2027, 1, 1).unwrap())] {
        for language in Language::ALL {
            db.consent_text_insert(&ConsentText {
                id: db.ids().next(),
                programme: people.programme,
                version: version.to_owned(),
                language: *language,
                body: format!("Suostun lähetteeseen ({prefix}, {version}, {}).", language.as_str()),
                valid_from,
                published_at: now,
                published_by: None,
            })?;
        }
    }
    for (id, name, kind, sector) in [
        (people.organisation, "Vanhuspalvelut", OrganisationKind::WellbeingCounty, Some(Sector::Elderly)),
        (people.employer, "Kunta", OrganisationKind::Municipality, None),
    ] {
        db.organisation_insert(&Organisation {
            id,
            version: Version::FIRST,
            programme: people.programme,
            name: name.to_owned(),
            kind,
            sector,
            municipality: Some(municipality.clone()),
            active: true,
        })?;
    }
    for (user, login, role) in [
        (people.referrer, "referrer", Role::Referrer),
        (people.other_referrer, "other-referrer", Role::Referrer),
        (people.coordinator, "coordinator", Role::Coordinator),
        (people.link_worker, "link-worker", Role::LinkWorker),
        (people.other_link_worker, "other-link-worker", Role::LinkWorker),
        (people.client, "client", Role::Client),
        (people.other_client, "other-client", Role::Client),
        (people.report_reader, "report-reader", Role::ReportReader),
        (people.privacy_officer, "privacy-officer", Role::PrivacyOfficer),
        (people.admin, "admin", Role::Admin),
    ] {
        db.user_insert(
            &User {
                id: user,
                version: Version::FIRST,
                programme: people.programme,
                login: format!("{prefix}-{login}"),
                name: format!("{login} ({prefix})"),
                active: true,
            },
            None,
        )?;
        db.role_assignment_insert(&RoleAssignment {
            id: db.ids().next(),
            version: Version::FIRST,
            programme: people.programme,
            user,
            role,
            organisation: matches!(role, Role::Referrer).then_some(people.organisation),
            validity: always,
            given_by: None,
            given_at: now,
        })?;
    }
    for (id, user, name) in
        [(people.worker, people.link_worker, "Liisa Linkki"), (people.other_worker, people.other_link_worker, "Lauri Linkki")]
    {
        db.link_worker_insert(&LinkWorker {
            id,
            version: Version::FIRST,
            programme: people.programme,
            user,
            name: name.to_owned(),
            status: LinkWorkerStatus::Active,
            municipalities: BTreeSet::from([municipality.clone()]),
            languages: BTreeSet::from(["fi".to_owned()]),
            interests: None,
            max_clients: 6,
            hours_per_month: 60,
        })?;
        db.contract_insert(&Contract {
            id: db.ids().next(),
            link_worker: id,
            kind: ContractKind::Fee,
            employer: people.employer,
            validity: always,
            fee_per_hour: None,
            insurance_note: None,
        })?;
        db.training_insert(&Training {
            id: db.ids().next(),
            link_worker: id,
            kind: TrainingKind::BasicCourse,
            provider: "Lapin AMK".to_owned(),
            completed_on: since,
            credits_tenths: Some(50),
        })?;
    }
    for (id, name) in [(people.activity, "Torstaikerho"), (people.other_activity, "Ulkoiluryhmä")] {
        db.activity_insert(&Activity {
            organisation: Some(people.employer),
            themes: BTreeSet::from([Theme::Participation]),
            municipalities: BTreeSet::from([municipality.clone()]),
            price: Price::Free,
            languages: BTreeSet::from(["fi".to_owned()]),
            ..Activity::new(id, people.programme, name, since)
        })?;
    }
    db.api_client_insert(
        &ApiClient {
            id: ApiClientId::from_uuid(people.machine),
            version: Version::FIRST,
            programme: people.programme,
            name: format!("Potilastietojärjestelmä ({prefix})"),
            source_system: format!("ehr-{prefix}"),
            secret_expires_at: None,
            old_secret_until: None,
            secret_used_at: None,
            active: true,
            created_at: now,
            organisations: BTreeSet::from([people.organisation]),
        },
        &sha2::Sha256::digest(MACHINE_SECRET.as_bytes()),
    )
}
use sha2::Digest as _;
