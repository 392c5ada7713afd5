//! Mileage rates: dated, added and never changed.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::codes::Vehicle;
use lahete_domain::ids::{Id, MileageRateId, ProgrammeId, UserId};
use lahete_domain::mileage::{MileageRate, Tier, shipped_rates};
use lahete_domain::money::Cents;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::mileage_rates;
use crate::sql_types::{CodeCol, IdCol, InstantCol};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mileage_rates, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct RateRow {
    id: IdCol<MileageRateId>,
    programme_id: IdCol<ProgrammeId>,
    vehicle: CodeCol<Vehicle>,
    agreement: String,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    per_km_cents: i64,
    tier_metres: Option<i64>,
    per_km_above_cents: Option<i64>,
    per_passenger_km_cents: i64,
    source: String,
    given_at: InstantCol,
    given_by: Option<IdCol<UserId>>,
}

impl From<&MileageRate> for RateRow {
    fn from(rate: &MileageRate) -> Self {
        Self {
            id: IdCol(rate.id),
            programme_id: IdCol(rate.programme),
            vehicle: CodeCol(rate.vehicle),
            agreement: rate.agreement.clone(),
            valid_from: rate.valid_from,
            valid_to: rate.valid_to,
            per_km_cents: rate.per_km.0,
            tier_metres: rate.tier.map(|tier| tier.metres),
            per_km_above_cents: rate.tier.map(|tier| tier.per_km_above.0),
            per_passenger_km_cents: rate.per_passenger_km.0,
            source: rate.source.clone(),
            given_at: InstantCol(rate.given_at),
            given_by: rate.given_by.map(IdCol),
        }
    }
}

impl From<RateRow> for MileageRate {
    fn from(row: RateRow) -> Self {
        let tier = row.tier_metres.zip(row.per_km_above_cents);
        Self {
            id: row.id.0,
            programme: row.programme_id.0,
            vehicle: row.vehicle.0,
            agreement: row.agreement,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            per_km: Cents(row.per_km_cents),
            tier: tier.map(|(metres, above)| Tier { metres, per_km_above: Cents(above) }),
            per_passenger_km: Cents(row.per_passenger_km_cents),
            source: row.source,
            given_at: row.given_at.0,
            given_by: row.given_by.map(|id| id.0),
        }
    }
}

/// Which rates are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RateFilter {
    /// For this vehicle.
    pub vehicle: Option<Vehicle>,
    /// Whose days of travel hold this day.
    pub on: Option<NaiveDate>,
}

impl Db<'_> {
    /// Adds a rate.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn mileage_rate_insert(&mut self, rate: &MileageRate) -> Result<(), StoreError> {
        diesel::insert_into(mileage_rates::table).values(RateRow::from(rate)).execute(self.conn())?;
        Ok(())
    }

    /// Gives a programme the rates that every programme begins with.
    pub(crate) fn mileage_rates_ship(&mut self, programme: ProgrammeId) -> Result<(), StoreError> {
        let ids = self.ids();
        for rate in shipped_rates(programme, || ids.next()) {
            self.mileage_rate_insert(&rate)?;
        }
        Ok(())
    }

    /// All rates of a programme.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn mileage_rates_of(&mut self, programme: ProgrammeId) -> Result<Vec<MileageRate>, StoreError> {
        let rows = mileage_rates::table
            .filter(mileage_rates::programme_id.eq(IdCol(programme)))
            .select(RateRow::as_select())
            .load::<RateRow>(self.conn())?;
        Ok(rows.into_iter().map(MileageRate::from).collect())
    }

    /// A page of the rates of some programmes, those that begin last first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn mileage_rate_list(
        &mut self,
        programmes: &[ProgrammeId],
        filter: RateFilter,
        request: &PageRequest,
    ) -> Result<Page<MileageRate>, StoreError> {
        let mut query = mileage_rates::table.select(RateRow::as_select()).into_boxed::<MultiBackend>();
        query = of_programmes!(query, mileage_rates::programme_id, programmes.iter().copied().map(IdCol).collect());
        if let Some(vehicle) = filter.vehicle {
            query = query.filter(mileage_rates::vehicle.eq(CodeCol(vehicle)));
        }
        if let Some(day) = filter.on {
            let holds = mileage_rates::valid_to.is_null().or(mileage_rates::valid_to.ge(day).assume_not_null());
            query = query.filter(mileage_rates::valid_from.le(day)).filter(holds);
        }
        if let Some(cursor) = &request.after {
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = mileage_rates::valid_from.lt(day).or(mileage_rates::id.lt(IdCol(MileageRateId::from_uuid(cursor.id))));
            query = query.filter(mileage_rates::valid_from.le(day)).filter(behind);
        }
        let order = (mileage_rates::valid_from.desc(), mileage_rates::id.desc());
        let rows = query.order(order).limit(request.fetch()).load::<RateRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.valid_from.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| Ok(row.into()))
    }
}
