//! Column types that both databases share, and the wrappers that rows use for the values of the domain.
//!
//! PostgreSQL gets its native `uuid`, `timestamptz` and `jsonb`; SQLite gets text of a fixed width, which sorts as the value does.

use std::io::Write;

use chrono::NaiveDateTime;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, HasSqlType, Jsonb, SqlType, Text, Timestamptz};
use diesel::sqlite::Sqlite;
use lahete_domain::codes::Code;
use lahete_domain::ids::Id;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use uuid::Uuid;

use crate::connection::MultiBackend;

/// `uuid` on PostgreSQL, lower-case hyphenated text on SQLite.
#[derive(SqlType, QueryId, Clone, Copy, Debug, Default)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Text"))]
pub struct DbUuid;

/// `timestamptz` on PostgreSQL, `2026-11-22T10:00:00.000000Z` on SQLite.
#[derive(SqlType, QueryId, Clone, Copy, Debug, Default)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Text"))]
pub struct DbInstant;

/// `jsonb` on PostgreSQL, text on SQLite.
#[derive(SqlType, QueryId, Clone, Copy, Debug, Default)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
#[diesel(sqlite_type(name = "Text"))]
pub struct DbJson;

macro_rules! known_to_both {
    ($($sql:ty),*) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }
    )*};
}

known_to_both!(DbUuid, DbInstant, DbJson);

/// The `MultiBackend` side of a wrapper: it hands the value to whichever database is behind the connection.
macro_rules! for_either {
    ([$($generic:tt)*] $value:ty, $sql:ident) => {
        impl<$($generic)*> ToSql<$sql, MultiBackend> for $value {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value(($sql, self));
                Ok(IsNull::No)
            }
        }

        impl<$($generic)*> FromSql<$sql, MultiBackend> for $value {
            fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                bytes.from_sql::<Self, $sql>()
            }
        }
    };
}

fn sqlite_text(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<String> {
    <String as FromSql<Text, Sqlite>>::from_sql(value)
}

/// A bare id, where no typed one exists.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbUuid)]
pub struct UuidCol(pub Uuid);

impl ToSql<DbUuid, Pg> for UuidCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Pg> for UuidCol {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.as_bytes())?))
    }
}

impl ToSql<DbUuid, Sqlite> for UuidCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.hyphenated().to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<DbUuid, Sqlite> for UuidCol {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = sqlite_text(value)?;
        let id = Uuid::parse_str(&text).ok();
        // Only in the form in which it is written: an id in other letters is another value to the database, and was changed by somebody.
        let written = id.filter(|id| *id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == *text);
        written.map(Self).ok_or_else(|| "the column holds no id".into())
    }
}

for_either!([] UuidCol, DbUuid);

/// A typed id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbUuid)]
pub struct IdCol<I: Id>(pub I);

impl<I: Id> From<I> for IdCol<I> {
    fn from(id: I) -> Self {
        Self(id)
    }
}

impl<I: Id> ToSql<DbUuid, Pg> for IdCol<I> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<I: Id> ToSql<DbUuid, Sqlite> for IdCol<I> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_uuid().hyphenated().to_string());
        Ok(IsNull::No)
    }
}

impl<I: Id> FromSql<DbUuid, Pg> for IdCol<I> {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <UuidCol as FromSql<DbUuid, Pg>>::from_sql(value).map(|id| Self(I::from_uuid(id.0)))
    }
}

impl<I: Id> FromSql<DbUuid, Sqlite> for IdCol<I> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <UuidCol as FromSql<DbUuid, Sqlite>>::from_sql(value).map(|id| Self(I::from_uuid(id.0)))
    }
}

for_either!([I: Id] IdCol<I>, DbUuid);

/// An instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbInstant)]
pub struct InstantCol(pub Instant);

impl From<Instant> for InstantCol {
    fn from(at: Instant) -> Self {
        Self(at)
    }
}

impl From<InstantCol> for Instant {
    fn from(column: InstantCol) -> Self {
        column.0
    }
}

/// Reads the text form of an instant; `None` when it is not of the stored form.
pub fn parse_instant(text: &str) -> Option<Instant> {
    Instant::parse_stored(text)
}

impl ToSql<DbInstant, Pg> for InstantCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamptz, Pg>::to_sql(&self.0.utc().naive_utc(), &mut out.reborrow())
    }
}

impl FromSql<DbInstant, Pg> for InstantCol {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDateTime as FromSql<Timestamptz, Pg>>::from_sql(value).map(|at| Self(Instant::new(at.and_utc())))
    }
}

impl ToSql<DbInstant, Sqlite> for InstantCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<DbInstant, Sqlite> for InstantCol {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        parse_instant(&sqlite_text(value)?).map(Self).ok_or_else(|| "the column holds no instant".into())
    }
}

for_either!([] InstantCol, DbInstant);

/// A JSON value.
#[derive(Clone, PartialEq, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = DbJson)]
pub struct JsonCol(pub serde_json::Value);

impl From<serde_json::Value> for JsonCol {
    fn from(value: serde_json::Value) -> Self {
        Self(value)
    }
}

impl From<JsonCol> for serde_json::Value {
    fn from(column: JsonCol) -> Self {
        column.0
    }
}

impl ToSql<DbJson, Pg> for JsonCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Jsonb, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}

impl FromSql<DbJson, Pg> for JsonCol {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(value).map(Self)
    }
}

impl ToSql<DbJson, Sqlite> for JsonCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl FromSql<DbJson, Sqlite> for JsonCol {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        serde_json::from_str(&sqlite_text(value)?).map(Self).map_err(|_| "the column holds no JSON".into())
    }
}

for_either!([] JsonCol, DbJson);

/// A value of a code list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct CodeCol<C: Code>(pub C);

impl<C: Code> From<C> for CodeCol<C> {
    fn from(code: C) -> Self {
        Self(code)
    }
}

impl<C: Code, DB: Backend> ToSql<Text, DB> for CodeCol<C>
where
    str: ToSql<Text, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.as_str().to_sql(out)
    }
}

impl<C: Code, DB: Backend> FromSql<Text, DB> for CodeCol<C>
where
    String: FromSql<Text, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        parse_code(&String::from_sql(value)?).map(Self)
    }
}

fn parse_code<C: Code>(text: &str) -> deserialize::Result<C> {
    C::parse(text).ok_or_else(|| format!("the column holds no {}", C::SCHEMA).into())
}

/// A set of values of a code list, stored as their texts, sorted, with commas between.
#[derive(Clone, PartialEq, Eq, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct CodeSetCol<C: Code>(Vec<C>);

impl<C: Code> From<Vec<C>> for CodeSetCol<C> {
    fn from(mut codes: Vec<C>) -> Self {
        codes.sort_unstable_by_key(|code| code.as_str());
        codes.dedup();
        Self(codes)
    }
}

impl<C: Code> From<CodeSetCol<C>> for Vec<C> {
    fn from(column: CodeSetCol<C>) -> Self {
        column.0
    }
}

impl<C: Code> CodeSetCol<C> {
    fn text(&self) -> String {
        self.0.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(",")
    }

    fn read(text: &str) -> deserialize::Result<Self> {
        text.split(',').filter(|part| !part.is_empty()).map(parse_code).collect::<Result<Vec<C>, _>>().map(Self::from)
    }
}

impl<C: Code> ToSql<Text, Pg> for CodeSetCol<C> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.text().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<C: Code> ToSql<Text, Sqlite> for CodeSetCol<C> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.text());
        Ok(IsNull::No)
    }
}

impl<C: Code> FromSql<Text, Pg> for CodeSetCol<C> {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Self::read(std::str::from_utf8(value.as_bytes())?)
    }
}

impl<C: Code> FromSql<Text, Sqlite> for CodeSetCol<C> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Self::read(&sqlite_text(value)?)
    }
}

for_either!([C: Code] CodeSetCol<C>, Text);

/// The version of a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
pub struct VersionCol(pub Version);

impl From<Version> for VersionCol {
    fn from(version: Version) -> Self {
        Self(version)
    }
}

impl From<VersionCol> for Version {
    fn from(column: VersionCol) -> Self {
        column.0
    }
}

impl ToSql<BigInt, Pg> for VersionCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<BigInt, Pg>::to_sql(&self.0.get(), &mut out.reborrow())
    }
}

impl ToSql<BigInt, Sqlite> for VersionCol {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.get());
        Ok(IsNull::No)
    }
}

impl FromSql<BigInt, Pg> for VersionCol {
    fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        version(<i64 as FromSql<BigInt, Pg>>::from_sql(value)?)
    }
}

impl FromSql<BigInt, Sqlite> for VersionCol {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        version(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
    }
}

fn version(value: i64) -> deserialize::Result<VersionCol> {
    Version::new(value).map(VersionCol).ok_or_else(|| "the column holds no version".into())
}

for_either!([] VersionCol, BigInt);
