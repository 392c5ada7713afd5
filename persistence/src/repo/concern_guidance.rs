//! Where concerns are reported, by municipality and kind.

use diesel::prelude::*;
use lahete_domain::codes::{ConcernKind, Obligation};
use lahete_domain::concern::{Guidance, Obligations};
use lahete_domain::ids::{ConcernGuidanceId, ProgrammeId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::version::Version;

use super::link_workers::{tags_from_text, tags_to_text};
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::concern_guidance;
use crate::sql_types::{CodeCol, IdCol, VersionCol};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = concern_guidance, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct GuidanceRow {
    id: IdCol<ConcernGuidanceId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    municipality: String,
    kind: CodeCol<ConcernKind>,
    place: String,
    contact: Option<String>,
    phone: Option<String>,
    hours: Option<String>,
    law: Option<String>,
    languages: String,
    hourly: CodeCol<Obligation>,
    fee: CodeCol<Obligation>,
    volunteer: CodeCol<Obligation>,
}

impl GuidanceRow {
    fn of(guidance: &Guidance, version: Version) -> Self {
        Self {
            id: IdCol(guidance.id),
            version: VersionCol(version),
            programme_id: IdCol(guidance.programme),
            municipality: guidance.municipality.as_ref().map_or_else(String::new, |code| code.as_str().to_owned()),
            kind: CodeCol(guidance.kind),
            place: guidance.place.clone(),
            contact: guidance.contact.clone(),
            phone: guidance.phone.clone(),
            hours: guidance.hours.clone(),
            law: guidance.law.clone(),
            languages: tags_to_text(&guidance.languages),
            hourly: CodeCol(guidance.obligations.hourly),
            fee: CodeCol(guidance.obligations.fee),
            volunteer: CodeCol(guidance.obligations.volunteer),
        }
    }
}

impl From<GuidanceRow> for Guidance {
    fn from(row: GuidanceRow) -> Self {
        Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            municipality: MunicipalityCode::parse(&row.municipality),
            kind: row.kind.0,
            place: row.place,
            contact: row.contact,
            phone: row.phone,
            hours: row.hours,
            law: row.law,
            languages: tags_from_text(&row.languages),
            obligations: Obligations { hourly: row.hourly.0, fee: row.fee.0, volunteer: row.volunteer.0 },
        }
    }
}

impl Db<'_> {
    /// Adds a row.
    ///
    /// # Errors
    /// [`crate::Constraint::GuidanceTaken`] when the place has one for the kind already; whatever else the database says.
    pub fn concern_guidance_insert(&mut self, guidance: &Guidance) -> Result<(), StoreError> {
        diesel::insert_into(concern_guidance::table).values(GuidanceRow::of(guidance, guidance.version)).execute(self.conn())?;
        Ok(())
    }

    /// One row.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn concern_guidance_get(&mut self, id: ConcernGuidanceId) -> Result<Option<Guidance>, StoreError> {
        let row = concern_guidance::table.find(IdCol(id)).select(GuidanceRow::as_select()).first(self.conn()).optional()?;
        Ok(row.map(Guidance::from))
    }

    /// Writes a changed row over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn concern_guidance_update(&mut self, guidance: &Guidance, expected: Version) -> Result<(), StoreError> {
        let stored = concern_guidance::table.find(IdCol(guidance.id)).filter(concern_guidance::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(GuidanceRow::of(guidance, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// What a programme says for a municipality and for the whole of itself.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn concern_guidance_of(
        &mut self,
        programme: ProgrammeId,
        municipality: Option<&MunicipalityCode>,
    ) -> Result<Vec<Guidance>, StoreError> {
        let place = municipality.map_or("", MunicipalityCode::as_str);
        let rows = concern_guidance::table
            .filter(concern_guidance::programme_id.eq(IdCol(programme)))
            .filter(concern_guidance::municipality.eq("").or(concern_guidance::municipality.eq(place)))
            .order((concern_guidance::kind.asc(), concern_guidance::municipality.asc()))
            .select(GuidanceRow::as_select())
            .load::<GuidanceRow>(self.conn())?;
        Ok(rows.into_iter().map(Guidance::from).collect())
    }
}
