//! Makes imports: fetches page after page, waits and asks again when a page does not come, and takes over what is in it.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use actix_web::web::{Data, block};
use lahete_domain::activity_import::{ActivityImport, ImportOrigin, ImportPlace};
use lahete_domain::codes::{ActivityImportFault, ActivityImportPhase, ActivityImportState};
use lahete_domain::ids::{ActivityImportId, IdSource};
use lahete_domain::time::Clock;
use lahete_persistence::{Db, Store, StoreError};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::apply::{After, apply};
use super::ptv::{Item, item};
use super::source::{FetchError, Fetched, Http, PageSource};
use crate::config::{Config, PTV_URL};
use crate::demo::DemoPages;
use crate::error::AppError;
use crate::state::AppState;
use crate::theme_mappings::cases::apply_next;

/// How often a server looks for imports that nobody works on.
pub const EVERY: Duration = Duration::from_secs(30);

/// Items of one transaction: the writer is shared with everybody who waits for an answer.
const BATCH: usize = 100;

/// Entries that are brought into the index of words in one transaction.
const INDEX_BATCH: u16 = 100;

/// How often a transaction is tried that the store cannot do just now.
const WRITES_MAX: u32 = 20;
/// How long to wait before it is tried again.
const WRITE_PAUSE: Duration = Duration::from_millis(250);

/// A source that goes to and fro between the threads that may wait and those that may not.
type Source = Box<dyn PageSource>;

/// What an import works with.
#[derive(Clone)]
pub struct Worker {
    /// The database.
    pub store: Store,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// How long to wait before a page is asked for again, each time.
    pub waits: Vec<Duration>,
}

/// Why an import went no further.
#[derive(Debug)]
pub enum RunError {
    /// The pages do not come.
    Source(String),
    /// The database.
    Work(AppError),
}

impl From<AppError> for RunError {
    fn from(error: AppError) -> Self {
        Self::Work(error)
    }
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(reason) => write!(f, "the directory gives no page: {reason}"),
            Self::Work(error) => write!(f, "the store could not take a page: {error:?}"),
        }
    }
}

/// A page with its items read, or none that could be.
enum Read {
    Page(Arc<Vec<Item>>, u32),
    NoPage,
}

async fn pause(wait: Duration, asked: Option<Duration>) {
    sleep(asked.map_or(wait, |asked| asked.max(wait))).await;
}

fn read(phase: Option<ActivityImportPhase>, page: &Fetched) -> Read {
    let items = phase.map_or_else(Vec::new, |phase| page.items.iter().map(|value| item(phase, value)).collect());
    Read::Page(Arc::new(items), page.pages())
}

impl Worker {
    /// Fetches a page, however often it takes within the waits.
    async fn fetch(&self, mut source: Source, place: ImportPlace) -> Result<(Source, Read), RunError> {
        let step = usize::try_from(place.step).unwrap_or(usize::MAX);
        let mut waits = self.waits.iter().copied();
        loop {
            let (back, fetched) = block(move || {
                let phase = source.steps().get(step).map(|step| step.phase);
                let fetched = source.page(step, place.page).map(|page| read(phase, &page));
                (source, fetched)
            })
            .await
            .map_err(|error| AppError::internal(error.to_string()))?;
            source = back;
            match (fetched, waits.next()) {
                (Ok(read), _) => return Ok((source, read)),
                (Err(FetchError::Never(reason) | FetchError::Later(reason, _)), None) | (Err(FetchError::Never(reason)), Some(_)) => {
                    return Err(RunError::Source(reason));
                }
                (Err(FetchError::NoPage(_)), None) => return Ok((source, Read::NoPage)),
                (Err(FetchError::Later(_, asked)), Some(wait)) => pause(wait, asked).await,
                // A page of nonsense may be whole the next time.
                (Err(FetchError::NoPage(_)), Some(wait)) => pause(wait, None).await,
            }
        }
    }

    /// Writes items and the place; tries again what the store cannot do just now.
    async fn write(
        &self,
        import: &ActivityImport,
        items: &Arc<Vec<Item>>,
        from: usize,
        until: usize,
        after: After,
    ) -> Result<ActivityImport, RunError> {
        for tried in 1.. {
            let (import, items, ids, now) = (import.clone(), Arc::clone(items), Arc::clone(&self.ids), self.clock.now());
            let written = self
                .store
                .write(move |db: &mut Db<'_>| -> Result<ActivityImport, AppError> {
                    apply(db, &import, items.get(from..until).unwrap_or_default(), after, now, ids.as_ref())
                })
                .await;
            match written {
                Err(AppError::Store(error)) if tried < WRITES_MAX && is_passing(&error) => sleep(WRITE_PAUSE).await,
                other => return Ok(other?),
            }
        }
        Err(AppError::internal("no import is tried for ever").into())
    }

    /// Makes an import, or the rest of it; `progress` hears after each transaction how far it is. The import is one that this caller has claimed.
    ///
    /// # Errors
    /// [`RunError`]. What was done stays done, and the import can be gone on with.
    pub async fn run(
        &self,
        mut import: ActivityImport,
        mut source: Source,
        mut progress: impl FnMut(&ActivityImport),
    ) -> Result<ActivityImport, RunError> {
        let phases: Vec<ActivityImportPhase> = source.steps().iter().map(|step| step.phase).collect();
        while let Some(phase) = phases.get(usize::try_from(import.place.step).unwrap_or(usize::MAX)).copied() {
            import.phase = phase;
            let place = import.place;
            let (back, read) = self.fetch(source, place).await?;
            source = back;
            let (items, pages) = match read {
                Read::Page(items, pages) => (items, pages),
                Read::NoPage => {
                    import.skip(None, ActivityImportFault::WrongShape);
                    (Arc::new(Vec::new()), import.pages_of_step.unwrap_or_default())
                }
            };
            let next = if place.page < pages {
                ImportPlace { step: place.step, page: place.page + 1, item: 0 }
            } else {
                ImportPlace { step: place.step + 1, page: 1, item: 0 }
            };
            let of_next = if next.step == place.step { Some(pages) } else { None };
            let next_phase = phases.get(usize::try_from(next.step).unwrap_or(usize::MAX)).copied().unwrap_or(phase);
            let mut from = usize::try_from(place.item).unwrap_or_default().min(items.len());
            loop {
                let until = (from + BATCH).min(items.len());
                let page_done = until == items.len();
                let after = if page_done {
                    After { place: next, phase: next_phase, pages_of_step: of_next, page_done }
                } else {
                    let item = u32::try_from(until).unwrap_or(u32::MAX);
                    After { place: ImportPlace { item, ..place }, phase, pages_of_step: Some(pages), page_done }
                };
                import = self.write(&import, &items, from, until, after).await?;
                progress(&import);
                if page_done {
                    break;
                }
                from = until;
            }
        }
        let ended = ActivityImport { state: ActivityImportState::Finished, finished_at: Some(self.clock.now()), ..import };
        self.end(ended).await
    }

    async fn end(&self, ended: ActivityImport) -> Result<ActivityImport, RunError> {
        let written =
            self.store.write(move |db: &mut Db<'_>| -> Result<ActivityImport, AppError> { Ok(db.activity_import_update(&ended)?) });
        Ok(written.await?)
    }

    /// Takes an import on, if nobody works on it.
    async fn claim(&self, id: ActivityImportId) -> Result<Option<ActivityImport>, AppError> {
        let now = self.clock.now();
        let claimed = self.store.write(move |db: &mut Db<'_>| -> Result<Option<ActivityImport>, AppError> {
            let Some(import) = db.activity_import_get(id)?.filter(|import| import.origin == ImportOrigin::Server && import.is_free(now))
            else {
                return Ok(None);
            };
            let import = ActivityImport { state: ActivityImportState::Running, beat_at: Some(now), ..import };
            Ok(Some(db.activity_import_update(&import)?))
        });
        match claimed.await {
            Err(AppError::Store(StoreError::Stale)) => Ok(None),
            other => other,
        }
    }

    /// Makes an import that a server was asked for, and notes how it ended.
    async fn serve(&self, id: ActivityImportId, config: &Config) -> Result<(), RunError> {
        let Some(import) = self.claim(id).await? else { return Ok(()) };
        let made = match source(config, &import) {
            Ok(source) => self.run(import, source, |_| {}).await,
            Err(reason) => Err(RunError::Source(reason)),
        };
        match made {
            Ok(import) => {
                let counts = import.counts;
                log::info!(
                    "import {id}: {} added, {} changed, {} unchanged, {} ended, {} left out",
                    counts.added,
                    counts.changed,
                    counts.unchanged,
                    counts.tombstoned,
                    counts.skipped
                );
                Ok(())
            }
            // Another server goes on with it.
            Err(RunError::Work(AppError::Store(StoreError::Stale))) => Ok(()),
            Err(RunError::Source(reason)) => {
                log::warn!("import {id}: no page: {reason}");
                let now = self.clock.now();
                let problem: String = reason.chars().filter(|letter| !letter.is_control()).take(200).collect();
                let store = self.store.clone();
                let written = store.write(move |db: &mut Db<'_>| -> Result<(), AppError> {
                    if let Some(import) = db.activity_import_get(id)? {
                        let failed = ActivityImport {
                            state: ActivityImportState::Failed,
                            problem: Some(problem.clone()),
                            finished_at: Some(now),
                            ..import
                        };
                        db.activity_import_update(&failed)?;
                    }
                    Ok(())
                });
                Ok(written.await?)
            }
            // Whoever looks next for imports that give no sign of life goes on where it stands.
            Err(error) => Err(error),
        }
    }
}

fn is_passing(error: &StoreError) -> bool {
    matches!(error, StoreError::Busy | StoreError::DeadlineExceeded | StoreError::Unavailable | StoreError::StorageFull)
}

/// Where a server has its pages from. The demo asks nobody unless it is told whom.
fn source(config: &Config, import: &ActivityImport) -> Result<Source, String> {
    if config.demo && config.ptv_url == PTV_URL {
        return Ok(Box::new(DemoPages::new()));
    }
    Ok(Box::new(Http::new(&config.ptv_url, &import.municipalities, import.since)?))
}

fn worker(state: &AppState) -> Worker {
    Worker {
        store: state.store.clone(),
        clock: Arc::clone(&state.clock),
        ids: Arc::clone(&state.ids),
        waits: state.config.ptv_waits.clone(),
    }
}

/// Makes an import in the background, at once.
pub fn begin(state: Data<AppState>, id: ActivityImportId) {
    actix_web::rt::spawn(async move {
        if let Err(error) = worker(&state).serve(id, &state.config).await {
            log::error!("import {id}: {error}");
        }
    });
}

/// Looks for what is left over: imports that nobody works on, and mappings of themes that are not applied yet.
async fn look(state: &Data<AppState>) -> Result<(), AppError> {
    let now = state.clock.now();
    let open = state.store.read(|db: &mut Db<'_>| db.activity_imports_open(20)).await?;
    for import in open.into_iter().filter(|import| import.origin == ImportOrigin::Server && import.is_free(now)) {
        if let Err(error) = worker(state).serve(import.id, &state.config).await {
            log::error!("import {}: {error}", import.id);
        }
    }
    while apply_next(&state.store).await? {}
    // What was there before the index of words was.
    while state.store.write(|db: &mut Db<'_>| -> Result<bool, AppError> { Ok(db.activities_index_next(INDEX_BATCH)? > 0) }).await? {}
    Ok(())
}

/// Looks now and then, for as long as the program runs.
pub fn spawn(state: Data<AppState>) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = look(&state).await {
                log::warn!("imports of activities could not be looked for: {error:?}");
            }
        }
    })
}
