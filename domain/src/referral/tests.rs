//! Each row of the life cycle with its guards, and every transition from every state.

use super::*;
use crate::client::{Birth, ClientData, Contact};
use crate::codes::{Code, ConsentMethod, FollowUpAnswer, Priority, ReferralStateCode};
use crate::consent::{Consent, ConsentStatus};
use crate::ids::Id;
use crate::programme::Programme;
use command::FollowUp;

fn id<I: Id>(n: u128) -> I {
    I::from_uuid(uuid::Uuid::from_u128(n))
}

fn now() -> Instant {
    Instant::new("2026-11-22T10:00:00Z".parse().expect("an instant"))
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn sodankyla() -> MunicipalityCode {
    MunicipalityCode::parse("758").expect("a code")
}

fn client() -> ClientData {
    ClientData {
        given_name: "Aino".to_owned(),
        family_name: "Esimerkki".to_owned(),
        contact: Contact::default(),
        birth: Birth::Date(day("1942-05-07")),
        identity_code: None,
        sex: Some(Sex::Female),
        municipality: sodankyla(),
        language: "fi".to_owned(),
        interpreter_needed: false,
        non_disclosure: false,
        lives_at_home: Some(true),
    }
}

fn programme() -> Programme {
    Programme {
        id: id(1),
        version: Version::FIRST,
        name: "Sodankylän hyvinvointilähete".to_owned(),
        controller: "Sodankylän kunta".to_owned(),
        privacy_notice_url: None,
        municipalities: BTreeSet::from([sodankyla()]),
        active: true,
        refresher_months: 6,
    }
}

fn consents(method: ConsentMethod, purposes: &[ConsentPurpose]) -> ConsentStatus {
    let consent = Consent {
        id: id(2),
        referral: id(3),
        purposes: purposes.iter().copied().collect(),
        withdrawn_purposes: BTreeSet::new(),
        text_version: "2026-1".to_owned(),
        language: crate::codes::Language::Finnish,
        method,
        given_with: None,
        given_at: now(),
        valid_until: None,
        recorded_by: None,
        verified: None,
        withdrawn_at: None,
    };
    ConsentStatus::of(&[consent], now().helsinki_date())
}

fn all_consents() -> ConsentStatus {
    consents(ConsentMethod::Written, ConsentPurpose::ALL)
}

fn referral(state: ReferralState) -> Referral {
    Referral {
        id: id(3),
        version: Version::FIRST,
        programme: id(1),
        client: id(4),
        referrer: Referrer {
            channel: Channel::SignedIn,
            user: Some(id(5)),
            api_client: None,
            organisation: None,
            sector: Sector::Elderly,
            name: None,
            contact: None,
            feedback_wanted: true,
        },
        content: Content {
            reasons: BTreeSet::from([ReferralReason::Loneliness]),
            wish: None,
            background: None,
            written_together: true,
            joint_meeting_wished: false,
            not_a_service_acknowledged: true,
            source: None,
            previous: None,
        },
        state,
        state_since: now(),
        coordinator: None,
        queue: None,
        created_at: now(),
        submission: None,
    }
}

fn by(role: Role) -> ClosedBy {
    ClosedBy { user: Some(id(6)), role }
}

fn closure(outcome: Outcome, at: Instant) -> ReferralState {
    ReferralState::Closed(Closure { outcome, end_reason: EndReason::Other, route: None, at, by: by(Role::Coordinator) })
}

fn state(code: ReferralStateCode) -> ReferralState {
    match code {
        ReferralStateCode::Draft => ReferralState::Draft,
        ReferralStateCode::Submitted => ReferralState::Submitted,
        ReferralStateCode::InReview => ReferralState::InReview,
        ReferralStateCode::AwaitingInformation => ReferralState::AwaitingInformation { asked: MessageParty::Referrer },
        ReferralStateCode::Waitlisted => ReferralState::Waitlisted,
        ReferralStateCode::Deferred => ReferralState::Deferred { resume_on: day("2027-02-01"), back_to: BackTo::Waitlisted },
        ReferralStateCode::Assigned => ReferralState::Assigned { assignment: id(7) },
        ReferralStateCode::InSupport => ReferralState::InSupport { support_period: id(8), assignment: Some(id(7)) },
        ReferralStateCode::DirectlyGuided => ReferralState::DirectlyGuided { follow_up_on: day("2026-12-22") },
        ReferralStateCode::Closed => closure(Outcome::NotStarted, now()),
        ReferralStateCode::EnteredInError => ReferralState::EnteredInError,
    }
}

fn close(outcome: Outcome, end_reason: EndReason) -> Close {
    Close { outcome, end_reason, follow_up: None, contact_attempts: 0 }
}

fn apply(transition: Transition, referral: Referral) -> Result<Changed, ReferralError> {
    let (client, programme, consents) = (client(), programme(), all_consents());
    match transition {
        Transition::Submit => referral.submit(SubmitFacts { client: &client, programme: &programme, consents: &consents }, now()),
        Transition::Review => referral.review(Review { barrier: Some(crate::codes::Barrier::Money) }, id(6), now()),
        Transition::RequestInformation => referral.request_information(RequestInformation { asked: MessageParty::Client }, now()),
        Transition::Answer => referral.answer(MessageParty::Referrer, now()),
        Transition::Guide => referral.guide(&Guide { activity_links: 1, follow_up_on: day("2026-12-22") }, now()),
        Transition::Waitlist => referral.waitlist(Waitlist { priority: Priority::Normal }, now()),
        Transition::Assign => {
            let free = match referral.state {
                ReferralState::InSupport { support_period, .. } => {
                    Referral { state: ReferralState::InSupport { support_period, assignment: None }, ..referral }
                }
                _ => referral,
            };
            free.assign(id(9), &consents, now())
        }
        Transition::Unassign => referral.unassign(AssignmentEndReason::ClientWish, now()),
        Transition::Defer => referral.defer(day("2027-02-01"), now()),
        Transition::Resume => referral.resume(now()),
        Transition::StartSupport => referral.start_support(id(8), now()),
        Transition::ChangeLinkWorker => referral.release_link_worker(AssignmentEndReason::LinkWorkerChanged),
        Transition::EndSupport => referral.end_support(Outcome::CompletedAsPlanned, EndReason::GoalsReached, by(Role::Coordinator), now()),
        Transition::Close => referral.close(close(Outcome::Redirected, EndReason::HealthService), by(Role::Coordinator), now()),
        Transition::Withdraw => referral.withdraw(by(Role::Client), false, now()),
        Transition::Reopen => referral.reopen(id(6), now()),
        Transition::MarkAsError => referral.mark_as_error(now()),
    }
}

#[test]
fn every_transition_from_every_state() {
    let mut tried = 0;
    for transition in Transition::ALL.iter().copied() {
        for code in ReferralStateCode::ALL.iter().copied() {
            let result = apply(transition, referral(state(code)));
            tried += 1;
            if transition.from_states().contains(&code) {
                assert!(result.is_ok(), "{transition:?} from {code}: {result:?}");
            } else {
                let Err(ReferralError::WrongState { state, allowed }) = result else { panic!("{transition:?} from {code}: {result:?}") };
                assert_eq!(state, code);
                assert!(!allowed.contains(&transition));
            }
        }
    }
    assert_eq!(tried, 17 * 11);
}

#[test]
fn submitting_asks_for_everything_that_product_row_1_asks_for() {
    let submit = |referral: Referral, client: ClientData, programme: Programme, consents: ConsentStatus| {
        referral.submit(SubmitFacts { client: &client, programme: &programme, consents: &consents }, now()).map(|changed| changed.referral)
    };
    let draft = || referral(ReferralState::Draft);
    let sent = submit(draft(), client(), programme(), all_consents()).expect("complete");
    assert_eq!(sent.submission.map(|s| (s.on, s.snapshot.age)), Some((day("2026-11-22"), 84)));
    let minor = |birth| submit(draft(), ClientData { birth, ..client() }, programme(), all_consents());
    assert!(minor(Birth::Date(day("2008-11-22"))).is_ok());
    assert_eq!(minor(Birth::Date(day("2008-11-23"))), Err(ReferralError::ClientIsMinor));
    assert_eq!(minor(Birth::Date(day("2030-01-01"))), Err(ReferralError::ClientIsMinor));
    assert_eq!(minor(Birth::Year(2008)), Err(ReferralError::ClientIsMinor));
    assert!(minor(Birth::Year(2007)).is_ok());
    assert_eq!(
        submit(draft(), client(), programme(), ConsentStatus::default()),
        Err(ReferralError::ConsentMissing(ConsentPurpose::ProcessReferral))
    );
    let mut silent = draft();
    silent.content.reasons.clear();
    assert_eq!(submit(silent, client(), programme(), all_consents()), Err(ReferralError::NoReasons));
    let mut elsewhere = client();
    elsewhere.municipality = MunicipalityCode::parse("148").expect("a code");
    assert_eq!(submit(draft(), elsewhere, programme(), all_consents()), Err(ReferralError::MunicipalityNotServed));
    assert_eq!(
        submit(draft(), client(), Programme { active: false, ..programme() }, all_consents()),
        Err(ReferralError::ProgrammeInactive)
    );
    let mut hasty = draft();
    hasty.content.not_a_service_acknowledged = false;
    assert_eq!(submit(hasty, client(), programme(), all_consents()), Err(ReferralError::NotAcknowledged));
}

#[test]
fn the_eighteenth_birthday_is_counted_in_finland() {
    let eve = Instant::new("2026-11-22T22:30:00Z".parse().expect("an instant"));
    let (client, programme, consents) = (ClientData { birth: Birth::Date(day("2008-11-23")), ..client() }, programme(), all_consents());
    let facts = SubmitFacts { client: &client, programme: &programme, consents: &consents };
    let changed = referral(ReferralState::Draft).submit(facts, eve).expect("already the 23rd in Helsinki");
    assert_eq!(changed.referral.submission.map(|s| s.on), Some(day("2026-11-23")));
}

#[test]
fn only_the_one_who_was_asked_answers() {
    let asked = referral(ReferralState::AwaitingInformation { asked: MessageParty::Client });
    assert_eq!(asked.clone().answer(MessageParty::Referrer, now()), Err(ReferralError::NoOpenQuestion));
    assert_eq!(asked.answer(MessageParty::Client, now()).expect("asked").referral.state, ReferralState::InReview);
}

#[test]
fn guidance_needs_an_activity_and_a_follow_up_ahead() {
    let guide = |activity_links, follow_up_on| referral(ReferralState::InReview).guide(&Guide { activity_links, follow_up_on }, now());
    assert_eq!(guide(0, day("2026-12-01")), Err(ReferralError::NoActivityLink));
    assert_eq!(guide(1, day("2026-11-22")), Err(ReferralError::FollowUpDateInPast));
    assert!(guide(1, day("2026-11-23")).is_ok());
}

#[test]
fn after_guidance_the_answer_or_the_reason_or_the_barrier_is_wanted() {
    let guided = || referral(state(ReferralStateCode::DirectlyGuided));
    let done = Close {
        follow_up: Some(FollowUp::Answered(FollowUpAnswer::Attending)),
        ..close(Outcome::CompletedAsPlanned, EndReason::ContinuesInActivity)
    };
    let closed = guided().close(done, by(Role::Coordinator), now()).expect("complete").referral;
    assert!(matches!(closed.state, ReferralState::Closed(Closure { route: Some(Route::Direct), .. })));
    assert_eq!(guided().close(Close { follow_up: None, ..done }, by(Role::Coordinator), now()), Err(ReferralError::FollowUpMissing));
    assert_eq!(guided().review(Review { barrier: None }, id(6), now()), Err(ReferralError::BarrierMissing));
}

#[test]
fn the_place_on_the_waiting_list_is_kept() {
    let waiting = referral(ReferralState::InReview).waitlist(Waitlist { priority: Priority::Soon }, now()).expect("in review").referral;
    let place = waiting.queue;
    let later = now().plus_days(10);
    let assigned = waiting.assign(id(9), &all_consents(), later).expect("consented").referral;
    let back = assigned.unassign(AssignmentEndReason::LinkWorkerUnavailable, later).expect("assigned");
    assert_eq!(back.ended_assignment, Some((id(9), AssignmentEndReason::LinkWorkerUnavailable)));
    assert_eq!(back.referral.queue, place);
    let deferred = back.referral.defer(day("2027-02-01"), later).expect("waitlisted").referral;
    let resumed = deferred.resume(later.plus_days(60)).expect("deferred").referral;
    assert_eq!((resumed.state, resumed.queue), (ReferralState::Waitlisted, place));
}

#[test]
fn deferring_releases_the_link_worker_and_needs_a_day_ahead() {
    let changed = referral(state(ReferralStateCode::Assigned)).defer(day("2027-02-01"), now()).expect("assigned");
    assert_eq!(changed.ended_assignment, Some((id(7), AssignmentEndReason::Deferred)));
    assert_eq!(referral(ReferralState::InReview).defer(day("2026-11-22"), now()), Err(ReferralError::ResumeDateInPast));
    let from_review = referral(ReferralState::InReview).defer(day("2026-11-23"), now()).expect("ahead").referral;
    assert_eq!(from_review.resume(now()).expect("deferred").referral.state, ReferralState::InReview);
}

#[test]
fn nobody_is_let_in_on_an_assertion() {
    let asserted = consents(ConsentMethod::AssertedBySender, ConsentPurpose::ALL);
    let waiting = || referral(ReferralState::Waitlisted);
    assert_eq!(waiting().assign(id(9), &asserted, now()), Err(ReferralError::ConsentNotVerified(ConsentPurpose::ProcessReferral)));
    let narrow = consents(ConsentMethod::Oral, &[ConsentPurpose::ProcessReferral]);
    assert_eq!(waiting().assign(id(9), &narrow, now()), Err(ReferralError::ConsentMissing(ConsentPurpose::ShareWithLinkWorker)));
}

#[test]
fn not_reached_needs_three_attempts() {
    let try_after = |contact_attempts| {
        let command = Close { contact_attempts, ..close(Outcome::NotStarted, EndReason::NotReached) };
        referral(ReferralState::InReview).close(command, by(Role::Coordinator), now())
    };
    assert_eq!(try_after(2), Err(ReferralError::ContactAttemptsMissing { recorded: 2 }));
    assert!(try_after(3).is_ok());
}

#[test]
fn each_outcome_takes_its_own_end_reasons() {
    for outcome in Outcome::ALL.iter().copied() {
        assert!(!fitting_end_reasons(outcome).is_empty(), "{outcome}");
    }
    for reason in EndReason::ALL {
        assert!(Outcome::ALL.iter().any(|outcome| fitting_end_reasons(*outcome).contains(reason)), "{reason} fits nothing");
    }
    let result = referral(ReferralState::InReview).close(close(Outcome::Declined, EndReason::GoalsReached), by(Role::Coordinator), now());
    assert!(matches!(result, Err(ReferralError::EndReasonDoesNotFit { outcome: Outcome::Declined, .. })));
    let result = referral(ReferralState::InReview).close(close(Outcome::Discontinued, EndReason::MovedAway), by(Role::Coordinator), now());
    assert!(matches!(result, Err(ReferralError::OutcomeNotPossible { .. })));
    let result =
        referral(state(ReferralStateCode::InSupport)).end_support(Outcome::NotStarted, EndReason::Other, by(Role::Coordinator), now());
    assert!(matches!(result, Err(ReferralError::OutcomeNotPossible { .. })));
}

#[test]
fn withdrawing_ends_everything_at_once() {
    let in_support = || referral(state(ReferralStateCode::InSupport));
    let changed = in_support().withdraw(by(Role::Client), true, now()).expect("the client always may");
    assert_eq!(changed.ended_assignment, Some((id(7), AssignmentEndReason::ConsentWithdrawn)));
    assert_eq!(changed.ended_support, Some(id(8)));
    assert_eq!(in_support().withdraw(by(Role::Referrer), false, now()), Err(ReferralError::NotYoursToWithdraw));
    let closed = referral(ReferralState::Submitted).withdraw(by(Role::Referrer), false, now()).expect("before support").referral;
    assert!(matches!(closed.state, ReferralState::Closed(Closure { end_reason: EndReason::ReferrerWithdrew, .. })));
}

#[test]
fn a_finished_or_withdrawn_referral_stays_closed_and_others_for_thirty_days_do_not() {
    let reopen = |outcome, days| referral(closure(outcome, now())).reopen(id(6), now().plus_days(days));
    assert!(reopen(Outcome::Redirected, 30).is_ok());
    assert_eq!(reopen(Outcome::Redirected, 31), Err(ReferralError::ReopenTooLate));
    for outcome in [Outcome::CompletedAsPlanned, Outcome::Discontinued, Outcome::Withdrawn] {
        assert_eq!(reopen(outcome, 1), Err(ReferralError::CannotReopen { outcome }));
    }
}

#[test]
fn changing_the_link_worker_keeps_the_support_running() {
    let in_support = referral(state(ReferralStateCode::InSupport));
    assert!(matches!(in_support.expect_proposable(&all_consents()), Err(ReferralError::WrongState { .. })), "one at a time");
    let since = in_support.state_since;
    let released = in_support.release_link_worker(AssignmentEndReason::LinkWorkerChanged).expect("in support");
    assert_eq!(released.ended_assignment, Some((id(7), AssignmentEndReason::LinkWorkerChanged)));
    let taken_over = released.referral.assign(id(9), &all_consents(), now().plus_days(1)).expect("free").referral;
    assert_eq!(taken_over.state.assignment(), Some(id(9)));
    assert_eq!(taken_over.state.support_period(), Some(id(8)));
    assert_eq!(taken_over.state_since, since, "it has been in support all the time");
}
