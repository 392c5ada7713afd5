//! Mappings of themes on the wire.

use lahete_domain::ids::Id as _;
use lahete_domain::theme_mapping::{ENTRIES_MAX, TERM_MAX, ThemeMapping};
use lahete_domain::version::Version;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::activities::wire::THEMES_MAX;
use crate::http::wire::{Text, ThemeCode};
use crate::http::wire_sets::SetOf;

/// What belongs to some themes.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "term": "P27.2", "themes": ["moving", "nature"] }))]
pub struct ThemeEntryBody {
    /// The address (`http…`) of a class or concept; the code of a service class, which stands for those below it as well (`P27`); or the beginning of a word by
    /// which an activity is filed (`liikun`).
    pub term: Text<{ TERM_MAX }>,
    /// The themes.
    pub themes: SetOf<ThemeCode, { THEMES_MAX }>,
}

/// A mapping in place of the present one.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "entries": [
    { "term": "P27.1", "themes": ["moving"] }, { "term": "P27.2", "themes": ["moving", "nature"] }, { "term": "P25", "themes": ["culture"] },
    { "term": "ravitsemus", "themes": ["eating"] }, { "term": "http://www.yso.fi/onto/koko/p10416", "themes": ["moving"] }
] }))]
pub struct ThemeMappingPut {
    /// All of it; each term once.
    #[schema(max_items = 500)]
    pub entries: Vec<ThemeEntryBody>,
}

/// The mapping of a programme.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "version": 2, "shipped": false, "applying": false,
    "entries": [{ "term": "P27.2", "themes": ["moving", "nature"] }]
}))]
pub struct ThemeMappingView {
    /// Whose.
    pub programme_id: Uuid,
    /// The version, as in the `ETag`.
    #[schema(minimum = 1)]
    pub version: i64,
    /// Whether it is the one that comes with the program, because the programme has given none.
    pub shipped: bool,
    /// Whether it is still being applied to what was imported before.
    pub applying: bool,
    /// What belongs where.
    #[schema(max_items = 500)]
    pub entries: Vec<ThemeEntryView>,
}

/// What belongs to some themes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "term": "P27.2", "themes": ["moving", "nature"] }))]
pub struct ThemeEntryView {
    /// An address, the code of a class, or the beginning of a word.
    #[schema(max_length = 200)]
    pub term: String,
    /// The themes.
    #[schema(max_items = 10)]
    pub themes: Vec<ThemeCode>,
}

// The document names the limit as a number: it is that of the domain.
const _: () = assert!(ENTRIES_MAX == 500);

impl From<&ThemeMapping> for ThemeMappingView {
    fn from(mapping: &ThemeMapping) -> Self {
        Self {
            programme_id: mapping.programme.as_uuid(),
            version: mapping.version.get(),
            shipped: mapping.version == Version::FIRST,
            applying: mapping.applying,
            entries: mapping
                .entries
                .iter()
                .map(|entry| ThemeEntryView { term: entry.term.clone(), themes: entry.themes.iter().copied().map(Into::into).collect() })
                .collect(),
        }
    }
}
