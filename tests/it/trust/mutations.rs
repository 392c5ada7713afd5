//! Somebody who has the database in their hands changes the trail: each change is found, and the first bad event is named.

use std::collections::{BTreeMap, BTreeSet};

use lahete_domain::actor::Caller;
use lahete_domain::audit::AuditEvent;
use lahete_domain::codes::{AuditAction, AuditOutcome, Role};
use lahete_domain::ids::{Id as _, OrganisationId, ProgrammeId, UserId};
use lahete_persistence::repo::audit::{AuditFilter, StoredAuditEvent};
use lahete_persistence::repo::trail::{Anchor, ChainFaultKind, VerifyReport};
use lahete_persistence::{Db, PageRequest, Store, StoreError};
use uuid::Uuid;

use super::{Dice, progress, rounds};
use crate::support::Kind;
use crate::support::clock::instant;
use crate::support::database::{TestDatabase, open, wait};

const COLUMNS: [&str; 21] = [
    "id",
    "writer_id",
    "seq",
    "prev_hash",
    "hash",
    "at",
    "caller_kind",
    "user_id",
    "api_client_id",
    "role",
    "organisation_id",
    "programme_id",
    "client_id",
    "referral_id",
    "operation",
    "action",
    "outcome",
    "reason",
    "reason_salt",
    "reason_hash",
    "request_id",
];

fn column(name: &str) -> usize {
    COLUMNS.iter().position(|other| *other == name).unwrap()
}

fn id<I: lahete_domain::ids::Id>(dice: &mut Dice) -> I {
    I::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + dice.roll(1 << 30) as u128))
}

/// An event as the program writes them, with something in each column now and then.
fn event(dice: &mut Dice) -> AuditEvent {
    let caller = match dice.roll(5) {
        0 => Caller::ApiClient(id(dice)),
        1 => Caller::Anonymous,
        2 => Caller::Clock,
        _ => Caller::User(id::<UserId>(dice)),
    };
    let denied = dice.roll(4) == 0;
    AuditEvent {
        at: instant("2026-11-22T10:00:00.123456Z").plus_minutes(i64::try_from(dice.roll(1000)).unwrap()),
        caller,
        role: (!denied).then_some([Role::Coordinator, Role::LinkWorker, Role::PrivacyOfficer][dice.roll(3)]),
        organisation: (dice.roll(2) == 0).then(|| id::<OrganisationId>(dice)),
        programme: Some(id::<ProgrammeId>(dice)),
        client: Some(id(dice)),
        referral: (dice.roll(2) == 0).then(|| id(dice)),
        operation: ["referral_view", "client_view", "visit_hold"][dice.roll(3)],
        action: [AuditAction::Read, AuditAction::Changed, AuditAction::Searched][dice.roll(3)],
        outcome: if denied { AuditOutcome::Denied } else { AuditOutcome::Allowed },
        reason: (dice.roll(2) == 0).then(|| format!("Puhelu {}", dice.roll(1000))),
        request_id: format!("request-{}", dice.roll(1_000_000)),
    }
}

/// A trail of several chains, and where it was signed: now and then, and at the end of each chain.
struct Trail {
    store: Store,
    /// By chain, each in the order of places.
    chains: Vec<Vec<StoredAuditEvent>>,
    /// The same as the database writes them out.
    cells: BTreeMap<(Uuid, i64), Vec<String>>,
    anchors: Vec<Anchor>,
    kind: Kind,
    _database: TestDatabase,
}

fn lay(kind: Kind, dice: &mut Dice) -> Trail {
    let database = TestDatabase::new(kind);
    let mut anchors = BTreeSet::new();
    for _ in 0..3 {
        let store = open(&database.url);
        for _ in 0..12 {
            let events: Vec<AuditEvent> = (0..1 + dice.roll(8)).map(|_| event(dice)).collect();
            // All in one chain: the one of reads.
            wait(store.read(move |db: &mut Db<'_>| -> Result<(), StoreError> {
                events.iter().cloned().for_each(|event| db.audit(event));
                Ok(())
            }))
            .unwrap();
            if dice.roll(4) == 0 {
                anchors.extend(store.trail_heads());
            }
        }
        wait(store.close());
        anchors.extend(store.trail_heads());
    }
    assert!(anchors.iter().filter(|anchor| anchor.closed).count() >= 3 && anchors.len() > 5, "{anchors:?}");
    let store = open(&database.url);
    let mut events =
        wait(store.read(|db: &mut Db<'_>| -> Result<_, StoreError> { db.audit_list(AuditFilter::default(), &PageRequest::first(5000)) }))
            .unwrap()
            .items;
    events.sort_by_key(|event| (event.writer_id, event.seq));
    let chains: Vec<Vec<StoredAuditEvent>> = events.chunk_by(|one, other| one.writer_id == other.writer_id).map(<[_]>::to_vec).collect();
    let rows = wait(store.read(|db: &mut Db<'_>| db.schema_rows("audit_events", &COLUMNS))).unwrap();
    let cells = rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = row.split(',').map(str::to_owned).collect();
            assert_eq!(cells.len(), COLUMNS.len(), "{row}");
            let chain = Uuid::parse_str(cells[column("writer_id")].trim_matches('\'')).unwrap();
            ((chain, cells[column("seq")].trim_matches('\'').parse().unwrap()), cells)
        })
        .collect();
    let triggers: &[&str] = match kind {
        Kind::Sqlite => &["DROP TRIGGER audit_events_no_update", "DROP TRIGGER audit_events_no_delete"],
        Kind::Postgresql => &["DROP TRIGGER audit_events_no_change ON audit_events"],
    };
    for trigger in triggers {
        wait(store.write(move |db: &mut Db<'_>| db.tamper(trigger))).unwrap();
    }
    Trail { store, chains, cells, anchors: anchors.into_iter().collect(), kind, _database: database }
}

/// What somebody does, and where it must be found: chain and place of the first bad event.
#[derive(Debug)]
struct Mutation {
    what: String,
    statements: Vec<String>,
    chain: Uuid,
    seq: i64,
}

impl Trail {
    fn row(&self, event: &StoredAuditEvent) -> String {
        format!("writer_id = '{}' AND seq = {}", event.writer_id, event.seq)
    }

    fn chain(&self, dice: &mut Dice) -> &[StoredAuditEvent] {
        &self.chains[dice.roll(self.chains.len())]
    }

    /// One bit of one column of one event.
    fn flip(&self, dice: &mut Dice) -> Option<Mutation> {
        let chain = self.chain(dice);
        let event = &chain[dice.roll(chain.len())];
        let at = dice.roll(COLUMNS.len());
        let old = &self.cells[&(event.writer_id, event.seq)][at];
        let name = COLUMNS[at];
        let new = match old.as_str() {
            "NULL" => return None,
            _ if name == "seq" => (event.seq ^ (1 << dice.roll(20))).to_string(),
            _ if name == "at" && self.kind == Kind::Postgresql => {
                let micros = event.at.utc().timestamp_micros() ^ (1 << dice.roll(40));
                format!("timestamptz '1970-01-01 00:00:00+00' + {micros} * interval '1 microsecond'")
            }
            _ => flip_literal(old, self.kind == Kind::Postgresql, dice)?,
        };
        Some(Mutation {
            what: format!("one bit of {name}: {old} is {new}"),
            statements: vec![format!("UPDATE audit_events SET {name} = {new} WHERE {}", self.row(event))],
            chain: event.writer_id,
            seq: event.seq,
        })
    }

    fn delete(&self, dice: &mut Dice) -> Option<Mutation> {
        let chain = self.chain(dice);
        let event = &chain[dice.roll(chain.len())];
        let statements = vec![format!("DELETE FROM audit_events WHERE {}", self.row(event))];
        Some(Mutation { what: "one is deleted".to_owned(), statements, chain: event.writer_id, seq: event.seq })
    }

    fn truncate(&self, dice: &mut Dice) -> Option<Mutation> {
        let chain = self.chain(dice);
        let event = &chain[dice.roll(chain.len())];
        let statements = vec![format!("DELETE FROM audit_events WHERE writer_id = '{}' AND seq >= {}", event.writer_id, event.seq)];
        Some(Mutation { what: "the tail is cut off".to_owned(), statements, chain: event.writer_id, seq: event.seq })
    }

    /// Two change their places: neighbours, or any two.
    fn swap(&self, dice: &mut Dice, neighbours: bool) -> Option<Mutation> {
        let chain = self.chain(dice);
        let one = dice.roll(chain.len());
        let other = if neighbours { one + 1 } else { dice.roll(chain.len()) };
        let (first, second) = (chain.get(one.min(other))?, chain.get(one.max(other)).filter(|_| one != other)?);
        let to =
            |from: &str, seq: i64| format!("UPDATE audit_events SET seq = {seq} WHERE writer_id = '{}' AND seq = {from}", first.writer_id);
        let statements =
            vec![to(&first.seq.to_string(), 1_000_000_000), to(&second.seq.to_string(), first.seq), to("1000000000", second.seq)];
        Some(Mutation { what: "two change places".to_owned(), statements, chain: first.writer_id, seq: first.seq })
    }

    /// Two events keep place and hashes and exchange what they tell.
    fn exchange(&self, dice: &mut Dice) -> Option<Mutation> {
        let chain = self.chain(dice);
        let (one, other) = (&chain[dice.roll(chain.len())], &chain[dice.roll(chain.len())]);
        if one.client == other.client {
            return None;
        }
        let tell = |to: &StoredAuditEvent, from: &StoredAuditEvent| {
            let cells = &self.cells[&(from.writer_id, from.seq)];
            let told: Vec<String> =
                ["client_id", "operation", "request_id"].iter().map(|name| format!("{name} = {}", cells[column(name)])).collect();
            format!("UPDATE audit_events SET {} WHERE {}", told.join(", "), self.row(to))
        };
        let statements = vec![tell(one, other), tell(other, one)];
        Some(Mutation { what: "two exchange what they tell".to_owned(), statements, chain: one.writer_id, seq: one.seq.min(other.seq) })
    }

    fn insert_cells(&self, like: &StoredAuditEvent, changed: &[(&str, String)]) -> String {
        let mut cells = self.cells[&(like.writer_id, like.seq)].clone();
        for (name, value) in changed {
            cells[column(name)].clone_from(value);
        }
        format!("INSERT INTO audit_events ({}) VALUES ({})", COLUMNS.join(", "), cells.join(", "))
    }

    /// An old event once more, at the end.
    fn replay(&self, dice: &mut Dice) -> Option<Mutation> {
        let chain = self.chain(dice);
        let (old, last) = (&chain[dice.roll(chain.len())], chain.last()?);
        let new = [("id", format!("'{}'", Uuid::now_v7())), ("seq", (last.seq + 1).to_string())];
        let statements = vec![self.insert_cells(old, &new)];
        Some(Mutation { what: "an old one comes again".to_owned(), statements, chain: last.writer_id, seq: last.seq + 1 })
    }

    /// An event that never was, with the hashes that it should have.
    fn forge(&self, dice: &mut Dice) -> Option<Mutation> {
        let chain = self.chain(dice);
        let (old, last) = (&chain[dice.roll(chain.len())], chain.last()?);
        let mut forged = old.clone();
        forged.id = lahete_domain::ids::AuditEventId::from_uuid(Uuid::now_v7());
        (forged.seq, forged.prev_hash) = (last.seq + 1, last.hash);
        forged.hash = forged.expected_hash();
        let new = [
            ("id", format!("'{}'", forged.id)),
            ("seq", forged.seq.to_string()),
            ("prev_hash", self.blob(&forged.prev_hash)),
            ("hash", self.blob(&forged.hash)),
        ];
        let statements = vec![self.insert_cells(old, &new)];
        Some(Mutation { what: "one is forged at the end".to_owned(), statements, chain: last.writer_id, seq: forged.seq })
    }

    /// One is changed and all hashes from there on are made anew. Only what was signed outside the database tells: the first place that was.
    fn rewrite(&self, dice: &mut Dice) -> Option<Mutation> {
        let chain = self.chain(dice);
        let from = dice.roll(chain.len());
        let mut prev = chain[from].prev_hash;
        let mut statements = Vec::new();
        for (number, event) in chain[from..].iter().enumerate() {
            let mut new = event.clone();
            new.prev_hash = prev;
            if number == 0 {
                new.request_id = "forged".to_owned();
            }
            new.hash = new.expected_hash();
            prev = new.hash;
            let hashes = format!("prev_hash = {}, hash = {}", self.blob(&new.prev_hash), self.blob(&new.hash));
            statements.push(format!("UPDATE audit_events SET {hashes}, request_id = '{}' WHERE {}", new.request_id, self.row(event)));
        }
        let signed = self.anchors.iter().filter(|anchor| anchor.chain == chain[from].writer_id && anchor.seq >= chain[from].seq);
        let seq = signed.map(|anchor| anchor.seq).min()?;
        Some(Mutation { what: "the rest of a chain is written anew".to_owned(), statements, chain: chain[from].writer_id, seq })
    }

    fn blob(&self, bytes: &[u8]) -> String {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self.kind {
            Kind::Sqlite => format!("X'{digits}'"),
            Kind::Postgresql => format!("'\\x{digits}'"),
        }
    }

    fn mutation(&self, dice: &mut Dice) -> Mutation {
        loop {
            let made = match dice.roll(16) {
                0..7 => self.flip(dice),
                7 | 8 => self.delete(dice),
                9 => self.truncate(dice),
                10 => self.swap(dice, true),
                11 => self.swap(dice, false),
                12 => self.exchange(dice),
                13 => self.replay(dice),
                14 => self.forge(dice),
                _ => self.rewrite(dice),
            };
            if let Some(made) = made {
                return made;
            }
        }
    }

    /// Does it, looks at the trail, and takes it back. `None` when the database itself refuses.
    fn look_at(&self, mutation: &Mutation) -> Option<VerifyReport> {
        enum Seen {
            Report(Box<VerifyReport>),
            Refused,
        }
        impl From<StoreError> for Seen {
            fn from(_: StoreError) -> Self {
                Self::Refused
            }
        }
        let (statements, anchors) = (mutation.statements.clone(), self.anchors.clone());
        let seen = wait(self.store.write(move |db: &mut Db<'_>| -> Result<(), Seen> {
            for statement in &statements {
                if db.tamper(statement)? == 0 {
                    return Err(Seen::Refused);
                }
            }
            Err(Seen::Report(Box::new(db.audit_verify_against(&anchors, None)?)))
        }));
        match seen {
            Err(Seen::Report(report)) => Some(*report),
            Err(Seen::Refused) => None,
            Ok(()) => unreachable!(),
        }
    }
}

/// One bit of a value as SQL writes it. Of a text only a bit that leaves it a text, of bytes any.
fn flip_literal(old: &str, ids_are_bytes: bool, dice: &mut Dice) -> Option<String> {
    let (begin, end) = (old.find('\'')? + 1, old.len().checked_sub(1)?);
    // PostgreSQL knows an id by its bytes, SQLite by its letters.
    let is_id = ids_are_bytes && Uuid::parse_str(old.trim_matches('\'')).is_ok();
    // SQLite writes bytes as X'00ff', PostgreSQL as E'\\x00ff'.
    let marked = ["E'\\\\x", "'\\x", "X'"].into_iter().find(|mark| old.starts_with(mark));
    let is_bytes = is_id || marked.is_some();
    let begin = marked.map_or(begin, str::len);
    let mut letters = old.as_bytes().to_vec();
    let at = begin + dice.roll(end.checked_sub(begin).filter(|length| *length > 0)?);
    letters[at] = if is_bytes {
        let digit = char::from(letters[at]).to_digit(16)? ^ (1 << dice.roll(4));
        b"0123456789abcdef"[digit as usize]
    } else {
        letters[at] ^ (1 << dice.roll(7))
    };
    (letters[at].is_ascii_graphic() && !matches!(letters[at], b'\'' | b'\\' | b',')).then(|| String::from_utf8(letters).unwrap())
}

/// `short` of them with all other tests, a thousand and more in the long form.
fn every_mutation_is_found(kind: Kind) {
    let mut dice = Dice(match kind {
        Kind::Sqlite => 20_261_125,
        Kind::Postgresql => 20_261_126,
    });
    let trail = lay(kind, &mut dice);
    let known: BTreeSet<Uuid> = trail.chains.iter().map(|chain| chain[0].writer_id).collect();
    let anchors = trail.anchors.clone();
    let sound = wait(trail.store.verify_audit_trail_against(anchors, None, |_| {})).unwrap();
    assert!(sound.is_sound() && sound.unsigned_events == 0 && sound.chains >= 3, "{sound:?}");
    let wanted = rounds(250, 2000);
    let (mut found, mut refused, mut kinds) = (0, 0, BTreeMap::<ChainFaultKind, usize>::new());
    while found < wanted {
        let mutation = trail.mutation(&mut dice);
        let Some(report) = trail.look_at(&mutation) else {
            refused += 1;
            assert!(refused < 20 * wanted, "{mutation:?}");
            continue;
        };
        let place = (mutation.chain, mutation.seq);
        let faults: Vec<_> = report.faults.iter().map(|fault| (fault.writer_id, fault.seq, fault.kind)).collect();
        // An event with another chain's name stands in a chain that never was, which may come before all others.
        let first = faults.iter().find(|(chain, ..)| known.contains(chain));
        assert_eq!(first.map(|(chain, seq, _)| (*chain, *seq)), Some(place), "{mutation:?}: {faults:?}");
        let is_first = report.faults.first().is_some_and(|fault| (fault.writer_id, fault.seq) == place);
        assert!(is_first || mutation.what.contains("writer_id"), "{mutation:?}: {faults:?}");
        *kinds.entry(report.faults[0].kind).or_default() += 1;
        found += 1;
        if found % 500 == 0 {
            progress(&format!("{kind:?}: {found} of {wanted} mutations found"));
        }
    }
    let again = wait(trail.store.verify_audit_trail_against(trail.anchors.clone(), None, |_| {})).unwrap();
    assert_eq!(again, sound, "everything was taken back");
    println!(
        "{kind:?}: {found} of {wanted} mutations found, the first bad event named each time; {refused} more refused by the database; {kinds:?}"
    );
    for wanted in [
        ChainFaultKind::Gap,
        ChainFaultKind::WrongHash,
        ChainFaultKind::WrongPrevious,
        ChainFaultKind::CutOff,
        ChainFaultKind::BehindEnd,
        ChainFaultKind::OtherThanSigned,
    ] {
        assert!(kinds.contains_key(&wanted), "{wanted:?} is among them: {kinds:?}");
    }
    wait(trail.store.close());
}

#[test]
fn every_mutation_is_found_and_named_sqlite() {
    every_mutation_is_found(Kind::Sqlite);
}

#[test]
fn every_mutation_is_found_and_named_postgresql() {
    every_mutation_is_found(Kind::Postgresql);
}
