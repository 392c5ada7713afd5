//! `lahete import`: taking activities over from another directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant as Stopwatch;

use clap::Subcommand;
use lahete_domain::activity_import::{ActivityImport, ImportOrigin};
use lahete_domain::codes::ActivityImportState;
use lahete_domain::ids::{Id as _, IdSource, ProgrammeId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::{Clock as _, Instant};
use lahete_persistence::{Db, Store};
use uuid::Uuid;

use super::progress::Shown;
use super::{CommandError, open, print, settings};
use crate::activity_imports::cases::new_import;
use crate::activity_imports::run::Worker;
use crate::activity_imports::source::{Files, Http, PageSource};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::error::AppError;
use crate::id_source::UuidV7;

/// From which directory.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// From the national service directory (Palvelutietovaranto), open API version 11.
    Ptv {
        /// A file with one page, or a folder with many: `organizations…`, `channels…`, `services…`, `archived…`, `withdrawn…`, each `.json`.
        #[arg(long, conflicts_with = "url")]
        file: Option<PathBuf>,
        /// The address of the API in place of the setting `ptv_url`.
        #[arg(long)]
        url: Option<String>,
        /// For which programme; not needed when there is only one.
        #[arg(long)]
        programme: Option<Uuid>,
        /// Only for people of this municipality; may be given several times. Otherwise of all that the programme serves, and from files everything.
        #[arg(long)]
        municipality: Vec<String>,
        /// Only what has changed since this day.
        #[arg(long, conflicts_with = "file")]
        since: Option<chrono::NaiveDate>,
        /// Go on with the import that was broken off.
        #[arg(long)]
        resume: bool,
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
}

fn failed(error: AppError) -> CommandError {
    match error {
        AppError::Store(error) => CommandError::Store(error),
        other => CommandError::Import(format!("{other:?}")),
    }
}

/// The programme that is meant.
async fn programme(store: &Store, wanted: Option<Uuid>) -> Result<ProgrammeId, CommandError> {
    let all = store.read(|db: &mut Db<'_>| db.programme_ids()).await?;
    let all: Vec<ProgrammeId> = all.into_iter().map(|(id, _)| id).collect();
    match (wanted.map(ProgrammeId::from_uuid), all.as_slice()) {
        (Some(id), all) if all.contains(&id) => Ok(id),
        (Some(id), _) => Err(CommandError::Import(format!("there is no programme {id}"))),
        (None, [only]) => Ok(*only),
        (None, []) => Err(CommandError::Import("there is no programme yet".to_owned())),
        (None, _) => Err(CommandError::Import("there are several programmes: name one with --programme".to_owned())),
    }
}

/// What is asked for at the command line.
struct Wanted {
    programme: ProgrammeId,
    municipalities: BTreeSet<MunicipalityCode>,
    since: Option<Instant>,
    resume: bool,
    from_files: bool,
}

/// The import to work on: a new one, or the one that was broken off.
async fn begin(store: &Store, wanted: Wanted) -> Result<ActivityImport, CommandError> {
    let now = SystemClock.now();
    let ids: Arc<dyn IdSource> = Arc::new(UuidV7);
    let id = ids.next();
    let begun = store
        .write(move |db: &mut Db<'_>| -> Result<Result<ActivityImport, &'static str>, AppError> {
            let open = db.activity_import_open(wanted.programme)?;
            let import = match (open, wanted.resume) {
                (Some(open), true) if open.origin == ImportOrigin::CommandLine => open,
                (Some(_), true) => return Ok(Err("a server makes the import that is not through")),
                (Some(open), false) if open.origin == ImportOrigin::CommandLine => {
                    return Ok(Err("an import was broken off: go on with it by --resume"));
                }
                (Some(_), false) => return Ok(Err("a server makes an import just now")),
                (None, true) => return Ok(Err("no import was broken off")),
                (None, false) => {
                    let mut municipalities = wanted.municipalities.clone();
                    if municipalities.is_empty() && !wanted.from_files {
                        municipalities = db.programme_get(wanted.programme)?.map(|found| found.municipalities).unwrap_or_default();
                    }
                    let import = new_import(id, wanted.programme, ImportOrigin::CommandLine, municipalities, wanted.since, now, None);
                    db.activity_import_insert(&import)?;
                    import
                }
            };
            let running = ActivityImport { state: ActivityImportState::Running, beat_at: Some(now), ..import };
            Ok(Ok(db.activity_import_update(&running)?))
        })
        .await
        .map_err(failed)?;
    begun.map_err(|reason| CommandError::Import(reason.to_owned()))
}

fn words(import: &ActivityImport) -> String {
    let counts = import.counts;
    format!(
        "{}: {} pages, {} seen, {} added, {} changed, {} unchanged, {} ended, {} left out",
        import.phase, counts.pages, counts.seen, counts.added, counts.changed, counts.unchanged, counts.tombstoned, counts.skipped
    )
}

/// Does what the command says.
pub async fn run(
    config_file: Option<&Path>,
    ImportCommand::Ptv { file, url, programme: wanted, municipality, since, resume, database }: ImportCommand,
) -> Result<(), CommandError> {
    let config = Config::from_raw(&settings(config_file, &[("database", database.clone())])?)?;
    let parse =
        |code: &String| MunicipalityCode::parse(code).ok_or_else(|| CommandError::Import(format!("{code} is no municipality code")));
    let municipalities = municipality.iter().map(parse).collect::<Result<BTreeSet<_>, _>>()?;
    let store = open(config_file, database)?;
    let wanted = Wanted {
        programme: programme(&store, wanted).await?,
        municipalities,
        since: since.map(Instant::start_of_helsinki_day),
        resume,
        from_files: file.is_some(),
    };
    // The files are looked at first: when they cannot be read, nothing has begun.
    let files = file.as_deref().map(Files::new).transpose().map_err(CommandError::Import)?;
    let import = begin(&store, wanted).await?;
    let source: Box<dyn PageSource> = match files {
        Some(files) => Box::new(files),
        None => {
            let base = url.unwrap_or_else(|| config.ptv_url.clone());
            Box::new(Http::new(&base, &import.municipalities, import.since).map_err(CommandError::Import)?)
        }
    };
    let steps = u64::try_from(source.steps().len()).unwrap_or(u64::MAX);
    let worker = Worker { store: store.clone(), clock: Arc::new(SystemClock), ids: Arc::new(UuidV7), waits: config.ptv_waits };
    let before = import.counts.seen;
    let begun = Stopwatch::now();
    let mut shown = Shown::default();
    // A list counts as a hundred, its pages as parts of it.
    let made = worker
        .run(import, source, |import| {
            let of_list = import.pages_of_step.map_or(0, |pages| u64::from(import.place.page - 1) * 100 / u64::from(pages.max(1)));
            shown.bar(u64::from(import.place.step) * 100 + of_list.min(100), steps * 100, || words(import));
        })
        .await;
    shown.end();
    store.close().await;
    let import = made.map_err(|error| CommandError::Import(format!("{error}; go on with --resume")))?;
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    let items = u64::try_from(import.counts.seen - before).unwrap_or_default();
    let mut text =
        format!("{}\n{items} items in {}.{:03} s, {} items/s\n", words(&import), millis / 1000, millis % 1000, items * 1000 / millis);
    for fault in &import.faults {
        let id = fault.source_id.map_or_else(|| "an item without an id".to_owned(), |id| id.to_string());
        text.push_str(&format!("{}: {id}: {}\n", fault.phase, fault.reason));
    }
    print(&text)
}
