//! Reading and adding mileage rates.

use lahete_domain::access::{Action, Subject};
use lahete_domain::actor::Validity;
use lahete_domain::codes::AuditAction;
use lahete_domain::ids::{Id as _, ProgrammeId};
use lahete_domain::mileage::{MileageRate, Tier};
use lahete_domain::money::Cents;
use lahete_persistence::repo::rates::RateFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{RateCreate, RateQuery};
use crate::error::{AppError, Fault};
use crate::hour_sheets::cases::reckon_open_sheets;
use crate::operation::OpContext;
use crate::programmes::reachable;

/// The rates of the caller's programmes.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &RateQuery, page: &PageRequest) -> Result<Page<MileageRate>, AppError> {
    let programmes = reachable(ctx, Action::RateView, query.programme_id.map(ProgrammeId::from_uuid));
    let filter = RateFilter { vehicle: query.vehicle.map(|code| code.0), on: query.on };
    Ok(db.mileage_rate_list(&programmes, filter, page)?)
}

/// Adds a rate. Open hour sheets are reckoned anew; what is submitted stays as it is.
///
/// # Errors
/// 404 and 403 by the policy, 422 when the last day lies before the first.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, body: &RateCreate) -> Result<MileageRate, AppError> {
    let programme = ProgrammeId::from_uuid(body.programme_id);
    let grant = ctx.require(db, Action::RateManage, &Subject::of_programme(programme), None, None)?;
    if !(Validity { from: body.valid_from, until: body.valid_to }).is_in_order() {
        return Err(AppError::fault(Fault::new("/valid_to", "out_of_range", "The last day lies before the first.")));
    }
    let cents = |amount: super::wire::PerKm| Cents(amount.hundredths());
    let rate = MileageRate {
        id: ctx.ids.next(),
        programme,
        vehicle: body.vehicle.0,
        agreement: body.agreement.as_str().to_owned(),
        valid_from: body.valid_from,
        valid_to: body.valid_to,
        per_km: cents(body.per_km),
        tier: body.tier.as_ref().map(|tier| Tier { metres: i64::from(tier.metres.0), per_km_above: cents(tier.per_km_above) }),
        per_passenger_km: body.per_passenger_km.map_or(Cents(0), cents),
        source: body.source.as_str().to_owned(),
        given_at: ctx.now,
        given_by: Some(ctx.user()?),
    };
    db.mileage_rate_insert(&rate)?;
    reckon_open_sheets(db, programme)?;
    ctx.audit(db, &grant, AuditAction::Created, None, None);
    Ok(rate)
}
