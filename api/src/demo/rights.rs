//! What the people of the demo ask about their data, and what was decided.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use lahete_domain::codes::{ClientStanding, DataRequestKind, RecordClass, Role};
use lahete_domain::data_request::{DataRequest, NewDataRequest};
use lahete_domain::ids::{ClientId, DataRequestId, UserId};
use lahete_domain::retention::{LegalHold, Policy, default_policy, policies_on};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use lahete_persistence::Db;
use lahete_persistence::repo::client_changes::{ChangeDetails, ClientChange};
use lahete_persistence::repo::restrictions::Restriction;
use lahete_persistence::repo::retention::RetentionRun;

use super::{FIRST_DAY, first_morning, id, programme};
use crate::error::AppError;
use crate::retention::report::Report;

const KAISA: u16 = 0x0021;
const AINO: u16 = 0x0023;
const TIINA: u16 = 0x0025;
const ANTTI: u16 = 0x0026;

/// Who they are.
pub struct Persons {
    /// Asks about her data.
    pub asking: ClientId,
    /// Whose records are needed elsewhere.
    pub held: ClientId,
    /// Says that hers are wrong.
    pub contested: ClientId,
}

fn request(
    tail: u16,
    client: ClientId,
    kind: DataRequestKind,
    words: &str,
    role: Role,
    by: u16,
    at: Instant,
) -> Result<DataRequest, AppError> {
    let id: DataRequestId = id(tail);
    let new = NewDataRequest {
        id,
        programme: programme(),
        client,
        kind,
        words: Some(words.to_owned()),
        received_on: None,
        recorded_by: Some(super::id::<UserId>(by)),
        recorded_role: role,
    };
    Ok(DataRequest::receive(new, at)?)
}

/// Adds requests, a correction, a restriction, a legal hold, a policy and a dry run.
///
/// # Errors
/// When the database fails.
pub fn seed_rights(db: &mut Db<'_>, persons: &Persons, now: Instant) -> Result<(), AppError> {
    let tiina: UserId = id(TIINA);
    let (yesterday, last_week) = (now.plus_days(-1), now.plus_days(-7));
    let asked = "Osoitteeni on väärin.";
    db.data_request_insert(&request(
        0x00c0,
        persons.asking,
        DataRequestKind::Rectification,
        asked,
        Role::Client,
        AINO,
        now.plus_days(-2),
    )?)?;
    let asked = "Haluan nähdä kaiken, mitä minusta on kirjattu.";
    let under_way = request(0x00c1, persons.asking, DataRequestKind::Access, asked, Role::Coordinator, KAISA, last_week)?;
    db.data_request_insert(&DataRequest { version: Version::FIRST.next(), ..under_way.start(Some(tiina))? })?;
    let asked = "Tiedot eivät koske minua.";
    let restricted = request(0x00c2, persons.contested, DataRequestKind::Restriction, asked, Role::Coordinator, KAISA, last_week)?;
    let restricted = restricted.start(Some(tiina))?.fulfil(Some(tiina), Some("Tietojen käyttöä on rajoitettu.".to_owned()), last_week)?;
    db.data_request_insert(&restricted)?;

    db.client_change_insert(&ClientChange {
        id: id(0x00c6),
        programme: programme(),
        client: persons.asking,
        referral: None,
        at: last_week,
        user: Some(id(KAISA)),
        role: Role::Coordinator,
        details: ChangeDetails {
            reason: Some("Numero oli vaihtunut.".to_owned()),
            before: BTreeMap::from([("phone".to_owned(), "+358 40 555 0199".into())]),
            after: BTreeMap::from([("phone".to_owned(), "+358 40 555 0101".into())]),
        },
    })?;
    db.restriction_insert(&Restriction {
        id: id(0x00c4),
        version: Version::FIRST.next(),
        programme: programme(),
        client: persons.contested,
        reason: "Asiakas kiistää tietojen oikeellisuuden; asia tarkistetaan.".to_owned(),
        restricted_at: last_week,
        restricted_by: tiina,
        release_reason: Some("Tiedot on tarkistettu.".to_owned()),
        released: Some((yesterday, tiina)),
        lifted: None,
    })?;
    db.client_set_standing(persons.contested, ClientStanding::Restricted)?;
    db.legal_hold_insert(&LegalHold {
        id: id(0x00c3),
        version: Version::FIRST,
        programme: programme(),
        client: persons.held,
        referral: None,
        reason: "Kantelu on vireillä aluehallintovirastossa.".to_owned(),
        placed_at: last_week,
        placed_by: tiina,
        until: None,
        ended: None,
    })?;
    seed_retention(db, now.helsinki_date(), yesterday)
}

fn seed_retention(db: &mut Db<'_>, today: NaiveDate, at: Instant) -> Result<(), AppError> {
    let policy = Policy {
        id: Some(id(0x00c7)),
        valid_from: FIRST_DAY,
        keep_months: Some(24),
        legal_basis: "Tiedonohjaussuunnitelma 2022, kohta 3.4.".to_owned(),
        given: Some((first_morning(), id(ANTTI))),
        ..default_policy(programme(), RecordClass::ContactAttempt)
    };
    db.retention_policy_insert(id(0x00c7), &policy, first_morning(), id(ANTTI))?;
    let report = Report::begin(&policies_on(programme(), &[policy], today));
    db.retention_run_insert(&RetentionRun {
        id: id(0x00c5),
        programme: programme(),
        on: today.pred_opt().unwrap_or(today),
        dry_run: true,
        started_at: at,
        finished_at: Some(at),
        report: serde_json::to_value(&report).map_err(AppError::internal)?,
    })?;
    Ok(())
}
