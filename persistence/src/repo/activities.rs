//! The activity directory.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::activity::Activity;
use lahete_domain::codes::{Price, Theme};
use lahete_domain::ids::{ActivityId, Id, OrganisationId, ProgrammeId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::version::Version;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::repo::link_workers::{tag_patterns, tags_from_text, tags_to_text};
use crate::schema::{activities, activity_themes};
use crate::sql_types::{CodeCol, IdCol, VersionCol};

const TABLE: &str = "activities";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = activities, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct ActivityRow {
    id: IdCol<ActivityId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    organisation_id: Option<IdCol<OrganisationId>>,
    name: String,
    name_lower: String,
    description: Option<String>,
    municipality: Option<String>,
    price: CodeCol<Price>,
    kaikukortti: bool,
    remote: bool,
    languages: String,
    checked_on: NaiveDate,
    active: bool,
}

#[derive(AsChangeset)]
#[diesel(table_name = activities, treat_none_as_null = true)]
struct ActivityChange<'a> {
    version: VersionCol,
    organisation_id: Option<IdCol<OrganisationId>>,
    name: &'a str,
    name_lower: String,
    description: Option<&'a str>,
    municipality: Option<&'a str>,
    price: CodeCol<Price>,
    kaikukortti: bool,
    remote: bool,
    languages: String,
    checked_on: NaiveDate,
    active: bool,
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
            municipality: activity.municipality.as_ref().map(|code| code.as_str().to_owned()),
            price: CodeCol(activity.price),
            kaikukortti: activity.kaikukortti,
            remote: activity.remote,
            languages: tags_to_text(&activity.languages),
            checked_on: activity.checked_on,
            active: activity.active,
        }
    }
}

impl ActivityRow {
    fn into_domain(self, themes: BTreeSet<Theme>) -> Result<Activity, StoreError> {
        let id = self.id.0;
        let municipality = match self.municipality {
            None => None,
            Some(text) => Some(MunicipalityCode::parse(&text).ok_or_else(|| StoreError::corrupt(TABLE, "municipality", id))?),
        };
        Ok(Activity {
            id,
            version: self.version.0,
            programme: self.programme_id.0,
            organisation: self.organisation_id.map(|id| id.0),
            name: self.name,
            description: self.description,
            themes,
            municipality,
            price: self.price.0,
            kaikukortti: self.kaikukortti,
            remote: self.remote,
            languages: tags_from_text(&self.languages),
            checked_on: self.checked_on,
            active: self.active,
        })
    }
}

/// Which activities are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ActivityFilter {
    /// Only those of this programme.
    pub programme: Option<ProgrammeId>,
    /// Only those with this theme.
    pub theme: Option<Theme>,
    /// Only those in this municipality.
    pub municipality: Option<MunicipalityCode>,
    /// Only those at this price.
    pub price: Option<Price>,
    /// Only those that the Kaikukortti opens, or does not.
    pub kaikukortti: Option<bool>,
    /// Only those that one can take part in remotely, or cannot.
    pub remote: Option<bool>,
    /// Only those in which this language is spoken, a BCP 47 tag.
    pub language: Option<String>,
    /// Only those whose name holds this text, whatever its case.
    pub text: Option<String>,
    /// Only those that one can still join, or cannot.
    pub active: Option<bool>,
}

/// A pattern that finds a text anywhere; what would be a wildcard in it stands for itself.
fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

impl Db<'_> {
    /// Adds an activity.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn activity_insert(&mut self, activity: &Activity) -> Result<(), StoreError> {
        diesel::insert_into(activities::table).values(ActivityRow::from(activity)).execute(self.conn())?;
        self.activity_themes_insert(activity)
    }

    fn activity_themes_insert(&mut self, activity: &Activity) -> Result<(), StoreError> {
        for theme in &activity.themes {
            let row = (activity_themes::activity_id.eq(IdCol(activity.id)), activity_themes::theme.eq(CodeCol(*theme)));
            diesel::insert_into(activity_themes::table).values(row).execute(self.conn())?;
        }
        Ok(())
    }

    /// One activity.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn activity_get(&mut self, id: ActivityId) -> Result<Option<Activity>, StoreError> {
        let row = activities::table.find(IdCol(id)).select(ActivityRow::as_select()).first::<ActivityRow>(self.conn()).optional()?;
        self.with_themes(row.into_iter().collect()).map(|found| found.into_iter().next())
    }

    fn with_themes(&mut self, rows: Vec<ActivityRow>) -> Result<Vec<Activity>, StoreError> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = activity_themes::table
            .filter(activity_themes::activity_id.eq_any(ids))
            .select((activity_themes::activity_id, activity_themes::theme))
            .load::<(IdCol<ActivityId>, CodeCol<Theme>)>(self.conn())?;
        let mut themes: BTreeMap<ActivityId, BTreeSet<Theme>> = BTreeMap::new();
        for (id, theme) in found {
            themes.entry(id.0).or_default().insert(theme.0);
        }
        rows.into_iter()
            .map(|row| {
                let id = row.id.0;
                row.into_domain(themes.remove(&id).unwrap_or_default())
            })
            .collect()
    }

    /// Changes an activity, if nobody else has since.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is not the expected one; whatever else the database says.
    pub fn activity_update(&mut self, activity: &Activity, expected: Version) -> Result<(), StoreError> {
        let change = ActivityChange {
            version: VersionCol(expected.next()),
            organisation_id: activity.organisation.map(IdCol),
            name: &activity.name,
            name_lower: activity.name.to_lowercase(),
            description: activity.description.as_deref(),
            municipality: activity.municipality.as_ref().map(MunicipalityCode::as_str),
            price: CodeCol(activity.price),
            kaikukortti: activity.kaikukortti,
            remote: activity.remote,
            languages: tags_to_text(&activity.languages),
            checked_on: activity.checked_on,
            active: activity.active,
        };
        let target = activities::table.find(IdCol(activity.id)).filter(activities::version.eq(VersionCol(expected)));
        if diesel::update(target).set(change).execute(self.conn())? == 0 {
            return Err(StoreError::Stale);
        }
        let old = activity_themes::table.filter(activity_themes::activity_id.eq(IdCol(activity.id)));
        diesel::delete(old).execute(self.conn())?;
        self.activity_themes_insert(activity)
    }

    /// A page of the directory by name.
    ///
    /// # Errors
    /// As [`Db::activity_get`].
    pub fn activity_list(&mut self, filter: &ActivityFilter, request: &PageRequest) -> Result<Page<Activity>, StoreError> {
        let mut query = activities::table.select(ActivityRow::as_select()).into_boxed::<MultiBackend>();
        if let Some(programme) = filter.programme {
            query = query.filter(activities::programme_id.eq(IdCol(programme)));
        }
        if let Some(theme) = filter.theme {
            let themed = activity_themes::table.filter(activity_themes::theme.eq(CodeCol(theme))).select(activity_themes::activity_id);
            query = query.filter(activities::id.eq_any(themed));
        }
        if let Some(municipality) = &filter.municipality {
            query = query.filter(activities::municipality.eq(municipality.as_str()));
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
        if let Some(active) = filter.active {
            query = query.filter(activities::active.eq(active));
        }
        if let Some(tag) = &filter.language {
            let [first, middle, last] = tag_patterns(tag);
            let spoken = activities::languages.eq(tag).or(activities::languages.like(first));
            query = query.filter(spoken.or(activities::languages.like(middle)).or(activities::languages.like(last)));
        }
        if let Some(text) = &filter.text {
            query = query.filter(activities::name_lower.like(contains_pattern(text)).escape('\\'));
        }
        if let Some(cursor) = &request.after {
            let behind = activities::name_lower.gt(&cursor.sort).or(activities::id.gt(IdCol(ActivityId::from_uuid(cursor.id))));
            query = query.filter(activities::name_lower.ge(&cursor.sort)).filter(behind);
        }
        let rows =
            query.order((activities::name_lower.asc(), activities::id.asc())).limit(request.fetch()).load::<ActivityRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.name_lower.clone(), id: row.id.0.as_uuid() });
        Ok(Page { items: self.with_themes(page.items)?, next: page.next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_text_has_no_wildcards() {
        assert_eq!(contains_pattern("KUORO"), "%kuoro%");
        assert_eq!(contains_pattern("100 %_\\"), "%100 \\%\\_\\\\%");
        assert_eq!(contains_pattern("Ääni"), "%ääni%");
    }
}
