//! One's own matters. The client's lists are those of the rooms, narrowed to what is about the caller.

use std::collections::BTreeMap;

use lahete_domain::access::{self, Action, Decision, Subject, Visibility};
use lahete_domain::actor::Caller;
use lahete_domain::client::Client;
use lahete_domain::codes::{AuditAction, Role};
use lahete_domain::consent::{ConsentStatus, Opening};
use lahete_domain::ids::{ClientId, ConsentId, Id as _, ReferralId, SupportPeriodId, UserId};
use lahete_persistence::repo::referrals::ReferralFilter;
use lahete_persistence::repo::support_periods::SupportPeriodFilter;
use lahete_persistence::repo::visits::VisitFilter;
use lahete_persistence::{Db, Page, PageRequest};

use super::wire::{MeView, MyRole, MySupportPeriodView};
use crate::activity_links::{cases::Shown, wire::ActivityLinkView};
use crate::clients::cases::LogReach;
use crate::clients::{self, wire::AccessLogEntry};
use crate::consents::{
    self,
    wire::{ConsentView, ConsentWithdraw},
};
use crate::error::AppError;
use crate::goals::wire::GoalView;
use crate::operation::OpContext;
use crate::referrals::{self, wire::ReferralListItem};
use crate::support_periods;
use crate::visits::{self, wire::VisitView};

/// Most own referrals of which consents are shown together.
const OWN_REFERRALS_MAX: u16 = 200;

/// Most goals, and most activities, that one plan is shown with.
const PLAN_MAX: u16 = 200;

/// Who the caller is, with the roles of today.
///
/// # Errors
/// 404 when the account is gone.
pub fn view(db: &mut Db<'_>, ctx: &OpContext) -> Result<MeView, AppError> {
    let (kind, id, name) = match ctx.actor.caller {
        Caller::User(id) => {
            let user = db.user_get(id)?.ok_or(AppError::NotFound(UserId::RESOURCE))?;
            ("user", id.as_uuid(), user.name)
        }
        Caller::ApiClient(id) => {
            let machine = db.api_client_get(id)?.ok_or(AppError::NotFound("api_client"))?;
            ("api_client", id.as_uuid(), machine.name)
        }
        Caller::Anonymous | Caller::Clock => return Err(AppError::NotFound(UserId::RESOURCE)),
    };
    let mut roles = Vec::new();
    for grant in &ctx.actor.grants {
        let programme = db.programme_get(grant.programme)?.map_or_else(String::new, |programme| programme.name);
        roles.push(MyRole {
            role: grant.role.into(),
            programme_id: grant.programme.as_uuid(),
            programme,
            organisation_id: grant.organisation.map(|id| id.as_uuid()),
            sector: grant.sector.map(Into::into),
        });
    }
    Ok(MeView { kind: kind.to_owned(), id, name, roles })
}

/// What is about the caller as a client, and nothing that they see in another role.
fn about_me(ctx: &OpContext, action: Action) -> Visibility {
    Visibility { about: access::visibility(&ctx.actor, action).about, ..Visibility::default() }
}

/// The caller's own referrals.
///
/// # Errors
/// When the database fails.
pub fn referrals(db: &mut Db<'_>, ctx: &OpContext, page: &PageRequest) -> Result<Page<ReferralListItem>, AppError> {
    referrals::list_seen(db, ctx, &about_me(ctx, Action::ReferralView), &ReferralFilter::default(), page)
}

/// The consents of the caller's own referrals.
///
/// # Errors
/// When the database fails.
pub fn consents(db: &mut Db<'_>, ctx: &OpContext) -> Result<Vec<ConsentView>, AppError> {
    let own = referrals(db, ctx, &PageRequest::first(OWN_REFERRALS_MAX))?;
    let mut views = Vec::new();
    for referral in own.items {
        let consents = db.consents_of(ReferralId::from_uuid(referral.id))?;
        views.extend(consents.iter().map(|consent| ConsentView::of(consent, ctx.now.helsinki_date())));
    }
    Ok(views)
}

/// The caller takes a consent of their own back.
///
/// # Errors
/// 404 for a consent that is not the caller's, 409 when nothing is left to take back.
pub fn withdraw_consent(db: &mut Db<'_>, ctx: &OpContext, id: ConsentId, body: ConsentWithdraw) -> Result<ConsentView, AppError> {
    let referral = db.consent_get(id)?.map_or_else(ReferralId::nil, |consent| consent.referral);
    consents::cases::withdraw(db, ctx, referral, id, body)
}

/// Notes that the caller has read about themself: once for each client that they are.
fn audit_own(db: &mut Db<'_>, ctx: &OpContext, seen: impl Iterator<Item = (ClientId, ReferralId)>) -> Result<(), AppError> {
    let own = own_clients(db, ctx)?;
    let seen: BTreeMap<ClientId, ReferralId> = seen.collect();
    for client in own {
        let grant = ctx.actor.grants.iter().find(|grant| grant.role == Role::Client && grant.programme == client.programme);
        if let (Some(grant), Some(referral)) = (grant, seen.get(&client.id)) {
            ctx.audit(db, grant, AuditAction::Read, Some(client.id), Some(*referral));
        }
    }
    Ok(())
}

/// The caller's own support periods, each with the plan.
///
/// # Errors
/// When the database fails.
pub fn support_periods(db: &mut Db<'_>, ctx: &OpContext, page: &PageRequest) -> Result<Page<MySupportPeriodView>, AppError> {
    let own = support_periods::cases::page_of(db, ctx, &about_me(ctx, Action::SupportView), SupportPeriodFilter::default(), page)?;
    let seen: Vec<_> =
        own.items.iter().map(|period| (ClientId::from_uuid(period.client_id), ReferralId::from_uuid(period.referral_id))).collect();
    audit_own(db, ctx, seen.into_iter())?;
    let all = PageRequest::first(PLAN_MAX);
    own.try_map(|period| {
        let goals = db.goals_of(SupportPeriodId::from_uuid(period.id), &all)?;
        let referral = ReferralId::from_uuid(period.referral_id);
        let links = db.activity_link_list(referral, &all)?;
        let may_be_told = ConsentStatus::of(&db.consents_of(referral)?, ctx.now.helsinki_date()).opens(Opening::Activity);
        Ok(MySupportPeriodView {
            goals: goals.items.iter().map(GoalView::from).collect(),
            activity_links: links.items.into_iter().map(|named| ActivityLinkView::from(Shown { named, may_be_told })).collect(),
            period,
        })
    })
}

/// The caller's own visits, with what the link worker has written about them.
///
/// # Errors
/// When the database fails.
pub fn visits(db: &mut Db<'_>, ctx: &OpContext, filter: VisitFilter, page: &PageRequest) -> Result<Page<VisitView>, AppError> {
    let own = visits::cases::page_for_client(db, ctx, &about_me(ctx, Action::VisitView), filter, page)?;
    let seen: Vec<_> =
        own.items.iter().map(|visit| (ClientId::from_uuid(visit.client_id), ReferralId::from_uuid(visit.referral_id))).collect();
    audit_own(db, ctx, seen.into_iter())?;
    Ok(own)
}

/// The clients that the caller is, one for each programme, with the role that lets them read their own log.
fn own_clients(db: &mut Db<'_>, ctx: &OpContext) -> Result<Vec<Client>, AppError> {
    let Some(user) = ctx.actor.user() else { return Ok(Vec::new()) };
    let mut own = db.clients_of_user(user)?;
    own.retain(|client| {
        let subject = Subject { client: client.user, ..Subject::of_programme(client.programme) };
        ctx.actor.has(Role::Client, client.programme)
            && matches!(access::decide(&ctx.actor, Action::AccessLogView, &subject), Decision::Allowed(_))
    });
    Ok(own)
}

/// Who has read about the caller, the newest first. Somebody who is a client of several programmes names the one.
///
/// # Errors
/// When the database fails.
pub fn access_log(
    db: &mut Db<'_>,
    ctx: &OpContext,
    programme: Option<uuid::Uuid>,
    older: bool,
    page: &PageRequest,
) -> Result<Page<AccessLogEntry>, AppError> {
    let own = own_clients(db, ctx)?.into_iter().find(|client| programme.is_none_or(|id| client.programme.as_uuid() == id));
    let Some(client) = own else { return Ok(Page { items: Vec::new(), next: None }) };
    let subject = Subject { client: client.user, ..Subject::of_programme(client.programme) };
    let grant = ctx.require(db, Action::AccessLogView, &subject, Some(client.id), None)?;
    ctx.audit(db, &grant, AuditAction::Read, Some(client.id), None);
    clients::cases::log_of(db, ctx, &client, LogReach { older, whole: false }, page)
}
