//! The demo world: one programme in Sodankylä with its neighbours, a user for every role, link workers, activities, and some referrals under way. All
//! people in it are made up. The ids are fixed, so that the examples of the API document can be tried as they stand.

mod activities;
mod cases;
mod hours;
mod measures;
mod people;
mod rights;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveTime};
use lahete_domain::activity::Activity;
use lahete_domain::actor::{Caller, Validity};
use lahete_domain::codes::{
    Code as _, ContractKind, Language, LinkWorkerStatus, OrganisationKind, Price, Role, Sector, Theme, TrainingKind,
};
use lahete_domain::consent::ConsentText;
use lahete_domain::ids::{ApiClientId, Id, IdSource, LinkWorkerId, OrganisationId, ProgrammeId};
use lahete_domain::link_worker::{Contract, LinkWorker, Training};
use lahete_domain::programme::{
    DEFAULT_FEE_PER_HOUR, DEFAULT_MAX_MINUTES_PER_MONTH, DEFAULT_MAX_MONTHS, MunicipalityCode, Programme, Terms,
};
use lahete_domain::time::Instant;
use lahete_domain::user::{ApiClient, ApiClientKey, Identity, KeyAlgorithm, Organisation, RoleAssignment, User};
use lahete_domain::version::Version;
use lahete_persistence::{Db, Store, StoreError};
use uuid::Uuid;

use crate::api_clients::secret::sha256;
use crate::auth::demo_accounts::DEMO_PASSWORD;
use crate::auth::password;
use crate::error::AppError;

pub use activities::DemoPages;
pub use cases::seed_cases;

/// The secret of the demo's API client. It is public, so it opens nothing but the demo.
pub const API_CLIENT_SECRET: &str = "lahete_demo-only-not-secret";

/// What all ids of the demo world begin with.
const IDS: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0000;

/// The first day of the demo world's roles, terms and contracts.
const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(2022, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// How far back the referrals under way reach.
const CASE_DAYS: i64 = 60;

/// An id of the demo world by its last four digits.
fn id<I: Id>(tail: u16) -> I {
    I::from_uuid(Uuid::from_u128(IDS + u128::from(tail)))
}

fn programme() -> ProgrammeId {
    id(0x0001)
}

fn first_morning() -> Instant {
    Instant::new(FIRST_DAY.and_time(NaiveTime::MIN).and_utc()).plus_minutes(6 * 60)
}

fn municipalities(codes: &[&str]) -> BTreeSet<MunicipalityCode> {
    codes.iter().filter_map(|code| MunicipalityCode::parse(code)).collect()
}

fn tags(tags: &[&str]) -> BTreeSet<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

/// Whether a database holds the demo world, its passwords and its machine's secret.
///
/// # Errors
/// When the database fails.
pub async fn is_there(store: &Store) -> Result<bool, StoreError> {
    store.read(|db: &mut Db<'_>| Ok(db.programme_get(programme())?.is_some())).await
}

/// Fills an empty database with the demo world; says whether it did. One that has the demo programme already is left as it is.
///
/// # Errors
/// When the database fails, or the system gives no randomness for the passwords.
pub async fn seed(store: &Store, ids: Arc<dyn IdSource>, now: Instant) -> Result<bool, AppError> {
    // Hashing takes a while on purpose: not again at every start.
    if is_there(store).await? {
        return Ok(false);
    }
    let hash = password::hash(DEMO_PASSWORD).map_err(AppError::internal)?;
    store
        .write(move |db: &mut Db<'_>| -> Result<bool, AppError> {
            if db.programme_get(programme())?.is_some() {
                return Ok(false);
            }
            seed_world(db, &hash, now)?;
            // Roles and contracts begin on the first day: before there is a past, there are no cases.
            if now.plus_days(-CASE_DAYS).helsinki_date() >= FIRST_DAY {
                seed_cases(db, &ids, now)?;
            }
            Ok(true)
        })
        .await
}

/// Adds the programme, its organisations, people, machine, link workers and activities.
///
/// # Errors
/// When the database fails.
pub fn seed_world(db: &mut Db<'_>, password_hash: &str, now: Instant) -> Result<(), AppError> {
    seed_programme(db)?;
    seed_organisations(db)?;
    seed_users(db, password_hash)?;
    db.api_client_insert(
        &ApiClient {
            id: id::<ApiClientId>(0x0028),
            version: Version::FIRST,
            programme: programme(),
            name: "Sodankylän potilastietojärjestelmä".to_owned(),
            source_system: "sodankyla-ehr".to_owned(),
            secret_expires_at: None,
            old_secret_until: None,
            secret_used_at: None,
            active: true,
            created_at: first_morning(),
            organisations: BTreeSet::from([id(0x0011)]),
        },
        &sha256(API_CLIENT_SECRET),
    )?;
    seed_sign_in(db)?;
    seed_link_workers(db)?;
    people::seed_colleagues(db, now)?;
    seed_activities(db, now.helsinki_date())?;
    activities::seed(db, now)
}

/// The version of the consent text that everybody in the demo has heard.
pub const CONSENT_TEXT_VERSION: &str = "2026-1";

/// The text in each language. The Sámi ones need a native reader, as all Sámi texts here.
const CONSENT_TEXTS: &str = include_str!("consent_text.csv");

#[derive(serde::Deserialize)]
struct ConsentTextRow {
    language: String,
    body: String,
}

fn seed_programme(db: &mut Db<'_>) -> Result<(), AppError> {
    db.programme_insert(&Programme {
        id: programme(),
        version: Version::FIRST,
        name: "Sodankylän hyvinvointilähete".to_owned(),
        controller: "Sodankylän kunta".to_owned(),
        privacy_notice_url: Some("https://hyvinvointilahete.example/tietosuoja".to_owned()),
        municipalities: municipalities(&["758", "261", "742", "320"]),
        active: true,
        refresher_months: lahete_domain::programme::DEFAULT_REFRESHER_MONTHS,
    })?;
    db.terms_insert(&Terms {
        id: id(0x0002),
        programme: programme(),
        valid_from: FIRST_DAY,
        max_months: DEFAULT_MAX_MONTHS,
        max_minutes_per_month: DEFAULT_MAX_MINUTES_PER_MONTH,
        fee_per_hour: DEFAULT_FEE_PER_HOUR,
    })?;
    // Fixed ids, in the order of the languages: 0003 to 0008.
    for (tail, row) in (0x0003..).zip(csv::Reader::from_reader(CONSENT_TEXTS.as_bytes()).into_deserialize::<ConsentTextRow>()) {
        let row = row.map_err(AppError::internal)?;
        db.consent_text_insert(&ConsentText {
            id: id(tail),
            programme: programme(),
            version: CONSENT_TEXT_VERSION.to_owned(),
            language: Language::parse(&row.language).ok_or_else(|| AppError::internal("a consent text in an unknown language"))?,
            body: row.body,
            valid_from: FIRST_DAY,
            published_at: first_morning(),
            published_by: None,
        })?;
    }
    Ok(())
}

fn seed_organisations(db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, name, kind, sector) in [
        (0x0010, "Sodankylän kunta", OrganisationKind::Municipality, Some(Sector::LeisureSports)),
        (0x0011, "Lapin hyvinvointialue / vanhuspalvelut", OrganisationKind::WellbeingCounty, Some(Sector::Elderly)),
        (0x0012, "Sodankylän seurakunta", OrganisationKind::Parish, Some(Sector::Parish)),
        (0x0013, "Eläkeliiton yhdistys", OrganisationKind::Association, Some(Sector::Association)),
    ] {
        db.organisation_insert(&Organisation {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            name: name.to_owned(),
            kind,
            sector,
            municipality: MunicipalityCode::parse("758"),
            active: true,
        })?;
    }
    Ok(())
}

fn seed_users(db: &mut Db<'_>, password_hash: &str) -> Result<(), AppError> {
    for (tail, login, name, role, organisation) in [
        (0x0020, "riikka", "Riikka Lähettäjä", Role::Referrer, Some(0x0011)),
        (0x0021, "kaisa", "Kaisa Koordinaattori", Role::Coordinator, Some(0x0010)),
        (0x0022, "liisa", "Liisa Linkki", Role::LinkWorker, Some(0x0010)),
        (0x0023, "aino", "Aino Esimerkki", Role::Client, None),
        (0x0024, "pekka", "Pekka Päättäjä", Role::ReportReader, Some(0x0010)),
        (0x0025, "tiina", "Tiina Tietosuoja", Role::PrivacyOfficer, Some(0x0010)),
        (0x0026, "antti", "Antti Ylläpito", Role::Admin, Some(0x0010)),
        (0x0027, "lauri", "Lauri Linkki", Role::LinkWorker, Some(0x0010)),
        (0x0029, "veera", "Veera Vapaa", Role::LinkWorker, Some(0x0010)),
    ] {
        let user = User {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            login: login.to_owned(),
            name: name.to_owned(),
            active: true,
        };
        db.user_insert(&user, Some(password_hash))?;
        db.role_assignment_insert(&RoleAssignment {
            id: id(tail + 0x0050),
            version: Version::FIRST,
            programme: programme(),
            user: user.id,
            role,
            organisation: organisation.map(id),
            validity: Validity { from: FIRST_DAY, until: None },
            given_by: None,
            given_at: first_morning(),
        })?;
    }
    Ok(())
}

/// Names at an issuer that no demo trusts, and a key whose private half stands in RFC 8037: they show what such things look like.
fn seed_sign_in(db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, subject, of) in [(0x00d0, "kaisa-6f1c", Caller::User(id(0x0021))), (0x00d1, "sodankyla-ehr", Caller::ApiClient(id(0x0028)))]
    {
        db.identity_insert(&Identity {
            id: id(tail),
            issuer: "https://kirjautuminen.sodankyla.example".to_owned(),
            subject: subject.to_owned(),
            of,
            created_by: None,
            created_at: first_morning(),
        })?;
    }
    db.api_client_key_insert(&ApiClientKey {
        id: id(0x00d2),
        api_client: id(0x0028),
        name: "sodankyla-ehr-2022".to_owned(),
        algorithm: KeyAlgorithm::EdDsa,
        jwk: concat!(
            r#"{"kty":"OKP","kid":"sodankyla-ehr-2022","alg":"EdDSA","crv":"Ed25519","#,
            r#""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
        )
        .to_owned(),
        expires_at: None,
        created_at: first_morning(),
    })?;
    Ok(())
}

fn seed_link_workers(db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, user, name, languages, interests, max_clients, hours) in [
        (0x0030, 0x0022, "Liisa Linkki", &["fi", "se"][..], "Ulkoilu, laulaminen, käsityöt", 6, 40),
        (0x0031, 0x0027, "Lauri Linkki", &["fi", "en"][..], "Kalastus, lautapelit, ruoanlaitto", 4, 30),
    ] {
        let worker: LinkWorkerId = id(tail);
        db.link_worker_insert(&LinkWorker {
            id: worker,
            version: Version::FIRST,
            programme: programme(),
            user: id(user),
            name: name.to_owned(),
            status: LinkWorkerStatus::Active,
            municipalities: municipalities(&["758", "261", "742"]),
            languages: tags(languages),
            interests: Some(interests.to_owned()),
            max_clients,
            hours_per_month: hours,
        })?;
        db.contract_insert(&Contract {
            id: id(tail + 0x0002),
            link_worker: worker,
            kind: ContractKind::Fee,
            employer: id(0x0010),
            validity: Validity { from: FIRST_DAY, until: None },
            fee_per_hour: None,
            insurance_note: Some("Kunnan vapaaehtoisten vakuutus".to_owned()),
        })?;
        db.training_insert(&Training {
            id: id(tail + 0x0004),
            link_worker: worker,
            kind: TrainingKind::BasicCourse,
            provider: "Lapin kesäyliopisto".to_owned(),
            completed_on: NaiveDate::from_ymd_opt(2021, 12, 15).unwrap_or(FIRST_DAY),
            credits_tenths: Some(50),
        })?;
    }
    Ok(())
}

struct Entry {
    tail: u16,
    organisation: u16,
    name: &'static str,
    description: &'static str,
    themes: &'static [Theme],
    municipality: Option<&'static str>,
    price: Price,
    kaikukortti: bool,
    languages: &'static [&'static str],
}

const ACTIVITIES: &[Entry] = &[
    Entry {
        tail: 0x0040,
        organisation: 0x0012,
        name: "Torstaikerho",
        description: "Kahvia, juttelua ja laulua seurakuntatalolla torstaisin klo 12–14.",
        themes: &[Theme::Participation, Theme::MentalWellbeing],
        municipality: Some("758"),
        price: Price::Free,
        kaikukortti: false,
        languages: &["fi"],
    },
    Entry {
        tail: 0x0041,
        organisation: 0x0010,
        name: "Ulkoiluryhmä",
        description: "Rauhallinen kävely ohjaajan kanssa tiistaisin klo 10. Lähtö terveyskeskuksen pihalta.",
        themes: &[Theme::Moving, Theme::Nature],
        municipality: Some("758"),
        price: Price::Free,
        kaikukortti: false,
        languages: &["fi"],
    },
    Entry {
        tail: 0x0042,
        organisation: 0x0013,
        name: "Kuoro",
        description: "Yhdistyksen kuoro harjoittelee maanantaisin klo 17. Ei koelaulua.",
        themes: &[Theme::Culture, Theme::Participation],
        municipality: Some("758"),
        price: Price::Fee,
        kaikukortti: false,
        languages: &["fi"],
    },
    Entry {
        tail: 0x0043,
        organisation: 0x0010,
        name: "Tuolijumppa",
        description: "Kevyttä liikettä istuen keskiviikkoisin klo 13 monitoimihallilla.",
        themes: &[Theme::Moving],
        municipality: Some("758"),
        price: Price::Fee,
        kaikukortti: true,
        languages: &["fi"],
    },
    Entry {
        tail: 0x0044,
        organisation: 0x0012,
        name: "Yhteinen pöytä",
        description: "Lounas yhdessä joka toinen perjantai klo 11. Kyyti järjestyy sivukyliltä.",
        themes: &[Theme::Eating, Theme::Participation],
        municipality: Some("758"),
        price: Price::Free,
        kaikukortti: false,
        languages: &["fi"],
    },
    Entry {
        tail: 0x0045,
        organisation: 0x0010,
        name: "Saamenkielinen kahvihetki",
        description: "Juttelua ja muistelua pohjoissaameksi kirjastossa kuun ensimmäisenä keskiviikkona.",
        themes: &[Theme::Culture, Theme::Participation],
        municipality: Some("758"),
        price: Price::Free,
        kaikukortti: false,
        languages: &["se", "fi"],
    },
    Entry {
        tail: 0x0046,
        organisation: 0x0010,
        name: "Kirjaston lukupiiri",
        description: "Kirjoja ja keskustelua kuun viimeisenä torstaina klo 18.",
        themes: &[Theme::Culture, Theme::MentalWellbeing],
        municipality: Some("758"),
        price: Price::Free,
        kaikukortti: true,
        languages: &["fi", "sv"],
    },
    Entry {
        tail: 0x0047,
        organisation: 0x0013,
        name: "Marttojen ruokakurssi yhdelle",
        description: "Helppoa kotiruokaa pienellä rahalla. Viisi iltaa keväällä ja syksyllä.",
        themes: &[Theme::Eating, Theme::EverydaySafety],
        municipality: Some("758"),
        price: Price::Fee,
        kaikukortti: true,
        languages: &["fi"],
    },
    Entry {
        tail: 0x0048,
        organisation: 0x0010,
        name: "Etäkahvit",
        description: "Aamukahvit ruudun ääressä arkisin klo 9. Laitteen käytössä autetaan.",
        themes: &[Theme::Participation, Theme::MentalWellbeing],
        municipality: None,
        price: Price::Free,
        kaikukortti: false,
        languages: &["fi", "en"],
    },
    Entry {
        tail: 0x0049,
        organisation: 0x0010,
        name: "Kittilän kansalaisopiston käsityöpaja",
        description: "Kutomista ja puutöitä omaan tahtiin maanantaisin klo 12–16.",
        themes: &[Theme::Culture, Theme::WorkStudyAbility],
        municipality: Some("261"),
        price: Price::Fee,
        kaikukortti: true,
        languages: &["fi"],
    },
];

fn seed_activities(db: &mut Db<'_>, today: NaiveDate) -> Result<(), AppError> {
    for entry in ACTIVITIES {
        db.activity_insert(&Activity {
            organisation: Some(id::<OrganisationId>(entry.organisation)),
            description: Some(entry.description.to_owned()),
            themes: entry.themes.iter().copied().collect(),
            municipalities: entry.municipality.and_then(MunicipalityCode::parse).into_iter().collect(),
            nationwide: entry.municipality.is_none(),
            price: entry.price,
            kaikukortti: entry.kaikukortti,
            remote: entry.municipality.is_none(),
            languages: tags(entry.languages),
            ..Activity::new(id(entry.tail), programme(), entry.name, today)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
