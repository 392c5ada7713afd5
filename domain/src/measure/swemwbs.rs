//! SWEMWBS, the seven-item positive mental health scale: the raw sum is not the score.
//!
//! The raw sum of 7 to 35 is turned into the metric score by the Rasch table of Stewart-Brown et al. 2009 before anything is compared.

/// The metric score in hundredths for each raw sum from 7 to 35.
pub(crate) const METRIC: [i32; 29] = [
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

#[cfg(test)]
mod table {
    use super::*;

    /// All 29 rows as three public analysis scripts have them.
    const PUBLISHED: &str = "7 7.00\n8 9.51\n9 11.25\n10 12.40\n11 13.33\n12 14.08\n13 14.75\n14 15.32\n15 15.84\n16 16.36\n17 16.88\n18 17.43\n\
        19 17.98\n20 18.59\n21 19.25\n22 19.98\n23 20.73\n24 21.54\n25 22.35\n26 23.21\n27 24.11\n28 25.03\n29 26.02\n30 27.03\n31 28.13\n\
        32 29.31\n33 30.70\n34 32.55\n35 35.00";

    #[test]
    fn every_row_is_the_published_one() {
        let rows: Vec<_> = PUBLISHED.lines().filter_map(|line| line.split_once(' ')).collect();
        assert_eq!(rows.len(), METRIC.len());
        for (raw, metric) in rows {
            let score = metric_hundredths(raw.parse().expect("a number")).expect("in the table");
            assert_eq!(crate::money::hundredths(i64::from(score)), metric, "{raw}");
        }
    }
}
