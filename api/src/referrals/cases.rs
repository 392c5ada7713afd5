//! The use cases of referrals: load what the caller may see, let the domain decide, write it back.

use std::collections::{BTreeMap, BTreeSet};

use lahete_domain::access::{self, Action, Decision};
use lahete_domain::activity::{ActivityLink, ActivityLinkState};
use lahete_domain::actor::{Caller, Grant};
use lahete_domain::client::{Client, ClientData, Contact};
use lahete_domain::codes::{
    AuditAction, Channel, ClientStanding, Code as _, ConsentPurpose, EventKind, MessageKind, MessageParty, Priority, ReferralStateCode,
    Role, Sector,
};
use lahete_domain::consent::{Consent, ConsentStatus, shared_until};
use lahete_domain::ids::{ActivityId, ClientId, Id as _, OrganisationId, ProgrammeId, ReferralId, UserId};
use lahete_domain::message::{ContactAttempt, Message};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::programme_break::Clocks;
use lahete_domain::referral::command::{Close, FollowUp, Guide, RequestInformation, Review, SubmitFacts, Waitlist};
use lahete_domain::referral::error::ReferralError;
use lahete_domain::referral::state::ReferralState;
use lahete_domain::referral::{Changed, Content, Referral, Referrer, Source};
use lahete_domain::version::Version;
use lahete_persistence::repo::client_changes::ChangeDetails;
use lahete_persistence::repo::clients::ClientFace;
use lahete_persistence::repo::events::StoredEvent;
use lahete_persistence::repo::referrals::{Case, ReferralFilter, ReferralOrder};
use lahete_persistence::{Constraint, Db, Page, PageRequest, StoreError};

use super::case::{self, OpenCase};
use super::wire::{
    ClosingNeedsView, ContactAttemptCreate, ContactAttemptView, EventView, MessageView, ReferralAnswer, ReferralClose, ReferralCreate,
    ReferralGuide, ReferralListItem, ReferralListOrder, ReferralListQuery, ReferralRectify, ReferralRequestInformation, ReferralReview,
    ReferralStateView, ReferralUpdate, ReferralView, ReferralWaitlist, ReferrerCreate, SourceWire,
};
use crate::activity_links;
use crate::clients::cases::note_correction;
use crate::clients::wire::ClientSummary;
use crate::code_lists::labels::label;
use crate::consent_texts;
use crate::consents::wire::ConsentCreate;
use crate::error::{AppError, Fault, RuleProblem};
use crate::http::wire::{Patch, Text};
use crate::operation::OpContext;

/// A referral that is to be written, whoever sends it.
#[derive(Clone, Debug)]
pub struct NewReferral {
    /// The programme that it goes to.
    pub programme: ProgrammeId,
    /// The client as written.
    pub client: ClientData,
    /// The client's own sign-in, when they write it themself.
    pub client_user: Option<UserId>,
    /// Who writes it.
    pub referrer: Referrer,
    /// What it says.
    pub content: Content,
    /// The role by which the caller may write it; none for anonymous senders.
    pub grant: Option<Grant>,
}

/// What a referral says, as a draft with its client. Nothing is stored yet.
fn written(db: &mut Db<'_>, ctx: &OpContext, new: NewReferral) -> Result<(Client, OpenCase), AppError> {
    if let Some(source) = &new.content.source
        && let Some(existing) = db.referral_by_source(source)?
    {
        return Err(RuleProblem::new("duplicate_source", "The source system has sent this referral already.")
            .with("referral_id", existing.to_string())
            .into());
    }
    let client = Client {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: new.programme,
        user: new.client_user,
        standing: ClientStanding::Open,
        data: new.client,
    };
    let referral = Referral {
        id: ctx.ids.next(),
        version: Version::FIRST,
        programme: new.programme,
        client: client.id,
        referrer: new.referrer,
        content: new.content,
        state: ReferralState::Draft,
        state_since: ctx.now,
        coordinator: None,
        queue: None,
        created_at: ctx.now,
        submission: None,
    };
    let case = Case {
        municipality: client.data.municipality.clone(),
        referral,
        client_user: client.user,
        link_worker_user: None,
        shared_until: None,
        standing: ClientStanding::Open,
    };
    let open = OpenCase { case, grant: new.grant, consents: Vec::new(), status: ConsentStatus::default() };
    Ok((client, open))
}

/// Writes a draft with its provisional client. Consents come after it.
///
/// # Errors
/// 409 when the source system has sent it already.
pub fn create(db: &mut Db<'_>, ctx: &OpContext, new: NewReferral) -> Result<OpenCase, AppError> {
    let (client, open) = written(db, ctx, new)?;
    db.client_insert(&client, true, ctx.now)?;
    db.referral_insert(&open.case)?;
    case::note_as(db, ctx, &open, EventKind::Created, AuditAction::Created)?;
    Ok(open)
}

/// Writes a referral that is sent at once, with the consent that comes with it. It is never stored as a draft: each row is written once, as it
/// shall stand, and none is read back. On PostgreSQL this is what lets many be sent at the same moment. Gives the client, too.
///
/// # Errors
/// 409 when the source system has sent it already, or with the guard of sending that failed.
pub fn create_sent(
    db: &mut Db<'_>,
    ctx: &OpContext,
    new: NewReferral,
    consent: Option<ConsentCreate>,
) -> Result<(OpenCase, Client), AppError> {
    let (client, mut open) = written(db, ctx, new)?;
    if let Some(consent) = consent {
        consent_texts::expect_known(db, ctx, client.programme, &consent, "/consent")?;
        let consent = consent.into_consent(ctx.ids.next(), open.case.referral.id, ctx.actor.user(), ctx.now);
        hear(&mut open, consent, ctx);
    }
    let programme = db.programme_get(client.programme)?.ok_or(AppError::NotFound(ProgrammeId::RESOURCE))?;
    let facts = SubmitFacts { client: &client.data, programme: &programme, consents: &open.status };
    let changed = open.case.referral.clone().submit(facts, ctx.now)?;
    let client = match match_known(db, &client)? {
        Some(known) => known,
        None => {
            db.client_insert(&client, false, ctx.now)?;
            client
        }
    };
    open.case.referral.client = client.id;
    open.case.client_user = client.user;
    open.case.standing = client.standing;
    let version = open.case.referral.version.next();
    let sent = Case { referral: Referral { client: client.id, version, ..changed.referral }, ..open.case.clone() };
    db.referral_insert(&sent)?;
    for consent in &open.consents {
        db.consent_insert(consent)?;
    }
    db.referral_snapshot_insert(&sent.referral, shared_until(&open.consents, ConsentPurpose::Evaluation))?;
    case::note_as(db, ctx, &open, EventKind::Created, AuditAction::Created)?;
    case::note_transition(db, ctx, &open, changed.event, sent.referral.state.code(), changed.reason, None)?;
    open.case = sent;
    Ok((open, client))
}

fn hear(open: &mut OpenCase, consent: Consent, ctx: &OpContext) {
    open.consents.push(consent);
    open.status = ConsentStatus::of(&open.consents, ctx.now.helsinki_date());
    open.case.shared_until = shared_until(&open.consents, ConsentPurpose::ShareWithLinkWorker);
}

/// Adds a consent to a case. The referral's version is not moved on: the caller does that with what follows.
///
/// # Errors
/// When the database fails.
pub fn add_consent(db: &mut Db<'_>, ctx: &OpContext, open: &mut OpenCase, consent: Consent) -> Result<(), AppError> {
    db.consent_insert(&consent)?;
    hear(open, consent, ctx);
    Ok(())
}

/// Sends a draft: guards and snapshot by the domain, then the client is matched with one who is known.
///
/// # Errors
/// 409 with the guard that failed.
pub fn submit(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase) -> Result<Case, AppError> {
    let before = &open.case.referral;
    let client = db.client_get(before.client)?.ok_or(AppError::NotFound(ClientId::RESOURCE))?;
    let programme = db.programme_get(before.programme)?.ok_or(AppError::NotFound(ProgrammeId::RESOURCE))?;
    let facts = SubmitFacts { client: &client.data, programme: &programme, consents: &open.status };
    let mut changed = before.clone().submit(facts, ctx.now)?;
    let provisional = client.id;
    let known = match_known(db, &client)?;
    let matched = known.as_ref().map_or(provisional, |known| known.id);
    changed.referral.client = matched;
    let mut open = open.clone();
    open.case.referral.client = matched;
    open.case.client_user = known.as_ref().map_or(open.case.client_user, |known| known.user);
    open.case.standing = known.as_ref().map_or(open.case.standing, |known| known.standing);
    let case = case::commit(db, ctx, &open, changed, None)?;
    if matched == provisional {
        db.client_confirm(provisional)?;
    } else {
        db.client_delete_provisional(provisional)?;
        db.idempotency_move_client(provisional, matched)?;
    }
    db.referral_snapshot_insert(&case.referral, shared_until(&open.consents, ConsentPurpose::Evaluation))?;
    Ok(case)
}

/// The client of an earlier referral, with what the new one says about them: the newest word counts, and silence takes nothing away.
fn match_known(db: &mut Db<'_>, new: &Client) -> Result<Option<Client>, AppError> {
    let by_code = match &new.data.identity_code {
        Some(code) => db.client_by_identity_code(new.programme, code)?,
        None => None,
    };
    let known = match (by_code, new.user) {
        (Some(known), _) => Some(known),
        (None, Some(user)) => db.clients_of_user(user)?.into_iter().find(|known| known.programme == new.programme && known.id != new.id),
        (None, None) => None,
    };
    let Some(mut known) = known else { return Ok(None) };
    let expected = known.version;
    let data = new.data.clone();
    let contact = data.contact;
    known.user = known.user.or(new.user);
    known.data = ClientData {
        contact: Contact {
            phone: contact.phone.or(known.data.contact.phone),
            email: contact.email.or(known.data.contact.email),
            address: contact.address.or(known.data.contact.address),
            client_will_contact: contact.client_will_contact,
        },
        identity_code: data.identity_code.or(known.data.identity_code),
        sex: data.sex.or(known.data.sex),
        lives_at_home: data.lives_at_home.or(known.data.lives_at_home),
        // Protection is never lifted by a new referral; a coordinator does that, knowing it.
        non_disclosure: data.non_disclosure || known.data.non_disclosure,
        ..data
    };
    db.client_update(&known, expected)?;
    Ok(Some(known))
}

/// The role by which a caller writes a referral, and the programme that it goes to.
fn writing_grant(db: &mut Db<'_>, ctx: &OpContext, body: &ReferralCreate, municipality: &MunicipalityCode) -> Result<Grant, AppError> {
    let organisation = body.referrer.as_ref().and_then(|referrer| referrer.organisation_id).map(OrganisationId::from_uuid);
    let writing: Vec<&Grant> = ctx
        .actor
        .grants
        .iter()
        .filter(|grant| access::scope(grant.role, Action::ReferralCreate) == access::Scope::Programme)
        .filter(|grant| body.programme_id.is_none_or(|id| id == grant.programme.as_uuid()))
        .filter(|grant| organisation.is_none() || grant.role != Role::Integration || grant.organisation == organisation)
        .collect();
    if writing.is_empty() {
        let may_nowhere =
            !ctx.actor.grants.iter().any(|grant| access::scope(grant.role, Action::ReferralCreate) == access::Scope::Programme);
        return Err(if may_nowhere {
            AppError::Forbidden { action: Action::ReferralCreate.as_str() }
        } else {
            AppError::NotFound(ProgrammeId::RESOURCE)
        });
    }
    if body.programme_id.is_none() {
        let serving = db.programmes_serving(municipality)?;
        let fits = writing.iter().find(|grant| serving.contains(&grant.programme));
        return fits.map(|grant| (*grant).clone()).ok_or_else(|| ReferralError::MunicipalityNotServed.into());
    }
    writing.first().map(|grant| (*grant).clone()).ok_or(AppError::NotFound(ProgrammeId::RESOURCE))
}

fn referrer(ctx: &OpContext, grant: &Grant, body: Option<ReferrerCreate>) -> Result<Referrer, AppError> {
    let channel = match grant.role {
        Role::Client => Channel::SelfReferral,
        Role::Integration => Channel::Integration,
        _ => Channel::SignedIn,
    };
    let (organisation, sector, name, contact, feedback_wanted) = match body {
        Some(body) => (
            body.organisation_id.map(OrganisationId::from_uuid),
            body.sector.map(|sector| sector.0),
            body.name.map(Text::into_string),
            body.contact.map(Text::into_string),
            body.feedback_wanted,
        ),
        None => (None, None, None, None, false),
    };
    if organisation.is_some() && organisation != grant.organisation {
        return Err(AppError::fault(Fault::new(
            "/referrer/organisation_id",
            "not_yours",
            "You do not write referrals for this organisation.",
        )));
    }
    let own = if channel == Channel::SelfReferral { Some(Sector::SelfReferral) } else { grant.sector };
    let sector = sector
        .or(own)
        .ok_or_else(|| AppError::fault(Fault::new("/referrer/sector", "required", "Say in which sector the referrer works.")))?;
    Ok(Referrer {
        channel,
        user: ctx.actor.user(),
        api_client: ctx.actor.api_client(),
        organisation: grant.organisation,
        sector,
        name,
        contact,
        feedback_wanted,
    })
}

/// A source names the system that pushes: nobody can take up the ids of another system, or learn by trying which of them are taken.
fn expect_own_source(db: &mut Db<'_>, ctx: &OpContext, source: Option<&SourceWire>) -> Result<(), AppError> {
    let Some(source) = source else { return Ok(()) };
    let own = match ctx.actor.api_client() {
        Some(id) => db.api_client_get(id)?.map(|machine| machine.source_system),
        None => None,
    };
    if own.as_deref() == Some(source.system.as_str()) {
        return Ok(());
    }
    Err(AppError::fault(Fault::new("/source/system", "not_yours", "Only the system itself names its own id of a referral.")))
}

fn expect_previous(db: &mut Db<'_>, ctx: &OpContext, previous: Option<ReferralId>, programme: ProgrammeId) -> Result<(), AppError> {
    let Some(previous) = previous else { return Ok(()) };
    let unknown = || AppError::fault(Fault::new("/previous_referral_id", "not_found", "There is no such referral, or it is not yours."));
    let case = db.referral_case(previous)?.ok_or_else(unknown)?;
    let seen = access::decide(&ctx.actor, Action::ReferralView, &case.subject(ctx.now.helsinki_date()));
    if case.referral.programme != programme || !matches!(seen, Decision::Allowed(_)) {
        return Err(unknown());
    }
    Ok(())
}

/// Writes a referral for a signed-in caller, and sends it when they say so.
///
/// # Errors
/// 403 for a role that writes none, 404 for a programme that is not theirs, 422 for faults, 409 when a guard of sending fails.
pub fn create_signed_in(db: &mut Db<'_>, ctx: &OpContext, body: ReferralCreate) -> Result<ReferralView, AppError> {
    let today = ctx.now.helsinki_date();
    let client = body.client.clone().into_data(today, "/client")?;
    let grant = writing_grant(db, ctx, &body, &client.municipality)?;
    let referrer = referrer(ctx, &grant, body.referrer)?;
    expect_own_source(db, ctx, body.source.as_ref())?;
    let previous = body.previous_referral_id.map(ReferralId::from_uuid);
    expect_previous(db, ctx, previous, grant.programme)?;
    let new = NewReferral {
        programme: grant.programme,
        client_user: ctx.actor.user().filter(|_| grant.role == Role::Client),
        client,
        referrer,
        content: Content {
            reasons: body.reasons.into_iter().map(|reason| reason.0).collect(),
            wish: body.wish.map(Into::into),
            background: body.background.map(Into::into),
            written_together: body.written_together,
            joint_meeting_wished: body.joint_meeting_wished,
            not_a_service_acknowledged: body.not_a_service_acknowledged,
            source: body.source.map(|source| Source { system: source.system.into_string(), id: source.id.into_string() }),
            previous,
        },
        grant: Some(grant),
    };
    if body.submit {
        let (open, client) = create_sent(db, ctx, new, body.consent)?;
        return Ok(view_of(&open, &client, Clocks::default(), ctx));
    }
    let mut open = create(db, ctx, new)?;
    if let Some(consent) = body.consent {
        consent_texts::expect_known(db, ctx, open.case.referral.programme, &consent, "/consent")?;
        let consent = consent.into_consent(ctx.ids.next(), open.case.referral.id, ctx.actor.user(), ctx.now);
        add_consent(db, ctx, &mut open, consent)?;
    }
    show(db, ctx, &open)
}

fn sees_contact(open: &OpenCase) -> bool {
    match open.role() {
        Some(role) if access::sees_protected(role) => true,
        // The writer knows what they have written; after sending, the client may be matched with one whose data came from others.
        Some(Role::Referrer | Role::Integration) => open.case.referral.state == ReferralState::Draft,
        _ => false,
    }
}

fn show(db: &mut Db<'_>, ctx: &OpContext, open: &OpenCase) -> Result<ReferralView, AppError> {
    let client = db.client_get(open.case.referral.client)?.ok_or_else(|| AppError::internal("the client of a referral is missing"))?;
    let referral = &open.case.referral;
    let breaks = if Clocks::concern(referral) { db.breaks_of(referral.programme)? } else { Vec::new() };
    let mut view = view_of(open, &client, Clocks::of(referral, &breaks, ctx.now), ctx);
    // How it ended in the work with the client is not the sender's to read.
    if let Some(closure) = view.closure.as_mut()
        && matches!(open.role(), Some(Role::Coordinator | Role::Client))
    {
        closure.needs = Some(ClosingNeedsView::from(&db.referral_closing(referral.id)?));
        closure.unanswered_activity_links = Some(db.activity_links_unanswered(&[referral.id])?.remove(&referral.id).unwrap_or_default());
    }
    Ok(view)
}

/// The place that a reader sees: where the client lives now, or, for whoever sent the referral, what they have sent. Under non-disclosure a sender sees
/// none: they may have sent it before, but it shall not go round.
fn place<'a>(case: &'a Case, lives: &'a MunicipalityCode, protected: bool, follows: bool) -> Option<&'a MunicipalityCode> {
    match &case.referral.submission {
        _ if follows => Some(lives),
        _ if protected => None,
        Some(submission) => Some(&submission.snapshot.municipality),
        None => Some(lives),
    }
}

fn view_of(open: &OpenCase, client: &Client, clocks: Clocks, ctx: &OpContext) -> ReferralView {
    let follows = sees_contact(open);
    let place = place(&open.case, &client.data.municipality, client.data.non_disclosure, follows);
    ReferralView::of(open, ClientSummary::of(client, follows, place), clocks, ctx.now)
}

/// One referral.
///
/// # Errors
/// 404 when the caller may not see it.
pub fn view(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId) -> Result<ReferralView, AppError> {
    let open = case::open(db, ctx, Action::ReferralView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    show(db, ctx, &open)
}

/// The referrals that a caller may see.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db<'_>, ctx: &OpContext, query: &ReferralListQuery, page: &PageRequest) -> Result<Page<ReferralListItem>, AppError> {
    let visibility = access::visibility(&ctx.actor, Action::ReferralView);
    let states = match (query.state, query.open) {
        (Some(state), _) => vec![state.0],
        (None, Some(open)) => ReferralStateCode::ALL.iter().copied().filter(|state| is_open(*state) == open).collect(),
        (None, None) => Vec::new(),
    };
    let filter = ReferralFilter {
        programme: query.programme_id.map(ProgrammeId::from_uuid),
        states,
        municipality: query.municipality.as_deref().and_then(MunicipalityCode::parse),
        reason: query.reason.map(|reason| reason.0),
        coordinator: match (query.mine, query.coordinator_id) {
            (Some(true), _) => ctx.actor.user(),
            (_, id) => id.map(UserId::from_uuid),
        },
        client: query.client_id.map(ClientId::from_uuid),
        in_state_since: query.min_days_in_state.filter(|days| *days > 0).map(|days| ctx.now.plus_days(-i64::from(days))),
        order: match query.order.unwrap_or_default() {
            ReferralListOrder::Newest => ReferralOrder::Newest,
            ReferralListOrder::LongestInState => ReferralOrder::LongestInState,
            ReferralListOrder::LongestWaiting => ReferralOrder::LongestWaiting,
            ReferralListOrder::WaitingList => ReferralOrder::WaitingList,
        },
    };
    list_seen(db, ctx, &visibility, &filter, page)
}

fn is_open(state: ReferralStateCode) -> bool {
    !matches!(state, ReferralStateCode::Draft | ReferralStateCode::Closed | ReferralStateCode::EnteredInError)
}

/// A page of what a visibility opens, with the clients' names; one audit event for each client in it.
///
/// # Errors
/// When the database fails.
pub fn list_seen(
    db: &mut Db<'_>,
    ctx: &OpContext,
    visibility: &access::Visibility,
    filter: &ReferralFilter,
    page: &PageRequest,
) -> Result<Page<ReferralListItem>, AppError> {
    let today = ctx.now.helsinki_date();
    let cases = db.referral_list(visibility, filter, today, page)?;
    let ids: BTreeSet<ClientId> = cases.items.iter().map(|case| case.referral.client).collect();
    let clients: BTreeMap<ClientId, ClientFace> = db.client_faces(&ids.into_iter().collect::<Vec<_>>())?.into_iter().collect();
    // Days are counted for those who wait; nobody else's page asks for breaks.
    let waiting = cases.items.iter().map(|case| &case.referral).filter(|referral| referral.state == ReferralState::Waitlisted);
    let breaks = db.breaks_of_all(waiting.map(|referral| referral.programme))?;
    let mut noted = BTreeSet::new();
    let mut items = Vec::with_capacity(cases.items.len());
    for case in &cases.items {
        let subject = case.subject(today);
        // The condition of the list says the same as the policy; should they ever differ, the policy counts.
        let Decision::Allowed(grant) = access::decide(&ctx.actor, Action::ReferralView, &subject) else { continue };
        let client = clients.get(&case.referral.client).ok_or_else(|| AppError::internal("the client of a referral is missing"))?;
        let veiled = ctx.veils(grant.role, subject.past);
        // Who asks for one client's referrals is not told in this way either what they would have to give a reason for.
        if veiled && filter.client.is_some() {
            continue;
        }
        if !veiled && noted.insert(case.referral.client) {
            ctx.audit(db, &grant, AuditAction::Read, Some(case.referral.client), Some(case.referral.id));
        }
        let follows = access::sees_protected(grant.role) || case.referral.state == ReferralState::Draft;
        let shown =
            if veiled { None } else { Some((client.name.as_str(), place(case, &client.municipality, client.non_disclosure, follows))) };
        let breaks = breaks.get(&case.referral.programme).map_or(&[][..], Vec::as_slice);
        items.push(ReferralListItem::of(case, shown, Clocks::of(&case.referral, breaks, ctx.now), ctx.now));
    }
    Ok(Page { items, next: cases.next })
}

/// Changes a draft.
///
/// # Errors
/// 409 when it was sent already, 412 for another version.
pub fn update(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ReferralUpdate) -> Result<ReferralView, AppError> {
    let mut open = case::open(db, ctx, Action::ReferralUpdate, id)?;
    ctx.expect_version(open.case.referral.version)?;
    if open.case.referral.state != ReferralState::Draft {
        return Err(ReferralError::wrong_state(open.case.referral.state.code()).into());
    }
    if let Some(change) = body.client.given() {
        let mut client = db.client_get(open.case.referral.client)?.ok_or(AppError::NotFound(ClientId::RESOURCE))?;
        let expected = client.version;
        client.data = change.apply(client.data, ctx.now.helsinki_date(), "/client")?;
        open.case.municipality = client.data.municipality.clone();
        db.client_update(&client, expected)?;
    }
    let referral = &mut open.case.referral;
    let expected = referral.version;
    let content = &mut referral.content;
    content.reasons = match body.reasons {
        Patch::Absent => std::mem::take(&mut content.reasons),
        Patch::Null => BTreeSet::new(),
        Patch::Value(reasons) => reasons.into_iter().map(|reason| reason.0).collect(),
    };
    content.wish = body.wish.map(Into::into).apply(content.wish.take());
    content.background = body.background.map(Into::into).apply(content.background.take());
    content.written_together = body.written_together.apply(content.written_together);
    content.joint_meeting_wished = body.joint_meeting_wished.apply(content.joint_meeting_wished);
    content.not_a_service_acknowledged = body.not_a_service_acknowledged.apply(content.not_a_service_acknowledged);
    referral.referrer.feedback_wanted = body.feedback_wanted.apply(referral.referrer.feedback_wanted);
    if let Some(consent) = body.consent.given() {
        consent_texts::expect_known(db, ctx, open.case.referral.programme, &consent, "/consent")?;
        let consent = consent.into_consent(ctx.ids.next(), id, ctx.actor.user(), ctx.now);
        add_consent(db, ctx, &mut open, consent)?;
    }
    db.referral_update(&open.case, expected)?;
    db.referral_update_content(&open.case.referral)?;
    open.case.referral.version = expected.next();
    case::note(db, ctx, &open, EventKind::Updated, None, None)?;
    show(db, ctx, &open)
}

/// Opens a case for a transition, asks for its version, lets `decide` decide, and writes what came of it.
fn transition(
    db: &mut Db<'_>,
    ctx: &OpContext,
    action: Action,
    id: ReferralId,
    comment: Option<String>,
    decide: impl FnOnce(&mut Db<'_>, &OpenCase) -> Result<Changed, AppError>,
) -> Result<OpenCase, AppError> {
    let mut open = case::open(db, ctx, action, id)?;
    ctx.expect_version(open.case.referral.version)?;
    let changed = decide(db, &open)?;
    open.case = case::commit(db, ctx, &open, changed, comment)?;
    Ok(open)
}

fn words(text: Option<Text<{ lahete_domain::text::REASON_MAX }>>) -> Option<String> {
    text.map(Text::into_string)
}

/// Sends a draft.
///
/// # Errors
/// 409 with the guard that failed.
pub fn submit_draft(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId) -> Result<ReferralView, AppError> {
    let mut open = case::open(db, ctx, Action::ReferralSubmit, id)?;
    ctx.expect_version(open.case.referral.version)?;
    open.case = submit(db, ctx, &open)?;
    show(db, ctx, &open)
}

/// A coordinator takes it, or takes it back.
///
/// # Errors
/// 409 in another state.
pub fn review(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ReferralReview) -> Result<ReferralView, AppError> {
    let command = Review { barrier: body.barrier.map(|barrier| barrier.0) };
    let open = transition(db, ctx, Action::ReferralReview, id, words(body.comment), |_, open| {
        Ok(open.case.referral.clone().review(command, ctx.user()?, ctx.now)?)
    })?;
    show(db, ctx, &open)
}

/// Asks the referrer or the client.
///
/// # Errors
/// 409 in another state, 422 when the question is for neither of them.
pub fn request_information(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: ReferralId,
    body: ReferralRequestInformation,
) -> Result<ReferralView, AppError> {
    let asked = body.recipient.0;
    let open = transition(db, ctx, Action::ReferralRequestInformation, id, None, |_, open| {
        Ok(open.case.referral.clone().request_information(RequestInformation { asked }, ctx.now)?)
    })?;
    db.message_insert(&Message {
        id: ctx.ids.next(),
        referral: id,
        kind: MessageKind::Question,
        sender: MessageParty::Coordinator,
        recipient: asked,
        user: ctx.actor.user(),
        words: body.question.into(),
        sent_at: ctx.now,
    })?;
    show(db, ctx, &open)
}

/// Takes the answer.
///
/// # Errors
/// 409 when no question is open for the caller.
pub fn answer(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ReferralAnswer) -> Result<ReferralView, AppError> {
    let mut party = MessageParty::Referrer;
    let open = transition(db, ctx, Action::ReferralAnswer, id, None, |_, open| {
        party = match (open.role(), &open.case.referral.state) {
            (Some(Role::Client), _) => MessageParty::Client,
            // What was said on the telephone is written down for the one who said it.
            (Some(Role::Coordinator), ReferralState::AwaitingInformation { asked }) => *asked,
            _ => MessageParty::Referrer,
        };
        Ok(open.case.referral.clone().answer(party, ctx.now)?)
    })?;
    db.message_insert(&Message {
        id: ctx.ids.next(),
        referral: id,
        kind: MessageKind::Answer,
        sender: party,
        recipient: MessageParty::Coordinator,
        user: ctx.actor.user(),
        words: body.answer.into(),
        sent_at: ctx.now,
    })?;
    show(db, ctx, &open)
}

/// Guides directly to activities of the directory.
///
/// # Errors
/// 409 in another state or for a follow-up that does not lie ahead, 422 for an activity that is not there.
pub fn guide(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ReferralGuide) -> Result<ReferralView, AppError> {
    let chosen: BTreeSet<ActivityId> = body.activity_ids.iter().copied().map(ActivityId::from_uuid).collect();
    let command = Guide { activity_links: chosen.len(), follow_up_on: body.follow_up_on };
    let open = transition(db, ctx, Action::ReferralGuide, id, words(body.comment), |db, open| {
        let programme = open.case.referral.programme;
        for activity in &chosen {
            let found = db.activity_get(*activity)?.filter(|found| found.can_be_joined() && found.programme == programme);
            if found.is_none() {
                return Err(AppError::fault(Fault::new("/activity_ids", "not_found", "One of the activities is not in the directory.")));
            }
        }
        Ok(open.case.referral.clone().guide(&command, ctx.now)?)
    })?;
    for activity in chosen {
        if db.activity_link_between(id, activity)?.is_none() {
            db.activity_link_insert(&ActivityLink {
                id: ctx.ids.next(),
                version: Version::FIRST,
                referral: id,
                activity,
                state: ActivityLinkState::Proposed,
                unmet_needs: BTreeSet::new(),
                proposed_at: ctx.now,
            })?;
        }
    }
    show(db, ctx, &open)
}

/// Puts it on the waiting list.
///
/// # Errors
/// 409 in another state.
pub fn waitlist(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ReferralWaitlist) -> Result<ReferralView, AppError> {
    let command = Waitlist { priority: body.priority.map_or(Priority::Normal, |priority| priority.0) };
    let open = transition(db, ctx, Action::ReferralWaitlist, id, words(body.comment), |_, open| {
        Ok(open.case.referral.clone().waitlist(command, ctx.now)?)
    })?;
    show(db, ctx, &open)
}

/// Starts later.
///
/// # Errors
/// 409 in another state, or for a day that does not lie ahead.
pub fn defer(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: super::wire::ReferralDefer) -> Result<ReferralView, AppError> {
    let resume_on = body.resume_on;
    let open = transition(db, ctx, Action::ReferralDefer, id, words(body.comment), |_, open| {
        Ok(open.case.referral.clone().defer(resume_on, ctx.now)?)
    })?;
    show(db, ctx, &open)
}

/// Takes a deferred one up again.
///
/// # Errors
/// 409 in another state.
pub fn resume(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, comment: Option<String>) -> Result<ReferralView, AppError> {
    let open = transition(db, ctx, Action::ReferralDefer, id, comment, |_, open| Ok(open.case.referral.clone().resume(ctx.now)?))?;
    show(db, ctx, &open)
}

/// Closes without support, or after direct guidance.
///
/// # Errors
/// 409 with the guard that failed, 422 when both an answer and a reason for none are given.
pub fn close(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ReferralClose) -> Result<ReferralView, AppError> {
    let follow_up = match (body.follow_up_answer, body.not_followed_up_reason) {
        (Some(_), Some(_)) => {
            let text = "Give either the answer or the reason why there is none.";
            return Err(AppError::fault(Fault::new("/not_followed_up_reason", "contradiction", text)));
        }
        (Some(answer), None) => Some(FollowUp::Answered(answer.0)),
        (None, Some(reason)) => Some(FollowUp::NotFollowedUp(reason.0)),
        (None, None) => None,
    };
    let said = match follow_up {
        Some(FollowUp::Answered(answer)) => Some(answer.as_str()),
        Some(FollowUp::NotFollowedUp(reason)) => Some(reason.as_str()),
        None => None,
    };
    // The follow-up has no column of its own: it is told in the timeline, where the closing stands.
    let comment = match (said, words(body.comment)) {
        (Some(said), Some(comment)) => Some(format!("{said}: {comment}")),
        (Some(said), None) => Some(said.to_owned()),
        (None, comment) => comment,
    };
    let (outcome, end_reason) = (body.outcome.0, body.end_reason.0);
    let needs = crate::visits::wire::closing_needs(&body.barriers, &body.unmet_needs);
    let open = transition(db, ctx, Action::ReferralClose, id, comment, |db, open| {
        activity_links::cases::answer(db, ctx, open, &body.activity_links)?;
        db.referral_closing_put(id, &needs)?;
        let attempts = db.contact_attempts_of(id)?.len();
        let command = Close { outcome, end_reason, follow_up, contact_attempts: u32::try_from(attempts).unwrap_or(u32::MAX) };
        Ok(open.case.referral.clone().close(command, open.closed_by(ctx)?, ctx.now)?)
    })?;
    show(db, ctx, &open)
}

/// Opens a closed one again.
///
/// # Errors
/// 409 after support, after a withdrawal, or later than 30 days.
pub fn reopen(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, reason: String) -> Result<ReferralView, AppError> {
    let open = transition(db, ctx, Action::ReferralReopen, id, Some(reason), |_, open| {
        Ok(open.case.referral.clone().reopen(ctx.user()?, ctx.now)?)
    })?;
    show(db, ctx, &open)
}

/// Withdraws it.
///
/// # Errors
/// 409 when it has ended, or when a referrer comes too late.
pub fn withdraw(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, comment: Option<String>) -> Result<ReferralView, AppError> {
    let open = transition(db, ctx, Action::ReferralWithdraw, id, comment, |_, open| {
        Ok(open.case.referral.clone().withdraw(open.closed_by(ctx)?, false, ctx.now)?)
    })?;
    show(db, ctx, &open)
}

/// Marks it as entered in error. The answer has no content: an admin may do this and sees none.
///
/// # Errors
/// 409 when it is marked already.
pub fn mark_as_error(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, reason: String) -> Result<ReferralStateView, AppError> {
    let open = transition(db, ctx, Action::ReferralMarkAsError, id, Some(reason), |_, open| {
        Ok(open.case.referral.clone().mark_as_error(ctx.now)?)
    })?;
    let referral = &open.case.referral;
    Ok(ReferralStateView {
        id: referral.id.as_uuid(),
        version: referral.version.get(),
        state: referral.state.code().into(),
        state_since: referral.state_since.into(),
    })
}

/// The timeline in plain words.
///
/// # Errors
/// 404 when the caller may not see the referral.
pub fn timeline(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId) -> Result<Vec<EventView>, AppError> {
    let open = case::open(db, ctx, Action::TimelineView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let with_words = !matches!(open.role(), Some(Role::Referrer | Role::Integration));
    // A sender sees where the referral stands, not the work with the client.
    let seen = |event: &&StoredEvent| with_words || event.to.is_some() || matches!(event.kind, EventKind::Created | EventKind::Updated);
    Ok(db.events_of(id)?.iter().filter(seen).map(|event| EventView::of(event, label(event.kind, ctx.language), with_words)).collect())
}

/// Questions and answers: all of them for the coordinator, one's own for the others.
///
/// # Errors
/// 404 when the caller may not see the referral.
pub fn messages(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId) -> Result<Vec<MessageView>, AppError> {
    let open = case::open(db, ctx, Action::MessageView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    let own = match open.role() {
        Some(Role::Coordinator) => None,
        Some(Role::Client) => Some(MessageParty::Client),
        _ => Some(MessageParty::Referrer),
    };
    let seen = |message: &&Message| own.is_none_or(|party| message.sender == party || message.recipient == party);
    Ok(db.messages_of(id)?.iter().filter(seen).map(MessageView::from).collect())
}

/// Attempts to reach the client.
///
/// # Errors
/// 404 when the caller may not see the referral.
pub fn contact_attempts(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId) -> Result<Vec<ContactAttemptView>, AppError> {
    let open = case::open(db, ctx, Action::ContactAttemptView, id)?;
    case::audit(db, ctx, &open, AuditAction::Read);
    Ok(db.contact_attempts_of(id)?.iter().map(ContactAttemptView::from).collect())
}

/// Records an attempt to reach the client.
///
/// # Errors
/// 409 for a referral that has ended, 404 when the caller may not see it.
pub fn record_contact_attempt(
    db: &mut Db<'_>,
    ctx: &OpContext,
    id: ReferralId,
    body: ContactAttemptCreate,
) -> Result<ContactAttemptView, AppError> {
    let open = case::open(db, ctx, Action::ContactAttemptRecord, id)?;
    case::expect_open(&open)?;
    let attempt = ContactAttempt {
        id: ctx.ids.next(),
        referral: id,
        channel: body.channel.0,
        result: body.result.0,
        attempted_at: ctx.now,
        recorded_by: ctx.user()?,
        note: words(body.note),
    };
    db.contact_attempt_insert(&attempt)?;
    case::note(db, ctx, &open, EventKind::ContactAttempted, Some(attempt.result.as_str()), None)?;
    Ok(ContactAttemptView::from(&attempt))
}

/// Whether a call comes from a machine: those must send an idempotency key with what they push.
#[must_use]
pub fn is_machine(caller: Caller) -> bool {
    matches!(caller, Caller::ApiClient(_))
}

/// Says that a source system came twice, when two of its calls were under way at once and the index caught the second.
#[must_use]
pub fn as_duplicate(error: AppError) -> AppError {
    match error {
        AppError::Store(StoreError::Constraint(Constraint::SourceTaken)) => {
            RuleProblem::new("duplicate_source", "The source system has sent this referral already.").into()
        }
        other => other,
    }
}

/// Corrects the words of a referral that was sent; what was there before is kept.
///
/// # Errors
/// 409 for a draft, which its writer changes, and when nothing would change; 412 for another version.
pub fn rectify(db: &mut Db<'_>, ctx: &OpContext, id: ReferralId, body: ReferralRectify) -> Result<ReferralView, AppError> {
    let mut open = case::open(db, ctx, Action::ReferralRectify, id)?;
    ctx.expect_version(open.case.referral.version)?;
    let before = open.case.referral.content.clone();
    let content = &mut open.case.referral.content;
    content.wish = body.wish.map(Into::into).apply(content.wish.take());
    content.background = body.background.map(Into::into).apply(content.background.take());
    let mut details = ChangeDetails { reason: Some(body.reason.into()), ..ChangeDetails::default() };
    for (name, old, new) in [("wish", &before.wish, &content.wish), ("background", &before.background, &content.background)] {
        if old != new {
            details.before.insert(name.to_owned(), old.clone().into());
            details.after.insert(name.to_owned(), new.clone().into());
        }
    }
    if details.before.is_empty() {
        return Err(RuleProblem::new("nothing_to_rectify", "What was sent is what stands there already.").into());
    }
    let expected = open.case.referral.version;
    db.referral_update_content(&open.case.referral)?;
    db.referral_update(&open.case, expected)?;
    open.case.referral.version = expected.next();
    let client = db.client_get(open.case.referral.client)?.ok_or(AppError::NotFound(ClientId::RESOURCE))?;
    let grant = open.grant.clone().ok_or_else(|| AppError::internal("a correction without a role"))?;
    note_correction(db, ctx, &grant, &client, Some(id), details)?;
    case::note(db, ctx, &open, EventKind::Updated, None, None)?;
    show(db, ctx, &open)
}
