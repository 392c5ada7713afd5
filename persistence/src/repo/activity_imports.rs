//! Imports of activities from another directory: how far each is, and what it needs to know of what it has brought before.

use std::collections::BTreeMap;

use diesel::prelude::*;
use lahete_domain::activity::Activity;
use lahete_domain::activity::Provider;
use lahete_domain::activity_import::{ActivityImport, Channel, ImportCounts, ImportFault, ImportOrigin, ImportPlace};
use lahete_domain::codes::{ActivityImportFault, ActivityImportPhase, ActivityImportState, ActivityStatus, Code};
use lahete_domain::ids::{ActivityId, ActivityImportId, Id, ProgrammeId, UserId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::activities::{
    KnownActivity, contact_from_json, contact_to_json, content_hash, places_from_json, places_to_json, provider_from_json,
    provider_to_json, times_from_json, times_to_json,
};
use crate::among::among;
use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest, merged};
use crate::schema::{activities, activity_import_records, activity_imports, activity_sources};
use crate::sql_types::{CodeCol, IdCol, InstantCol, JsonCol, UuidCol, VersionCol, parse_instant};

const TABLE: &str = "activity_imports";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = activity_imports, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct ImportRow {
    id: IdCol<ActivityImportId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    origin: String,
    municipalities: String,
    changed_since: Option<InstantCol>,
    state: CodeCol<ActivityImportState>,
    phase: CodeCol<ActivityImportPhase>,
    step: i64,
    page: i64,
    item: i64,
    pages_of_step: Option<i64>,
    pages: i64,
    seen: i64,
    added: i64,
    changed: i64,
    unchanged: i64,
    tombstoned: i64,
    skipped: i64,
    faults: JsonCol,
    problem: Option<String>,
    created_at: InstantCol,
    created_by: Option<IdCol<UserId>>,
    beat_at: Option<InstantCol>,
    finished_at: Option<InstantCol>,
}

const fn origin(origin: ImportOrigin) -> &'static str {
    match origin {
        ImportOrigin::Server => "server",
        ImportOrigin::CommandLine => "command_line",
    }
}

fn faults_to_json(faults: &[ImportFault]) -> Value {
    let one = |fault: &ImportFault| json!([fault.phase.as_str(), fault.source_id.map(|id| id.to_string()), fault.reason.as_str()]);
    faults.iter().map(one).collect()
}

fn faults_from_json(value: &Value) -> Option<Vec<ImportFault>> {
    let one = |value: &Value| {
        let part = |at: usize| value.get(at).and_then(Value::as_str);
        Some(ImportFault {
            phase: ActivityImportPhase::parse(part(0)?)?,
            source_id: part(1).and_then(|id| Uuid::parse_str(id).ok()),
            reason: ActivityImportFault::parse(part(2)?)?,
        })
    };
    value.as_array()?.iter().map(one).collect()
}

impl ImportRow {
    fn of(import: &ActivityImport, version: Version) -> Self {
        let counts = import.counts;
        Self {
            id: IdCol(import.id),
            version: VersionCol(version),
            programme_id: IdCol(import.programme),
            origin: origin(import.origin).to_owned(),
            municipalities: import.municipalities.iter().map(MunicipalityCode::as_str).collect::<Vec<_>>().join(","),
            changed_since: import.since.map(InstantCol),
            state: CodeCol(import.state),
            phase: CodeCol(import.phase),
            step: i64::from(import.place.step),
            page: i64::from(import.place.page),
            item: i64::from(import.place.item),
            pages_of_step: import.pages_of_step.map(i64::from),
            pages: counts.pages,
            seen: counts.seen,
            added: counts.added,
            changed: counts.changed,
            unchanged: counts.unchanged,
            tombstoned: counts.tombstoned,
            skipped: counts.skipped,
            faults: JsonCol(faults_to_json(&import.faults)),
            problem: import.problem.clone(),
            created_at: InstantCol(import.created_at),
            created_by: import.created_by.map(IdCol),
            beat_at: import.beat_at.map(InstantCol),
            finished_at: import.finished_at.map(InstantCol),
        }
    }
}

impl TryFrom<ImportRow> for ActivityImport {
    type Error = StoreError;

    fn try_from(row: ImportRow) -> Result<Self, StoreError> {
        let id = row.id.0;
        let corrupt = |column: &'static str| StoreError::corrupt(TABLE, column, id);
        let small = |number: i64, column| u32::try_from(number).map_err(|_| corrupt(column));
        let municipalities = row.municipalities.split(',').filter(|code| !code.is_empty()).map(MunicipalityCode::parse);
        Ok(Self {
            id,
            version: row.version.0,
            programme: row.programme_id.0,
            origin: match row.origin.as_str() {
                "server" => ImportOrigin::Server,
                "command_line" => ImportOrigin::CommandLine,
                _ => return Err(corrupt("origin")),
            },
            municipalities: municipalities.collect::<Option<_>>().ok_or_else(|| corrupt("municipalities"))?,
            since: row.changed_since.map(Instant::from),
            state: row.state.0,
            phase: row.phase.0,
            place: ImportPlace { step: small(row.step, "step")?, page: small(row.page, "page")?, item: small(row.item, "item")? },
            pages_of_step: row.pages_of_step.map(|pages| small(pages, "pages_of_step")).transpose()?,
            counts: ImportCounts {
                pages: row.pages,
                seen: row.seen,
                added: row.added,
                changed: row.changed,
                unchanged: row.unchanged,
                tombstoned: row.tombstoned,
                skipped: row.skipped,
            },
            faults: faults_from_json(&row.faults.0).ok_or_else(|| corrupt("faults"))?,
            problem: row.problem,
            created_at: row.created_at.0,
            created_by: row.created_by.map(|id| id.0),
            beat_at: row.beat_at.map(Instant::from),
            finished_at: row.finished_at.map(Instant::from),
        })
    }
}

/// What is kept of an organisation or a channel of the other directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordKind {
    /// An organisation.
    Organisation,
    /// A channel.
    Channel,
}

impl RecordKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Channel => "channel",
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = activity_import_records, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct RecordRow {
    programme_id: IdCol<ProgrammeId>,
    kind: String,
    source_id: UuidCol,
    business_id: Option<String>,
    content_hash: Vec<u8>,
    content: JsonCol,
}

fn channel_to_json(channel: &Channel) -> Value {
    json!({
        "places": places_to_json(&channel.places), "times": times_to_json(&channel.times), "contact": contact_to_json(&channel.contact)
    })
}

fn channel_from_json(source_id: Uuid, value: &Value) -> Option<Channel> {
    Some(Channel {
        source_id,
        places: places_from_json(value.get("places")?)?,
        times: times_from_json(value.get("times")?)?,
        contact: contact_from_json(value.get("contact")?),
    })
}

/// An entry that an import brings, with what the next one needs to know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Brought {
    /// The entry.
    pub activity: Activity,
    /// Its classes.
    pub classes: Vec<String>,
    /// Its channels.
    pub channels: Vec<Uuid>,
}

fn channels_to_text(channels: &[Uuid]) -> String {
    channels.iter().map(|id| id.hyphenated().to_string()).collect::<Vec<_>>().join(" ")
}

impl Db<'_> {
    /// Notes that an import is wanted.
    ///
    /// # Errors
    /// A rule of the schema when another one of the programme is not through; whatever else the database says.
    pub fn activity_import_insert(&mut self, import: &ActivityImport) -> Result<(), StoreError> {
        diesel::insert_into(activity_imports::table).values(ImportRow::of(import, import.version)).execute(self.conn())?;
        Ok(())
    }

    /// One import.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn activity_import_get(&mut self, id: ActivityImportId) -> Result<Option<ActivityImport>, StoreError> {
        let row = activity_imports::table.find(IdCol(id)).select(ImportRow::as_select()).first::<ImportRow>(self.conn()).optional()?;
        row.map(ActivityImport::try_from).transpose()
    }

    /// The import of a programme that is not through.
    ///
    /// # Errors
    /// As [`Db::activity_import_get`].
    pub fn activity_import_open(&mut self, programme: ProgrammeId) -> Result<Option<ActivityImport>, StoreError> {
        let row = activity_imports::table
            .filter(activity_imports::programme_id.eq(IdCol(programme)))
            .filter(activity_imports::finished_at.is_null())
            .select(ImportRow::as_select())
            .first::<ImportRow>(self.conn())
            .optional()?;
        row.map(ActivityImport::try_from).transpose()
    }

    /// The imports that are not through, the eldest first.
    ///
    /// # Errors
    /// As [`Db::activity_import_get`].
    pub fn activity_imports_open(&mut self, limit: u16) -> Result<Vec<ActivityImport>, StoreError> {
        let rows = activity_imports::table
            .filter(activity_imports::finished_at.is_null())
            .order((activity_imports::created_at.asc(), activity_imports::id.asc()))
            .limit(i64::from(limit))
            .select(ImportRow::as_select())
            .load::<ImportRow>(self.conn())?;
        rows.into_iter().map(ActivityImport::try_from).collect()
    }

    /// Writes how far an import is, over the version that it was made from; gives it as it is now. So two servers never work on the same one.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn activity_import_update(&mut self, import: &ActivityImport) -> Result<ActivityImport, StoreError> {
        let next = import.version.next();
        let stored = activity_imports::table.find(IdCol(import.id)).filter(activity_imports::version.eq(VersionCol(import.version)));
        match diesel::update(stored).set(ImportRow::of(import, next)).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(ActivityImport { version: next, ..import.clone() }),
        }
    }

    /// A page of the imports of some programmes, the newest first.
    ///
    /// # Errors
    /// As [`Db::activity_import_get`].
    pub fn activity_import_list(
        &mut self,
        programmes: &[ProgrammeId],
        state: Option<ActivityImportState>,
        request: &PageRequest,
    ) -> Result<Page<ActivityImport>, StoreError> {
        let after = match &request.after {
            None => None,
            Some(cursor) => match parse_instant(&cursor.sort) {
                Some(at) => Some((at, ActivityImportId::from_uuid(cursor.id))),
                None => return Ok(Page { items: Vec::new(), next: None }),
            },
        };
        // Each programme by itself, so that an index gives its rows in the order of the list.
        let of_one = |programme: &ProgrammeId| -> Result<Vec<ImportRow>, StoreError> {
            let mut query = activity_imports::table
                .filter(activity_imports::programme_id.eq(IdCol(*programme)))
                .select(ImportRow::as_select())
                .into_boxed::<MultiBackend>();
            if let Some(state) = state {
                query = query.filter(activity_imports::state.eq(CodeCol(state)));
            }
            if let Some((at, id)) = after {
                let behind = activity_imports::created_at.lt(InstantCol(at)).or(activity_imports::id.lt(IdCol(id)));
                query = query.filter(activity_imports::created_at.le(InstantCol(at))).filter(behind);
            }
            let order = (activity_imports::created_at.desc(), activity_imports::id.desc());
            Ok(query.order(order).limit(request.fetch()).load::<ImportRow>(self.conn())?)
        };
        let newest_first = |one: &ImportRow, other: &ImportRow| (other.created_at, other.id).cmp(&(one.created_at, one.id));
        let rows = merged(programmes, request, of_one, newest_first)?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.created_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(ActivityImport::try_from)
    }

    fn import_records(&mut self, programme: ProgrammeId, kind: RecordKind, ids: &[Uuid]) -> Result<Vec<RecordRow>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = activity_import_records::programme_id
            .eq(IdCol(programme))
            .and(activity_import_records::kind.eq(kind.as_str()))
            .and(among(activity_import_records::source_id, ids.iter().map(|id| ActivityId::from_uuid(*id))));
        Ok(on_backend!(self.conn(), |c| activity_import_records::table.filter(wanted).select(RecordRow::as_select()).load(c))?)
    }

    fn import_records_put(
        &mut self,
        programme: ProgrammeId,
        kind: RecordKind,
        all: Vec<(Uuid, Option<String>, Value)>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let ids: Vec<Uuid> = all.iter().map(|(id, _, _)| *id).collect();
        let known: BTreeMap<Uuid, Vec<u8>> =
            self.import_records(programme, kind, &ids)?.into_iter().map(|row| (row.source_id.0, row.content_hash)).collect();
        let mut changed = Vec::new();
        for (source_id, business_id, content) in all {
            let content_hash = Sha256::digest(content.to_string().as_bytes()).to_vec();
            match known.get(&source_id) {
                Some(hash) if *hash == content_hash => continue,
                Some(_) => {
                    let row = activity_import_records::table.find((IdCol(programme), kind.as_str(), UuidCol(source_id)));
                    let values = (
                        activity_import_records::business_id.eq(business_id),
                        activity_import_records::content_hash.eq(content_hash),
                        activity_import_records::content.eq(JsonCol(content)),
                    );
                    on_backend!(self.conn(), |c| diesel::update(row).set(values).execute(c))?;
                }
                None => {
                    let row = RecordRow {
                        programme_id: IdCol(programme),
                        kind: kind.as_str().to_owned(),
                        source_id: UuidCol(source_id),
                        business_id,
                        content_hash,
                        content: JsonCol(content),
                    };
                    on_backend!(self.conn(), |c| diesel::insert_into(activity_import_records::table).values(row).execute(c))?;
                }
            }
            changed.push(source_id);
        }
        Ok(changed)
    }

    /// Keeps organisations of the other directory; gives those that are new or have changed.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn import_organisations_put(&mut self, programme: ProgrammeId, all: &[(Uuid, Provider)]) -> Result<Vec<Uuid>, StoreError> {
        let rows = all.iter().map(|(id, provider)| (*id, provider.business_id.clone(), provider_to_json(provider))).collect();
        self.import_records_put(programme, RecordKind::Organisation, rows)
    }

    /// Keeps channels of the other directory; gives those that are new or have changed.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn import_channels_put(&mut self, programme: ProgrammeId, all: &[Channel]) -> Result<Vec<Uuid>, StoreError> {
        let rows = all.iter().map(|channel| (channel.source_id, None, channel_to_json(channel))).collect();
        self.import_records_put(programme, RecordKind::Channel, rows)
    }

    /// Some organisations of the other directory.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn import_organisations(&mut self, programme: ProgrammeId, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Provider>, StoreError> {
        let rows = self.import_records(programme, RecordKind::Organisation, ids)?;
        let read = |row: RecordRow| {
            let provider = provider_from_json(&row.content.0);
            provider.map(|provider| (row.source_id.0, provider)).ok_or_else(|| corrupt_record(row.source_id.0))
        };
        rows.into_iter().map(read).collect()
    }

    /// Some channels of the other directory.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn import_channels(&mut self, programme: ProgrammeId, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Channel>, StoreError> {
        let rows = self.import_records(programme, RecordKind::Channel, ids)?;
        let read = |row: RecordRow| {
            let id = row.source_id.0;
            channel_from_json(id, &row.content.0).map(|channel| (id, channel)).ok_or_else(|| corrupt_record(id))
        };
        rows.into_iter().map(read).collect()
    }

    /// The organisation that bore a business id first, other than this one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn import_organisation_with(
        &mut self,
        programme: ProgrammeId,
        business_id: &str,
        other_than: Uuid,
    ) -> Result<Option<(Uuid, Provider)>, StoreError> {
        let row = activity_import_records::table
            .filter(activity_import_records::programme_id.eq(IdCol(programme)))
            .filter(activity_import_records::business_id.eq(business_id))
            .order(activity_import_records::source_id.asc())
            .filter(activity_import_records::source_id.ne(UuidCol(other_than)))
            .select(RecordRow::as_select())
            .first::<RecordRow>(self.conn())
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        let provider = provider_from_json(&row.content.0).ok_or_else(|| corrupt_record(row.source_id.0))?;
        Ok(Some((row.source_id.0, provider)))
    }

    /// Which of some entries of the other directory are there already.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn activities_known(&mut self, programme: ProgrammeId, source_ids: &[Uuid]) -> Result<Vec<KnownActivity>, StoreError> {
        if source_ids.is_empty() {
            return Ok(Vec::new());
        }
        type Row = (IdCol<ActivityId>, Option<UuidCol>, CodeCol<ActivityStatus>, Vec<u8>);
        let wanted = activities::programme_id
            .eq(IdCol(programme))
            .and(among(activities::source_id, source_ids.iter().map(|id| ActivityId::from_uuid(*id))));
        let query = activities::table.inner_join(activity_sources::table).filter(wanted).select((
            activities::id,
            activities::source_id,
            activities::status,
            activity_sources::content_hash,
        ));
        let rows: Vec<Row> = on_backend!(self.conn(), |c| query.load(c))?;
        let read = |(id, source_id, status, content_hash): Row| {
            source_id.map(|source_id| KnownActivity { id: id.0, source_id: source_id.0, status: status.0, content_hash })
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Adds what an import brings for the first time.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn activities_bring(&mut self, all: &[Brought]) -> Result<(), StoreError> {
        let entries: Vec<Activity> = all.iter().map(|one| one.activity.clone()).collect();
        self.activities_insert(&entries)?;
        for one in all {
            let values = (
                activity_sources::activity_id.eq(IdCol(one.activity.id)),
                activity_sources::content_hash.eq(content_hash(&one.activity)),
                activity_sources::classes.eq(one.classes.join(" ")),
                activity_sources::channels.eq(channels_to_text(&one.channels)),
            );
            on_backend!(self.conn(), |c| diesel::insert_into(activity_sources::table).values(values).execute(c))?;
        }
        Ok(())
    }

    /// Writes what an import brings of entries that are there.
    ///
    /// # Errors
    /// As [`Db::activity_update`].
    pub fn activities_bring_anew(&mut self, all: &[Brought]) -> Result<(), StoreError> {
        let entries: Vec<Activity> = all.iter().map(|one| one.activity.clone()).collect();
        self.activities_update(&entries)?;
        for one in all {
            let values = (
                activity_sources::content_hash.eq(content_hash(&one.activity)),
                activity_sources::classes.eq(one.classes.join(" ")),
                activity_sources::channels.eq(channels_to_text(&one.channels)),
            );
            let row = activity_sources::table.find(IdCol(one.activity.id));
            on_backend!(self.conn(), |c| diesel::update(row).set(values).execute(c))?;
        }
        Ok(())
    }

    /// What was noted of some entries when they were brought.
    ///
    /// # Errors
    /// As [`Db::activity_get`].
    pub fn activities_brought(&mut self, ids: &[ActivityId]) -> Result<Vec<Brought>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        type Row = (IdCol<ActivityId>, String, String);
        let wanted = among(activity_sources::activity_id, ids.iter().copied());
        let query = activity_sources::table.filter(wanted).select((
            activity_sources::activity_id,
            activity_sources::classes,
            activity_sources::channels,
        ));
        let rows: Vec<Row> = on_backend!(self.conn(), |c| query.load(c))?;
        let mut noted: BTreeMap<ActivityId, (String, String)> =
            rows.into_iter().map(|(id, classes, channels)| (id.0, (classes, channels))).collect();
        let brought = |activity: Activity| {
            let (classes, channels) = noted.remove(&activity.id)?;
            Some(Brought {
                activity,
                classes: classes.split_whitespace().map(str::to_owned).collect(),
                channels: channels.split_whitespace().filter_map(|id| Uuid::parse_str(id).ok()).collect(),
            })
        };
        Ok(self.activities_get(ids)?.into_iter().filter_map(brought).collect())
    }

    /// The entries of a programme that came from another directory, behind one of them.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn activities_imported_after(
        &mut self,
        programme: ProgrammeId,
        after: Uuid,
        limit: u16,
    ) -> Result<Vec<(Uuid, ActivityId)>, StoreError> {
        let rows = activities::table
            .filter(activities::programme_id.eq(IdCol(programme)))
            .filter(activities::source_id.gt(UuidCol(after)))
            .order(activities::source_id.asc())
            .limit(i64::from(limit))
            .select((activities::source_id, activities::id))
            .load::<(Option<UuidCol>, IdCol<ActivityId>)>(self.conn())?;
        Ok(rows.into_iter().filter_map(|(source_id, id)| source_id.map(|source_id| (source_id.0, id.0))).collect())
    }
}

fn corrupt_record(id: Uuid) -> StoreError {
    StoreError::corrupt("activity_import_records", "content", id)
}
