//! Giving, changing and reading feedback.

use std::collections::BTreeMap;

use lahete_domain::access::{Action, visibility};
use lahete_domain::codes::{AuditAction, Code as _, EventKind, FeedbackParty, Role};
use lahete_domain::consent::Opening;
use lahete_domain::feedback::{Feedback, FeedbackError, Rating, expect_form, expect_stage, parties_shown_to, party_of};
use lahete_domain::ids::{ClientId, FeedbackId, Id as _, ReferralId};
use lahete_domain::version::Version;
use lahete_persistence::repo::feedback::FeedbackFilter;
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};

use super::wire::{FeedbackCreate, FeedbackUpdate, RatingView};
use crate::error::{AppError, Fault, RuleProblem};
use crate::http::wire::LongText;
use crate::operation::OpContext;
use crate::referrals::case::{self, OpenCase};

/// What the domain refuses, in the words of the API.
fn refused(error: FeedbackError) -> AppError {
    let fault = |pointer, code| AppError::fault(Fault::new(pointer, code, format!("{error}.")));
    match error {
        FeedbackError::Empty => fault("", "nothing_said"),
        FeedbackError::Statement { statement } => {
            AppError::fault(Fault::new("/ratings", "wrong_statement", format!("{error}.")).with("statement", statement.as_str()))
        }
        FeedbackError::Rating => fault("/ratings", "out_of_range"),
        FeedbackError::Stage { state } => {
            RuleProblem::new("feedback_stage_wrong", format!("{error}.")).with("state", state.as_str()).into()
        }
        FeedbackError::TooLate => RuleProblem::new("feedback_too_old", format!("{error}.")).into(),
    }
}

fn ratings(given: &[RatingView]) -> Vec<Rating> {
    given.iter().map(|rating| Rating { statement: rating.statement.0, rating: rating.rating }).collect()
}

/// Whose words they are: one's own by one's role; a coordinator writes down what the client has said.
fn party(role: Role, named: Option<FeedbackParty>) -> Result<FeedbackParty, AppError> {
    let own = party_of(role).unwrap_or(FeedbackParty::Client);
    if named.is_some_and(|named| named != own) {
        return Err(AppError::fault(Fault::new("/party", "not_yours", "These are not the caller's words to give.")));
    }
    Ok(own)
}

/// As [`give`], by somebody who speaks as a client and in no other of their roles.
///
/// # Errors
/// As [`give`]; 404 for whoever is nobody's client.
pub fn give_as_client(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: &FeedbackCreate) -> Result<Feedback, AppError> {
    let mut own = ctx.clone();
    own.actor.grants.retain(|grant| grant.role == Role::Client);
    if own.actor.grants.is_empty() {
        return Err(ctx.absent(db, Action::FeedbackGive));
    }
    give(db, &own, id, body)
}

/// Keeps feedback, one of each party at each stage.
///
/// # Errors
/// 404 and 403 by the policy, 409 when the referral is not at this stage or it was given before, 422 when the form is not filled in as it should be.
pub fn give(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: &FeedbackCreate) -> Result<Feedback, AppError> {
    let open = case::open(db, ctx, Action::FeedbackGive, id)?;
    let role = open.role().ok_or_else(|| AppError::internal("feedback without a role"))?;
    let party = party(role, body.party.map(|party| party.0))?;
    let referral = &open.case.referral;
    expect_stage(body.stage.0, referral.state.code()).map_err(refused)?;
    let ratings = ratings(&body.ratings);
    let words = body.words.as_ref().map(|words| words.as_str().to_owned());
    expect_form(party, &ratings, words.as_deref()).map_err(refused)?;
    let said = Feedback {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: referral.programme,
        referral: referral.id,
        client: referral.client,
        stage: body.stage.0,
        party,
        author: ctx.user()?,
        author_role: role,
        ratings,
        words,
        given_at: ctx.now,
        changed_at: None,
    };
    db.feedback_insert(&said).map_err(|error| match error {
        StoreError::Constraint(Constraint::FeedbackTaken) => {
            AppError::from(RuleProblem::new("feedback_exists", "It was given at this stage; change it in place of giving it again."))
        }
        other => other.into(),
    })?;
    case::note(db, ctx, &open, EventKind::FeedbackGiven, None, None)?;
    Ok(said)
}

/// Whether the client's consents let a referrer hear of the work today.
fn tells_referrer(open: &OpenCase) -> bool {
    open.status.opens(Opening::Feedback)
}

/// The feedback with its case, opened for an action. What the caller may not read is answered like what is not there.
fn find(db: &mut Db<'_>, ctx: &OpContext, action: Action, id: FeedbackId) -> Result<(OpenCase, Feedback), AppError> {
    let found = db.feedback_get(id)?;
    let open = case::open(db, ctx, action, found.as_ref().map_or_else(ReferralId::nil, |said| said.referral))?;
    let said = found.ok_or(AppError::NotFound(FeedbackId::RESOURCE))?;
    let shown = open.role().is_some_and(|role| said.is_shown_to(role, ctx.actor.user(), tells_referrer(&open)));
    if shown {
        return Ok((open, said));
    }
    let referral = &open.case.referral;
    Err(ctx.refuse(db, action, referral.programme, referral.client, referral.id))
}

/// One feedback.
///
/// # Errors
/// 404 when there is none or the caller may not read it.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: FeedbackId) -> Result<Feedback, AppError> {
    let (open, said) = find(db, ctx, Action::FeedbackView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(said)
}

/// What was said about a referral, as far as the caller may read it.
///
/// # Errors
/// 404 when the caller may not see the referral.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, page: &PageRequest) -> Result<Page<Feedback>, AppError> {
    let open = case::open(db, ctx, Action::FeedbackView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let parties = open.role().map_or(&[][..], |role| parties_shown_to(role, tells_referrer(&open)));
    let wanted = FeedbackFilter::Referral { referral: id, parties: parties.to_vec(), author: ctx.actor.user() };
    Ok(db.feedback_list(&wanted, page)?)
}

/// What the caller has said as a client, or a coordinator has written down for them.
///
/// # Errors
/// When the database fails.
pub fn of_client(db: &mut Db<'_>, ctx: &OpContext, page: &PageRequest) -> Result<Page<Feedback>, AppError> {
    let about = visibility(&ctx.actor, Action::FeedbackView).about;
    let own = match about {
        Some((user, programmes)) => {
            let clients = db.clients_of_user(user)?;
            clients.into_iter().filter(|client| programmes.contains(&client.programme)).map(|client| client.id).collect()
        }
        None => Vec::new(),
    };
    let said = db.feedback_list(&FeedbackFilter::Clients(own), page)?;
    let seen: BTreeMap<ClientId, &Feedback> = said.items.iter().map(|feedback| (feedback.client, feedback)).collect();
    for feedback in seen.into_values() {
        let grant = ctx.actor.grants.iter().find(|grant| grant.role == Role::Client && grant.programme == feedback.programme);
        if let Some(grant) = grant {
            ctx.audit(db, grant, AuditAction::Read, Some(feedback.client), Some(feedback.referral));
        }
    }
    Ok(said)
}

/// Changes what one has said, for some weeks.
///
/// # Errors
/// 404 and 403 by the policy, 409 when it is too late, 412 and 428 by the version, 422 when the form is not filled in as it should be.
pub fn change(db: &mut Db<'_>, ctx: &OpContext, id: FeedbackId, body: &FeedbackUpdate) -> Result<Feedback, AppError> {
    let (open, said) = find(db, ctx, Action::FeedbackGive, id)?;
    // What others have said is not the caller's to change, even where they may read it.
    if ctx.actor.user() != Some(said.author) || open.role() != Some(said.author_role) {
        let referral = &open.case.referral;
        ctx.deny(db, Action::FeedbackGive, referral.programme, referral.client, referral.id);
        return Err(AppError::Forbidden { action: Action::FeedbackGive.as_str() });
    }
    ctx.expect_version(said.version)?;
    let expected = said.version;
    let given = body.ratings.as_ref().map_or_else(|| said.ratings.clone(), |given| ratings(given));
    let words = body.words.clone().map(LongText::into_string).apply(said.words.clone());
    let changed = said.change(given, words, ctx.now).map_err(refused)?;
    db.feedback_update(&changed, expected)?;
    case::note(db, ctx, &open, EventKind::FeedbackGiven, None, None)?;
    Ok(Feedback { version: expected.next(), ..changed })
}
