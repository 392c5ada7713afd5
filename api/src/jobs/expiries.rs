//! Proposals whose time to answer is over, drafts that nobody sent, and answers that were kept long enough for their idempotency keys.

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use actix_web::rt::time::interval;
use lahete_domain::actor::Actor;
use lahete_domain::codes::{AuditAction, EventKind, Language};
use lahete_domain::ids::{IdSource, ReferralId};
use lahete_domain::referral::DRAFT_DAYS;
use lahete_domain::time::{Clock, Instant};
use lahete_persistence::{Db, Store};
use tokio::time::MissedTickBehavior;

use crate::error::AppError;
use crate::operation::OpContext;
use crate::referrals::case;

/// How often the clock looks.
pub const EVERY: Duration = Duration::from_secs(60);

/// How many things one transaction takes on: the writer is shared with everybody who waits for an answer.
const BATCH: u16 = 50;

/// How long an answer is kept under its idempotency key. The document promises 24 hours; a caller who was cut off over night still gets it.
const ANSWERS_KEPT_HOURS: i64 = 48;

/// What one look of the clock has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Expired {
    /// Proposals that have lapsed.
    pub proposals: usize,
    /// Drafts that were deleted.
    pub drafts: usize,
    /// Stored answers that were forgotten.
    pub answers: usize,
    /// Ended tokens and used assertions that were forgotten.
    pub tokens: usize,
}

/// What a use case of the clock knows of itself.
pub(super) fn context(operation: &'static str, now: Instant, ids: &Arc<dyn IdSource>) -> OpContext {
    OpContext {
        actor: Actor::clock(),
        now,
        request_id: format!("clock-{}", ids.next_uuid()),
        operation,
        if_match: None,
        ids: Arc::clone(ids),
        language: Language::Finnish,
        reason: None,
    }
}

/// Lets every proposal lapse whose time is over, deletes every draft that is too old, and forgets old answers.
///
/// # Errors
/// When the store fails; what was done before stays done, and the next look goes on.
pub async fn run_once(store: &Store, now: Instant, ids: Arc<dyn IdSource>) -> Result<Expired, AppError> {
    let mut done = Expired::default();
    loop {
        let ctx = context("assignment_expire", now, &ids);
        let count = store.write(move |db: &mut Db<'_>| lapse_proposals(db, &ctx)).await?;
        done.proposals += count;
        if count < usize::from(BATCH) {
            break;
        }
    }
    loop {
        let ctx = context("draft_expire", now, &ids);
        let count = store.write(move |db: &mut Db<'_>| delete_drafts(db, &ctx)).await?;
        done.drafts += count;
        if count < usize::from(BATCH) {
            break;
        }
    }
    let before = now.plus_minutes(-ANSWERS_KEPT_HOURS * 60);
    done.answers = store.write(move |db: &mut Db<'_>| -> Result<usize, AppError> { Ok(db.idempotency_purge(before)?) }).await?;
    // Both end by themselves; what is left of them is only in the way.
    done.tokens = store.write(move |db: &mut Db<'_>| -> Result<usize, AppError> { Ok(db.sign_in_purge(before)?) }).await?;
    Ok(done)
}

fn lapse_proposals(db: &mut Db<'_>, ctx: &OpContext) -> Result<usize, AppError> {
    let due = db.assignments_due(ctx.now, BATCH)?;
    let count = due.len();
    for proposal in due {
        let expected = proposal.version;
        let expired = proposal.expire(ctx.now)?;
        let open = case::open_by(db, ctx, expired.referral, None)?;
        db.assignment_update(&expired, expected)?;
        case::note(db, ctx, &open, EventKind::AssignmentExpired, None, None)?;
    }
    Ok(count)
}

fn delete_drafts(db: &mut Db<'_>, ctx: &OpContext) -> Result<usize, AppError> {
    let old: Vec<ReferralId> = db.referral_drafts_before(ctx.now.plus_days(-DRAFT_DAYS), i64::from(BATCH))?;
    for id in &old {
        let open = case::open_by(db, ctx, *id, None)?;
        case::audit(db, ctx, &open, AuditAction::Changed);
        db.referral_delete_draft(*id)?;
    }
    Ok(old.len())
}

/// Looks every minute, for as long as the program runs. A failed look is logged; the next one does its work.
pub fn spawn(store: Store, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match run_once(&store, clock.now(), Arc::clone(&ids)).await {
                Ok(done) if done == Expired::default() => {}
                Ok(done) => log::info!(
                    "{} proposals have lapsed, {} drafts were deleted, {} stored answers were forgotten",
                    done.proposals,
                    done.drafts,
                    done.answers
                ),
                Err(error) => log::error!("the clock could not do its work: {error:?}"),
            }
        }
    })
}
