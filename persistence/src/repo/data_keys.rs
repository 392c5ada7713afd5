//! Which data keys the database has seen: their ids, whether they are in use, and a value that tells one key from another. Never a key.

use diesel::prelude::*;
use lahete_domain::time::Instant;

use crate::connection::{MultiBackend, on_backend};
use crate::schema::data_keys;
use crate::sql_types::InstantCol;
use crate::{Db, StoreError};

/// A data key, as far as the database knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenKey {
    /// Its id.
    pub id: u8,
    /// What tells it from another key of the same id.
    pub check_value: Vec<u8>,
    /// Since when values are sealed with it.
    pub since: Instant,
    /// Since when no value is sealed with it any more.
    pub retired_at: Option<Instant>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = data_keys, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct SeenKeyRow {
    id: i16,
    check_value: Vec<u8>,
    since: InstantCol,
    retired_at: Option<InstantCol>,
}

impl Db<'_> {
    /// All keys that the database has seen, by their ids.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn data_keys(&mut self) -> Result<Vec<SeenKey>, StoreError> {
        let all = data_keys::table.order(data_keys::id.asc());
        let rows: Vec<SeenKeyRow> = on_backend!(self.conn(), |c| all.select(SeenKeyRow::as_select()).load(c))?;
        rows.into_iter()
            .map(|row| {
                Ok(SeenKey {
                    id: u8::try_from(row.id).map_err(|_| StoreError::corrupt("data_keys", "id", row.id))?,
                    check_value: row.check_value,
                    since: row.since.0,
                    retired_at: row.retired_at.map(|at| at.0),
                })
            })
            .collect()
    }

    /// Notes the key that new values are sealed with, and takes over what is noted of the others. A key that was retired is in use again when
    /// somebody asks for it by name, as `lahete keys rotate` does.
    ///
    /// # Errors
    /// [`StoreError::WrongDataKey`] when the database knows another key of that id, [`StoreError::MissingDataKey`] when it needs one that is not here; whatever the database says.
    pub fn data_key_enrol(&mut self, now: Instant, revive: bool) -> Result<Vec<SeenKey>, StoreError> {
        let seen = self.data_keys()?;
        let keys = self.keys();
        for known in &seen {
            if keys.check_value(known.id).is_some_and(|own| own.as_slice() != known.check_value.as_slice()) {
                return Err(StoreError::WrongDataKey { id: known.id });
            }
        }
        observe(keys, &seen);
        expect_all(keys, &seen)?;
        let current = keys.current_id();
        let Some(check_value) = keys.check_value(current) else { return Ok(seen) };
        let row = match seen.iter().find(|known| known.id == current) {
            None => {
                let row = SeenKeyRow { id: current.into(), check_value: check_value.to_vec(), since: InstantCol(now), retired_at: None };
                on_backend!(self.conn(), |c| diesel::insert_into(data_keys::table).values(row).on_conflict_do_nothing().execute(c))?
            }
            Some(known) if known.retired_at.is_some() && revive => {
                let nothing: Option<InstantCol> = None;
                diesel::update(data_keys::table.find(i16::from(current))).set(data_keys::retired_at.eq(nothing)).execute(self.conn())?
            }
            Some(_) => 0,
        };
        if row == 0 {
            return Ok(seen);
        }
        let seen = self.data_keys()?;
        observe(keys, &seen);
        Ok(seen)
    }

    /// Takes over what the database says of the keys.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn data_keys_observe(&mut self) -> Result<Vec<SeenKey>, StoreError> {
        let seen = self.data_keys()?;
        observe(self.keys(), &seen);
        Ok(seen)
    }

    /// Notes that nothing is to be sealed any more with any key but one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(crate) fn data_keys_retire_others(&mut self, current: u8, now: Instant) -> Result<usize, StoreError> {
        let others = data_keys::table.filter(data_keys::id.ne(i16::from(current))).filter(data_keys::retired_at.is_null());
        Ok(diesel::update(others).set(data_keys::retired_at.eq(Some(InstantCol(now)))).execute(self.conn())?)
    }
}

/// Whoever lacks a key that is in use must not note another one: the servers that lack that one would stop sealing.
pub(crate) fn expect_all(keys: &crate::Keys, seen: &[SeenKey]) -> Result<(), StoreError> {
    let known = keys.ids();
    match seen.iter().find(|key| key.retired_at.is_none() && !known.contains(&key.id)) {
        Some(key) => Err(StoreError::MissingDataKey { id: key.id }),
        None => Ok(()),
    }
}

fn observe(keys: &crate::Keys, seen: &[SeenKey]) {
    let ids = |retired: bool| seen.iter().filter(|key| key.retired_at.is_some() == retired).map(|key| key.id).collect::<Vec<_>>();
    keys.observe(&ids(false), &ids(true));
}
