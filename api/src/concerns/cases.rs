//! What is done with concerns.
//!
//! A concern stands in no timeline: the client reads that, and shall not learn of a concern by it.

use std::collections::BTreeSet;

use lahete_domain::access::{self, Action, Decision, Subject};
use lahete_domain::actor::Grant;
use lahete_domain::codes::{AuditAction, Role};
use lahete_domain::concern::{Concern, ConcernChange, ConcernReport};
use lahete_domain::ids::{ConcernId, Id as _, ProgrammeId, ReferralId};
use lahete_domain::version::Version;
use lahete_persistence::repo::concerns::{ConcernFace, ConcernFilter, ConcernSight};
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{ConcernClose, ConcernCreate, ConcernQuery, ConcernRelease, ConcernUpdate, MyConcernQuery};
use crate::error::AppError;
use crate::http::wire::LongText;
use crate::operation::OpContext;
use crate::referrals::case;

/// Takes a concern on record.
///
/// # Errors
/// 404 and 403 by the policy, 409 for a draft, 422 when it is not said why the person was not informed.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, body: ConcernCreate) -> Result<Concern, AppError> {
    let open = case::open(db, ctx, Action::ConcernRecord, referral)?;
    open.case.referral.expect_sent()?;
    let concern = Concern {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: open.case.referral.programme,
        referral,
        client: open.case.referral.client,
        kind: body.kind.0,
        facts: body.facts.into_string(),
        person_informed: body.person_informed,
        not_informed_reason: body.not_informed_reason.filter(|_| !body.person_informed).map(LongText::into_string),
        consulted: body.consulted.map(LongText::into_string),
        reported: body.reported_to.map(ConcernReport::from),
        follow_up: None,
        reporter: ctx.user()?,
        reporter_role: open.role().ok_or_else(|| AppError::internal("a concern without a role"))?,
        recorded_at: ctx.now,
        closed_at: None,
        released: None,
    }
    .record()?;
    db.concern_insert(&concern)?;
    case::audit(db, ctx, &open, AuditAction::Created);
    Ok(concern)
}

fn find(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: ConcernId) -> Result<(Concern, Grant), AppError> {
    let Some((concern, case)) = db.concern_get(id)? else { return Err(ctx.absent(db, action)) };
    let subject = case.subject(concern.programme, concern.reporter, ctx.now.helsinki_date());
    let grant = ctx.require(db, action, &subject, Some(concern.client), Some(concern.referral))?;
    Ok((concern, grant))
}

/// Holds a repeated call against the rights of today: the stored answer tells what was written.
///
/// # Errors
/// 404 when the concern is not the caller's to see any more.
pub(crate) fn expect_still_seen(db: &mut Db<'_>, ctx: &OpContext, id: ConcernId) -> Result<(), AppError> {
    find(db, ctx, Action::ConcernView, id).map(drop)
}

/// One concern.
///
/// # Errors
/// 404 when there is none, or it is none of the caller's business.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: ConcernId) -> Result<Concern, AppError> {
    let (concern, grant) = find(db, ctx, Action::ConcernView, id)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(concern.client), Some(concern.referral));
    Ok(concern)
}

/// The rows of a page that the policy lets through, each reading about a client on record once. The condition of a list says the same as the policy; should
/// they ever differ, the policy counts. What lies behind a coordinator is left out until they say why they look.
fn seen(db: &mut Db<'_>, ctx: &OpContext, page: Page<ConcernFace>) -> Result<Page<ConcernFace>, AppError> {
    let today = ctx.now.helsinki_date();
    let cases = db.concern_cases(page.items.iter().map(|face| face.referral).collect::<BTreeSet<_>>())?;
    let mut noted = BTreeSet::new();
    let mut items = Vec::with_capacity(page.items.len());
    for face in page.items {
        let Some(case) = cases.get(&face.referral) else { continue };
        let subject = case.subject(face.programme, face.reporter, today);
        let Decision::Allowed(grant) = access::decide(&ctx.actor, Action::ConcernView, &subject) else { continue };
        if ctx.veils(grant.role, subject.past) {
            continue;
        }
        if noted.insert(face.client) {
            ctx.audit(db, &grant, AuditAction::Read, Some(face.client), Some(face.referral));
        }
        items.push(face);
    }
    Ok(Page { items, next: page.next })
}

/// The concerns that the caller may see.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &ConcernQuery, page: &PageRequest) -> Result<Page<ConcernFace>, AppError> {
    let visible = access::visibility(&ctx.actor, Action::ConcernView);
    let wanted = query.programme_id.map(ProgrammeId::from_uuid);
    let keep = |programme: &ProgrammeId| wanted.is_none_or(|wanted| wanted == *programme);
    let mut own: BTreeSet<ProgrammeId> = BTreeSet::new();
    for (_, programmes) in visible.written_by.iter().chain(visible.assigned_to.iter()) {
        own.extend(programmes.iter().filter(|programme| !visible.programmes.contains(programme)).filter(|programme| keep(programme)));
    }
    let sight = ConcernSight {
        programmes: visible.programmes.iter().copied().filter(keep).collect(),
        own: ctx.actor.user().map(|user| (user, own.into_iter().collect())),
    };
    let filter = ConcernFilter { state: query.state.map(|state| state.0), kind: query.kind.map(|kind| kind.0), released: query.released };
    let found = db.concern_list(&sight, filter, page)?;
    seen(db, ctx, found)
}

/// The concerns of one case: all of them for coordinators and the privacy officer, their own for the others.
///
/// # Errors
/// 404 when there is no such referral, or the caller may not know of it.
pub fn list_of(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, page: &PageRequest) -> Result<Page<ConcernFace>, AppError> {
    let open = case::open(db, ctx, Action::ConcernListView, referral)?;
    let whole = open.is(Role::Coordinator) || open.is(Role::PrivacyOfficer);
    let reporter = if whole { None } else { Some(ctx.user()?) };
    let found = db.concerns_of_referral(referral, reporter, page)?;
    if found.items.is_empty() {
        case::audit(db, ctx, &open, AuditAction::Read);
    }
    seen(db, ctx, found)
}

fn store(db: &mut Db<'_>, ctx: &OpContext, grant: &Grant, after: Concern) -> Result<Concern, AppError> {
    let expected = after.version;
    db.concern_update(&after, expected)?;
    ctx.audit(db, grant, AuditAction::Changed, Some(after.client), Some(after.referral));
    Ok(Concern { version: expected.next(), ..after })
}

/// Says more about a concern: where it was reported, who was asked, what followed.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it is closed, 412 and 428 by the version, 422 when a reason is missing.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ConcernId, body: ConcernUpdate) -> Result<Concern, AppError> {
    let (concern, grant) = find(db, ctx, Action::ConcernUpdate, id)?;
    ctx.expect_version(concern.version)?;
    let before = concern.clone();
    let reported = body.reported_to.given().map(ConcernReport::from).or(before.reported);
    let change = ConcernChange {
        person_informed: body.person_informed.apply(before.person_informed),
        not_informed_reason: body.not_informed_reason.map(LongText::into_string).apply(before.not_informed_reason),
        consulted: body.consulted.map(LongText::into_string).apply(before.consulted),
        reported,
        follow_up: body.follow_up.map(LongText::into_string).apply(before.follow_up),
    };
    store(db, ctx, &grant, concern.change(change, ctx.now)?)
}

/// Closes a concern.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it is closed already, 412 and 428 by the version.
pub fn close(db: &mut Db<'_>, ctx: &OpContext, id: ConcernId, body: ConcernClose) -> Result<Concern, AppError> {
    let (concern, grant) = find(db, ctx, Action::ConcernRelease, id)?;
    ctx.expect_version(concern.version)?;
    store(db, ctx, &grant, concern.close(body.follow_up.into_string(), ctx.now)?)
}

/// Lets the client see a concern.
///
/// # Errors
/// 404 and 403 by the policy, 409 when they see it already, 412 and 428 by the version.
pub fn release(db: &mut Db<'_>, ctx: &OpContext, id: ConcernId, body: ConcernRelease) -> Result<Concern, AppError> {
    let (concern, grant) = find(db, ctx, Action::ConcernRelease, id)?;
    ctx.expect_version(concern.version)?;
    store(db, ctx, &grant, concern.release(ctx.user()?, body.words.map(LongText::into_string), ctx.now)?)
}

/// The concerns about the caller that were released to them.
///
/// # Errors
/// When the database fails.
pub fn own(db: &mut Db<'_>, ctx: &OpContext, query: &MyConcernQuery, page: &PageRequest) -> Result<Page<Concern>, AppError> {
    let none = Page { items: Vec::new(), next: None };
    let Some(user) = ctx.actor.user() else { return Ok(none) };
    let decided = |programme, client| {
        let subject = Subject { client, ..Subject::of_programme(programme) };
        access::decide(&ctx.actor, Action::OwnConcernView, &subject)
    };
    for client in db.clients_of_user(user)? {
        if query.programme_id.is_some_and(|wanted| wanted != client.programme.as_uuid()) {
            continue;
        }
        let Decision::Allowed(grant) = decided(client.programme, client.user) else { continue };
        let found = db.concerns_released(client.id, page)?;
        ctx.audit(db, &grant, AuditAction::Read, Some(client.id), found.items.first().map(|concern| concern.referral));
        return Ok(found);
    }
    Ok(none)
}
