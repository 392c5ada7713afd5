//! Whole cents. A fee is a rate per hour times minutes, summed exactly and rounded once, half up, when it is shown.

/// An amount of money in whole euro cents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Cents(pub i64);

impl std::fmt::Display for Cents {
    /// As a decimal string of euros, `13.00`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", whole / 100, whole % 100)
    }
}

/// Minutes times cents per hour, kept exact until the whole sum is known: rounding each visit would lose cents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MinuteCents(i64);

impl MinuteCents {
    /// The fee of some minutes at a rate per hour.
    #[must_use]
    pub fn of(minutes: i64, cents_per_hour: i64) -> Self {
        Self(minutes.saturating_mul(cents_per_hour))
    }

    /// Takes a sum that a database made of `minutes × cents per hour`.
    #[must_use]
    pub fn from_sum(sum: i64) -> Self {
        Self(sum)
    }

    /// The sum in cents, rounded half up.
    #[must_use]
    pub fn cents(self) -> Cents {
        Cents(self.0.saturating_add(30).div_euclid(60))
    }
}

impl std::iter::Sum for MinuteCents {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self(all.fold(0, |sum, next| sum.saturating_add(next.0)))
    }
}

/// Shows minutes as hours with one decimal, rounded half up: 32 280 min is `538.0`.
#[must_use]
pub fn hours(minutes: i64) -> String {
    let tenths = minutes.saturating_add(3).div_euclid(6);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Shows hundredths as a decimal string, `-3.30`.
#[must_use]
pub fn hundredths(value: i64) -> String {
    Cents(value).to_string()
}

/// A mean of integers with a number of decimals, rounded half away from zero; `None` of nothing.
#[must_use]
pub fn mean(sum: i64, count: i64, decimals: u32) -> Option<String> {
    if count <= 0 {
        return None;
    }
    let scale = 10_i64.checked_pow(decimals)?;
    let scaled = sum.checked_mul(scale)?;
    let rounded = (2 * scaled.abs() + count) / (2 * count);
    let sign = if scaled < 0 && rounded != 0 { "-" } else { "" };
    let width = usize::try_from(decimals).ok()?;
    Some(if decimals == 0 { format!("{sign}{rounded}") } else { format!("{sign}{}.{:0width$}", rounded / scale, rounded % scale) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pilots_hours_cost_what_it_paid() {
        assert_eq!(MinuteCents::of(538 * 60, 1300).cents().to_string(), "6994.00");
        assert_eq!(MinuteCents::of(14 * 60, 1300).cents().to_string(), "182.00");
        assert_eq!(hours(538 * 60), "538.0");
    }

    #[test]
    fn a_sum_is_rounded_once() {
        let visits = [5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5];
        let sum: MinuteCents = visits.iter().map(|minutes| MinuteCents::of(*minutes, 1300)).sum();
        assert_eq!(sum.cents(), Cents(1300));
        assert_eq!(MinuteCents::of(5, 1300).cents(), Cents(108));
        assert_eq!(MinuteCents::of(3, 1310).cents(), Cents(66));
    }

    #[test]
    fn means_and_signs() {
        assert_eq!(mean(2449, 31, 1).as_deref(), Some("79.0"));
        assert_eq!(mean(-330, 2, 2).as_deref(), Some("-165.00"));
        assert_eq!(mean(1, 3, 2).as_deref(), Some("0.33"));
        assert_eq!(mean(0, 0, 1), None);
        assert_eq!(hundredths(-330), "-3.30");
        assert_eq!(Cents(-5).to_string(), "-0.05");
    }
}
