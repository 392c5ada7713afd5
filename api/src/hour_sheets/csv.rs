//! Hour sheets as CSV (RFC 4180, UTF-8) for the payroll. Amounts are decimal strings with a point; a client is not named.
//!
//! A cell of words that a spreadsheet would take for a formula gets an apostrophe in front. Numbers are written by the program alone and stay numbers, also
//! negative ones: `-3.25` begins with a character that a formula may begin with, too, but it is what it says.

use csv::{Terminator, WriterBuilder};
use lahete_domain::codes::Code as _;
use lahete_domain::hour_sheet::{HourSheet, HourSheetState};
use lahete_domain::ids::Id as _;

use super::cases::Card;
use crate::error::AppError;

/// The columns of one sheet, a row for each line.
const LINES: [&str; 22] = [
    "link_worker",
    "month",
    "state",
    "kind",
    "date",
    "contract",
    "minutes",
    "phone_minutes",
    "travel_minutes",
    "fee_per_hour",
    "fee",
    "metres",
    "metres_above_limit",
    "passengers",
    "vehicle",
    "agreement",
    "per_km",
    "per_passenger_km",
    "mileage",
    "total",
    "corrects_hour_sheet_id",
    "hour_sheet_id",
];

/// The columns of a month, a row for each sheet.
const SHEETS: [&str; 13] = [
    "link_worker",
    "link_worker_id",
    "month",
    "state",
    "minutes",
    "phone_minutes",
    "travel_minutes",
    "metres",
    "fee",
    "mileage",
    "total",
    "paid_on",
    "hour_sheet_id",
];

/// Words as a cell that no spreadsheet takes for a formula.
fn words(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) { format!("'{text}") } else { text.to_owned() }
}

fn written<const COLUMNS: usize>(header: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> Result<Vec<u8>, AppError> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(header).map_err(AppError::internal)?;
    for row in rows {
        writer.write_record(row).map_err(AppError::internal)?;
    }
    writer.into_inner().map_err(AppError::internal)
}

/// One sheet, line by line.
///
/// # Errors
/// When it cannot be written, which is a fault of ours.
pub(super) fn of_sheet(card: &Card) -> Result<Vec<u8>, AppError> {
    let sheet = &card.sheet;
    let row = |line: &lahete_domain::hour_sheet::Line| {
        let (work, terms) = (&line.work, &line.work.terms);
        let rate = line.mileage.rate.and_then(|id| card.rates.get(&id));
        let total = lahete_domain::money::Cents(line.fee.0 + line.mileage.cents.0);
        [
            words(&card.name),
            sheet.month.to_string(),
            sheet.state_code().as_str().to_owned(),
            line.kind().as_str().to_owned(),
            terms.on.to_string(),
            terms.contract.as_str().to_owned(),
            work.minutes.to_string(),
            work.phone_minutes.to_string(),
            work.travel_minutes.to_string(),
            terms.fee_per_hour.to_string(),
            line.fee.to_string(),
            work.metres.to_string(),
            line.mileage.metres_above.to_string(),
            work.passengers.to_string(),
            terms.vehicle.as_str().to_owned(),
            rate.map_or_else(String::new, |rate| words(&rate.agreement)),
            rate.map_or_else(String::new, |rate| rate.per_km.to_string()),
            rate.map_or_else(String::new, |rate| rate.per_passenger_km.to_string()),
            line.mileage.cents.to_string(),
            total.to_string(),
            line.corrects.map_or_else(String::new, |corrected| corrected.sheet.as_uuid().to_string()),
            sheet.id.as_uuid().to_string(),
        ]
    };
    written(LINES, card.lines.iter().map(row))
}

/// All sheets of a month, by name.
///
/// # Errors
/// When it cannot be written, which is a fault of ours.
pub(super) fn of_month(sheets: &[(HourSheet, String)]) -> Result<Vec<u8>, AppError> {
    let row = |(sheet, name): &(HourSheet, String)| {
        let totals = &sheet.totals;
        [
            words(name),
            sheet.link_worker.as_uuid().to_string(),
            sheet.month.to_string(),
            sheet.state_code().as_str().to_owned(),
            totals.minutes.to_string(),
            totals.phone_minutes.to_string(),
            totals.travel_minutes.to_string(),
            totals.metres.to_string(),
            totals.fee.to_string(),
            totals.mileage.to_string(),
            totals.total().to_string(),
            if let HourSheetState::Paid { on, .. } = sheet.state { on.to_string() } else { String::new() },
            sheet.id.as_uuid().to_string(),
        ]
    };
    written(SHEETS, sheets.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_formula_and_come_back_as_they_were() {
        for text in ["=1+1", "+358", "-Liisa", "@SUM(A1)", "\t=1", "＝1"] {
            assert!(words(text).starts_with('\''), "{text}");
        }
        let names = ["Liisa Linkki", "Äijä, \"Ukko\"", "a;b", "O'Hara", "=cmd|' /C calc'!A0"];
        let text = written(["name", "amount"], names.map(|name| [words(name), "-3.25".to_owned()])).expect("written");
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        for (row, name) in rows.iter().zip(names) {
            assert_eq!((row.get(0), row.get(1)), (Some(words(name).as_str()), Some("-3.25")));
        }
        assert!(String::from_utf8(text).expect("UTF-8").starts_with("name,amount\r\n"));
    }
}
