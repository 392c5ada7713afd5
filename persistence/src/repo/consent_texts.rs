//! The texts that clients consent to. They are added and never changed.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::codes::Language;
use lahete_domain::consent::ConsentText;
use lahete_domain::ids::{ConsentTextId, Id as _, ProgrammeId, UserId};

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::consent_texts;
use crate::sql_types::{CodeCol, IdCol, InstantCol};

/// How many texts a refusal names: some versions in six languages.
const USABLE_SHOWN: i64 = 30;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = consent_texts, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct ConsentTextRow {
    id: IdCol<ConsentTextId>,
    programme_id: IdCol<ProgrammeId>,
    version: String,
    language: CodeCol<Language>,
    body: String,
    valid_from: NaiveDate,
    published_at: InstantCol,
    published_by: Option<IdCol<UserId>>,
}

impl From<&ConsentText> for ConsentTextRow {
    fn from(text: &ConsentText) -> Self {
        Self {
            id: text.id.into(),
            programme_id: text.programme.into(),
            version: text.version.clone(),
            language: text.language.into(),
            body: text.body.clone(),
            valid_from: text.valid_from,
            published_at: text.published_at.into(),
            published_by: text.published_by.map(IdCol),
        }
    }
}

impl From<ConsentTextRow> for ConsentText {
    fn from(row: ConsentTextRow) -> Self {
        Self {
            id: row.id.0,
            programme: row.programme_id.0,
            version: row.version,
            language: row.language.0,
            body: row.body,
            valid_from: row.valid_from,
            published_at: row.published_at.0,
            published_by: row.published_by.map(|by| by.0),
        }
    }
}

/// Which consent texts are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsentTextFilter {
    /// Of one of these programmes; of any when there is none given.
    pub programmes: Option<Vec<ProgrammeId>>,
    /// In this language.
    pub language: Option<Language>,
    /// Of this version.
    pub version: Option<String>,
    /// That may be used on this day.
    pub usable_on: Option<NaiveDate>,
}

impl Db<'_> {
    /// Adds a consent text.
    ///
    /// # Errors
    /// [`crate::Constraint::ConsentTextTaken`] when the programme has this version in this language already.
    pub fn consent_text_insert(&mut self, text: &ConsentText) -> Result<(), StoreError> {
        diesel::insert_into(consent_texts::table).values(ConsentTextRow::from(text)).execute(self.conn())?;
        Ok(())
    }

    /// One consent text.
    ///
    /// # Errors
    /// When the database fails.
    pub fn consent_text_get(&mut self, id: ConsentTextId) -> Result<Option<ConsentText>, StoreError> {
        let row: Option<ConsentTextRow> =
            consent_texts::table.find(IdCol(id)).select(ConsentTextRow::as_select()).first(self.conn()).optional()?;
        Ok(row.map(ConsentText::from))
    }

    /// The first day on which a version of a programme's text may be used in a language; none when there is no such text.
    ///
    /// # Errors
    /// When the database fails.
    pub fn consent_text_valid_from(
        &mut self,
        programme: ProgrammeId,
        version: &str,
        language: Language,
    ) -> Result<Option<NaiveDate>, StoreError> {
        let named = consent_texts::table
            .filter(consent_texts::programme_id.eq(IdCol(programme)))
            .filter(consent_texts::version.eq(version))
            .filter(consent_texts::language.eq(CodeCol(language)))
            .select(consent_texts::valid_from);
        Ok(on_backend!(self.conn(), |c| named.first::<NaiveDate>(c)).optional()?)
    }

    /// What a programme's clients can consent to on a day, as version and language, the newest version first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn consent_texts_usable(&mut self, programme: ProgrammeId, today: NaiveDate) -> Result<Vec<(String, Language)>, StoreError> {
        let rows = consent_texts::table
            .filter(consent_texts::programme_id.eq(IdCol(programme)))
            .filter(consent_texts::valid_from.le(today))
            .order((consent_texts::valid_from.desc(), consent_texts::version.desc(), consent_texts::language.asc()))
            .limit(USABLE_SHOWN)
            .select((consent_texts::version, consent_texts::language))
            .load::<(String, CodeCol<Language>)>(self.conn())?;
        Ok(rows.into_iter().map(|(version, language)| (version, language.0)).collect())
    }

    /// A page of consent texts, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn consent_text_list(&mut self, filter: &ConsentTextFilter, request: &PageRequest) -> Result<Page<ConsentText>, StoreError> {
        let mut query = consent_texts::table.select(ConsentTextRow::as_select()).into_boxed::<MultiBackend>();
        if let Some(programmes) = &filter.programmes {
            query = of_programmes!(query, consent_texts::programme_id, programmes.iter().copied().map(IdCol).collect());
        }
        if let Some(language) = filter.language {
            query = query.filter(consent_texts::language.eq(CodeCol(language)));
        }
        if let Some(version) = &filter.version {
            query = query.filter(consent_texts::version.eq(version.clone()));
        }
        if let Some(day) = filter.usable_on {
            query = query.filter(consent_texts::valid_from.le(day));
        }
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = consent_texts::valid_from.lt(day).or(consent_texts::id.lt(IdCol(ConsentTextId::from_uuid(cursor.id))));
            query = query.filter(consent_texts::valid_from.le(day)).filter(behind);
        }
        let rows = query
            .order((consent_texts::valid_from.desc(), consent_texts::id.desc()))
            .limit(request.fetch())
            .load::<ConsentTextRow>(self.conn())?;
        let cursor = |row: &ConsentTextRow| Cursor { sort: row.valid_from.to_string(), id: row.id.0.as_uuid() };
        let page = Page::from_rows(rows, request, cursor);
        Ok(Page { items: page.items.into_iter().map(ConsentText::from).collect(), next: page.next })
    }
}
