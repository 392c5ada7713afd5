//! `lahete keys`: which data keys there are, a new one, and the change to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use clap::Subcommand;
use lahete_persistence::{RotationOptions, RotationStep, still_needed};

use super::progress::Shown;
use super::{CommandError, open, print, settings};
use crate::auth::keys::{add_data_key, remove_data_key};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::startup::{StartError, load_data_keys};

/// What is done with data keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Show the data keys, and how many values of the database lie under each.
    Status {
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
    /// Add a new data key to the key file. Servers read the file anew by themselves; nothing is sealed with the key before one of them does.
    New {
        /// Behind the others: known, but not used yet. For servers that have key files of their own: add the key to all of them first.
        #[arg(long)]
        standby: bool,
    },
    /// Seal everything with the key that is first in the settings, while servers are at work. It can be ended anywhere and begun again.
    Rotate {
        /// Only show what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Rows in one transaction.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
        part: u16,
        /// Milliseconds between two transactions.
        #[arg(long, default_value_t = 10)]
        pause: u64,
        /// Seconds that servers get to notice the keys; they look every 15.
        #[arg(long, default_value_t = 20)]
        settle: u64,
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
    /// Take a data key out of the key file, if no value of the database lies under it.
    Drop {
        /// The id of the key.
        id: u8,
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
}

/// Does what the command says.
pub async fn run(file: Option<&Path>, command: KeysCommand) -> Result<(), CommandError> {
    match command {
        KeysCommand::Status { database } => print(&status(file, database).await?.0),
        KeysCommand::New { standby } => {
            let config = Config::from_raw(&settings(file, &[])?)?;
            let id = add_data_key(&key_file(&config)?, standby).map_err(StartError::from)?;
            let next = if standby {
                "it is known but not used; put its line first when all servers have it"
            } else {
                "servers read the file anew within 15 seconds; `lahete keys rotate` seals what there is with it"
            };
            print(&format!(
                "added the data key {id} to {}: {next}\nkeep a copy of the file apart from the database\n",
                config.data_key_file.display()
            ))
        }
        KeysCommand::Rotate { dry_run: true, database, .. } => {
            let (text, needed) = status(file, database).await?;
            print(&text)?;
            print(&if needed.is_empty() {
                "nothing would be done\n".to_owned()
            } else {
                format!("would seal anew what lies under {}\n", list(&needed))
            })
        }
        KeysCommand::Rotate { part, pause, settle, database, .. } => {
            let options = RotationOptions { part, settle: Duration::from_secs(settle), pause: Duration::from_millis(pause) };
            rotate(file, database, options).await
        }
        KeysCommand::Drop { id, database } => {
            let config = Config::from_raw(&settings(file, &[])?)?;
            let path = key_file(&config)?;
            let (_, needed) = status(file, database).await?;
            if needed.contains(&Some(id)) {
                return Err(CommandError::KeyInUse(id));
            }
            remove_data_key(&path, id).map_err(StartError::from)?;
            print(&format!("took the data key {id} out of {}; backups from before still need it\n", path.display()))
        }
    }
}

fn key_file(config: &Config) -> Result<std::path::PathBuf, CommandError> {
    // What is in the environment cannot be changed from here.
    if config.data_key.is_some() { Err(CommandError::KeysInEnvironment) } else { Ok(config.data_key_file.clone()) }
}

fn name(key: Option<u8>) -> String {
    key.map_or_else(|| "no key".to_owned(), |id| format!("key {id}"))
}

fn list(keys: &BTreeSet<Option<u8>>) -> String {
    keys.iter().map(|key| name(*key)).collect::<Vec<_>>().join(", ")
}

/// The state of the keys in words, and the keys that are needed besides the one that seals.
async fn status(file: Option<&Path>, database: Option<String>) -> Result<(String, BTreeSet<Option<u8>>), CommandError> {
    let store = open(file, database)?;
    let current = store.keys().current_id();
    let known = store.keys().ids();
    let seen = store.read(|db: &mut lahete_persistence::Db<'_>| db.data_keys()).await?;
    let uses = store.key_uses().await?;
    let mut text = String::new();
    for id in &known {
        let state = match seen.iter().find(|key| key.id == *id) {
            _ if *id == current => "seals new values".to_owned(),
            Some(key) => key.retired_at.map_or_else(|| format!("in use since {}", key.since), |at| format!("retired at {at}")),
            None => "standby, not used yet".to_owned(),
        };
        let _ = writeln!(text, "key {id}: {state}");
    }
    for key in seen.iter().filter(|key| key.retired_at.is_none() && !known.contains(&key.id)) {
        let _ = writeln!(text, "key {}: in use, but not in the settings", key.id);
    }
    let mut sums: BTreeMap<Option<u8>, u64> = BTreeMap::new();
    for usage in &uses {
        let _ = writeln!(text, "  {}.{}: {} under {}", usage.table, usage.column, usage.values, name(usage.key));
        *sums.entry(usage.key).or_default() += usage.values;
    }
    for (key, values) in &sums {
        let _ = writeln!(text, "{values} values under {}", name(*key));
    }
    for id in known.iter().filter(|id| **id != current && !sums.contains_key(&Some(**id))) {
        if seen.iter().any(|key| key.id == *id && key.retired_at.is_some()) {
            let _ = writeln!(text, "key {id} is no longer needed: `lahete keys drop {id}`");
        }
    }
    store.close().await;
    // A key that is not retired may still seal what another server writes.
    let in_use = seen.iter().filter(|key| key.retired_at.is_none()).map(|key| Some(key.id));
    Ok((text, sums.into_keys().chain(in_use).filter(|key| *key != Some(current)).collect()))
}

async fn rotate(file: Option<&Path>, database: Option<String>, options: RotationOptions) -> Result<(), CommandError> {
    // The keys are read before the database is opened: a wrong file changes nothing.
    let ids = load_data_keys(&Config::from_raw(&settings(file, &[("database", database.clone())])?)?).map_err(StartError::from)?.ids();
    let store = open(file, database)?;
    let mut shown = Shown::default();
    let report = store
        .rotate_keys(options, &SystemClock, |step| match step {
            RotationStep::Settling(time) => shown.line(&format!("waiting {} seconds until all servers have noticed", time.as_secs())),
            RotationStep::Walking { walk, looked_at, of, resealed } => {
                shown.bar(looked_at, of, || format!("walk {walk}: {looked_at} of {of} rows, {resealed} sealed anew"));
            }
        })
        .await;
    shown.end();
    store.close().await;
    let report = report?;
    let mut text = format!("{} rows looked at, {} sealed anew with key {}\n", report.looked_at, report.resealed, report.current);
    for (table, id) in &report.refused {
        let _ = writeln!(text, "{table} {id} cannot be opened with the keys that there are");
    }
    let needed = still_needed(&report.uses, report.current);
    for id in ids.iter().filter(|id| **id != report.current) {
        let _ = if needed.contains(id) {
            writeln!(text, "key {id} is still needed")
        } else {
            writeln!(text, "key {id} is no longer needed: `lahete keys drop {id}`")
        };
    }
    print(&text)?;
    if report.refused.is_empty() { Ok(()) } else { Err(CommandError::Unopened(report.refused.len())) }
}
