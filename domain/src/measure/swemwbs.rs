//! SWEMWBS, the seven-item positive mental health scale: the raw sum is not the score.
//!
//! The raw sum of 7 to 35 is turned into the metric score by the Rasch table of Stewart-Brown et al. 2009 before anything is compared.

/// The metric score in hundredths for each raw sum from 7 to 35.
const METRIC: [i32; 29] = [
    700, 951, 1_125, 1_240, 1_333, 1_408, 1_475, 1_532, 1_584, 1_636, 1_688, 1_743, 1_798, 1_859, 1_925, 1_998, 2_073, 2_154, 2_235, 2_321,
    2_411, 2_503, 2_602, 2_703, 2_813, 2_931, 3_070, 3_255, 3_500,
];

/// The metric score of a raw sum, in hundredths; `None` outside 7 to 35.
#[must_use]
pub fn metric_hundredths(raw: i32) -> Option<i32> {
    usize::try_from(raw - 7).ok().and_then(|row| METRIC.get(row)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_rise_and_the_ends_are_fixed() {
        assert!(METRIC.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(metric_hundredths(7), Some(700));
        assert_eq!(metric_hundredths(23), Some(2073));
        assert_eq!(metric_hundredths(32), Some(2931));
        assert_eq!(metric_hundredths(35), Some(3500));
        assert_eq!(metric_hundredths(6), None);
        assert_eq!(metric_hundredths(36), None);
    }
}
