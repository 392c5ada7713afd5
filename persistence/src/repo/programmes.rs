//! Programmes, the municipalities that they serve, and their dated limits and fees.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::ids::{Id, ProgrammeId, ProgrammeTermsId};
use lahete_domain::money::Cents;
use lahete_domain::programme::{DEFAULT_REFRESHER_MONTHS, MunicipalityCode, Programme, Terms};
use lahete_domain::version::Version;

use crate::among::among;
use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{programme_municipalities, programme_terms, programmes};
use crate::sql_types::{IdCol, VersionCol};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = programmes, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct ProgrammeRow {
    id: IdCol<ProgrammeId>,
    version: VersionCol,
    name: String,
    controller: String,
    privacy_notice_url: Option<String>,
    active: bool,
    refresher_months: i64,
}

impl From<&Programme> for ProgrammeRow {
    fn from(programme: &Programme) -> Self {
        Self {
            id: IdCol(programme.id),
            version: VersionCol(programme.version),
            name: programme.name.clone(),
            controller: programme.controller.clone(),
            privacy_notice_url: programme.privacy_notice_url.clone(),
            active: programme.active,
            refresher_months: i64::from(programme.refresher_months),
        }
    }
}

impl ProgrammeRow {
    fn with(self, municipalities: BTreeSet<MunicipalityCode>) -> Programme {
        Programme {
            id: self.id.0,
            version: self.version.0,
            name: self.name,
            controller: self.controller,
            privacy_notice_url: self.privacy_notice_url,
            municipalities,
            active: self.active,
            // The schema holds it between 1 and 60.
            refresher_months: u32::try_from(self.refresher_months).unwrap_or(DEFAULT_REFRESHER_MONTHS),
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = programme_terms, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct TermsRow {
    id: IdCol<ProgrammeTermsId>,
    programme_id: IdCol<ProgrammeId>,
    valid_from: NaiveDate,
    max_months: i64,
    max_minutes_per_month: i64,
    fee_cents_per_hour: i64,
}

impl From<&Terms> for TermsRow {
    fn from(terms: &Terms) -> Self {
        Self {
            id: IdCol(terms.id),
            programme_id: IdCol(terms.programme),
            valid_from: terms.valid_from,
            max_months: i64::from(terms.max_months),
            max_minutes_per_month: terms.max_minutes_per_month,
            fee_cents_per_hour: terms.fee_per_hour.0,
        }
    }
}

impl TryFrom<TermsRow> for Terms {
    type Error = StoreError;

    fn try_from(row: TermsRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.0,
            programme: row.programme_id.0,
            valid_from: row.valid_from,
            max_months: u32::try_from(row.max_months).map_err(|_| StoreError::corrupt("programme_terms", "max_months", row.id.0))?,
            max_minutes_per_month: row.max_minutes_per_month,
            fee_per_hour: Cents(row.fee_cents_per_hour),
        })
    }
}

impl Db<'_> {
    /// Adds a programme with its municipalities, and with the mileage rates that every programme begins with.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn programme_insert(&mut self, programme: &Programme) -> Result<(), StoreError> {
        diesel::insert_into(programmes::table).values(ProgrammeRow::from(programme)).execute(self.conn())?;
        self.mileage_rates_ship(programme.id)?;
        self.write_municipalities(programme)
    }

    /// One programme.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn programme_get(&mut self, id: ProgrammeId) -> Result<Option<Programme>, StoreError> {
        let row: Option<ProgrammeRow> =
            on_backend!(self.conn(), |c| programmes::table.find(IdCol(id)).select(ProgrammeRow::as_select()).first(c)).optional()?;
        let Some(row) = row else { return Ok(None) };
        let municipalities = self.municipalities_of(&[id])?.remove(&id).unwrap_or_default();
        Ok(Some(row.with(municipalities)))
    }

    /// All programmes, the oldest first, each with whether it takes referrals.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn programme_ids(&mut self) -> Result<Vec<(ProgrammeId, bool)>, StoreError> {
        let rows = programmes::table
            .order(programmes::id.asc())
            .select((programmes::id, programmes::active))
            .load::<(IdCol<ProgrammeId>, bool)>(self.conn())?;
        Ok(rows.into_iter().map(|(id, active)| (id.0, active)).collect())
    }

    /// Changes a programme and the municipalities that it serves.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is another one; whatever else the database says.
    pub fn programme_update(&mut self, programme: &Programme, expected: Version) -> Result<(), StoreError> {
        let present = programmes::table.filter(programmes::id.eq(IdCol(programme.id))).filter(programmes::version.eq(VersionCol(expected)));
        let row = ProgrammeRow { version: VersionCol(expected.next()), ..ProgrammeRow::from(programme) };
        if diesel::update(present).set(row).execute(self.conn())? != 1 {
            return Err(StoreError::Stale);
        }
        let old = programme_municipalities::table.filter(programme_municipalities::programme_id.eq(IdCol(programme.id)));
        diesel::delete(old).execute(self.conn())?;
        self.write_municipalities(programme)
    }

    /// A page of some programmes by id, which is the order in which they were added.
    ///
    /// # Errors
    /// As [`Db::programme_get`].
    pub fn programme_list(&mut self, ids: &[ProgrammeId], request: &PageRequest) -> Result<Page<Programme>, StoreError> {
        let mut query = programmes::table
            .select(ProgrammeRow::as_select())
            .filter(among(programmes::id, ids.iter().copied()))
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            query = query.filter(programmes::id.gt(IdCol(ProgrammeId::from_uuid(cursor.id))));
        }
        let rows = query.order(programmes::id.asc()).limit(request.fetch()).load::<ProgrammeRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: String::new(), id: row.id.0.as_uuid() });
        let ids: Vec<_> = page.items.iter().map(|row| row.id.0).collect();
        let mut municipalities = self.municipalities_of(&ids)?;
        page.try_map(|row| {
            let municipalities = municipalities.remove(&row.id.0).unwrap_or_default();
            Ok(row.with(municipalities))
        })
    }

    /// The active programmes that serve a municipality, in the order in which they were added.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn programmes_serving(&mut self, municipality: &MunicipalityCode) -> Result<Vec<ProgrammeId>, StoreError> {
        let serving = programme_municipalities::table
            .inner_join(programmes::table.on(programmes::id.eq(programme_municipalities::programme_id)))
            .filter(programme_municipalities::municipality.eq(municipality.as_str()))
            .filter(programmes::active.eq(true))
            .order(programmes::id.asc())
            .select(programmes::id);
        let rows = on_backend!(self.conn(), |c| serving.load::<IdCol<ProgrammeId>>(c))?;
        Ok(rows.into_iter().map(|id| id.0).collect())
    }

    /// Adds terms that hold from a day on.
    ///
    /// # Errors
    /// Whatever the database says; a second row for the same programme and day breaks a constraint.
    pub fn terms_insert(&mut self, terms: &Terms) -> Result<(), StoreError> {
        diesel::insert_into(programme_terms::table).values(TermsRow::from(terms)).execute(self.conn())?;
        Ok(())
    }

    /// All terms of a programme, the newest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn terms_of(&mut self, programme: ProgrammeId) -> Result<Vec<Terms>, StoreError> {
        let rows = programme_terms::table
            .filter(programme_terms::programme_id.eq(IdCol(programme)))
            .order(programme_terms::valid_from.desc())
            .select(TermsRow::as_select())
            .load::<TermsRow>(self.conn())?;
        rows.into_iter().map(Terms::try_from).collect()
    }

    /// A page of the terms of a programme, the newest first.
    ///
    /// # Errors
    /// As [`Db::terms_of`].
    pub fn terms_list(&mut self, programme: ProgrammeId, request: &PageRequest) -> Result<Page<Terms>, StoreError> {
        let mut query = programme_terms::table
            .select(TermsRow::as_select())
            .filter(programme_terms::programme_id.eq(IdCol(programme)))
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            query = query.filter(programme_terms::valid_from.lt(day));
        }
        let rows = query.order(programme_terms::valid_from.desc()).limit(request.fetch()).load::<TermsRow>(self.conn())?;
        let cursor = |row: &TermsRow| Cursor { sort: row.valid_from.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(Terms::try_from)
    }

    fn municipalities_of(&mut self, ids: &[ProgrammeId]) -> Result<BTreeMap<ProgrammeId, BTreeSet<MunicipalityCode>>, StoreError> {
        let served = programme_municipalities::table
            .filter(among(programme_municipalities::programme_id, ids.iter().copied()))
            .select((programme_municipalities::programme_id, programme_municipalities::municipality));
        let rows = on_backend!(self.conn(), |c| served.load::<(IdCol<ProgrammeId>, String)>(c))?;
        let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (programme, text) in rows {
            let code = MunicipalityCode::parse(&text)
                .ok_or_else(|| StoreError::corrupt("programme_municipalities", "municipality", programme.0))?;
            all.entry(programme.0).or_default().insert(code);
        }
        Ok(all)
    }

    fn write_municipalities(&mut self, programme: &Programme) -> Result<(), StoreError> {
        for code in &programme.municipalities {
            diesel::insert_into(programme_municipalities::table)
                .values((
                    programme_municipalities::programme_id.eq(IdCol(programme.id)),
                    programme_municipalities::municipality.eq(code.as_str()),
                ))
                .execute(self.conn())?;
        }
        Ok(())
    }
}
