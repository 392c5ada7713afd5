//! Mileage: what a kilometre with one's own car is paid, by a dated table of rates.
//!
//! The rate is that of the day of travel, never that of the day on which it is claimed. Some agreements pay the first kilometres of a calendar year at one
//! rate and those above at another (KVTES annex 16, Avaintes: `finnish-facts` §8.2): the metres of the year are counted for each link worker and payer, and
//! begin anew on 1 January. When another agreement holds from a day on, its limit counts, and the metres of the year stay.
//!
//! An amount is metres times cents a kilometre, summed exactly over all parts of a line and rounded once for the line, half up to the cent. So a trip that
//! is claimed in two lines may come to a cent more or less than in one, and never to more than a cent for each line.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

use crate::codes::Vehicle;
use crate::ids::{MileageRateId, OrganisationId, ProgrammeId, UserId};
use crate::money::Cents;
use crate::time::Instant;

/// The most that a kilometre may be paid, in cents. The dearest known rate is that of a boat, 1.45 €.
pub const PER_KM_MAX: i64 = 1_000;
/// The highest yearly limit of a tier, in metres.
pub const TIER_METRES_MAX: u32 = 100_000_000;
/// Most passengers of one trip. The client counts as one while riding.
pub const PASSENGERS_MAX: u32 = 8;

/// Metres of a calendar year up to which the first rate is paid, and the rate above.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tier {
    /// Up to so many metres in a calendar year.
    pub metres: i64,
    /// Cents a kilometre above.
    pub per_km_above: Cents,
}

/// What a kilometre is paid from a day on. A rate is never changed: a new one is added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MileageRate {
    /// Its id.
    pub id: MileageRateId,
    /// The programme.
    pub programme: ProgrammeId,
    /// For which vehicle.
    pub vehicle: Vehicle,
    /// The agreement or decision that it comes from, as `KVTES`.
    pub agreement: String,
    /// The first day of travel.
    pub valid_from: NaiveDate,
    /// The last day of travel; until another one holds when there is none.
    pub valid_to: Option<NaiveDate>,
    /// Cents a kilometre.
    pub per_km: Cents,
    /// Another rate above a yearly limit.
    pub tier: Option<Tier>,
    /// Cents a kilometre for each passenger.
    pub per_passenger_km: Cents,
    /// Where it was read.
    pub source: String,
    /// When it was added.
    pub given_at: Instant,
    /// By whom; nobody for a rate that is shipped.
    pub given_by: Option<UserId>,
}

/// The state's tax-free maximum for one's own car (`finnish-facts` §8.1): year, cents a kilometre, cents for each passenger. It fell from 2025 to 2026.
const SHIPPED: [(i32, i64, i64); 5] = [(2022, 46, 3), (2023, 53, 4), (2024, 57, 4), (2025, 59, 4), (2026, 55, 4)];

/// The name of the agreement of the shipped rates.
pub const SHIPPED_AGREEMENT: &str = "Verohallinnon enimmäismäärä";
/// Where the shipped rates were read.
pub const SHIPPED_SOURCE: &str = "vero.fi: verovapaat matkakustannusten korvaukset";

/// The rates that every programme begins with.
#[must_use]
pub fn shipped_rates(programme: ProgrammeId, mut id: impl FnMut() -> MileageRateId) -> Vec<MileageRate> {
    SHIPPED
        .iter()
        .filter_map(|(year, per_km, per_passenger_km)| {
            let valid_from = NaiveDate::from_ymd_opt(*year, 1, 1)?;
            Some(MileageRate {
                id: id(),
                programme,
                vehicle: Vehicle::Car,
                agreement: SHIPPED_AGREEMENT.to_owned(),
                valid_from,
                valid_to: Some(NaiveDate::from_ymd_opt(*year, 12, 31)?),
                per_km: Cents(*per_km),
                tier: None,
                per_passenger_km: Cents(*per_passenger_km),
                source: SHIPPED_SOURCE.to_owned(),
                // Any time will do, as long as it is the same wherever they are shipped.
                given_at: Instant::start_of_helsinki_day(valid_from).plus_minutes(8 * 60),
                given_by: None,
            })
        })
        .collect()
}

/// The rate of a day of travel. One that the programme has added itself goes before a shipped one, then the one that began last, then the one that was added
/// last.
#[must_use]
pub fn rate_on(rates: &[MileageRate], vehicle: Vehicle, day: NaiveDate) -> Option<&MileageRate> {
    rates
        .iter()
        .filter(|rate| rate.vehicle == vehicle && rate.valid_from <= day && rate.valid_to.is_none_or(|last| day <= last))
        .max_by_key(|rate| (rate.given_by.is_some(), rate.valid_from, rate.given_at, rate.id))
}

/// What a trip comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fare {
    /// The amount.
    pub cents: Cents,
    /// How many of the metres were paid at the rate above the yearly limit.
    pub metres_above: i64,
}

impl MileageRate {
    /// What some metres come to, when so many metres of the year lie before them. A trip that crosses the limit is split at the metre.
    #[must_use]
    pub fn fare(&self, metres: i64, passengers: i64, before: i64) -> Fare {
        let metres_above = self.tier.map_or(0, |tier| {
            let room = tier.metres.saturating_sub(before).max(0);
            metres.saturating_sub(room).max(0)
        });
        let above = self.tier.map_or(Cents(0), |tier| tier.per_km_above);
        let metre_cents = (metres - metres_above)
            .saturating_mul(self.per_km.0)
            .saturating_add(metres_above.saturating_mul(above.0))
            .saturating_add(metres.saturating_mul(passengers).saturating_mul(self.per_passenger_km.0));
        Fare { cents: Cents(metre_cents.saturating_add(500).div_euclid(1000)), metres_above }
    }
}

/// The metres of calendar years that were counted so far, for each payer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct YearMetres(BTreeMap<(i32, Option<OrganisationId>), i64>);

impl YearMetres {
    /// The metres of the year of a day.
    #[must_use]
    pub fn before(&self, day: NaiveDate, payer: Option<OrganisationId>) -> i64 {
        self.0.get(&(day.year(), payer)).copied().unwrap_or_default()
    }

    /// Counts metres in the year of a day.
    pub fn count(&mut self, day: NaiveDate, payer: Option<OrganisationId>, metres: i64) {
        *self.0.entry((day.year(), payer)).or_default() += metres;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id as _;
    use uuid::Uuid;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn at(text: &str) -> Instant {
        Instant::new(text.parse().expect("an instant"))
    }

    fn programme() -> ProgrammeId {
        ProgrammeId::from_uuid(Uuid::from_u128(1))
    }

    fn shipped() -> Vec<MileageRate> {
        let mut number = 0;
        shipped_rates(programme(), || {
            number += 1;
            MileageRateId::from_uuid(Uuid::from_u128(number))
        })
    }

    fn agreed(number: u128, from: &str, to: Option<&str>, per_km: i64, tier: (i64, i64)) -> MileageRate {
        MileageRate {
            id: MileageRateId::from_uuid(Uuid::from_u128(100 + number)),
            programme: programme(),
            vehicle: Vehicle::Car,
            agreement: "KVTES".to_owned(),
            valid_from: day(from),
            valid_to: to.map(day),
            per_km: Cents(per_km),
            tier: Some(Tier { metres: tier.0, per_km_above: Cents(tier.1) }),
            per_passenger_km: Cents(3),
            source: "liite 16".to_owned(),
            given_at: at("2022-01-02T06:00:00Z"),
            given_by: Some(UserId::from_uuid(Uuid::from_u128(7))),
        }
    }

    fn fare_on(rates: &[MileageRate], on: &str, metres: i64, passengers: i64) -> String {
        rate_on(rates, Vehicle::Car, day(on)).expect("a rate").fare(metres, passengers, 0).cents.to_string()
    }

    /// Trips one after the other, each at the rate of its day and with the metres of its year behind it.
    fn claim(rates: &[MileageRate], trips: &[(&str, i64)]) -> Vec<Fare> {
        let mut year = YearMetres::default();
        trips
            .iter()
            .map(|(on, metres)| {
                let fare = rate_on(rates, Vehicle::Car, day(on)).expect("a rate").fare(*metres, 0, year.before(day(on), None));
                year.count(day(on), None, *metres);
                fare
            })
            .collect()
    }

    fn sum(fares: &[Fare]) -> String {
        Cents(fares.iter().map(|fare| fare.cents.0).sum()).to_string()
    }

    #[test]
    fn the_rate_is_that_of_the_day_of_travel_and_may_fall() {
        let rates = shipped();
        assert_eq!(fare_on(&rates, "2025-06-01", 240_000, 0), "141.60");
        assert_eq!(fare_on(&rates, "2026-06-01", 240_000, 0), "132.00");
        assert_eq!(fare_on(&rates, "2022-12-31", 100_000, 1), "49.00");
        let over_new_year = claim(&rates, &[("2025-12-31", 10_000), ("2026-01-01", 10_000)]);
        assert_eq!((over_new_year[0].cents, over_new_year[1].cents, sum(&over_new_year).as_str()), (Cents(590), Cents(550), "11.40"));
        assert_eq!(rate_on(&rates, Vehicle::Car, day("2021-12-31")), None);
        assert_eq!(rate_on(&rates, Vehicle::Car, day("2027-01-01")), None, "a rate that nobody has decided yet is not guessed");
        assert!(rate_on(&rates, Vehicle::Car, day("2024-02-29")).is_some());
    }

    #[test]
    fn passengers_are_paid_for_every_kilometre() {
        let rates = shipped();
        assert_eq!(fare_on(&rates, "2026-11-20", 8_200, 0), "4.51");
        assert_eq!(fare_on(&rates, "2026-11-20", 8_200, 1), "4.84");
        assert_eq!(fare_on(&rates, "2026-11-20", 8_200, 2), "5.17");
    }

    #[test]
    fn a_line_is_rounded_once_half_up() {
        let rate = &shipped()[4];
        // 100 m at 0.55: 5.5 cents; with a passenger 5.9; 1 m: 0.055 cents.
        assert_eq!(rate.fare(100, 0, 0).cents, Cents(6));
        assert_eq!(rate.fare(100, 1, 0).cents, Cents(6));
        assert_eq!(rate.fare(99, 0, 0).cents, Cents(5));
        assert_eq!(rate.fare(1, 0, 0).cents, Cents(0));
    }

    #[test]
    fn six_thousand_kilometres_under_avaintes_2023() {
        let avaintes = agreed(1, "2023-01-01", Some("2023-12-31"), 53, (5_000_000, 47));
        let whole = avaintes.fare(6_000_000, 0, 0);
        assert_eq!((whole.cents.to_string().as_str(), whole.metres_above), ("3120.00", 1_000_000));
        // Sixty trips of a hundred kilometres come to the same.
        let trips = vec![("2023-05-02", 100_000); 60];
        let rates: Vec<_> = shipped().into_iter().chain([avaintes]).collect();
        assert_eq!(sum(&claim(&rates, &trips)), "3120.00");
    }

    #[test]
    fn a_trip_over_the_limit_is_split_at_the_metre() {
        let rate = agreed(1, "2023-01-01", None, 53, (5_000_000, 47));
        let fare = rate.fare(10_000, 0, 4_993_999);
        // 6 001 m at 0.53 and 3 999 m at 0.47: 318.053 + 187.953 cents.
        assert_eq!((fare.metres_above, fare.cents), (3_999, Cents(506)));
        assert_eq!(rate.fare(10_000, 0, 4_990_000).metres_above, 0);
        assert_eq!(rate.fare(10_000, 0, 5_000_000).metres_above, 10_000);
    }

    /// The source's own example: 5 000 km were reached on 15 April 2022; what came in April after that was paid 0.40; from 1 May on the limit was 7 000 km for
    /// the whole year, so the next 2 000 km were paid 0.46 again, and what came after them 0.40.
    #[test]
    fn the_example_of_kvtes_2022() {
        let rates = [agreed(1, "2022-01-01", Some("2022-04-30"), 46, (5_000_000, 40)), agreed(2, "2022-05-01", None, 46, (7_000_000, 40))];
        let trips = [
            ("2022-03-01", 4_000_000),
            ("2022-04-15", 1_000_000),
            ("2022-04-16", 100_000),
            ("2022-04-30", 50_000),
            ("2022-05-01", 1_000_000),
            ("2022-06-15", 1_000_000),
            ("2022-07-01", 200_000),
            ("2022-12-31", 10_000),
            ("2023-01-01", 10_000),
        ];
        let fares = claim(&rates, &trips);
        let cents: Vec<i64> = fares.iter().map(|fare| fare.cents.0).collect();
        // The metres of April above the old limit count towards the new one: 5 150 km lie before 1 May.
        let june = 850 * 46 + 150 * 40;
        assert_eq!(cents, [184_000, 46_000, 4_000, 2_000, 46_000, june, 8_000, 400, 460]);
        assert_eq!(fares[5].metres_above, 150_000);
    }

    #[test]
    fn what_the_programme_has_agreed_goes_before_what_is_shipped() {
        let rates: Vec<_> = shipped().into_iter().chain([agreed(1, "2022-05-01", None, 46, (7_000_000, 40))]).collect();
        assert_eq!(rate_on(&rates, Vehicle::Car, day("2022-04-30")).map(|rate| rate.agreement.as_str()), Some(SHIPPED_AGREEMENT));
        assert_eq!(rate_on(&rates, Vehicle::Car, day("2025-06-01")).map(|rate| rate.per_km), Some(Cents(46)));
    }

    #[test]
    fn payers_and_years_are_counted_apart() {
        let (one, other) = (Some(OrganisationId::from_uuid(Uuid::from_u128(1))), None);
        let mut year = YearMetres::default();
        year.count(day("2025-12-31"), one, 5_000);
        year.count(day("2025-01-01"), one, 1_000);
        year.count(day("2025-06-01"), other, 70);
        assert_eq!(
            [year.before(day("2025-07-01"), one), year.before(day("2025-07-01"), other), year.before(day("2026-01-01"), one)],
            [6_000, 70, 0]
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_splitting_a_trip_moves_the_total_by_no_more_than_a_cent_for_each_line(
            parts in proptest::collection::vec(0_i64..400_000, 1..8), before in 0_i64..8_000_000, passengers in 0_i64..9,
            per_km in 0_i64..200, above in 0_i64..200, limit in proptest::option::of(0_i64..8_000_000),
        ) {
            let tier = limit.map(|metres| Tier { metres, per_km_above: Cents(above) });
            let rate = MileageRate { per_km: Cents(per_km), tier, ..agreed(1, "2022-01-01", None, 0, (0, 0)) };
            let whole = rate.fare(parts.iter().sum(), passengers, before);
            let (mut cents, mut metres_above, mut so_far) = (0, 0, before);
            for metres in &parts {
                let fare = rate.fare(*metres, passengers, so_far);
                so_far += metres;
                cents += fare.cents.0;
                metres_above += fare.metres_above;
            }
            proptest::prop_assert_eq!(metres_above, whole.metres_above);
            proptest::prop_assert!((cents - whole.cents.0).abs() <= i64::try_from(parts.len()).expect("few"), "{cents} {whole:?}");
            proptest::prop_assert!(whole.cents.0 >= 0 && whole.metres_above <= parts.iter().sum::<i64>());
        }
    }
}
