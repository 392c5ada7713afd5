//! Taking out what has been kept long enough: by the policies of each controller, in small steps, each of them a transaction with the report of what is
//! done so far. A run that was broken off goes on where it stopped; one that is run again finds nothing to do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::interval;
use chrono::NaiveDate;
use lahete_domain::codes::{AuditAction, RecordClass};
use lahete_domain::ids::{IdSource, ProgrammeId};
use lahete_domain::retention::{access_log_over, cutoff, policies_on, policy_on};
use lahete_domain::time::{Clock, Instant};
use lahete_persistence::repo::records::Counts;
use lahete_persistence::repo::retention::{Due, DueScope, RetentionRun};
use lahete_persistence::repo::trail::TrailKey;
use lahete_persistence::{Constraint, Db, Store, StoreError};
use tokio::time::MissedTickBehavior;

use super::expiries::context;
use crate::error::AppError;
use crate::operation::OpContext;
use crate::retention::report::{Group, Report};

/// How often the clock looks whether the day's run is still to be made.
pub const EVERY: Duration = Duration::from_secs(15 * 60);

/// How many referrals or clients one transaction takes on: the writer is shared with everybody who waits for an answer.
const BATCH: u16 = 50;

/// How many events of the trail one transaction forgets.
const EVENTS_AT_ONCE: u32 = 2_000;

/// How a run is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// By the policies and the calendar of this day.
    pub on: NaiveDate,
    /// Only say what would be done.
    pub dry_run: bool,
}

fn scope(programme: ProgrammeId, group: &Group, on: NaiveDate) -> DueScope {
    DueScope { programme, start: group.start.0, cutoff: cutoff(on, group.months), on }
}

fn classes(group: &Group) -> Vec<RecordClass> {
    group.classes.iter().map(|code| code.0).collect()
}

fn read_report(run: &RetentionRun) -> Result<Report, AppError> {
    serde_json::from_value(run.report.clone()).map_err(AppError::internal)
}

fn written(report: &Report) -> Result<serde_json::Value, AppError> {
    serde_json::to_value(report).map_err(AppError::internal)
}

/// Goes on with a run by one step; says whether there may be another.
fn step(db: &mut Db<'_>, ctx: &OpContext, run: &RetentionRun) -> Result<(Report, bool), AppError> {
    // Another server may be at it, too: what counts is how far it is now.
    let run = db.retention_run_get(run.id)?.ok_or_else(|| AppError::internal("a run of the retention is gone"))?;
    let mut report = read_report(&run)?;
    let Some(group) = report.groups.get(report.group).cloned().filter(|_| run.finished_at.is_none()) else { return Ok((report, false)) };
    let due = db.retention_due(scope(run.programme, &group, run.on), report.after.as_ref(), BATCH)?;
    let wanted = classes(&group);
    let (held, free): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|due| due.held);
    report.add(&count(db, &wanted, &held)?, |class| &mut class.held);
    for one in free {
        let done = db.retention_erase(&wanted, &[one])?;
        if done.values().any(|rows| *rows > 0) {
            ctx.audit_as(db, None, AuditAction::Changed, Some(run.programme), Some(one.client), one.referral);
        }
        report.add(&done, |class| &mut class.done);
    }
    move_on(&mut report, &due);
    db.retention_run_update(run.id, written(&report)?, None)?;
    Ok((report, true))
}

fn move_on(report: &mut Report, due: &[Due]) {
    match due.last().filter(|_| due.len() >= usize::from(BATCH)) {
        Some(last) => report.after = Some(last.place.clone()),
        None => {
            report.after = None;
            report.group += 1;
        }
    }
}

fn count(db: &mut Db<'_>, wanted: &[RecordClass], due: &[&Due]) -> Result<Counts, StoreError> {
    if due.is_empty() { Ok(Counts::new()) } else { db.retention_count(wanted, due) }
}

/// What became of the trail of accesses: `forgotten` events of the programme went, or would go. What is old enough and still there is held by others: an
/// event goes with all that stand before it in its chain, which are of all programmes.
fn look_at_access_log(db: &mut Db<'_>, report: &mut Report, run: &RetentionRun, forgotten: i64) -> Result<(), StoreError> {
    let Some(months) = report.class(RecordClass::AccessLog).map(|class| class.keep_months) else { return Ok(()) };
    let all = db.retention_access_log(run.programme, None)?;
    let old = match months {
        Some(months) => db.retention_access_log(run.programme, Some(cutoff(run.on, months)))?,
        None => 0,
    };
    if let Some(class) = report.class(RecordClass::AccessLog) {
        class.done = forgotten;
        class.held = if run.dry_run { old - forgotten } else { old };
        class.kept = all - old;
    }
    Ok(())
}

/// Until when the trail is forgotten: where its time is over for everybody, but not beyond the first event about somebody under a legal hold.
fn forgotten_before(db: &mut Db<'_>, on: NaiveDate) -> Result<Option<Instant>, StoreError> {
    let mut policies = Vec::new();
    for (programme, _) in db.programme_ids()? {
        policies.push(policy_on(programme, RecordClass::AccessLog, &db.retention_policies_of(&[programme])?, on));
    }
    let Some(before) = access_log_over(&policies, on) else { return Ok(None) };
    Ok(Some(db.access_log_held_from(before, on)?.unwrap_or(before)))
}

/// Forgets the accesses whose time is over for every programme, in small transactions; gives how many of each programme went, or would go.
async fn forget_accesses(store: &Store, key: &Arc<dyn TrailKey>, plan: Plan, now: Instant) -> Result<BTreeMap<ProgrammeId, i64>, AppError> {
    let Some(before) = store.read(move |db: &mut Db<'_>| forgotten_before(db, plan.on)).await? else { return Ok(BTreeMap::new()) };
    let count = || {
        store.count_apart(move |db| {
            let programmes = db.programme_ids()?;
            programmes.into_iter().map(|(programme, _)| Ok((programme, db.retention_access_log(programme, Some(before))?))).collect()
        })
    };
    let mut old: BTreeMap<ProgrammeId, i64> = count().await?;
    if plan.dry_run || old.values().all(|events| *events == 0) {
        return Ok(old);
    }
    loop {
        let key = Arc::clone(key);
        let forgotten = store.write(move |db: &mut Db<'_>| db.audit_forget_before(before, now, &*key, EVENTS_AT_ONCE)).await?;
        if !forgotten.more {
            break;
        }
    }
    let left = count().await?;
    old.iter_mut().for_each(|(programme, events)| *events -= left.get(programme).copied().unwrap_or_default());
    Ok(old)
}

/// Counts what is kept because its time is not over, and the trail of accesses.
async fn count_kept(store: &Store, run: &RetentionRun, mut report: Report, forgotten: i64) -> Result<Report, AppError> {
    let run = run.clone();
    let counted = store
        .count_apart(move |db| {
            for group in report.groups.clone() {
                let kept = db.retention_kept(&classes(&group), scope(run.programme, &group, run.on))?;
                report.add(&kept, |class| &mut class.kept);
            }
            look_at_access_log(db, &mut report, &run, forgotten)?;
            Ok(report)
        })
        .await?;
    Ok(counted)
}

/// The run of a programme to work on: the one that was broken off, or a new one.
async fn begin(store: &Store, ids: &Arc<dyn IdSource>, programme: ProgrammeId, plan: Plan, now: Instant) -> Result<RetentionRun, AppError> {
    let ids = Arc::clone(ids);
    let begun = store
        .write(move |db: &mut Db<'_>| -> Result<RetentionRun, AppError> {
            if !plan.dry_run
                && let Some(open) = db.retention_run_open(programme)?
            {
                return Ok(open);
            }
            let given = db.retention_policies_of(&[programme])?;
            let report = Report::begin(&policies_on(programme, &given, plan.on));
            let run = RetentionRun {
                id: ids.next(),
                programme,
                on: plan.on,
                dry_run: plan.dry_run,
                started_at: now,
                finished_at: None,
                report: written(&report)?,
            };
            if !plan.dry_run {
                db.retention_run_insert(&run)?;
            }
            Ok(run)
        })
        .await;
    match begun {
        // Another server was faster; its run is the one.
        Err(AppError::Store(StoreError::Constraint(Constraint::RetentionRunOpen))) => {
            let open = store.read(move |db: &mut Db<'_>| db.retention_run_open(programme)).await?;
            open.ok_or_else(|| AppError::internal("the run of another server is gone"))
        }
        other => other,
    }
}

/// Says what would be done, without doing it.
async fn dry(store: &Store, run: &RetentionRun) -> Result<Report, AppError> {
    let mut report = read_report(run)?;
    loop {
        let (run, mut so_far) = (run.clone(), report.clone());
        let next = store
            .read_apart(move |db: &mut Db<'_>| -> Result<Option<Report>, AppError> {
                let Some(group) = so_far.groups.get(so_far.group).cloned() else { return Ok(None) };
                let due = db.retention_due(scope(run.programme, &group, run.on), so_far.after.as_ref(), BATCH)?;
                let wanted = classes(&group);
                let (held, free): (Vec<&Due>, Vec<&Due>) = due.iter().partition(|due| due.held);
                so_far.add(&count(db, &wanted, &held)?, |class| &mut class.held);
                so_far.add(&count(db, &wanted, &free)?, |class| &mut class.done);
                move_on(&mut so_far, &due);
                Ok(Some(so_far.clone()))
            })
            .await?;
        match next {
            Some(next) => report = next,
            None => return Ok(report),
        }
    }
}

/// Runs the retention of one programme to its end. `progress` hears after each step how many rows are done.
///
/// # Errors
/// When the store fails; what was done before stays done, and the next run goes on there.
pub async fn run_one(
    store: &Store,
    ids: &Arc<dyn IdSource>,
    programme: ProgrammeId,
    plan: Plan,
    now: Instant,
    progress: impl FnMut(i64),
) -> Result<(RetentionRun, Report), AppError> {
    run_with(store, ids, programme, plan, now, 0, progress).await
}

/// As [`run_one`], after so many events of the programme's trail were forgotten.
async fn run_with(
    store: &Store,
    ids: &Arc<dyn IdSource>,
    programme: ProgrammeId,
    plan: Plan,
    now: Instant,
    forgotten: i64,
    mut progress: impl FnMut(i64),
) -> Result<(RetentionRun, Report), AppError> {
    let run = begin(store, ids, programme, plan, now).await?;
    let report = if run.dry_run {
        dry(store, &run).await?
    } else {
        loop {
            let (ctx, one) = (context("retention_run", now, ids), run.clone());
            let (report, more) = store.write(move |db: &mut Db<'_>| step(db, &ctx, &one)).await?;
            progress(report.done());
            if !more {
                break report;
            }
        }
    };
    let report = count_kept(store, &run, report, forgotten).await?;
    let finished = RetentionRun { finished_at: Some(now), report: written(&report)?, ..run };
    let stored = finished.clone();
    store
        .write(move |db: &mut Db<'_>| -> Result<(), AppError> {
            if stored.dry_run {
                db.retention_run_insert(&stored)?;
            } else {
                db.retention_run_update(stored.id, stored.report.clone(), stored.finished_at)?;
            }
            Ok(())
        })
        .await?;
    Ok((finished, report))
}

/// Runs the retention of all programmes, one after the other; `key` signs where the trail of accesses begins from now on.
///
/// # Errors
/// As [`run_one`].
pub async fn run_all(
    store: &Store,
    ids: &Arc<dyn IdSource>,
    key: &Arc<dyn TrailKey>,
    plan: Plan,
    now: Instant,
    mut progress: impl FnMut(ProgrammeId, i64),
) -> Result<Vec<(RetentionRun, Report)>, AppError> {
    let programmes = store.read(|db: &mut Db<'_>| db.programme_ids()).await?;
    let forgotten = forget_accesses(store, key, plan, now).await?;
    let mut all = Vec::new();
    for (programme, _) in programmes {
        let of_trail = forgotten.get(&programme).copied().unwrap_or_default();
        all.push(run_with(store, ids, programme, plan, now, of_trail, |rows| progress(programme, rows)).await?);
    }
    if !plan.dry_run && all.iter().any(|(_, report)| report.done() > 0) {
        // What was erased shall not stay in the database's log. When somebody reads just now, the next checkpoint does it.
        if let Err(error) = store.scrub().await {
            log::warn!("what was erased may stay in the database's log for a while: {error}");
        }
    }
    Ok(all)
}

/// The run of the day, unless it was made already.
///
/// # Errors
/// As [`run_one`].
pub async fn run_daily(store: &Store, ids: &Arc<dyn IdSource>, key: &Arc<dyn TrailKey>, now: Instant) -> Result<Option<i64>, AppError> {
    let on = now.helsinki_date();
    let made = store
        .read(move |db: &mut Db<'_>| -> Result<bool, StoreError> {
            for (programme, _) in db.programme_ids()? {
                if !db.retention_run_made(programme, on)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
    if made {
        return Ok(None);
    }
    let all = run_all(store, ids, key, Plan { on, dry_run: false }, now, |_, _| {}).await?;
    Ok(Some(all.iter().map(|(_, report)| report.done()).sum()))
}

/// Makes the run of the day, each day, for as long as the program runs.
pub fn spawn(store: Store, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>, key: Arc<dyn TrailKey>) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match run_daily(&store, &ids, &key, clock.now()).await {
                Ok(None) => {}
                Ok(Some(rows)) => log::info!("retention: {rows} rows were pseudonymised or deleted"),
                Err(error) => log::error!("the retention could not do its work: {error:?}"),
            }
        }
    })
}
