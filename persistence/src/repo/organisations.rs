//! Employers of referrers and workers, and providers of activities.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use lahete_domain::codes::{OrganisationKind, Sector};
use lahete_domain::ids::{Id, OrganisationId, ProgrammeId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::user::Organisation;
use lahete_domain::version::Version;

use crate::among::among;
use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::organisations;
use crate::sql_types::{CodeCol, IdCol, VersionCol};

/// Which organisations are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrganisationFilter {
    /// Of these programmes.
    pub programmes: Vec<ProgrammeId>,
    /// Of this kind.
    pub kind: Option<OrganisationKind>,
    /// In this municipality.
    pub municipality: Option<MunicipalityCode>,
    /// Only those that take part, or only the others.
    pub active: Option<bool>,
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organisations, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct OrganisationRow {
    id: IdCol<OrganisationId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    name: String,
    kind: CodeCol<OrganisationKind>,
    sector: Option<CodeCol<Sector>>,
    municipality: Option<String>,
    active: bool,
}

impl From<&Organisation> for OrganisationRow {
    fn from(organisation: &Organisation) -> Self {
        Self {
            id: IdCol(organisation.id),
            version: VersionCol(organisation.version),
            programme_id: IdCol(organisation.programme),
            name: organisation.name.clone(),
            kind: CodeCol(organisation.kind),
            sector: organisation.sector.map(CodeCol),
            municipality: organisation.municipality.as_ref().map(|code| code.as_str().to_owned()),
            active: organisation.active,
        }
    }
}

impl TryFrom<OrganisationRow> for Organisation {
    type Error = StoreError;

    fn try_from(row: OrganisationRow) -> Result<Self, StoreError> {
        let municipality = match row.municipality {
            None => None,
            Some(text) => {
                Some(MunicipalityCode::parse(&text).ok_or_else(|| StoreError::corrupt("organisations", "municipality", row.id.0))?)
            }
        };
        Ok(Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            name: row.name,
            kind: row.kind.0,
            sector: row.sector.map(|code| code.0),
            municipality,
            active: row.active,
        })
    }
}

impl Db<'_> {
    /// The names and kinds of some organisations.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn organisations_named(
        &mut self,
        ids: &BTreeSet<OrganisationId>,
    ) -> Result<BTreeMap<OrganisationId, (String, OrganisationKind)>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        type Row = (IdCol<OrganisationId>, String, CodeCol<OrganisationKind>);
        let wanted = among(organisations::id, ids.iter().copied());
        let query = organisations::table.filter(wanted).select((organisations::id, organisations::name, organisations::kind));
        let rows: Vec<Row> = on_backend!(self.conn(), |c| query.load(c))?;
        Ok(rows.into_iter().map(|(id, name, kind)| (id.0, (name, kind.0))).collect())
    }

    /// Adds an organisation.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn organisation_insert(&mut self, organisation: &Organisation) -> Result<(), StoreError> {
        diesel::insert_into(organisations::table).values(OrganisationRow::from(organisation)).execute(self.conn())?;
        Ok(())
    }

    /// One organisation.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn organisation_get(&mut self, id: OrganisationId) -> Result<Option<Organisation>, StoreError> {
        let row =
            organisations::table.find(IdCol(id)).select(OrganisationRow::as_select()).first::<OrganisationRow>(self.conn()).optional()?;
        row.map(Organisation::try_from).transpose()
    }

    /// Those of some organisations that exist.
    ///
    /// # Errors
    /// As [`Db::organisation_get`].
    pub fn organisations_of(&mut self, ids: &BTreeSet<OrganisationId>) -> Result<Vec<Organisation>, StoreError> {
        let rows = organisations::table
            .filter(among(organisations::id, ids.iter().copied()))
            .select(OrganisationRow::as_select())
            .order(organisations::id.asc())
            .load::<OrganisationRow>(self.conn())?;
        rows.into_iter().map(Organisation::try_from).collect()
    }

    /// Changes an organisation.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is another one; whatever else the database says.
    pub fn organisation_update(&mut self, organisation: &Organisation, expected: Version) -> Result<(), StoreError> {
        let present = organisations::table
            .filter(organisations::id.eq(IdCol(organisation.id)))
            .filter(organisations::version.eq(VersionCol(expected)));
        let row = OrganisationRow { version: VersionCol(expected.next()), ..OrganisationRow::from(organisation) };
        let changed = diesel::update(present).set(row).execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// A page of organisations by name.
    ///
    /// # Errors
    /// As [`Db::organisation_get`].
    pub fn organisation_list(&mut self, filter: &OrganisationFilter, request: &PageRequest) -> Result<Page<Organisation>, StoreError> {
        let programmes: Vec<_> = filter.programmes.iter().copied().map(IdCol).collect();
        let mut query = of_programmes!(
            organisations::table.select(OrganisationRow::as_select()).into_boxed::<MultiBackend>(),
            organisations::programme_id,
            programmes
        );
        if let Some(kind) = filter.kind {
            query = query.filter(organisations::kind.eq(CodeCol(kind)));
        }
        if let Some(municipality) = &filter.municipality {
            query = query.filter(organisations::municipality.eq(municipality.as_str().to_owned()));
        }
        if let Some(active) = filter.active {
            query = query.filter(organisations::active.eq(active));
        }
        if let Some(cursor) = request.after.clone() {
            let behind = organisations::name.gt(cursor.sort.clone()).or(organisations::id.gt(IdCol(OrganisationId::from_uuid(cursor.id))));
            query = query.filter(organisations::name.ge(cursor.sort)).filter(behind);
        }
        let rows = query
            .order((organisations::name.asc(), organisations::id.asc()))
            .limit(request.fetch())
            .load::<OrganisationRow>(self.conn())?;
        Page::from_rows(rows, request, |row| Cursor { sort: row.name.clone(), id: row.id.0.as_uuid() }).try_map(Organisation::try_from)
    }
}
