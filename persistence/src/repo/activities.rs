//! The activity directory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use lahete_domain::activity::{Activity, Contact, OpeningTime, Place, Provider, Translation};
use lahete_domain::codes::{ActivitySource, ActivityStatus, Code, ContentKind, DayOfWeek, OrganisationKind, Price, Theme};
use lahete_domain::ids::{ActivityId, Id, OrganisationId, ProgrammeId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::search::{CANDIDATES_MAX, FUZZY_BELOW, Hit, Probe, Query};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::among::among;
use crate::connection::{AnyConnection, MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::repo::link_workers::{tag_patterns, tags_from_text, tags_to_text};
use crate::schema::activities;
use crate::sql_types::{CodeCol, DbJson, IdCol, InstantCol, JsonCol, UuidCol, VersionCol};

const TABLE: &str = "activities";

/// Numbers of the index that one statement is given.
const NUMBERS_AT_ONCE: usize = 5_000;

#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone)]
#[diesel(table_name = activities, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct ActivityRow {
    id: IdCol<ActivityId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    organisation_id: Option<IdCol<OrganisationId>>,
    name: String,
    name_lower: String,
    description: Option<String>,
    price: CodeCol<Price>,
    kaikukortti: bool,
    remote: bool,
    languages: String,
    checked_on: NaiveDate,
    text_language: String,
    summary: Option<String>,
    translations: JsonCol,
    keywords: String,
    provider: Option<JsonCol>,
    status: CodeCol<ActivityStatus>,
    content_kind: CodeCol<ContentKind>,
    themes: String,
    municipalities: String,
    nationwide: bool,
    notes: JsonCol,
    schedule: JsonCol,
    places: JsonCol,
    contact: JsonCol,
    source: CodeCol<ActivitySource>,
    source_id: Option<UuidCol>,
    source_modified: Option<InstantCol>,
    licence: Option<String>,
    search_no: i64,
}

/// Codes between commas, so that each of them is found as `,code,`.
fn between_commas<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for code in codes {
        if text.is_empty() {
            text.push(',');
        }
        text.push_str(code);
        text.push(',');
    }
    text
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').filter(|part| !part.is_empty())
}

pub(crate) fn themes_to_text(themes: &BTreeSet<Theme>) -> String {
    let mut codes: Vec<&str> = themes.iter().map(|theme| theme.as_str()).collect();
    codes.sort_unstable();
    between_commas(codes.into_iter())
}

/// An object of the members that are there.
fn object<const N: usize>(members: [(&str, Option<&str>); N]) -> Value {
    Value::Object(members.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), Value::from(value)))).collect())
}

fn member(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(str::to_owned)
}

pub(crate) fn provider_to_json(provider: &Provider) -> Value {
    object([
        ("name", Some(provider.name.as_str())),
        ("business_id", provider.business_id.as_deref()),
        ("kind", provider.kind.map(OrganisationKind::as_str)),
    ])
}

pub(crate) fn provider_from_json(value: &Value) -> Option<Provider> {
    let kind = match member(value, "kind") {
        None => None,
        Some(code) => Some(OrganisationKind::parse(&code)?),
    };
    Some(Provider { name: member(value, "name")?, business_id: member(value, "business_id"), kind })
}

pub(crate) fn places_to_json(places: &[Place]) -> Value {
    let one = |place: &Place| {
        object([
            ("name", place.name.as_deref()),
            ("street", place.street.as_deref()),
            ("postal_code", place.postal_code.as_deref()),
            ("post_office", place.post_office.as_deref()),
            ("municipality", place.municipality.as_ref().map(MunicipalityCode::as_str)),
        ])
    };
    places.iter().map(one).collect()
}

pub(crate) fn places_from_json(value: &Value) -> Option<Vec<Place>> {
    let one = |value: &Value| {
        let municipality = match member(value, "municipality") {
            None => None,
            Some(code) => Some(MunicipalityCode::parse(&code)?),
        };
        Some(Place {
            name: member(value, "name"),
            street: member(value, "street"),
            postal_code: member(value, "postal_code"),
            post_office: member(value, "post_office"),
            municipality,
        })
    };
    value.as_array()?.iter().map(one).collect()
}

const TIME_FORMAT: &str = "%H:%M";

pub(crate) fn times_to_json(times: &[OpeningTime]) -> Value {
    let one = |time: &OpeningTime| {
        json!([time.weekday.as_str(), time.opens_at.format(TIME_FORMAT).to_string(), time.closes_at.format(TIME_FORMAT).to_string()])
    };
    times.iter().map(one).collect()
}

pub(crate) fn times_from_json(value: &Value) -> Option<Vec<OpeningTime>> {
    let one = |value: &Value| {
        let part = |at: usize| value.get(at).and_then(Value::as_str);
        let time = |at: usize| NaiveTime::parse_from_str(part(at)?, TIME_FORMAT).ok();
        Some(OpeningTime { weekday: DayOfWeek::parse(part(0)?)?, opens_at: time(1)?, closes_at: time(2)? })
    };
    value.as_array()?.iter().map(one).collect()
}

pub(crate) fn contact_to_json(contact: &Contact) -> Value {
    object([("phone", contact.phone.as_deref()), ("email", contact.email.as_deref()), ("web", contact.web.as_deref())])
}

pub(crate) fn contact_from_json(value: &Value) -> Contact {
    Contact { phone: member(value, "phone"), email: member(value, "email"), web: member(value, "web") }
}

fn translations_to_json(translations: &BTreeMap<String, Translation>) -> Value {
    let one = |told: &Translation| {
        object([("name", Some(told.name.as_str())), ("summary", told.summary.as_deref()), ("description", told.description.as_deref())])
    };
    Value::Object(translations.iter().map(|(language, told)| (language.clone(), one(told))).collect::<Map<_, _>>())
}

fn translations_from_json(value: &Value) -> Option<BTreeMap<String, Translation>> {
    let one = |(language, told): (&String, &Value)| {
        let told = Translation { name: member(told, "name")?, summary: member(told, "summary"), description: member(told, "description") };
        Some((language.clone(), told))
    };
    value.as_object()?.iter().map(one).collect()
}

/// The number of an entry in the index of words, made of its id.
fn search_number(id: ActivityId) -> i64 {
    let (high, low) = id.as_uuid().as_u64_pair();
    // The finisher of SplitMix64: ids that differ in one bit get numbers that differ in half of theirs.
    let mut mixed = high.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ low;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    // Above zero: what lies below is not in the index yet.
    i64::try_from(mixed >> 1).unwrap_or_default().max(1)
}

impl From<&Activity> for ActivityRow {
    fn from(activity: &Activity) -> Self {
        Self {
            id: IdCol(activity.id),
            version: VersionCol(activity.version),
            programme_id: IdCol(activity.programme),
            organisation_id: activity.organisation.map(IdCol),
            name: activity.name.clone(),
            name_lower: activity.name.to_lowercase(),
            description: activity.description.clone(),
            price: CodeCol(activity.price),
            kaikukortti: activity.kaikukortti,
            remote: activity.remote,
            languages: tags_to_text(&activity.languages),
            checked_on: activity.checked_on,
            text_language: activity.text_language.clone(),
            summary: activity.summary.clone(),
            translations: JsonCol(translations_to_json(&activity.translations)),
            keywords: activity.keywords.clone(),
            provider: activity.provider.as_ref().map(|provider| JsonCol(provider_to_json(provider))),
            status: CodeCol(activity.status),
            content_kind: CodeCol(activity.content_kind),
            themes: themes_to_text(&activity.themes),
            municipalities: between_commas(activity.municipalities.iter().map(MunicipalityCode::as_str)),
            nationwide: activity.nationwide,
            notes: JsonCol(object([
                ("price", activity.price_note.as_deref()),
                ("accessibility", activity.accessibility_note.as_deref()),
                ("schedule", activity.schedule_note.as_deref()),
            ])),
            schedule: JsonCol(times_to_json(&activity.times)),
            places: JsonCol(places_to_json(&activity.places)),
            contact: JsonCol(contact_to_json(&activity.contact)),
            source: CodeCol(activity.source),
            source_id: activity.source_id.map(UuidCol),
            source_modified: activity.source_modified.map(InstantCol),
            licence: activity.licence.clone(),
            search_no: search_number(activity.id),
        }
    }
}

impl TryFrom<ActivityRow> for Activity {
    type Error = StoreError;

    fn try_from(row: ActivityRow) -> Result<Self, StoreError> {
        let id = row.id.0;
        let corrupt = |column: &'static str| move || StoreError::corrupt(TABLE, column, id);
        let provider = match &row.provider {
            None => None,
            Some(value) => Some(provider_from_json(&value.0).ok_or_else(corrupt("provider"))?),
        };
        Ok(Self {
            id,
            version: row.version.0,
            programme: row.programme_id.0,
            organisation: row.organisation_id.map(|id| id.0),
            provider,
            name: row.name,
            text_language: row.text_language,
            summary: row.summary,
            description: row.description,
            translations: translations_from_json(&row.translations.0).ok_or_else(corrupt("translations"))?,
            keywords: row.keywords,
            status: row.status.0,
            content_kind: row.content_kind.0,
            themes: pieces(&row.themes).map(Theme::parse).collect::<Option<_>>().ok_or_else(corrupt("themes"))?,
            municipalities: pieces(&row.municipalities)
                .map(MunicipalityCode::parse)
                .collect::<Option<_>>()
                .ok_or_else(corrupt("municipalities"))?,
            nationwide: row.nationwide,
            price: row.price.0,
            price_note: member(&row.notes.0, "price"),
            kaikukortti: row.kaikukortti,
            remote: row.remote,
            accessibility_note: member(&row.notes.0, "accessibility"),
            languages: tags_from_text(&row.languages),
            times: times_from_json(&row.schedule.0).ok_or_else(corrupt("schedule"))?,
            schedule_note: member(&row.notes.0, "schedule"),
            places: places_from_json(&row.places.0).ok_or_else(corrupt("places"))?,
            contact: contact_from_json(&row.contact.0),
            source: row.source.0,
            source_id: row.source_id.map(|id| id.0),
            source_modified: row.source_modified.map(Instant::from),
            licence: row.licence,
            checked_on: row.checked_on,
        })
    }
}

/// The digest of everything in an entry that comes from another directory: what coordinators say, and the themes, which follow a mapping, are not in it.
#[must_use]
pub fn content_hash(activity: &Activity) -> Vec<u8> {
    let row = ActivityRow::from(activity);
    let modified = row.source_modified.map(|at| at.0.to_string());
    let mut digest = Sha256::new();
    let mut add = |part: Option<&str>| {
        let text = part.unwrap_or("\u{0}");
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    add(Some(&row.name));
    add(Some(&row.text_language));
    add(row.summary.as_deref());
    add(row.description.as_deref());
    add(Some(&row.translations.0.to_string()));
    add(Some(&row.keywords));
    add(row.provider.map(|provider| provider.0.to_string()).as_deref());
    add(Some(row.content_kind.0.as_str()));
    add(Some(&row.municipalities));
    add(Some(if row.nationwide { "1" } else { "0" }));
    add(Some(row.price.0.as_str()));
    add(activity.price_note.as_deref());
    add(Some(&row.languages));
    add(Some(&row.schedule.0.to_string()));
    add(Some(&row.places.0.to_string()));
    add(Some(&row.contact.0.to_string()));
    add(modified.as_deref());
    add(row.licence.as_deref());
    digest.finalize().to_vec()
}

/// Which activities are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActivityFilter {
    /// In this status.
    pub status: ActivityStatus,
    /// Only those of this programme.
    pub programme: Option<ProgrammeId>,
    /// Only those with this theme.
    pub theme: Option<Theme>,
    /// Only those for people of this municipality, or of the whole country.
    pub municipality: Option<MunicipalityCode>,
    /// Only those of this kind.
    pub content_kind: Option<ContentKind>,
    /// Only those at this price.
    pub price: Option<Price>,
    /// Only those that the Kaikukortti opens, or does not.
    pub kaikukortti: Option<bool>,
    /// Only those that one can take part in remotely, or cannot.
    pub remote: Option<bool>,
    /// Only those in which this language is spoken, a BCP 47 tag.
    pub language: Option<String>,
    /// Only those that are kept there.
    pub source: Option<ActivitySource>,
    /// Only those that nobody has checked since the day before this one.
    pub checked_before: Option<NaiveDate>,
}

impl ActivityFilter {
    /// All that one can join.
    #[must_use]
    pub fn joinable() -> Self {
        Self {
            status: ActivityStatus::Active,
            programme: None,
            theme: None,
            municipality: None,
            content_kind: None,
            price: None,
            kaikukortti: None,
            remote: None,
            language: None,
            source: None,
            checked_before: None,
        }
    }
}

type Boxed<'a, S> = activities::BoxedQuery<'a, MultiBackend, S>;

/// Everything of a filter but the status.
fn narrowed<'a, S>(mut query: Boxed<'a, S>, filter: &ActivityFilter) -> Boxed<'a, S> {
    if let Some(programme) = filter.programme {
        query = query.filter(activities::programme_id.eq(IdCol(programme)));
    }
    if let Some(theme) = filter.theme {
        query = query.filter(activities::themes.like(format!("%,{},%", theme.as_str())));
    }
    if let Some(municipality) = &filter.municipality {
        let there = activities::municipalities.like(format!("%,{},%", municipality.as_str()));
        query = query.filter(activities::nationwide.eq(true).or(there));
    }
    if let Some(kind) = filter.content_kind {
        query = query.filter(activities::content_kind.eq(CodeCol(kind)));
    }
    if let Some(price) = filter.price {
        query = query.filter(activities::price.eq(CodeCol(price)));
    }
    if let Some(kaikukortti) = filter.kaikukortti {
        query = query.filter(activities::kaikukortti.eq(kaikukortti));
    }
    if let Some(remote) = filter.remote {
        query = query.filter(activities::remote.eq(remote));
    }
    if let Some(source) = filter.source {
        query = query.filter(activities::source.eq(CodeCol(source)));
    }
    if let Some(day) = filter.checked_before {
        query = query.filter(activities::checked_on.lt(day));
    }
    if let Some(tag) = &filter.language {
        let [first, middle, last] = tag_patterns(tag);
        let spoken = activities::languages.eq(tag.clone()).or(activities::languages.like(first));
        query = query.filter(spoken.or(activities::languages.like(middle)).or(activities::languages.like(last)));
    }
    query
}

#[derive(QueryableByName)]
struct HitRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = BigInt)]
    word: i64,
    #[diesel(sql_type = BigInt)]
    weight: i64,
    #[diesel(sql_type = BigInt)]
    pieces: i64,
}

/// The index answers each probe; what it says of one entry and one word is put together. The question comes as one value, whatever is in it, so that the
/// statement is always the same.
const MATCH_SQLITE: &str = "WITH probe (word, term, weight, piece, needed) AS MATERIALIZED (
        SELECT value ->> '$.w', value ->> '$.t', value ->> '$.p', value ->> '$.g', value ->> '$.n' FROM json_each(?))
    SELECT __activity_search.rowid AS number, probe.word AS word, max(probe.weight) AS weight, sum(probe.piece) AS pieces
    FROM probe CROSS JOIN __activity_search ON __activity_search MATCH probe.term
    GROUP BY __activity_search.rowid, probe.word
    HAVING max(probe.weight) > 0 OR sum(probe.piece) >= max(probe.needed)";

const MATCH_POSTGRESQL: &str = "SELECT s.search_no AS number, p.w AS word, max(p.p) AS weight, sum(p.g)::bigint AS pieces
    FROM jsonb_to_recordset($1) AS p (w bigint, t text, p bigint, g bigint, n bigint)
    JOIN __activity_search s ON s.terms @@ p.t::tsquery
    GROUP BY s.search_no, p.w
    HAVING max(p.p) > 0 OR sum(p.g) >= max(p.n)";

/// Brings entries into the index, or anew: their numbers rise, as SQLite likes it.
const INDEX_SQLITE: &str =
    "INSERT INTO __activity_search (rowid, terms) SELECT value ->> 0, value ->> 1 FROM json_each(?) ORDER BY value ->> 0";

const INDEX_POSTGRESQL: &str = "INSERT INTO __activity_search (search_no, terms)
    SELECT (value ->> 0)::bigint, array_to_tsvector(string_to_array(value ->> 1, ' ')) FROM jsonb_array_elements($1)";

const FORGET_SQLITE: &str = "DELETE FROM __activity_search WHERE rowid IN (SELECT value FROM json_each(?))";

const FORGET_POSTGRESQL: &str =
    "DELETE FROM __activity_search WHERE search_no = ANY(ARRAY(SELECT value::text::bigint FROM jsonb_array_elements($1)))";

fn run(conn: &mut AnyConnection, sqlite: &str, postgresql: &str, value: Value) -> QueryResult<usize> {
    match conn {
        AnyConnection::Sqlite(c) => diesel::sql_query(sqlite).bind::<Text, _>(value.to_string()).execute(c),
        AnyConnection::Postgresql(c) => diesel::sql_query(postgresql).bind::<DbJson, _>(JsonCol(value)).execute(c),
    }
}

impl Db<'_> {
    /// Adds an activity.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn activity_insert(&mut self, activity: &Activity) -> Result<(), StoreError> {
        self.activities_insert(std::slice::from_ref(activity))
    }

    /// Adds activities.
    ///
    /// # Errors
    /// As [`Db::activity_insert`].
    pub fn activities_insert(&mut self, all: &[Activity]) -> Result<(), StoreError> {
        for activity in all {
            let row = ActivityRow::from(activity);
            on_backend!(self.conn(), |c| diesel::insert_into(activities::table).values(row).execute(c))?;
        }
        self.activity_index(all, false)
    }

    /// Brings activities into the index of words; those that are `known` to it anew.
    fn activity_index(&mut self, all: &[Activity], known: bool) -> Result<(), StoreError> {
        if all.is_empty() {
            return Ok(());
        }
        let mut entries: Vec<(i64, String)> = all
            .iter()
            .map(|activity| (search_number(activity.id), activity.search_terms().into_iter().collect::<Vec<_>>().join(" ")))
            .collect();
        entries.sort_unstable();
        if known {
            let numbers: Value = entries.iter().map(|(number, _)| Value::from(*number)).collect();
            run(self.conn(), FORGET_SQLITE, FORGET_POSTGRESQL, numbers)?;
        }
        let entries: Value = entries.into_iter().map(|(number, terms)| json!([number, terms])).collect();
        run(self.conn(), INDEX_SQLITE, INDEX_POSTGRESQL, entries)?;
        Ok(())
    }

    /// Brings some activities into the index that were there before the index was; says how many.
    ///
    /// # Errors
    /// As [`Db::activity_get`].
    pub fn activities_index_next(&mut self, limit: u16) -> Result<usize, StoreError> {
        let rows = activities::table
            .filter(activities::search_no.le(0))
            .order(activities::search_no.asc())
            .limit(i64::from(limit))
            .select(ActivityRow::as_select())
            .load::<ActivityRow>(self.conn())?;
        let found = rows.into_iter().map(Activity::try_from).collect::<Result<Vec<_>, _>>()?;
        for activity in &found {
            let number = activities::search_no.eq(search_number(activity.id));
            diesel::update(activities::table.find(IdCol(activity.id))).set(number).execute(self.conn())?;
        }
        self.activity_index(&found, false)?;
        Ok(found.len())
    }

    /// One activity.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn activity_get(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError> {
        let row = activities::table.find(IdCol(id)).select(ActivityRow::as_select()).first::<ActivityRow>(self.conn()).optional()?;
        row.map(Activity::try_from).transpose()
    }

    /// Some activities, in no order.
    ///
    /// # Errors
    /// As [`Db::activity_get`].
    pub fn activities_get(&mut self, ids: &[ActivityId]) -> Result<Vec<Activity>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = among(activities::id, ids.iter().copied());
        let rows: Vec<ActivityRow> =
            on_backend!(self.conn(), |c| activities::table.filter(wanted).select(ActivityRow::as_select()).load(c))?;
        rows.into_iter().map(Activity::try_from).collect()
    }

    /// Changes an activity, if nobody else has since.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is not the expected one; whatever else the database says.
    pub fn activity_update(&mut self, activity: &Activity, expected: Version) -> Result<(), StoreError> {
        self.activity_write(activity, expected)?;
        self.activity_index(std::slice::from_ref(activity), true)
    }

    /// Changes nothing of an activity but what no word is found by: its status, its themes, and when it was checked.
    ///
    /// # Errors
    /// As [`Db::activity_update`].
    pub fn activity_update_silently(&mut self, activity: &Activity, expected: Version) -> Result<(), StoreError> {
        let target = activities::table.find(IdCol(activity.id)).filter(activities::version.eq(VersionCol(expected)));
        let change = (
            activities::version.eq(VersionCol(expected.next())),
            activities::status.eq(CodeCol(activity.status)),
            activities::themes.eq(themes_to_text(&activity.themes)),
            activities::checked_on.eq(activity.checked_on),
        );
        let changed = on_backend!(self.conn(), |c| diesel::update(target).set(change).execute(c))?;
        if changed == 0 { Err(StoreError::Stale) } else { Ok(()) }
    }

    /// Changes several activities, each with the version that it was made from.
    ///
    /// # Errors
    /// As [`Db::activity_update`].
    pub fn activities_update(&mut self, all: &[Activity]) -> Result<(), StoreError> {
        for activity in all {
            self.activity_write(activity, activity.version)?;
        }
        self.activity_index(all, true)
    }

    fn activity_write(&mut self, activity: &Activity, expected: Version) -> Result<(), StoreError> {
        let row = ActivityRow { version: VersionCol(expected.next()), ..ActivityRow::from(activity) };
        let target = activities::table.find(IdCol(activity.id)).filter(activities::version.eq(VersionCol(expected)));
        let changed = on_backend!(self.conn(), |c| diesel::update(target).set(row).execute(c))?;
        if changed == 0 { Err(StoreError::Stale) } else { Ok(()) }
    }

    /// A page of the directory by name.
    ///
    /// # Errors
    /// As [`Db::activity_get`].
    pub fn activity_list(&mut self, filter: &ActivityFilter, request: &PageRequest) -> Result<Page<Activity>, StoreError> {
        let query = activities::table.select((activities::id, activities::name_lower)).into_boxed::<MultiBackend>();
        let mut query = narrowed(query.filter(activities::status.eq(CodeCol(filter.status))), filter);
        if let Some(cursor) = &request.after {
            let behind = activities::name_lower.gt(cursor.sort.clone()).or(activities::id.gt(IdCol(ActivityId::from_uuid(cursor.id))));
            query = query.filter(activities::name_lower.ge(cursor.sort.clone())).filter(behind);
        }
        let rows = query
            .order((activities::name_lower.asc(), activities::id.asc()))
            .limit(request.fetch())
            .load::<(IdCol<ActivityId>, String)>(self.conn())?;
        let page = Page::from_rows(rows, request, |(id, name)| Cursor { sort: name.clone(), id: id.0.as_uuid() });
        let ids = page.items.iter().map(|(id, _)| id.0).collect::<Vec<_>>();
        Ok(Page { items: self.activities_in_order(&ids)?, next: page.next })
    }

    fn activities_in_order(&mut self, ids: &[ActivityId]) -> Result<Vec<Activity>, StoreError> {
        let mut found: BTreeMap<ActivityId, Activity> =
            self.activities_get(ids)?.into_iter().map(|activity| (activity.id, activity)).collect();
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    fn activity_hits(&mut self, query: &Query, probes: &[Probe]) -> Result<Vec<Hit>, StoreError> {
        let is_sqlite = matches!(self.conn(), AnyConnection::Sqlite(_));
        let one = |probe: &Probe| {
            // Terms are letters and digits: nothing in them could be read as a part of the question's language.
            let term = match (is_sqlite, probe.prefix) {
                (true, true) => format!("\"{}\"*", probe.term),
                (true, false) => format!("\"{}\"", probe.term),
                (false, true) => format!("'{}':*", probe.term),
                (false, false) => format!("'{}'", probe.term),
            };
            json!({
                "w": probe.word, "t": term, "p": probe.weight, "g": u8::from(probe.weight == 0), "n": query.pieces_needed(probe.word)
            })
        };
        let value: Value = probes.iter().map(one).collect();
        let rows: Vec<HitRow> = match self.conn() {
            AnyConnection::Sqlite(c) => diesel::sql_query(MATCH_SQLITE).bind::<Text, _>(value.to_string()).load(c)?,
            AnyConnection::Postgresql(c) => diesel::sql_query(MATCH_POSTGRESQL).bind::<DbJson, _>(JsonCol(value)).load(c)?,
        };
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(|row| Hit {
                number: row.number,
                word: count(row.word),
                weight: u8::try_from(row.weight).unwrap_or_default(),
                pieces: count(row.pieces),
            })
            .collect())
    }

    /// The entries of a filter among those that the index names, the likeliest first, each with what was hit of each word.
    fn activity_candidates(
        &mut self,
        filter: &ActivityFilter,
        query: &Query,
        fuzzy: bool,
    ) -> Result<Vec<(ActivityId, Vec<u8>)>, StoreError> {
        let hits = self.activity_hits(query, &query.probes(fuzzy))?;
        let ranked = query.candidates(&hits);
        let mut fitting: BTreeMap<i64, ActivityId> = BTreeMap::new();
        for numbers in ranked.chunks(NUMBERS_AT_ONCE) {
            let numbers: Vec<i64> = numbers.iter().map(|(number, _)| *number).collect();
            let among = activities::table
                .select((activities::search_no, activities::id))
                .filter(activities::search_no.eq_any(numbers))
                .into_boxed::<MultiBackend>();
            // Written so that no index over the status is walked for a handful of entries.
            let among = among.filter(activities::status.concat("").eq(filter.status.as_str()));
            let rows = narrowed(among, filter).load::<(i64, IdCol<ActivityId>)>(self.conn())?;
            fitting.extend(rows.into_iter().map(|(number, id)| (number, id.0)));
        }
        let found = ranked.into_iter().filter_map(|(number, weights)| fitting.get(&number).map(|id| (*id, weights)));
        Ok(found.take(CANDIDATES_MAX).collect())
    }

    /// A page of the entries that a question finds, the best first. The order is made anew for each page from the same question, so that pages fit together
    /// as long as the directory stays as it is; at most [`CANDIDATES_MAX`] entries are found.
    ///
    /// # Errors
    /// As [`Db::activity_get`].
    pub fn activity_search(&mut self, filter: &ActivityFilter, query: &Query, request: &PageRequest) -> Result<Page<Activity>, StoreError> {
        let mut candidates = self.activity_candidates(filter, query, false)?;
        if candidates.len() < FUZZY_BELOW {
            candidates = self.activity_candidates(filter, query, true)?;
        }
        let weights: BTreeMap<ActivityId, Vec<u8>> = candidates.into_iter().collect();
        let wanted = among(activities::id, weights.keys().copied());
        let columns = (activities::id, activities::name, activities::name_lower, activities::translations, activities::keywords);
        type Named = (IdCol<ActivityId>, String, String, JsonCol, String);
        let rows: Vec<Named> = match weights.len() {
            0 => Vec::new(),
            _ => on_backend!(self.conn(), |c| activities::table.filter(wanted).select(columns).load(c))?,
        };
        let mut ranked: Vec<(u32, String, ActivityId)> = Vec::new();
        for (id, name, name_lower, translations, keywords) in rows {
            let translations = translations_from_json(&translations.0).ok_or_else(|| StoreError::corrupt(TABLE, "translations", id.0))?;
            let names: Vec<&str> = std::iter::once(name.as_str()).chain(translations.values().map(|told| told.name.as_str())).collect();
            let hit = weights.get(&id.0).map_or(&[][..], Vec::as_slice);
            if let Some(points) = query.rank(&names, &keywords, hit) {
                ranked.push((999 - points.min(999), name_lower, id.0));
            }
        }
        ranked.sort_unstable();
        let sort = |(points, name, _): &(u32, String, ActivityId)| format!("{points:03}{name}");
        if let Some(cursor) = &request.after {
            let place = (cursor.sort.clone(), ActivityId::from_uuid(cursor.id));
            ranked.retain(|one| (sort(one), one.2) > place);
        }
        ranked.truncate(usize::from(request.limit) + 1);
        let page = Page::from_rows(ranked, request, |one| Cursor { sort: sort(one), id: one.2.as_uuid() });
        let ids = page.items.iter().map(|(_, _, id)| *id).collect::<Vec<_>>();
        Ok(Page { items: self.activities_in_order(&ids)?, next: page.next })
    }
}

/// What an import knows of an entry that it may have brought before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownActivity {
    /// The entry.
    pub id: ActivityId,
    /// Its id in the other directory.
    pub source_id: Uuid,
    /// Whether one can join.
    pub status: ActivityStatus,
    /// The digest of what came from there.
    pub content_hash: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_between_commas() {
        let themes = BTreeSet::from([Theme::Nature, Theme::Culture]);
        assert_eq!(themes_to_text(&themes), ",culture,nature,");
        assert_eq!(themes_to_text(&BTreeSet::new()), "");
        assert_eq!(pieces(",culture,nature,").collect::<Vec<_>>(), ["culture", "nature"]);
    }

    #[test]
    fn numbers_of_neighbouring_ids_lie_far_apart_and_above_zero() {
        let number = |id: u128| search_number(ActivityId::from_uuid(Uuid::from_u128(id)));
        let all: BTreeSet<i64> = (0..10_000_u128).flat_map(|id| [number(id), number(id << 64)]).collect();
        assert_eq!(all.len(), 19_999, "only that of the id of nothing is there twice");
        assert!(all.iter().all(|number| *number > 0));
    }
}
