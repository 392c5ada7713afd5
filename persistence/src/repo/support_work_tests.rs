//! One support period from its start to the report, as rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::NaiveDate;
use lahete_domain::access::Visibility;
use lahete_domain::assignment::{Assignment, AssignmentState};
use lahete_domain::client::{Birth, Client, ClientData, Contact};
use lahete_domain::codes::{
    AnswerMode, AssignmentEndReason, Barrier, Channel, EndReason, GoalOutcome, Instrument, LinkWorkerStatus, MissingReason, Outcome,
    PauseReason, ReferralReason, ReferralStateCode, Role, Route, Sector, Sex, SupportKind, SupportPeriodStateCode, Timepoint, UnmetNeed,
    VisitMode, VisitPurpose, VisitStateCode,
};
use lahete_domain::consent::OPEN_ENDED;
use lahete_domain::goal::{Goal, GoalStep, ToldOutcome};
use lahete_domain::ids::{Id, IdSource};
use lahete_domain::link_worker::LinkWorker;
use lahete_domain::measure::shipped::shipped;
use lahete_domain::measure::{Answer, Measure};
use lahete_domain::money::{Cents, MinuteCents};
use lahete_domain::programme::{MunicipalityCode, Programme};
use lahete_domain::referral::state::{ClosedBy, Closure, ReferralState};
use lahete_domain::referral::{Content, Referral, Referrer, Snapshot, Submission};
use lahete_domain::support_period::{EndProposal, SupportPeriod, SupportPeriodState};
use lahete_domain::time::{Instant, Month};
use lahete_domain::user::User;
use lahete_domain::version::Version;
use lahete_domain::visit::{Visit, VisitContent, VisitState, VisitWorker};
use uuid::Uuid;

use super::referrals::Case;
use super::reports::{Ages, CaseCounts, ContactSums, MeasurePairs, ReportScope, Standing, VisitCount};
use super::support_periods::SupportPeriodFilter;
use super::visits::VisitFilter;
use crate::{Db, DbUrl, Keys, PageRequest, Store, StoreError, StoreOptions};

struct Numbers(AtomicU64);

impl IdSource for Numbers {
    fn next_uuid(&self) -> Uuid {
        Uuid::from_u128((u128::from(self.0.fetch_add(1, Ordering::Relaxed)) << 64) | 1)
    }
}

const PROGRAMME: u128 = 1;
const COORDINATOR: u128 = 0x21;
const LIISA: u128 = 0x22;
const AINO: u128 = 0x23;
const LINK_WORKER: u128 = 0x30;
const CLIENT: u128 = 0x50;
const REFERRAL: u128 = 0x60;
const ASSIGNMENT: u128 = 0x62;
const PERIOD: u128 = 0x63;

fn id<I: Id>(n: u128) -> I {
    I::from_uuid(Uuid::from_u128(n))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> Instant {
    Instant::new(text.parse().unwrap())
}

fn sodankyla() -> MunicipalityCode {
    MunicipalityCode::parse("758").unwrap()
}

fn case(state: ReferralState) -> Case {
    let submission = Submission {
        at: at("2026-08-20T08:00:00Z"),
        on: day("2026-08-20"),
        snapshot: Snapshot { age: 84, sex: Some(Sex::Female), municipality: sodankyla() },
    };
    Case {
        referral: Referral {
            id: id(REFERRAL),
            version: Version::FIRST,
            programme: id(PROGRAMME),
            client: id(CLIENT),
            referrer: Referrer {
                channel: Channel::Anonymous,
                user: None,
                api_client: None,
                organisation: None,
                sector: Sector::Elderly,
                name: None,
                contact: None,
                feedback_wanted: false,
            },
            content: Content {
                reasons: BTreeSet::from([ReferralReason::Loneliness, ReferralReason::Outdoors]),
                wish: None,
                background: None,
                written_together: true,
                joint_meeting_wished: false,
                not_a_service_acknowledged: true,
                source: None,
                previous: None,
            },
            state,
            state_since: at("2026-08-20T08:00:00Z"),
            coordinator: None,
            queue: None,
            created_at: at("2026-08-20T08:00:00Z"),
            submission: Some(submission),
        },
        client_user: Some(id(AINO)),
        link_worker_user: Some(id(LIISA)),
        shared_until: Some(OPEN_ENDED),
        standing: lahete_domain::codes::ClientStanding::Open,
        municipality: sodankyla(),
    }
}

fn in_support() -> ReferralState {
    ReferralState::InSupport { support_period: id(PERIOD), assignment: Some(id(ASSIGNMENT)) }
}

fn assignment(state: AssignmentState) -> Assignment {
    Assignment {
        id: id(ASSIGNMENT),
        version: Version::FIRST,
        programme: id(PROGRAMME),
        referral: id(REFERRAL),
        link_worker: id(LINK_WORKER),
        link_worker_user: id(LIISA),
        proposed_by: id(COORDINATOR),
        proposed_at: at("2026-08-21T08:00:00Z"),
        expires_at: at("2026-08-28T08:00:00Z"),
        message: None,
        state,
    }
}

fn period() -> SupportPeriod {
    SupportPeriod {
        id: id(PERIOD),
        version: Version::FIRST,
        programme: id(PROGRAMME),
        referral: id(REFERRAL),
        client: id(CLIENT),
        starts_on: day("2026-09-01"),
        planned_end_on: day("2026-12-01"),
        first_planned_end_on: day("2026-12-01"),
        state: SupportPeriodState::Active,
        end_proposal: None,
    }
}

fn visit(number: u128, on: &str, minutes: u32, mode: VisitMode) -> Visit {
    Visit {
        id: id(0x100 + number),
        version: Version::FIRST,
        programme: id(PROGRAMME),
        referral: id(REFERRAL),
        client: id(CLIENT),
        support_period: id(PERIOD),
        workers: vec![VisitWorker { link_worker: id(LINK_WORKER), fee_per_hour: Cents(1300), drives: true }],
        content: VisitContent {
            on: day(on),
            minutes,
            mode,
            purpose: VisitPurpose::Support,
            support_kinds: BTreeSet::from([SupportKind::Emotional, SupportKind::Network]),
            travel_metres: 8200,
            travel_minutes: 20,
            travel_passengers: 1,
            note: Some("kävely".to_owned()),
            barriers: BTreeSet::from([Barrier::Shyness]),
            unmet_needs: BTreeSet::from([UnmetNeed::CompanyFriend]),
        },
        state: VisitState::Held { recorded_at: at("2026-11-20T08:00:00Z"), over_limit_reason: None },
    }
}

fn measure(number: u128, instrument: Instrument, timepoint: Timepoint, answer: Answer) -> Measure {
    let recorded_at = at("2026-11-20T08:00:00Z");
    Measure {
        id: id(0x200 + number),
        support_period: id(PERIOD),
        instrument: instrument.into(),
        version: 1,
        timepoint,
        answer,
        recorded_at,
    }
}

fn given(answers: [u8; 7]) -> Answer {
    Answer::given(&shipped(Instrument::Swemwbs), AnswerMode::Helped, answers.to_vec().into()).unwrap()
}

fn people(db: &mut Db<'_>) -> Result<(), StoreError> {
    db.programme_insert(&Programme {
        id: id(PROGRAMME),
        version: Version::FIRST,
        name: "Sodankylän hyvinvointilähete".to_owned(),
        controller: "Sodankylän kunta".to_owned(),
        privacy_notice_url: None,
        municipalities: BTreeSet::from([sodankyla()]),
        active: true,
        refresher_months: 6,
    })?;
    for (user, login) in [(COORDINATOR, "kaisa"), (LIISA, "liisa"), (AINO, "aino")] {
        let user = User {
            id: id(user),
            version: Version::FIRST,
            programme: id(PROGRAMME),
            login: login.to_owned(),
            name: login.to_owned(),
            active: true,
        };
        db.user_insert(&user, None)?;
    }
    let client = Client {
        id: id(CLIENT),
        version: Version::FIRST,
        programme: id(PROGRAMME),
        user: Some(id(AINO)),
        standing: lahete_domain::codes::ClientStanding::Open,
        data: ClientData {
            given_name: "Aino".to_owned(),
            family_name: "Esimerkki".to_owned(),
            contact: Contact::default(),
            birth: Birth::Year(1942),
            identity_code: None,
            sex: Some(Sex::Female),
            municipality: sodankyla(),
            language: "fi".to_owned(),
            interpreter_needed: false,
            non_disclosure: false,
            lives_at_home: Some(true),
        },
    };
    db.client_insert(&client, false, at("2026-08-20T08:00:00Z"))?;
    db.link_worker_insert(&LinkWorker {
        id: id(LINK_WORKER),
        version: Version::FIRST,
        programme: id(PROGRAMME),
        user: id(LIISA),
        name: "Liisa Linkki".to_owned(),
        status: LinkWorkerStatus::Active,
        municipalities: BTreeSet::from([sodankyla()]),
        languages: BTreeSet::from(["fi".to_owned()]),
        interests: None,
        max_clients: 3,
        hours_per_month: 40,
    })
}

fn work(db: &mut Db<'_>) -> Result<(), StoreError> {
    let case = case(in_support());
    db.referral_insert(&case)?;
    db.referral_snapshot_insert(&case.referral, Some(lahete_domain::consent::OPEN_ENDED))?;
    db.assignment_insert(&assignment(AssignmentState::Accepted { at: at("2026-08-22T08:00:00Z") }))?;
    db.support_period_insert(&period())?;
    db.goal_insert(&Goal {
        id: id(0x64),
        version: Version::FIRST,
        support_period: id(PERIOD),
        words: "To the club without being afraid".to_owned(),
        steps: vec![GoalStep { words: "Call".to_owned(), done: true }, GoalStep { words: "Go".to_owned(), done: false }],
        outcome: None,
        recorded_at: at("2026-09-01T08:00:00Z"),
    })?;
    db.visit_insert(&visit(1, "2026-09-01", 60, VisitMode::HomeVisit))?;
    db.visit_insert(&visit(2, "2026-11-03", 95, VisitMode::ActivityTogether))?;
    db.visit_insert(&visit(3, "2026-11-10", 15, VisitMode::Phone))?;
    db.visit_insert(&Visit { state: VisitState::Planned, ..visit(4, "2026-11-30", 60, VisitMode::HomeVisit) })?;
    db.measure_insert(&measure(1, Instrument::Swemwbs, Timepoint::Start, given([3, 3, 2, 3, 3, 2, 3])))?;
    db.measure_insert(&measure(2, Instrument::Swemwbs, Timepoint::End, given([4, 3, 3, 4, 3, 3, 4])))?;
    db.measure_insert(&measure(3, Instrument::Recommendation, Timepoint::End, Answer::Missing(MissingReason::NotAsked)))
}

fn as_coordinator() -> Visibility {
    Visibility { programmes: vec![id(PROGRAMME)], ..Visibility::default() }
}

fn as_link_worker() -> Visibility {
    Visibility { assigned_to: Some((id(LIISA), vec![id(PROGRAMME)])), ..Visibility::default() }
}

fn as_client() -> Visibility {
    Visibility { about: Some((id(AINO), vec![id(PROGRAMME)])), ..Visibility::default() }
}

fn expect_lists(db: &mut Db<'_>) -> Result<(), StoreError> {
    let today = day("2026-11-22");
    let first = PageRequest::first(50);
    let both = Visibility { about: as_client().about, ..as_link_worker() };
    for visibility in [as_coordinator(), as_link_worker(), as_client(), both] {
        let periods = db.support_period_list(&visibility, today, SupportPeriodFilter::default(), &first)?;
        assert_eq!(periods.items, [period()]);
        assert_eq!(db.visit_list(&visibility, today, VisitFilter::default(), &first)?.items.len(), 4);
    }
    let other = Visibility { assigned_to: Some((id(COORDINATOR), vec![id(PROGRAMME)])), ..Visibility::default() };
    for visibility in [other, Visibility::default()] {
        assert!(db.support_period_list(&visibility, today, SupportPeriodFilter::default(), &first)?.items.is_empty());
        assert!(db.visit_list(&visibility, today, VisitFilter::default(), &first)?.items.is_empty());
    }
    let filter = |state, link_worker, ends_before: &str| SupportPeriodFilter {
        state: Some(state),
        link_worker: Some(id(link_worker)),
        ends_before: Some(day(ends_before)),
        ..SupportPeriodFilter::default()
    };
    let mut found = |filter| db.support_period_list(&as_coordinator(), today, filter, &first).map(|page| page.items.len());
    assert_eq!(found(filter(SupportPeriodStateCode::Active, LINK_WORKER, "2026-12-02"))?, 1);
    assert_eq!(found(filter(SupportPeriodStateCode::Active, LINK_WORKER, "2026-12-01"))?, 0);
    assert_eq!(found(filter(SupportPeriodStateCode::Ended, LINK_WORKER, "2026-12-02"))?, 0);
    assert_eq!(found(filter(SupportPeriodStateCode::Active, CLIENT, "2026-12-02"))?, 0);
    // The last visit that was held is the telephone call of the tenth, and the end is planned for the first of December.
    let quiet = |since: &str| SupportPeriodFilter { quiet_since: Some(day(since)), ..SupportPeriodFilter::default() };
    let ends = |by: &str| SupportPeriodFilter { ends_by: Some(day(by)), ..SupportPeriodFilter::default() };
    let ended = SupportPeriodFilter { state: Some(SupportPeriodStateCode::Ended), ..quiet("2026-11-10") };
    let figures = [quiet("2026-11-10"), quiet("2026-11-09"), ends("2026-12-01"), ends("2026-11-30"), ended].map(&mut found);
    assert_eq!(figures.into_iter().collect::<Result<Vec<_>, _>>()?, [1, 0, 1, 0, 0]);
    let filter = VisitFilter {
        from: Some(day("2026-11-01")),
        until: Some(day("2026-11-29")),
        state: Some(VisitStateCode::Held),
        support_period: Some(id(PERIOD)),
    };
    let one = PageRequest::first(1);
    let page = db.visit_list(&as_client(), today, filter, &one)?;
    assert_eq!(page.items, [visit(3, "2026-11-10", 15, VisitMode::Phone)]);
    let next = PageRequest { after: page.next, ..one };
    let page = db.visit_list(&as_client(), today, filter, &next)?;
    assert_eq!((page.items, page.next), (vec![visit(2, "2026-11-03", 95, VisitMode::ActivityTogether)], None));
    Ok(())
}

fn expect_sums(db: &mut Db<'_>) -> Result<(), StoreError> {
    let november = Month::of(day("2026-11-22"));
    assert_eq!(db.client_minutes_in_month(id(CLIENT), november, None)?, 95);
    assert_eq!(db.client_minutes_in_month(id(CLIENT), november, Some(id(0x102)))?, 0);
    assert_eq!(db.clients_minutes_in_month(&[id(CLIENT), id(9)], november)?.into_iter().collect::<Vec<_>>(), [(id(CLIENT), 95)]);
    assert_eq!(db.visits_planned(id(PERIOD))?, 1);
    let totals = db.visit_totals(&[id(PERIOD)])?.remove(&id(PERIOD)).unwrap();
    let figures: Vec<_> =
        totals.iter().map(|month| (month.visits, month.counted_minutes, month.phone_minutes, month.travel_metres)).collect();
    assert_eq!(figures, [(1, 60, 0, 8200), (2, 95, 15, 16_400)]);
    let companion = db.companions(&[id(REFERRAL)])?.pop().unwrap();
    assert_eq!((companion.name.as_str(), companion.current), ("Liisa Linkki", true));
    assert_eq!(db.link_worker_names(&[id(LINK_WORKER)])?.len(), 1);
    Ok(())
}

fn expect_guarded_changes(db: &mut Db<'_>) -> Result<(), StoreError> {
    let goal = db.goal_get(id(0x64))?.unwrap();
    let achieved = Goal { outcome: Some(ToldOutcome { outcome: GoalOutcome::Achieved, by: None }), ..goal.clone() };
    db.goal_update(&achieved, goal.version)?;
    assert!(matches!(db.goal_update(&achieved, goal.version), Err(StoreError::Stale)));
    let goals = db.goals_of(id(PERIOD), &PageRequest::first(5))?.items;
    assert_eq!((&goals[0].steps, goals[0].outcome, goals[0].version.get()), (&goal.steps, achieved.outcome, 2));

    let planned = db.visit_get(id(0x104))?.unwrap();
    let cancelled = Visit { workers: Vec::new(), ..planned.clone().cancel(lahete_domain::codes::AbsentParty::Client, None).unwrap() };
    db.visit_update(&cancelled, planned.version)?;
    assert!(matches!(db.visit_update(&cancelled, planned.version), Err(StoreError::Stale)));
    assert_eq!(db.visit_get(id(0x104))?.unwrap(), Visit { version: planned.version.next(), ..cancelled });

    let paused = period().pause(PauseReason::ClientIll, at("2026-10-01T08:00:00Z")).unwrap();
    let proposal = EndProposal { by: id(LIISA), at: at("2026-10-02T08:00:00Z"), reason: "valmis".to_owned() };
    let paused = SupportPeriod { end_proposal: Some(proposal), ..paused };
    db.support_period_update(&paused, Version::FIRST)?;
    assert!(matches!(db.support_period_update(&paused, Version::FIRST), Err(StoreError::Stale)));
    db.support_period_moved_on(id(PERIOD))?;
    let version = Version::new(3).unwrap();
    assert_eq!(db.support_period_of_referral(id(REFERRAL))?.unwrap(), SupportPeriod { version, ..paused });

    let measures = db.measures_of(id(PERIOD))?;
    assert_eq!(measures.len(), 3);
    assert_eq!(db.measure_get(measures[0].id)?.as_ref(), Some(&measures[0]));
    assert_eq!(db.measure_list(id(PERIOD), &PageRequest::first(2))?.items, measures[..2]);
    Ok(())
}

fn end(db: &mut Db<'_>) -> Result<(), StoreError> {
    let stored = db.support_period_get(id(PERIOD))?.unwrap();
    let expected = stored.version;
    db.support_period_update(&stored.cut_short(day("2026-11-20")), expected)?;
    let accepted = assignment(AssignmentState::Accepted { at: at("2026-08-22T08:00:00Z") });
    let ended = accepted.end(AssignmentEndReason::SupportEnded, at("2026-11-20T08:00:00Z")).unwrap();
    db.assignment_update(&ended, Version::FIRST)?;
    let closure = Closure {
        outcome: Outcome::CompletedAsPlanned,
        end_reason: EndReason::GoalsReached,
        route: Some(Route::LinkWorker),
        at: at("2026-11-20T08:00:00Z"),
        by: ClosedBy { user: Some(id(COORDINATOR)), role: Role::Coordinator },
    };
    db.referral_update(&Case { link_worker_user: None, ..case(ReferralState::Closed(closure)) }, Version::FIRST)
}

fn expect_report(db: &mut Db<'_>) -> Result<(), StoreError> {
    let scope = ReportScope {
        programme: id(PROGRAMME),
        from: day("2026-08-20"),
        until: day("2026-08-20"),
        visits_until: day("2026-11-30"),
        today: day("2026-11-30"),
    };
    let figures = db.outcome_figures(scope)?;
    let cases = &figures.cases;
    let closed = Standing { state: ReferralStateCode::Closed, outcome: Some(Outcome::CompletedAsPlanned), route: Some(Route::LinkWorker) };
    assert_eq!(cases.standing, BTreeMap::from([(closed, 1)]));
    assert_eq!((cases.ages, cases.reasons.len()), (Ages { sum: 84, youngest: Some(84), oldest: Some(84) }, 2));
    assert_eq!((cases.sectors.values().sum::<i64>(), cases.sexes.values().sum::<i64>()), (1, 1));
    assert_eq!(cases.municipalities, BTreeMap::from([(sodankyla(), 1)]));
    let phone = VisitCount { mode: VisitMode::Phone, visits: 1, referrals: 1 };
    assert!(figures.visits.len() == 3 && figures.visits.contains(&phone));
    assert_eq!(figures.met, ContactSums { referrals: 1, minutes: 60 + 95 });
    assert_eq!(figures.phoned, ContactSums { referrals: 1, minutes: 15 });
    assert_eq!((figures.travel_metres, figures.ended_periods), (3 * 8200, 1));
    assert_eq!(db.snapshot_faults()?, Vec::<String>::new());
    // The call is counted, and not paid.
    assert_eq!(figures.fees.cents(), MinuteCents::of(60 + 95, 1300).cents());
    assert_eq!(figures.agreements, [1]);
    assert_eq!(figures.pairs, [MeasurePairs { instrument: Instrument::Swemwbs.into(), version: 1, pairs: 1, start: 1798, end: 2154 }]);
    let earlier = db.outcome_figures(ReportScope { visits_until: day("2026-09-30"), ..scope })?;
    assert_eq!(earlier.visits.len(), 1);
    let nothing = db.outcome_figures(ReportScope { from: day("2026-08-21"), until: day("2026-12-31"), ..scope })?;
    assert!(nothing.cases == CaseCounts::default() && nothing.pairs.is_empty() && nothing.fees == MinuteCents::default());
    let state = Some(SupportPeriodStateCode::Ended);
    let ended = SupportPeriodFilter { state, link_worker: Some(id(LINK_WORKER)), ..SupportPeriodFilter::default() };
    let today = day("2026-11-22");
    assert_eq!(db.support_period_list(&as_coordinator(), today, ended, &PageRequest::first(5))?.items.len(), 1);
    assert!(db.support_period_list(&as_link_worker(), today, ended, &PageRequest::first(5))?.items.is_empty());
    assert!(!db.companions(&[id(REFERRAL)])?.pop().unwrap().current);
    Ok(())
}

async fn walk(store: &Store) {
    store.migrate().await.unwrap();
    for step in [people, work, expect_lists, expect_sums, expect_guarded_changes, end, expect_report] {
        if let Err(error) = store.write(step).await {
            panic!("{error:?}")
        }
    }
}

fn options() -> StoreOptions {
    StoreOptions::new(Arc::new(Keys::from_bytes(1, &[7; 32]).unwrap()), Arc::new(Numbers(AtomicU64::new(1))))
}

#[tokio::test]
async fn a_support_period_from_start_to_report() {
    let path = std::env::temp_dir().join(format!("lahete-support-work-{}.db", std::process::id()));
    let store = Store::open(&DbUrl::Sqlite(path.clone()), options()).unwrap();
    walk(&store).await;
    drop(store);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
