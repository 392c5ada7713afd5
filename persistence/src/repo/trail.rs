//! Whether the audit trail is what was written: its chains, the places at which they were signed, and the beginnings that are left when old events
//! are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use diesel::prelude::*;
use diesel::sql_types::Text;
use lahete_domain::ids::AuditEventId;
use lahete_domain::time::Instant;
use uuid::Uuid;

use crate::connection::{AnyConnection, MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::repo::audit::{AuditRow, HASH, StoredAuditEvent};
use crate::schema::{audit_beginnings, audit_events};
use crate::sql_types::{InstantCol, UuidCol};

/// How many events are read and checked at a time.
const EVENTS_PER_PART: i64 = 2000;
const FAULTS_SHOWN: usize = 100;

/// What is wrong at one place of a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ChainFaultKind {
    /// There is no event at this place, though there are later ones.
    Gap,
    /// It is not tied to the event before it.
    WrongPrevious,
    /// It is not what it was when it was written.
    WrongHash,
    /// Its stated reason is not the one that was stated.
    WrongReason,
    /// A column holds nothing that was ever written.
    Unreadable,
    /// It lies before the place at which the chain begins since older events were forgotten.
    BeforeBeginning,
    /// The place at which the chain is said to begin was not signed by us.
    WrongBeginning,
    /// The events from this place on are gone: a signed checkpoint knows of them.
    CutOff,
    /// A signed checkpoint knows another event at this place.
    OtherThanSigned,
    /// It comes after the signed end of the chain.
    BehindEnd,
}

impl ChainFaultKind {
    /// Its name, for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::WrongPrevious => "wrong_previous",
            Self::WrongHash => "wrong_hash",
            Self::WrongReason => "wrong_reason",
            Self::Unreadable => "unreadable",
            Self::BeforeBeginning => "before_beginning",
            Self::WrongBeginning => "wrong_beginning",
            Self::CutOff => "cut_off",
            Self::OtherThanSigned => "other_than_signed",
            Self::BehindEnd => "behind_end",
        }
    }
}

impl fmt::Display for ChainFaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gap => "an event is missing here",
            Self::WrongPrevious => "the event is not tied to the one before it",
            Self::WrongHash => "the event is not what it was when it was written",
            Self::WrongReason => "the stated reason is not the one that was stated",
            Self::Unreadable => "the event cannot be read",
            Self::BeforeBeginning => "the event lies before the signed beginning of its chain",
            Self::WrongBeginning => "the beginning of the chain was not signed by this program",
            Self::CutOff => "the chain was cut off here: a signed checkpoint knows of later events",
            Self::OtherThanSigned => "a signed checkpoint knows another event here",
            Self::BehindEnd => "the event comes after the signed end of its chain",
        })
    }
}

/// One place at which a chain is broken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ChainFault {
    /// The chain; nil when its name cannot be read.
    pub writer_id: Uuid,
    /// The place in it.
    pub seq: i64,
    /// What is wrong.
    pub kind: ChainFaultKind,
    /// The event at that place, if there is one that can be read.
    pub id: Option<AuditEventId>,
}

impl fmt::Display for ChainFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain {}, event {}", self.writer_id, self.seq)?;
        if let Some(id) = self.id {
            write!(f, " ({id})")?;
        }
        write!(f, ": {}", self.kind)
    }
}

/// A place of a chain that was signed outside the database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Anchor {
    /// The chain.
    pub chain: Uuid,
    /// The place.
    pub seq: i64,
    /// The hash of the event there.
    pub hash: [u8; HASH],
    /// Whether the chain ended there.
    pub closed: bool,
}

/// A signature, with the name of the key that made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrailSignature {
    /// The key.
    pub key_id: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Who signs what must not be changed by whoever can write into the database.
pub trait TrailKey: Send + Sync {
    /// Signs.
    fn sign(&self, bytes: &[u8]) -> TrailSignature;
    /// Whether a key that is trusted has signed this.
    fn verify(&self, bytes: &[u8], signature: &TrailSignature) -> bool;
}

/// The result of checking the whole trail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VerifyReport {
    /// How many events were checked.
    pub events: u64,
    /// In how many chains.
    pub chains: u64,
    /// Of how many the stated reason was erased.
    pub erased_reasons: u64,
    /// How many come after the last signed place of their chain: nobody would see them cut off. Counted only against signed places.
    pub unsigned_events: u64,
    /// How many faults there are.
    pub faults_found: u64,
    /// The first of them, by chain and place.
    pub faults: Vec<ChainFault>,
}

impl VerifyReport {
    /// Whether every event is where and what it was.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults_found == 0
    }

    fn fault(&mut self, fault: ChainFault) {
        self.faults_found += 1;
        self.faults.push(fault);
    }
}

/// Where a chain begins since older events were forgotten.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Beginning {
    seq: i64,
    prev_hash: [u8; HASH],
    at: Instant,
    signature: TrailSignature,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = audit_beginnings, check_for_backend(MultiBackend), primary_key(writer_id), treat_none_as_default_value = false)]
struct BeginningRow {
    writer_id: UuidCol,
    seq: i64,
    prev_hash: Vec<u8>,
    at: InstantCol,
    key_id: String,
    signature: Vec<u8>,
}

fn beginning_bytes(chain: Uuid, seq: i64, prev_hash: &[u8; HASH], at: Instant) -> Vec<u8> {
    let mut out = b"lahete audit beginning v1".to_vec();
    out.extend_from_slice(chain.as_bytes());
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(prev_hash);
    out.extend_from_slice(at.to_string().as_bytes());
    out
}

/// What the trail is held against.
#[derive(Clone, Default)]
pub(crate) struct Expected {
    anchors: BTreeMap<Uuid, Vec<Anchor>>,
    beginnings: BTreeMap<Uuid, Beginning>,
}

/// A part of one chain, in the order of places; an event that cannot be read is only its place.
pub(crate) struct Part {
    chain: Uuid,
    rows: Vec<Result<AuditRow, i64>>,
}

impl Part {
    pub(crate) fn len(&self) -> u64 {
        self.rows.len() as u64
    }
}

/// The end of what was checked of a chain; the hash is unknown behind an event that cannot be read.
#[derive(Clone, Copy)]
struct End {
    seq: i64,
    hash: Option<[u8; HASH]>,
}

/// What a part has shown. Its first event is tied to the part before it later.
pub(crate) struct Checked {
    chain: Uuid,
    first: Option<(i64, Option<[u8; HASH]>, Option<AuditEventId>)>,
    last: Option<End>,
    events: u64,
    erased: u64,
    faults: Vec<ChainFault>,
}

fn tie(chain: Uuid, before: End, next: (i64, Option<[u8; HASH]>, Option<AuditEventId>)) -> Option<ChainFault> {
    let (seq, previous, id) = next;
    if seq != before.seq.saturating_add(1) {
        let (seq, kind, id) =
            if seq > before.seq { (before.seq + 1, ChainFaultKind::Gap, None) } else { (seq, ChainFaultKind::BeforeBeginning, id) };
        return Some(ChainFault { writer_id: chain, seq, kind, id });
    }
    let untied = before.hash.zip(previous).is_some_and(|(hash, previous)| hash != previous);
    untied.then_some(ChainFault { writer_id: chain, seq, kind: ChainFaultKind::WrongPrevious, id })
}

impl Expected {
    fn of(&self, chain: Uuid) -> &[Anchor] {
        self.anchors.get(&chain).map_or(&[], Vec::as_slice)
    }

    /// Checks a part by itself; the costly half of the work, which needs no database.
    pub(crate) fn check(&self, part: Part) -> Checked {
        let chain = part.chain;
        let mut checked = Checked { chain, first: None, last: None, events: 0, erased: 0, faults: Vec::new() };
        let mut anchors = self.of(chain).iter().peekable();
        for row in part.rows {
            checked.events += 1;
            let place = row.as_ref().map_or_else(|seq| *seq, |row| row.place());
            let event = row.ok().and_then(|row| StoredAuditEvent::try_from(row).ok());
            let id = event.as_ref().map(|event| event.id);
            let mut fault = |kind| checked.faults.push(ChainFault { writer_id: chain, seq: place, kind, id });
            match &event {
                None => fault(ChainFaultKind::Unreadable),
                Some(event) => {
                    if event.hash != event.expected_hash() {
                        fault(ChainFaultKind::WrongHash);
                    }
                    if !event.reason_is_sound() {
                        fault(ChainFaultKind::WrongReason);
                    }
                    while anchors.next_if(|anchor| anchor.seq < place).is_some() {}
                    while let Some(anchor) = anchors.next_if(|anchor| anchor.seq == place) {
                        if anchor.hash != event.hash {
                            fault(ChainFaultKind::OtherThanSigned);
                        }
                    }
                    checked.erased += u64::from(event.reason_hash.is_some() && event.reason.is_none());
                }
            }
            let next = (place, event.as_ref().map(|event| event.prev_hash), id);
            match checked.last {
                None => checked.first = Some(next),
                Some(before) => checked.faults.extend(tie(chain, before, next)),
            }
            checked.last = Some(End { seq: place, hash: event.map(|event| event.hash) });
        }
        checked
    }

    /// Puts the checked parts together, which come in the order of chains and places.
    pub(crate) fn conclude(&self, parts: Vec<Checked>, unreadable: Vec<ChainFault>, key: Option<&dyn TrailKey>) -> VerifyReport {
        let mut report = VerifyReport::default();
        for fault in unreadable {
            report.chains += 1;
            report.fault(fault);
        }
        let mut seen = BTreeSet::new();
        let mut parts = parts.into_iter().peekable();
        while let Some(chain) = parts.peek().map(|part| part.chain) {
            seen.insert(chain);
            report.chains += 1;
            let mut end = self.begin(&mut report, chain, key);
            while let Some(part) = parts.next_if(|part| part.chain == chain) {
                report.events += part.events;
                report.erased_reasons += part.erased;
                if let Some(fault) = part.first.and_then(|first| tie(chain, end, first)) {
                    report.fault(fault);
                }
                part.faults.into_iter().for_each(|fault| report.fault(fault));
                end = part.last.unwrap_or(end);
            }
            self.end(&mut report, chain, end);
        }
        for chain in self.anchors.keys().chain(self.beginnings.keys()).copied().collect::<BTreeSet<_>>().difference(&seen) {
            let end = self.begin(&mut report, *chain, key);
            self.end(&mut report, *chain, end);
        }
        report.faults.sort_unstable();
        report.faults.truncate(FAULTS_SHOWN);
        report
    }

    /// What the first event of a chain must be tied to.
    fn begin(&self, report: &mut VerifyReport, chain: Uuid, key: Option<&dyn TrailKey>) -> End {
        let Some(beginning) = self.beginnings.get(&chain) else { return End { seq: 0, hash: Some([0; HASH]) } };
        let fault = |seq, kind| ChainFault { writer_id: chain, seq, kind, id: None };
        let bytes = beginning_bytes(chain, beginning.seq, &beginning.prev_hash, beginning.at);
        if key.is_some_and(|key| !key.verify(&bytes, &beginning.signature)) {
            report.fault(fault(beginning.seq, ChainFaultKind::WrongBeginning));
        }
        let before = beginning.seq.saturating_sub(1);
        for anchor in self.of(chain).iter().filter(|anchor| anchor.seq == before && anchor.hash != beginning.prev_hash) {
            report.fault(fault(anchor.seq, ChainFaultKind::OtherThanSigned));
        }
        End { seq: before, hash: Some(beginning.prev_hash) }
    }

    fn end(&self, report: &mut VerifyReport, chain: Uuid, end: End) {
        let anchors = self.of(chain);
        let signed = anchors.iter().map(|anchor| anchor.seq).max();
        if signed.is_some_and(|signed| signed > end.seq) {
            report.fault(ChainFault { writer_id: chain, seq: end.seq.saturating_add(1), kind: ChainFaultKind::CutOff, id: None });
        }
        if let Some(closed) = anchors.iter().find(|anchor| anchor.closed && anchor.seq < end.seq) {
            report.fault(ChainFault { writer_id: chain, seq: closed.seq + 1, kind: ChainFaultKind::BehindEnd, id: None });
        }
        if !self.anchors.is_empty() {
            report.unsigned_events += u64::try_from(end.seq.saturating_sub(signed.unwrap_or(0))).unwrap_or(0);
        }
    }
}

/// What forgetting old events has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Forgotten {
    /// Events that were deleted.
    pub events: usize,
    /// Whether there may be more to delete: call again, in another transaction.
    pub more: bool,
}

impl Db<'_> {
    pub(crate) fn trail_expected(&mut self, anchors: &[Anchor]) -> Result<Expected, StoreError> {
        let mut expected = Expected::default();
        for anchor in anchors {
            expected.anchors.entry(anchor.chain).or_default().push(anchor.clone());
        }
        expected.anchors.values_mut().for_each(|anchors| anchors.sort_unstable_by_key(|anchor| anchor.seq));
        let rows: Vec<BeginningRow> = on_backend!(self.conn(), |c| audit_beginnings::table.select(BeginningRow::as_select()).load(c))?;
        for row in rows {
            let chain = row.writer_id.0;
            let prev_hash = row.prev_hash.try_into().map_err(|_| StoreError::corrupt("audit_beginnings", "prev_hash", chain))?;
            let signature = TrailSignature { key_id: row.key_id, signature: row.signature };
            expected.beginnings.insert(chain, Beginning { seq: row.seq, prev_hash, at: row.at.0, signature });
        }
        Ok(expected)
    }

    /// The name of the chain behind another, as the database has it.
    fn next_chain(&mut self, after: Option<&str>) -> Result<Option<String>, StoreError> {
        #[derive(QueryableByName)]
        struct Name {
            #[diesel(sql_type = Text)]
            name: String,
        }
        let after = after.unwrap_or("");
        let rows = match self.conn() {
            AnyConnection::Sqlite(c) => {
                let query = "SELECT writer_id AS name FROM audit_events WHERE writer_id > ? ORDER BY writer_id LIMIT 1";
                diesel::sql_query(query).bind::<Text, _>(after).load::<Name>(c)?
            }
            AnyConnection::Postgresql(c) => {
                let query = "SELECT writer_id::text AS name FROM audit_events WHERE writer_id > $1::uuid ORDER BY writer_id LIMIT 1";
                let after = if after.is_empty() { Uuid::nil().hyphenated().to_string() } else { after.to_owned() };
                diesel::sql_query(query).bind::<Text, _>(after).load::<Name>(c)?
            }
        };
        Ok(rows.into_iter().next().map(|row| row.name))
    }

    fn part_of(&mut self, chain: Uuid, after: i64) -> Result<Part, StoreError> {
        let of_chain = || audit_events::table.filter(audit_events::writer_id.eq(UuidCol(chain)));
        let part = of_chain().filter(audit_events::seq.gt(after)).order(audit_events::seq.asc()).limit(EVENTS_PER_PART);
        let loaded: Result<Vec<AuditRow>, _> = on_backend!(self.conn(), |c| part.select(AuditRow::as_select()).load(c));
        match loaded {
            Ok(rows) => Ok(Part { chain, rows: rows.into_iter().map(Ok).collect() }),
            // One of them cannot be read: each by itself, to find which.
            Err(diesel::result::Error::DeserializationError(_)) => {
                let part = of_chain().filter(audit_events::seq.gt(after)).order(audit_events::seq.asc()).limit(EVENTS_PER_PART);
                let places: Vec<i64> = part.select(audit_events::seq).load(self.conn())?;
                let mut rows = Vec::with_capacity(places.len());
                for place in places {
                    let one = of_chain().filter(audit_events::seq.eq(place)).select(AuditRow::as_select()).first(self.conn());
                    rows.push(match one {
                        Ok(row) => Ok(row),
                        Err(diesel::result::Error::DeserializationError(_)) => Err(place),
                        Err(error) => return Err(error.into()),
                    });
                }
                Ok(Part { chain, rows })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the trail part by part, in the order of chains and places, from one chain on. Gives the chains whose names cannot be read.
    pub(crate) fn trail_read(
        &mut self,
        first: Uuid,
        hand: &mut dyn FnMut(Part) -> Result<(), StoreError>,
    ) -> Result<Vec<ChainFault>, StoreError> {
        let mut unreadable = Vec::new();
        let mut after: Option<String> = None;
        while let Some(name) = self.next_chain(after.as_deref())? {
            match Uuid::parse_str(&name).ok().filter(|chain| chain.hyphenated().to_string() == name) {
                Some(chain) if chain < first => {}
                Some(chain) => {
                    // No event has a place below the first; what was put there is read, too.
                    let mut last = i64::MIN;
                    loop {
                        let part = self.part_of(chain, last)?;
                        let Some(end) = part.rows.last().map(|row| row.as_ref().map_or_else(|seq| *seq, |row| row.place())) else { break };
                        last = end;
                        let is_last = i64::try_from(part.len()).is_ok_and(|rows| rows < EVENTS_PER_PART);
                        hand(part)?;
                        if is_last {
                            break;
                        }
                    }
                }
                None => unreadable.push(ChainFault { writer_id: Uuid::nil(), seq: 0, kind: ChainFaultKind::Unreadable, id: None }),
            }
            after = Some(name);
        }
        Ok(unreadable)
    }

    /// Checks the whole trail, chain by chain, without ever holding more than a part of it, and without checkpoints: the end of a chain that was cut off
    /// cannot be seen.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn audit_verify(&mut self) -> Result<VerifyReport, StoreError> {
        self.audit_verify_from(Uuid::nil(), &mut |_| {})
    }

    /// As [`Db::audit_verify`], for the chains from one on: names of chains grow with time. `progress` hears after each part how many events were
    /// checked.
    ///
    /// # Errors
    /// As [`Db::audit_verify`].
    pub fn audit_verify_from(&mut self, first: Uuid, progress: &mut dyn FnMut(u64)) -> Result<VerifyReport, StoreError> {
        let mut expected = self.trail_expected(&[])?;
        expected.beginnings.retain(|chain, _| *chain >= first);
        self.audit_verify_expected(&expected, first, None, progress)
    }

    /// As [`Db::audit_verify`], held against what was signed outside the database, in the transaction under way.
    ///
    /// # Errors
    /// As [`Db::audit_verify`].
    pub fn audit_verify_against(&mut self, anchors: &[Anchor], key: Option<&dyn TrailKey>) -> Result<VerifyReport, StoreError> {
        let expected = self.trail_expected(anchors)?;
        self.audit_verify_expected(&expected, Uuid::nil(), key, &mut |_| {})
    }

    fn audit_verify_expected(
        &mut self,
        expected: &Expected,
        first: Uuid,
        key: Option<&dyn TrailKey>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<VerifyReport, StoreError> {
        let (mut parts, mut events) = (Vec::new(), 0);
        let unreadable = self.trail_read(first, &mut |part| {
            let checked = expected.check(part);
            events += checked.events;
            parts.push(checked);
            progress(events);
            Ok(())
        })?;
        Ok(expected.conclude(parts, unreadable, key))
    }

    /// Deletes events from before an instant, from the beginning of one chain up to the first that is not older, at most so many. The chain keeps a
    /// signed beginning: which event comes first now, and what it is tied to. Without one the database refuses to delete events. Call it in one
    /// transaction after the other, until there is no more.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn audit_forget_before(&mut self, before: Instant, now: Instant, key: &dyn TrailKey, most: u32) -> Result<Forgotten, StoreError> {
        let mut after: Option<String> = None;
        while let Some(name) = self.next_chain(after.as_deref())? {
            if let Ok(chain) = Uuid::parse_str(&name)
                && let Some((begins, prev_hash)) = self.beginning_after(chain, before, most)?
            {
                let signature = key.sign(&beginning_bytes(chain, begins, &prev_hash, now));
                self.beginning_put(BeginningRow {
                    writer_id: UuidCol(chain),
                    seq: begins,
                    prev_hash: prev_hash.to_vec(),
                    at: InstantCol(now),
                    key_id: signature.key_id,
                    signature: signature.signature,
                })?;
                let old = audit_events::table.filter(audit_events::writer_id.eq(UuidCol(chain))).filter(audit_events::seq.lt(begins));
                let events = diesel::delete(old).execute(self.conn())?;
                return Ok(Forgotten { events, more: true });
            }
            after = Some(name);
        }
        Ok(Forgotten::default())
    }

    /// Where a chain is to begin when its events from before an instant are gone; `None` when its first event stays.
    fn beginning_after(&mut self, chain: Uuid, before: Instant, most: u32) -> Result<Option<(i64, [u8; HASH])>, StoreError> {
        let of_chain = || audit_events::table.filter(audit_events::writer_id.eq(UuidCol(chain)));
        let rows: Vec<(i64, InstantCol, Vec<u8>)> = of_chain()
            .select((audit_events::seq, audit_events::at, audit_events::hash))
            .order(audit_events::seq.asc())
            .limit(i64::from(most))
            .load(self.conn())?;
        let last = rows.into_iter().take_while(|(_, at, _)| at.0 < before).last();
        last.map(|(seq, _, hash)| Ok((seq + 1, hash.try_into().map_err(|_| StoreError::corrupt("audit_events", "hash", chain))?)))
            .transpose()
    }

    fn beginning_put(&mut self, row: BeginningRow) -> Result<(), StoreError> {
        let known: i64 = audit_beginnings::table.find(row.writer_id).count().get_result(self.conn())?;
        if known == 0 {
            on_backend!(self.conn(), |c| diesel::insert_into(audit_beginnings::table).values(row).execute(c))?;
        } else {
            diesel::update(audit_beginnings::table.find(row.writer_id)).set(&row).execute(self.conn())?;
        }
        Ok(())
    }
}
