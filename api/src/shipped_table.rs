//! The tables that the program ships as CSV files, each in its room.

use std::io::Cursor;

use serde::de::DeserializeOwned;

/// The rows of a shipped table. One that cannot be read is told in the log and left out; each room has a test that none is.
///
/// `name` is that of the file, for the log.
pub fn rows<R: DeserializeOwned>(name: &'static str, text: &'static [u8]) -> impl Iterator<Item = R> {
    csv::Reader::from_reader(Cursor::new(text))
        .into_deserialize::<R>()
        .filter_map(move |row| row.inspect_err(|error| log::error!("{name}: {error}")).ok())
}
