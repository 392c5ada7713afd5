//! Bodies of mileage rates.

use std::borrow::Cow;

use lahete_domain::ids::Id as _;
use lahete_domain::mileage::{MileageRate, PER_KM_MAX, TIER_METRES_MAX};
use lahete_domain::text::{LINE_MAX, NAME_MAX};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use crate::http::wire::{Date, Decimal, Text, Timestamp, VehicleCode};
use crate::http::wire_sets::Count;

/// How euros a kilometre are written: up to 10, with cents.
const PER_KM_PATTERN: &str = r"^([0-9](\.[0-9]{1,2})?|10(\.0{1,2})?)$";

/// Euros a kilometre, a decimal string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerKm(Decimal);

impl PerKm {
    /// In cents.
    #[must_use]
    pub fn hundredths(self) -> i64 {
        self.0.hundredths()
    }
}

impl<'de> Deserialize<'de> for PerKm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = Decimal::deserialize(deserializer)?;
        if (0..=PER_KM_MAX).contains(&amount.hundredths()) { Ok(Self(amount)) } else { Err(D::Error::custom("out of range")) }
    }
}

impl ComposeSchema for PerKm {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(PER_KM_PATTERN)).min_length(Some(1)).max_length(Some(5)).into()
    }
}

impl ToSchema for PerKm {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("InlinePerKm")
    }
}

/// Which rates are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RateQuery {
    /// Only those of this programme.
    pub programme_id: Option<Uuid>,
    /// Only those for this vehicle.
    pub vehicle: Option<VehicleCode>,
    /// Only those that may hold on this day of travel.
    pub on: Option<Date>,
}

/// Another rate above a yearly limit.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"metres": 7000000, "per_km_above": "0.40"}))]
pub struct TierNew {
    /// Metres of a calendar year, for a link worker and an employer, that are paid at the first rate. They are counted anew from 1 January; when another
    /// rate holds from a day on, its limit counts, and the metres of the year stay.
    pub metres: Count<{ TIER_METRES_MAX }>,
    /// Euros for a kilometre above, at most 10.
    pub per_km_above: PerKm,
}

/// A rate to add.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "programme_id": "01900000-0000-7000-8000-000000000001", "vehicle": "car", "agreement": "KVTES", "valid_from": "2027-01-01",
    "per_km": "0.55", "tier": {"metres": 7000000, "per_km_above": "0.49"}, "per_passenger_km": "0.04", "source": "KVTES, liite 16"
}))]
pub struct RateCreate {
    /// The programme.
    pub programme_id: Uuid,
    /// For which vehicle.
    pub vehicle: VehicleCode,
    /// The agreement or decision that it comes from.
    pub agreement: Text<{ NAME_MAX }>,
    /// The first day of travel.
    pub valid_from: Date,
    /// The last day of travel; until another one holds when it is left out.
    pub valid_to: Option<Date>,
    /// Euros for a kilometre, at most 10.
    pub per_km: PerKm,
    /// Another rate above a yearly limit; none when it is left out.
    pub tier: Option<TierNew>,
    /// Euros for a kilometre with each passenger, at most 10; nothing when it is left out.
    pub per_passenger_km: Option<PerKm>,
    /// Where it was read.
    pub source: Text<{ LINE_MAX }>,
}

/// Another rate above a yearly limit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"metres": 7000000, "per_km_above": "0.40"}))]
pub struct TierView {
    /// Metres of a calendar year that are paid at the first rate.
    #[schema(minimum = 0)]
    pub metres: i64,
    /// Euros for a kilometre above.
    pub per_km_above: Decimal,
}

/// A mileage rate.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "01939a5c-7a10-7000-8000-00000000bbbb", "programme_id": "01900000-0000-7000-8000-000000000001", "vehicle": "car",
    "agreement": "Verohallinnon enimmäismäärä", "valid_from": "2026-01-01", "valid_to": "2026-12-31", "per_km": "0.55", "per_passenger_km": "0.04",
    "source": "vero.fi: verovapaat matkakustannusten korvaukset", "shipped": true, "given_at": "2026-01-01T06:00:00.000000Z"
}))]
pub struct RateView {
    /// Its id.
    pub id: Uuid,
    /// The programme.
    pub programme_id: Uuid,
    /// For which vehicle.
    pub vehicle: VehicleCode,
    /// The agreement or decision that it comes from.
    pub agreement: String,
    /// The first day of travel.
    pub valid_from: Date,
    /// The last day of travel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
    /// Euros for a kilometre.
    pub per_km: Decimal,
    /// Another rate above a yearly limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierView>,
    /// Euros for a kilometre with each passenger.
    pub per_passenger_km: Decimal,
    /// Where it was read.
    pub source: String,
    /// Whether the program brought it along; such a rate holds where the programme has added none.
    pub shipped: bool,
    /// When it was added.
    pub given_at: Timestamp,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given_by: Option<Uuid>,
}

impl From<MileageRate> for RateView {
    fn from(rate: MileageRate) -> Self {
        Self {
            id: rate.id.as_uuid(),
            programme_id: rate.programme.as_uuid(),
            vehicle: rate.vehicle.into(),
            agreement: rate.agreement,
            valid_from: rate.valid_from,
            valid_to: rate.valid_to,
            per_km: Decimal::from_hundredths(rate.per_km.0),
            tier: rate.tier.map(|tier| TierView { metres: tier.metres, per_km_above: Decimal::from_hundredths(tier.per_km_above.0) }),
            per_passenger_km: Decimal::from_hundredths(rate.per_passenger_km.0),
            source: rate.source,
            shipped: rate.given_by.is_none(),
            given_at: rate.given_at.into(),
            given_by: rate.given_by.map(|id| id.as_uuid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_and_the_check_agree() {
        let pattern = jsonschema::validator_for(&serde_json::json!({"pattern": PER_KM_PATTERN, "maxLength": 5})).expect("a schema");
        for text in ["0.55", "0", "10", "10.00", "10.01", "9.99", "11", "-0.10", "0.555", "00.5", ".5", "", "1.", "a"] {
            let value = serde_json::Value::from(text);
            assert_eq!(serde_json::from_value::<PerKm>(value.clone()).is_ok(), pattern.is_valid(&value), "{text:?}");
        }
    }
}
