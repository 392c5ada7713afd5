//! `lahete retention`: taking out what has been kept long enough.

use std::path::Path;
use std::sync::Arc;

use clap::Subcommand;
use lahete_domain::ids::IdSource;
use lahete_domain::time::Clock as _;
use lahete_persistence::repo::trail::TrailKey;

use super::progress::Shown;
use super::{CommandError, open, print, settings};
use crate::audit_events::checkpoint_file::TrailKeys;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::id_source::UuidV7;
use crate::jobs::retention::{self, Plan};
use crate::retention::wire::RetentionRunView;
use crate::startup::load_secrets;

/// What is done by the retention policies.
#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Pseudonymise and delete what has been kept long enough, by the policies of each programme. The report is kept and can be read in the API.
    Run {
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
        /// By the policies and the calendar of this day, `2026-11-22`; a later one than today for a dry run only. Today when it is left out.
        #[arg(long)]
        on: Option<chrono::NaiveDate>,
        /// The report as JSON.
        #[arg(long)]
        json: bool,
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
}

/// Does what the command says.
pub async fn run(file: Option<&Path>, RetentionCommand::Run { dry_run, on, json, database }: RetentionCommand) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let today = now.helsinki_date();
    let on = on.unwrap_or(today);
    if on > today && !dry_run {
        return Err(CommandError::DayAhead);
    }
    let config = Config::from_raw(&settings(file, &[("database", database.clone())])?)?;
    let key: Arc<dyn TrailKey> = Arc::new(TrailKeys::of(&load_secrets(&config)?.signing_key));
    let store = open(file, database)?;
    let ids: Arc<dyn IdSource> = Arc::new(UuidV7);
    let mut shown = Shown::default();
    let progress = move |programme, rows| shown.now_and_then(|| format!("programme {programme}: {rows} rows done"));
    let failed = |error: crate::error::AppError| CommandError::Retention(format!("{error:?}"));
    let runs = retention::run_all(&store, &ids, &key, Plan { on, dry_run }, now, progress).await.map_err(failed)?;
    store.close().await;
    if json {
        let views = runs.iter().map(|(run, _)| RetentionRunView::of(run)).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let text = serde_json::to_string_pretty(&views).map_err(|error| CommandError::Retention(error.to_string()))?;
        return print(&(text + "\n"));
    }
    let mut text = format!("{} by the calendar of {on}\n", if dry_run { "what would be done" } else { "done" });
    for (run, report) in &runs {
        text.push_str(&report.table(run.programme));
    }
    print(&text)
}
