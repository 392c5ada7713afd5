//! Municipality codes, language tags, small counts, and sets of things, in bodies and queries.

use std::borrow::Cow;
use std::collections::BTreeSet;

use lahete_domain::measure::definition::{InstrumentKey, KEY_MAX};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::text::LANGUAGE_TAG_MAX;
use lahete_domain::time::Month;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::__dev::ComposeSchema;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

/// How a municipality code is written.
pub const MUNICIPALITY_PATTERN: &str = "^[0-9]{3}$";

/// How a language tag is written: the language in small letters, then its parts.
pub const LANGUAGE_TAG_PATTERN: &str = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$";

/// A municipality code on the wire: three digits with leading zeros.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Municipality(pub MunicipalityCode);

impl From<MunicipalityCode> for Municipality {
    fn from(code: MunicipalityCode) -> Self {
        Self(code)
    }
}

impl From<&MunicipalityCode> for Municipality {
    fn from(code: &MunicipalityCode) -> Self {
        Self(code.clone())
    }
}

impl Serialize for Municipality {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for Municipality {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MunicipalityCode::parse(&String::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom("not three digits"))
    }
}

impl ComposeSchema for Municipality {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(3))
            .max_length(Some(3))
            .pattern(Some(MUNICIPALITY_PATTERN))
            .description(Some("A municipality code of three digits; names at `/v1/municipalities`."))
            .examples([serde_json::Value::from("758")])
            .into()
    }
}

impl ToSchema for Municipality {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineMunicipality")
    }
}

/// How the name of an instrument, or the key of an item, is written.
pub const INSTRUMENT_PATTERN: &str = "^[a-z][a-z0-9_]{1,39}$";

/// The name of an instrument on the wire: which there are is data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InstrumentName(pub InstrumentKey);

impl From<InstrumentKey> for InstrumentName {
    fn from(key: InstrumentKey) -> Self {
        Self(key)
    }
}

impl Serialize for InstrumentName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for InstrumentName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        InstrumentKey::parse(&String::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom("no name of an instrument"))
    }
}

impl ComposeSchema for InstrumentName {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(2))
            .max_length(Some(KEY_MAX))
            .pattern(Some(INSTRUMENT_PATTERN))
            .description(Some("The name of an instrument; those that there are stand at `/v1/measure-instruments`."))
            .examples([serde_json::Value::from("swemwbs")])
            .into()
    }
}

impl ToSchema for InstrumentName {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineInstrumentName")
    }
}

/// A language as a BCP 47 tag.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// Takes a tag that is well formed; `None` for any other text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let mut parts = text.split('-');
        let language = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()));
        let others = parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if language && others && text.len() <= LANGUAGE_TAG_MAX { Some(Self(text)) } else { None }
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag, given away.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for LanguageTag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a language tag"))
    }
}

impl ComposeSchema for LanguageTag {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(2))
            .max_length(Some(LANGUAGE_TAG_MAX))
            .pattern(Some(LANGUAGE_TAG_PATTERN))
            .examples([serde_json::Value::from("fi")])
            .into()
    }
}

impl ToSchema for LanguageTag {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineLanguageTag")
    }
}

/// How a month is written.
pub const MONTH_PATTERN: &str = "^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$";

/// A calendar month, `YYYY-MM`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct YearMonth(pub Month);

impl<'de> Deserialize<'de> for YearMonth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Month::parse(&String::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom("not a month"))
    }
}

impl ComposeSchema for YearMonth {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(7))
            .max_length(Some(7))
            .pattern(Some(MONTH_PATTERN))
            .examples([serde_json::Value::from("2026-11")])
            .into()
    }
}

impl ToSchema for YearMonth {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlineYearMonth")
    }
}

/// A number from 0 to `MAX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct Count<const MAX: u32>(pub u32);

impl<'de, const MAX: u32> Deserialize<'de> for Count<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        if number <= MAX { Ok(Self(number)) } else { Err(D::Error::custom("too large")) }
    }
}

impl<const MAX: u32> ComposeSchema for Count<MAX> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(MAX)).into()
    }
}

impl<const MAX: u32> ToSchema for Count<MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("InlineCount{MAX}"))
    }
}

/// At most `MAX` different things, in an array.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetOf<T: Ord, const MAX: usize>(pub BTreeSet<T>);

impl<T: Ord, const MAX: usize> Default for SetOf<T, MAX> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: ToSchema + Ord, const MAX: usize> ComposeSchema for SetOf<T, MAX> {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ArrayBuilder::new().items(RefOr::<Schema>::Ref(Ref::from_schema_name(T::name()))).max_items(Some(MAX)).unique_items(true).into()
    }
}

impl<T: ToSchema + Ord, const MAX: usize> ToSchema for SetOf<T, MAX> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("InlineSet{MAX}Of{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_and_the_check_agree() {
        let pattern = jsonschema::validator_for(&serde_json::json!({"pattern": LANGUAGE_TAG_PATTERN, "maxLength": LANGUAGE_TAG_MAX}))
            .expect("a schema");
        for text in ["fi", "smn", "sv-FI", "zh-Hant-TW", "", "f", "FI", "fi-", "fi_FI", "fi-x", "%", "fi,sv", "se-aaaaaaaaa"] {
            assert_eq!(LanguageTag::new(text).is_some(), pattern.is_valid(&serde_json::Value::from(text)), "{text:?}");
        }
        let pattern = jsonschema::validator_for(&serde_json::json!({"pattern": MONTH_PATTERN})).expect("a schema");
        for text in ["2026-11", "2199-12", "1900-01", "1899-12", "2200-01", "2026-00", "2026-13", "2026-1", "2026-11-01", "", "+026-11"] {
            assert_eq!(Month::parse(text).is_some(), pattern.is_valid(&serde_json::Value::from(text)), "{text:?}");
        }
    }
}
