//! Goal attainment scaling: how far the client's own goals were reached, as one T-score (Kiresuk and Sherman 1968).
//!
//! T = 50 + 10·Σwx / √(0.7·Σw² + 0.3·(Σw)²), where x is −2 to +2 and w the weight of a goal. No binary float is in it: the root is one of whole numbers.

use crate::ids::GoalId;

/// The highest weight of a goal; the lowest is 1.
pub const WEIGHT_MAX: u8 = 100;
/// Much less than expected.
pub const ATTAINED_MIN: i8 = -2;
/// Much more than expected.
pub const ATTAINED_MAX: i8 = 2;
/// Most goals in one score.
pub const GOALS_MAX: usize = 20;

/// How far one goal was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GoalAnswer {
    /// The goal of the support period.
    pub goal: GoalId,
    /// How much it weighs, 1 to [`WEIGHT_MAX`].
    pub weight: u8,
    /// From −2, much less than expected, over 0, as expected, to +2, much more.
    pub attained: i8,
}

/// The largest whole number whose square is not above `value`.
fn root(value: u64) -> u64 {
    if value < 2 {
        return value;
    }
    let mut guess = value;
    let mut next = u64::midpoint(guess, 1);
    while next < guess {
        guess = next;
        next = u64::midpoint(guess, value / guess);
    }
    guess
}

/// The T-score in hundredths, rounded half away from 50; `None` without goals.
#[must_use]
pub fn t_score(goals: &[GoalAnswer]) -> Option<i32> {
    if goals.is_empty() {
        return None;
    }
    let sum: i64 = goals.iter().map(|goal| i64::from(goal.weight) * i64::from(goal.attained)).sum();
    let weights: u64 = goals.iter().map(|goal| u64::from(goal.weight)).sum();
    let squares: u64 = goals.iter().map(|goal| u64::from(goal.weight).pow(2)).sum();
    // The distance from 50 in hundredths is √(10⁷·(Σwx)² / (7·Σw² + 3·(Σw)²)).
    let under = 7 * squares + 3 * weights.pow(2);
    let over = 10_000_000 * sum.unsigned_abs().pow(2);
    let floor = root(over / under);
    let nearer_above = (2 * floor + 1).pow(2) * under <= 4 * over;
    let distance = i32::try_from(floor + u64::from(nearer_above)).ok()?;
    Some(if sum < 0 { 5_000 - distance } else { 5_000 + distance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id as _;

    fn t(goals: &[(i8, u8)]) -> Option<i32> {
        let goal = |(attained, weight): &(i8, u8)| GoalAnswer { goal: GoalId::nil(), weight: *weight, attained: *attained };
        t_score(&goals.iter().map(goal).collect::<Vec<_>>())
    }

    #[test]
    fn oracles() {
        assert_eq!(t(&[(0, 1); 3]), Some(5_000));
        assert_eq!(t(&[(1, 1); 3]), Some(6_369));
        assert_eq!(t(&[(-2, 1)]), Some(3_000));
        assert_eq!(t(&[(2, 1)]), Some(7_000));
        assert_eq!(t(&[(2, 3), (-1, 1)]), Some(6_456));
        assert_eq!(t(&[]), None);
    }

    #[test]
    fn it_is_even_and_never_overflows() {
        assert_eq!(t(&[(1, 1); 3]).map(|above| 10_000 - above), t(&[(-1, 1); 3]));
        let most = t(&[(2, WEIGHT_MAX); GOALS_MAX]).expect("a score");
        assert_eq!(10_000 - most, t(&[(-2, WEIGHT_MAX); GOALS_MAX]).expect("a score"));
        assert!((8_400..8_500).contains(&most), "{most}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_the_root_is_the_largest(value in 0..u64::from(u32::MAX) * 1000) {
            let found = root(value);
            proptest::prop_assert!(found * found <= value && (found + 1) * (found + 1) > value);
        }
    }
}
