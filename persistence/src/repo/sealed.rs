//! Which columns are sealed, how they are sealed and opened, and how a change of keys walks over all of them.

use std::collections::BTreeMap;
use std::fmt::Display;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use lahete_domain::ids::Id;
use uuid::Uuid;

use crate::cipher::{CipherError, Keys, SEALED};
use crate::connection::AnyConnection;
use crate::{Db, StoreError};

/// A part of a walk over a table: what was done, and where the next part begins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resealed {
    /// Rows that were looked at.
    pub looked_at: u64,
    /// Rows that were sealed anew.
    pub resealed: u64,
    /// Rows of which a value belongs to no key here, or was not sealed for its place.
    pub refused: Vec<String>,
    /// Behind which row to go on; `None` at the end.
    pub next: Option<String>,
}

impl Resealed {
    /// A part that has looked at some rows, of at most `limit`, and done nothing yet.
    pub(crate) fn of(rows: usize, limit: i64, last: Option<String>) -> Self {
        let next = if i64::try_from(rows).is_ok_and(|rows| rows < limit) { None } else { last };
        Self { looked_at: u64::try_from(rows).unwrap_or(u64::MAX), next, ..Self::default() }
    }
}

/// What a sealed column is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealedForm {
    /// The bytes that [`Keys::encrypt`] gives.
    Bytes,
    /// The text that [`Keys::seal_text`] gives; older rows may be plain.
    Text,
}

type Reseal = fn(&mut Db<'_>, Option<&str>, i64) -> Result<Resealed, StoreError>;

/// A table with sealed columns. Whoever seals another column adds it here, and `lahete keys` counts and reseals it.
#[derive(Clone, Copy)]
pub struct SealedTable {
    /// Its name.
    pub table: &'static str,
    /// Its sealed columns.
    pub columns: &'static [(&'static str, SealedForm)],
    /// Seals a part of its rows anew: those behind a row, in the order of its primary key, at most so many.
    pub(crate) reseal: Reseal,
}

impl std::fmt::Debug for SealedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealedTable({})", self.table)
    }
}

/// Every table with sealed columns.
pub const SEALED_TABLES: &[SealedTable] = &[
    SealedTable {
        table: "clients",
        columns: &[
            ("identity_code_cipher", SealedForm::Bytes),
            ("phone", SealedForm::Text),
            ("email", SealedForm::Text),
            ("address", SealedForm::Text),
        ],
        reseal: |db, after, limit| db.clients_reseal(after, limit),
    },
    SealedTable {
        table: "referral_details",
        columns: &[("referrer_contact", SealedForm::Text)],
        reseal: |db, after, limit| db.referral_contacts_reseal(after, limit),
    },
    SealedTable {
        table: "client_changes",
        columns: &[("details", SealedForm::Bytes)],
        reseal: |db, after, limit| db.client_changes_reseal(after, limit),
    },
    SealedTable {
        table: "concerns",
        columns: &[
            ("facts", SealedForm::Text),
            ("not_informed_reason", SealedForm::Text),
            ("consulted", SealedForm::Text),
            ("reported_place", SealedForm::Text),
            ("follow_up", SealedForm::Text),
            ("release_words", SealedForm::Text),
        ],
        reseal: |db, after, limit| db.concerns_reseal(after, limit),
    },
    SealedTable {
        table: "idempotency_keys",
        columns: &[("answer", SealedForm::Bytes)],
        reseal: |db, after, limit| db.stored_answers_reseal(after, limit),
    },
];

/// What a failure to seal or to open means for the row. A key that is missing is a fault of the settings and not of the row.
pub(crate) fn error(error: CipherError, table: &'static str, column: &'static str, id: impl Display) -> StoreError {
    match error {
        CipherError::NoRandomness => StoreError::Unavailable,
        CipherError::UnknownKey => {
            log::error!("a value of {table}.{column} is sealed with a data key that is not configured");
            StoreError::Unavailable
        }
        CipherError::KeyLength | CipherError::KeyIds | CipherError::Refused => StoreError::corrupt(table, column, id),
    }
}

/// Seals the value of a text column.
pub(crate) fn seal<I: Id>(
    keys: &Keys,
    table: &'static str,
    column: &'static str,
    row: I,
    plain: Option<&str>,
) -> Result<Option<String>, StoreError> {
    plain.map(|plain| keys.seal_text(table, column, row.as_uuid(), plain)).transpose().map_err(|fault| error(fault, table, column, row))
}

/// Opens the value of a text column.
pub(crate) fn open<I: Id>(
    keys: &Keys,
    table: &'static str,
    column: &'static str,
    row: I,
    stored: Option<String>,
) -> Result<Option<String>, StoreError> {
    stored.map(|stored| keys.open_text(table, column, row.as_uuid(), stored)).transpose().map_err(|fault| error(fault, table, column, row))
}

/// Seals the value of a text column with the key in use, when it is plain or sealed with another one.
pub(crate) fn reseal(keys: &Keys, table: &str, column: &str, row: Uuid, value: &mut Option<String>) -> Result<(), CipherError> {
    if let Some(stored) = value.as_mut()
        && Keys::text_key(stored) != Some(keys.current_id())
    {
        let plain = keys.open_text(table, column, row, stored.clone())?;
        *stored = keys.seal_text(table, column, row, &plain)?;
    }
    Ok(())
}

/// The bytes sealed with the key in use; nothing when they are so already.
pub(crate) fn reseal_bytes(keys: &Keys, table: &str, column: &str, row: Uuid, old: &[u8]) -> Result<Option<Vec<u8>>, CipherError> {
    if old.first() == Some(&keys.current_id()) {
        return Ok(None);
    }
    let plain = keys.decrypt(table, column, row, old)?;
    keys.encrypt(table, column, row, &plain).map(Some)
}

/// How many values of one column lie under one key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeyUse {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The key; `None` for values from before the column was sealed.
    pub key: Option<u8>,
    /// How many.
    pub values: u64,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = Text)]
    key_id: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Db<'_> {
    /// How many values lie under which key. It reads whole tables.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn key_uses(&mut self) -> Result<Vec<KeyUse>, StoreError> {
        let mut uses = Vec::new();
        for sealed in SEALED_TABLES {
            for (column, form) in sealed.columns {
                for (key, values) in self.column_key_uses(sealed.table, column, *form)? {
                    uses.push(KeyUse { table: sealed.table, column, key, values });
                }
            }
        }
        Ok(uses)
    }

    fn column_key_uses(&mut self, table: &str, column: &str, form: SealedForm) -> Result<BTreeMap<Option<u8>, u64>, StoreError> {
        let key = match (form, self.conn()) {
            (SealedForm::Bytes, AnyConnection::Sqlite(_)) => format!("lower(hex(substr({column}, 1, 1)))"),
            (SealedForm::Bytes, AnyConnection::Postgresql(_)) => format!("encode(substr({column}, 1, 1), 'hex')"),
            (SealedForm::Text, AnyConnection::Sqlite(_)) => marked(column, "char"),
            (SealedForm::Text, AnyConnection::Postgresql(_)) => marked(column, "chr"),
        };
        let query = format!("SELECT {key} AS key_id, count(*) AS number FROM {table} WHERE {column} IS NOT NULL GROUP BY 1");
        let counted = diesel::sql_query(query).load::<Counted>(self.conn())?;
        Ok(counted
            .into_iter()
            .map(|row| (u8::from_str_radix(&row.key_id, 16).ok(), u64::try_from(row.number).unwrap_or_default()))
            .collect())
    }

    /// How many rows the sealed tables have: the length of a walk over them.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn sealed_rows(&mut self) -> Result<u64, StoreError> {
        let mut all = 0;
        for sealed in SEALED_TABLES {
            let query = format!("SELECT '' AS key_id, count(*) AS number FROM {}", sealed.table);
            let counted = diesel::sql_query(query).load::<Counted>(self.conn())?;
            all += counted.iter().map(|row| u64::try_from(row.number).unwrap_or_default()).sum::<u64>();
        }
        Ok(all)
    }
}

/// The two digits behind the mark of a sealed text; nothing for a plain one.
fn marked(column: &str, character: &str) -> String {
    let mark = u32::from(SEALED);
    format!("CASE WHEN substr({column}, 1, 1) = {character}({mark}) THEN substr({column}, 2, 2) ELSE '' END")
}
