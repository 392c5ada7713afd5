//! Statistics in which nobody can be recognised: cells under five are hidden, and so is what would give them away.

/// Smallest number that is shown to those who may not see a case.
pub const SMALLEST_CELL: i64 = 5;

/// A number of a table, or the fact that it is hidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Shown.
    Shown(i64),
    /// Hidden; not the same as nought.
    Hidden,
}

impl Cell {
    /// The number, unless it is hidden.
    #[must_use]
    pub fn value(self) -> Option<i64> {
        match self {
            Self::Shown(value) => Some(value),
            Self::Hidden => None,
        }
    }
}

/// Who looks at a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// A coordinator of the programme, who may see every case anyway.
    Whole,
    /// Everybody else.
    Suppressed,
}

/// Whether one number may be shown by itself: nought says nothing about anybody.
#[must_use]
pub fn cell(value: i64, detail: Detail) -> Cell {
    match detail {
        Detail::Whole => Cell::Shown(value),
        Detail::Suppressed if value == 0 || value >= SMALLEST_CELL => Cell::Shown(value),
        Detail::Suppressed => Cell::Hidden,
    }
}

/// The cells of one breakdown whose total is published too. When small cells are hidden, others are hidden with them until what is hidden
/// cannot be had by subtraction: at least two cells, which together hold at least the smallest number.
#[must_use]
pub fn breakdown(values: &[i64], detail: Detail) -> Vec<Cell> {
    let mut cells: Vec<Cell> = values.iter().map(|value| cell(*value, detail)).collect();
    let hidden = |cells: &[Cell]| {
        let sum: i64 = values.iter().zip(cells).filter(|(_, cell)| **cell == Cell::Hidden).map(|(value, _)| *value).sum();
        (cells.iter().filter(|cell| **cell == Cell::Hidden).count(), sum)
    };
    loop {
        let (count, sum) = hidden(&cells);
        if count == 0 || (count >= 2 && sum >= SMALLEST_CELL) {
            return cells;
        }
        // The smallest shown number costs the reader least. Noughts help only when nothing else is left.
        let next = values
            .iter()
            .zip(&cells)
            .enumerate()
            .filter(|(_, (_, cell))| **cell != Cell::Hidden)
            .min_by_key(|(_, (value, _))| (**value == 0, **value))
            .map(|(index, _)| index);
        match next.and_then(|index| cells.get_mut(index)) {
            Some(cell) => *cell = Cell::Hidden,
            None => return cells,
        }
    }
}

/// A figure that stands on a number of people, such as a mean: shown only when enough of them stand behind it.
pub fn behind<T>(figure: Option<T>, people: i64, detail: Detail) -> Option<T> {
    figure.filter(|_| detail == Detail::Whole || people >= SMALLEST_CELL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(values: &[i64]) -> Vec<Option<i64>> {
        breakdown(values, Detail::Suppressed).into_iter().map(Cell::value).collect()
    }

    #[test]
    fn one_small_cell_takes_a_neighbour_with_it() {
        assert_eq!(shown(&[21, 10]), [Some(21), Some(10)]);
        assert_eq!(shown(&[21, 10, 3]), [Some(21), None, None]);
        assert_eq!(shown(&[7, 7, 4, 2, 9]), [Some(7), Some(7), None, None, Some(9)]);
        assert_eq!(shown(&[1, 1, 8]), [None, None, None]);
        assert_eq!(shown(&[0, 0, 12]), [Some(0), Some(0), Some(12)]);
        assert_eq!(shown(&[3]), [None]);
        assert_eq!(breakdown(&[1, 2], Detail::Whole), [Cell::Shown(1), Cell::Shown(2)]);
    }

    #[test]
    fn a_mean_needs_people_behind_it() {
        assert_eq!(behind(Some(1), 4, Detail::Suppressed), None);
        assert_eq!(behind(Some(1), 5, Detail::Suppressed), Some(1));
        assert_eq!(behind(Some(1), 1, Detail::Whole), Some(1));
    }

    proptest! {
        #[test]
        fn no_hidden_cell_follows_from_the_total(values in proptest::collection::vec(0_i64..30, 1..8)) {
            let cells = breakdown(&values, Detail::Suppressed);
            let hidden: Vec<i64> = values.iter().zip(&cells).filter(|(_, cell)| **cell == Cell::Hidden).map(|(value, _)| *value).collect();
            prop_assert!(cells.iter().zip(&values).all(|(cell, value)| cell.value().is_none() || *value == 0 || *value >= SMALLEST_CELL));
            if !hidden.is_empty() && hidden.len() < values.len() {
                prop_assert!(hidden.len() >= 2 && hidden.iter().sum::<i64>() >= SMALLEST_CELL);
            }
        }
    }
}
