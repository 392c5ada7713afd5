//! What is sealed opens only where it was sealed, and only with the right key.

use lahete_persistence::{Db, Keys, RotationOptions, Store, StoreError, StoreOptions};
use secrecy::SecretSlice;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use super::{Seed, Site, get, post};
use crate::support::Kind;
use crate::support::clock::TestClock;
use crate::support::database::{DATA_KEY, open, options, wait};

const AT_ONCE: RotationOptions = RotationOptions { part: 2, settle: Duration::ZERO, pause: Duration::ZERO };

fn exchanged_values_are_refused(kind: Kind) {
    let site = Site::new(kind);
    let server = site.serve("server", &[]);
    let mut wire = server.wire();
    let made: Vec<_> = (0..2)
        .map(|number| {
            let sent = post(&mut wire, &site.referrer, "/v1/referrals", &Seed::new(number).referral());
            assert_eq!(sent.status, 201, "{sent:?}");
            sent.json()
        })
        .collect();
    let client = |number: usize| format!("/v1/clients/{}", made[number]["client"]["id"].as_str().unwrap());
    for number in 0..2 {
        let seen = get(&mut wire, &site.coordinator, &client(number)).json();
        assert_eq!(seen["contact"]["phone"], json!(Seed::new(number).phone), "{seen}");
    }
    let store = open(&site.url);
    for (table, column) in [
        ("clients", "phone"),
        ("clients", "email"),
        ("clients", "address"),
        ("clients", "identity_code_cipher"),
        ("referral_details", "referrer_contact"),
    ] {
        // The two rows exchange one value.
        let id = if table == "clients" { "id" } else { "referral_id" };
        let rows: Vec<Vec<String>> = wait(store.read(move |db: &mut Db<'_>| db.schema_rows(table, &[id, column])))
            .unwrap()
            .iter()
            .map(|row| row.split(',').map(str::to_owned).collect())
            .collect();
        let [one, other] = &rows[..] else { panic!("two rows: {rows:?}") };
        let put = |to: &[String], value: &str| {
            let statement = format!("UPDATE {table} SET {column} = {value} WHERE {id} = {}", to[0]);
            assert_eq!(wait(store.write(move |db: &mut Db<'_>| db.tamper(&statement))).unwrap(), 1);
        };
        put(one, &other[1]);
        put(other, &one[1]);
        let path = if table == "clients" { client(0) } else { format!("/v1/referrals/{}", made[0]["id"].as_str().unwrap()) };
        let refused = get(&mut wire, &site.coordinator, &path);
        assert_eq!((refused.status, refused.json()["code"].as_str()), (500, Some("internal")), "{column}: {refused:?}");
        let text = String::from_utf8(refused.body).unwrap();
        assert!((0..2).all(|number| Seed::new(number).secrets().iter().all(|secret| !text.contains(secret))), "{text}");
        assert!(!text.contains("sposti"), "{text}");
        put(one, &one[1]);
        put(other, &other[1]);
        assert_eq!(get(&mut wire, &site.coordinator, &path).status, 200, "{column}");
    }
    wait(store.close());
    drop(wire);
    server.stop();
}

/// From before contacts were sealed: rows hold them as they are. They are read, and sealed by the first change of keys or change of the row.
fn plain_rows_are_read_and_sealed(kind: Kind) {
    let site = Site::new(kind);
    let server = site.serve("server", &[]);
    let mut wire = server.wire();
    let sent = post(&mut wire, &site.referrer, "/v1/referrals", &Seed::new(1).referral()).json();
    let client = format!("/v1/clients/{}", sent["client"]["id"].as_str().unwrap());
    let store = open(&site.url);
    let plain = "UPDATE clients SET phone = '+358 40 555 0101', address = NULL";
    wait(store.write(move |db: &mut Db<'_>| db.tamper(plain))).unwrap();
    assert_eq!(get(&mut wire, &site.coordinator, &client).json()["contact"]["phone"], "+358 40 555 0101");
    let before = wait(store.key_uses()).unwrap();
    assert!(before.iter().any(|usage| usage.column == "phone" && usage.key.is_none() && usage.values == 1), "{before:?}");
    let clock = TestClock::at("2026-11-25T10:00:00Z");
    let report = wait(store.rotate_keys(AT_ONCE, &clock, |_| {})).unwrap();
    assert_eq!((report.resealed, report.refused.len()), (1, 0), "{report:?}");
    assert!(report.uses.iter().all(|usage| usage.key == Some(1)), "{report:?}");
    let phones = wait(store.read(|db: &mut Db<'_>| db.schema_rows("clients", &["phone"]))).unwrap();
    assert!(phones.iter().all(|phone| !phone.contains("555")), "{phones:?}");
    assert_eq!(get(&mut wire, &site.coordinator, &client).json()["contact"]["phone"], "+358 40 555 0101");
    wait(store.close());
    drop(wire);
    server.stop();
    if kind == Kind::Sqlite {
        // Not even what was there before is left in the file.
        let file = std::fs::read(site.folder.join("lahete.db")).unwrap();
        assert!(!file.windows(11).any(|bytes| bytes == b"40 555 0101"), "the plain value is overwritten");
    }
}

fn store_with(url: &str, ids: &[u8]) -> Store {
    let masters: Vec<_> =
        ids.iter().map(|id| (*id, SecretSlice::from(if *id == 1 { DATA_KEY.to_vec() } else { vec![6 + *id; 32] }))).collect();
    let options = StoreOptions { keys: Arc::new(Keys::from_masters(&masters).unwrap()), ..options() };
    Store::open(&lahete_persistence::DbUrl::parse(url).unwrap(), options).unwrap()
}

/// From key to key, three times; each time everything is under the new one, and what cannot be opened is named.
fn keys_follow_each_other(kind: Kind) {
    let site = Site::new(kind);
    let server = site.serve("server", &[]);
    let mut wire = server.wire();
    for number in 0..5 {
        assert_eq!(post(&mut wire, &site.referrer, "/v1/referrals", &Seed::new(number).referral()).status, 201);
    }
    drop(wire);
    server.stop();
    let clock = TestClock::at("2026-11-25T10:00:00Z");
    let code = |number| {
        let seed = Seed::new(number);
        lahete_domain::identity_code::IdentityCode::parse(&seed.code, lahete_domain::time::Clock::now(&clock).helsinki_date()).unwrap()
    };
    for (ids, gone) in [(&[2, 1][..], 1), (&[3, 2][..], 2), (&[4, 3][..], 3)] {
        let store = store_with(&site.url, ids);
        let report = wait(store.rotate_keys(AT_ONCE, &clock, |_| {})).unwrap();
        assert!(report.uses.iter().all(|usage| usage.key == Some(ids[0])) && report.still_needed().is_empty(), "{report:?}");
        let again = wait(store.rotate_keys(AT_ONCE, &clock, |_| {})).unwrap();
        assert_eq!((again.resealed, again.current), (0, ids[0]));
        wait(store.close());
        // With the new key alone everybody is found, by a code as well.
        let store = store_with(&site.url, &ids[..1]);
        let programme = site.people.programme;
        for number in 0..5 {
            let code = code(number);
            let found = wait(store.read(move |db: &mut Db<'_>| db.client_by_identity_code(programme, &code))).unwrap().unwrap();
            assert_eq!(found.data.contact.phone.as_deref(), Some(Seed::new(number).phone.as_str()));
        }
        wait(store.close());
        // With the old key alone nothing is opened, and nothing is written.
        let store = store_with(&site.url, &[gone]);
        let code = code(0);
        let looked = wait(store.look_at_keys(lahete_domain::time::Clock::now(&clock)));
        assert!(matches!(looked, Err(StoreError::MissingDataKey { id }) if id == ids[0]), "{looked:?}");
        let barred = wait(store.read(move |db: &mut Db<'_>| db.client_by_identity_code(programme, &code)));
        assert!(matches!(barred, Err(StoreError::Unavailable)), "{barred:?}");
        wait(store.close());
    }
    // Somebody has changed a row: the others are sealed anew, and it is named.
    let store = store_with(&site.url, &[5, 4]);
    let bent = match kind {
        Kind::Sqlite => {
            "UPDATE clients SET phone = substr(phone, 1, 20) || 'AAAA' || substr(phone, 25) WHERE id = (SELECT min(id) FROM clients)"
        }
        Kind::Postgresql => {
            "UPDATE clients SET phone = substr(phone, 1, 20) || 'AAAA' || substr(phone, 25) WHERE id = (SELECT id FROM clients ORDER BY id LIMIT 1)"
        }
    };
    assert_eq!(wait(store.write(move |db: &mut Db<'_>| db.tamper(bent))).unwrap(), 1);
    let report = wait(store.rotate_keys(AT_ONCE, &clock, |_| {})).unwrap();
    assert_eq!((report.refused.len(), report.still_needed()), (1, vec![4]), "{report:?}");
    wait(store.close());
}

/// The database knows its keys: a wrong one under a known id, or none for what is there, does not start.
fn a_wrong_key_does_not_start(kind: Kind) {
    let site = Site::new(kind);
    site.serve("first", &[]).stop();
    let serve = |keys: &str| {
        let mut command = crate::support::process::lahete(&site.folder, &[("data_key", keys), ("log", "warn")]);
        let output = command.args(["serve", "--database", &site.url, "--bind", "127.0.0.1:0"]).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    // Each as good as drawn; the one that differs in nothing is the right one.
    let key = |differs: u8| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, DATA_KEY.map(|byte| byte ^ differs));
    let (started, said) = serve(&format!("1:{}", key(9)));
    assert!(!started && said.contains("the data key 1 is not the one that the database was sealed with"), "{said}");
    let (started, said) = serve(&format!("2:{}", key(9)));
    assert!(!started && said.contains("the database holds values under the data key 1, which is not configured"), "{said}");
    let (started, said) = serve("1:nonsense");
    assert!(!started && said.contains("LAHETE_DATA_KEY does not hold data keys") && !said.contains("nonsense"), "{said}");
    // The right one from the environment does; the file is not asked for.
    std::fs::remove_file(site.folder.join("data-key")).unwrap();
    site.serve("second", &[("data_key", &key(0))]).stop();
}

macro_rules! on_both_kinds {
    ($($name:ident: $behaviour:ident;)*) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                super::$behaviour(crate::support::Kind::Sqlite);
            }

            #[test]
            fn postgresql() {
                super::$behaviour(crate::support::Kind::Postgresql);
            }
        }
    )*};
}

on_both_kinds! {
    two_ciphertexts_exchanged_are_an_error: exchanged_values_are_refused;
    plain_values_from_before_are_sealed: plain_rows_are_read_and_sealed;
    one_key_after_the_other: keys_follow_each_other;
    wrong_keys: a_wrong_key_does_not_start;
}
