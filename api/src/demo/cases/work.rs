//! The work itself in the demo world: a goal with its outcome, activities that stopped and that go on, a visit to which nobody came, a month that is nearly
//! full, a client whom nobody has visited for long, and the coordinator's time.

use lahete_domain::access::Action;
use lahete_domain::activity::{ActivityLink, ActivityLinkState};
use lahete_domain::codes::{
    AbsentParty, Barrier, Code as _, EventKind, GoalOutcome, ReferralReason, Role, Sex, SupportKind, TimeEntryKind, UnmetNeed,
    VisitAbsenceReason, VisitMode, VisitPurpose,
};
use lahete_domain::goal::{Goal, GoalStep, Teller, ToldOutcome};
use lahete_domain::ids::UserId;
use lahete_domain::referral::command::ClosingNeeds;
use lahete_domain::time_entry::{Struck, TimeEntry, TimeEntryContent};
use lahete_domain::version::Version;
use lahete_domain::visit::{Visit, VisitContent, VisitState, VisitWorker};
use lahete_persistence::Db;

use super::{AINO, Begun, CLOSED, KAISA, LIISA, Stage, Story, id, programme};
use crate::error::AppError;
use crate::hour_sheets::cases::follow;
use crate::referrals::case;

/// Aino's own sign-in.
const AINO_HERSELF: u16 = 0x0023;

/// Nobody has visited her since the first visit.
const QUIET: Story = Story {
    client: 0x0a30,
    referral: 0x0a31,
    consent: 0x0a32,
    user: None,
    given_name: "Hilja",
    family_name: "Hiljattain",
    born: (1947, 3, 12),
    sex: Sex::Female,
    municipality: "758",
    phone: "+358 40 555 0120",
    reasons: &[ReferralReason::Loneliness, ReferralReason::Conversation],
    wish: "Juttuseuraa käsitöiden ääreen.",
    sent_days_ago: 45,
    anonymous: false,
};

/// His month is nearly full, and his support ends soon.
const FULL: Story = Story {
    client: 0x0a40,
    referral: 0x0a41,
    consent: 0x0a42,
    user: None,
    given_name: "Tauno",
    family_name: "Täysi",
    born: (1953, 10, 2),
    sex: Sex::Male,
    municipality: "758",
    phone: "+358 40 555 0121",
    reasons: &[ReferralReason::DailyActivity, ReferralReason::Outdoors],
    wish: "Pääsisin vielä kerran museoon Rovaniemelle.",
    sent_days_ago: 50,
    anonymous: false,
};

/// Adds all of it.
///
/// # Errors
/// When the database fails.
pub(super) fn seed(stage: &Stage<'_>, db: &mut Db<'_>) -> Result<(), AppError> {
    goal(stage, db)?;
    links(stage, db)?;
    absence(stage, db)?;
    time(stage, db)?;
    let begun = Begun {
        period: 0x0a34,
        link_worker: 0x0030,
        first_visit: 0x0a35,
        planned_visit: None,
        measure: 0x0a36,
        note: "Katseltiin Hiljan kutomia ryijyjä.",
        ends_in_days: None,
    };
    walk(stage, db, &QUIET, 0x0a33, &begun, 15)?;
    let begun = Begun {
        period: 0x0a44,
        link_worker: 0x0030,
        first_visit: 0x0a45,
        planned_visit: None,
        measure: 0x0a46,
        note: "Taunon luona. Puhuttiin, minne hän haluaisi vielä lähteä.",
        ends_in_days: Some(10),
    };
    walk(stage, db, &FULL, 0x0a43, &begun, 10)?;
    trip(stage, db)?;
    let needs = ClosingNeeds { barriers: [Barrier::Shyness].into(), unmet_needs: [UnmetNeed::CompanyFriend].into() };
    db.referral_closing_put(CLOSED.referral(), &needs)?;
    Ok(())
}

/// From the review to the first visit, so many days after the referral was sent; with Liisa.
fn walk(stage: &Stage<'_>, db: &mut Db<'_>, story: &Story, assignment: u16, begun: &Begun, days: i64) -> Result<(), AppError> {
    stage.send(db, story)?;
    let ctx = stage.review(db, story)?;
    let proposal = stage.propose(db, &ctx, story, assignment, 0x0030, LIISA)?;
    let ctx = stage.as_user(db, LIISA, stage.days_ago(story.sent_days_ago - 3), "assignment_accept")?;
    stage.accept(db, &ctx, proposal)?;
    let ctx = stage.as_user(db, LIISA, stage.days_ago(story.sent_days_ago - days), "support_period_start")?;
    stage.support(db, &ctx, story, begun)?;
    let first = db.visit_get(id(begun.first_visit))?.ok_or_else(|| AppError::internal("a visit of the demo is missing"))?;
    follow(db, &ctx, &first)
}

/// Aino has said herself what became of her second goal.
fn goal(stage: &Stage<'_>, db: &mut Db<'_>) -> Result<(), AppError> {
    let ctx = stage.as_user(db, AINO_HERSELF, stage.days_ago(3), "goal_update")?;
    let open = case::open(db, &ctx, Action::GoalOutcome, AINO.referral())?;
    let step = |words: &str, done| GoalStep { words: words.to_owned(), done };
    db.goal_insert(&Goal {
        id: id(0x0a0a),
        version: Version::FIRST,
        support_period: id(0x0063),
        words: "Uskallan pyytää naapurin kahville.".to_owned(),
        steps: vec![step("Tervehditään pihalla", true), step("Kutsutaan yhdessä", true), step("Kutsun itse", false)],
        outcome: Some(ToldOutcome {
            outcome: GoalOutcome::Partly,
            by: Some(Teller { user: Some(id::<UserId>(AINO_HERSELF)), role: Role::Client, at: ctx.now }),
        }),
        recorded_at: stage.days_ago(AINO.sent_days_ago - 12),
    })?;
    case::note(db, &ctx, &open, EventKind::GoalRecorded, Some(GoalOutcome::Partly.as_str()), None)
}

/// What she stopped and why, and where she goes on.
fn links(stage: &Stage<'_>, db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, activity, state, needs) in [
        (0x0a10, 0x0043, ActivityLinkState::Stopped { barrier: Barrier::Transport }, [UnmetNeed::Transport].into()),
        (0x0a11, 0x0044, ActivityLinkState::Attending { continues: Some(true) }, [].into()),
    ] {
        let ctx = stage.as_user(db, LIISA, stage.days_ago(12), "activity_link_update")?;
        let open = case::open(db, &ctx, Action::PlanWrite, AINO.referral())?;
        db.activity_link_insert(&ActivityLink {
            id: id(tail),
            version: Version::FIRST,
            referral: AINO.referral(),
            activity: id(activity),
            state,
            unmet_needs: needs,
            proposed_at: stage.days_ago(40),
        })?;
        case::note(db, &ctx, &open, EventKind::ActivityLinkChanged, Some(state.code().as_str()), None)?;
    }
    Ok(())
}

fn content(on: chrono::NaiveDate, minutes: u32, mode: VisitMode) -> VisitContent {
    VisitContent {
        on,
        minutes,
        mode,
        purpose: VisitPurpose::Support,
        support_kinds: [SupportKind::Practical].into(),
        travel_metres: 0,
        travel_minutes: 0,
        travel_passengers: 0,
        note: None,
        barriers: [].into(),
        unmet_needs: [].into(),
    }
}

/// Aino was ill when Liisa came.
fn absence(stage: &Stage<'_>, db: &mut Db<'_>) -> Result<(), AppError> {
    let ctx = stage.as_user(db, LIISA, stage.days_ago(9), "visit_mark_not_attended")?;
    let open = case::open(db, &ctx, Action::VisitWrite, AINO.referral())?;
    let by = AbsentParty::Client;
    db.visit_insert(&Visit {
        id: id(0x0a20),
        version: Version::FIRST,
        programme: programme(),
        referral: open.case.referral.id,
        client: open.case.referral.client,
        support_period: id(0x0063),
        workers: vec![VisitWorker { link_worker: id(0x0030), fee_per_hour: lahete_domain::money::Cents::default(), drives: true }],
        content: VisitContent { travel_metres: 7_400, travel_minutes: 20, ..content(ctx.now.helsinki_date(), 60, VisitMode::HomeVisit) },
        state: VisitState::NotAttended { by, reason: VisitAbsenceReason::Ill },
    })?;
    case::note(db, &ctx, &open, EventKind::VisitNotAttended, Some(by.as_str()), None)
}

/// A day in Rovaniemi fills Tauno's month.
fn trip(stage: &Stage<'_>, db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, days_ago, minutes, mode, note) in [
        (0x0a47, 20, 90, VisitMode::HomeVisit, "Suunniteltiin retkeä kartan äärellä."),
        (0x0a48, 0, 490, VisitMode::ActivityTogether, "Päivä Arktikumissa. Tauno jaksoi hyvin."),
    ] {
        let ctx = stage.as_user(db, LIISA, stage.days_ago(days_ago), "visit_create")?;
        let open = case::open(db, &ctx, Action::VisitWrite, FULL.referral())?;
        let fee_per_hour = lahete_domain::programme::DEFAULT_FEE_PER_HOUR;
        let visit = Visit {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            referral: open.case.referral.id,
            client: open.case.referral.client,
            support_period: id(0x0a44),
            workers: vec![VisitWorker { link_worker: id(0x0030), fee_per_hour, drives: true }],
            content: VisitContent {
                note: Some(note.to_owned()),
                barriers: [Barrier::Distance].into(),
                unmet_needs: [UnmetNeed::Transport].into(),
                ..content(ctx.now.helsinki_date(), minutes, mode)
            },
            state: VisitState::Held { recorded_at: ctx.now, over_limit_reason: None },
        };
        db.visit_insert(&visit)?;
        follow(db, &ctx, &visit)?;
        case::note(db, &ctx, &open, EventKind::VisitHeld, None, None)?;
    }
    Ok(())
}

/// What Kaisa has done for Aino, and one entry that was for somebody else.
fn time(stage: &Stage<'_>, db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, days_ago, minutes, kind, note, struck) in [
        (0x0a00, AINO.sent_days_ago - 1, 45, TimeEntryKind::Matching, "Soitin kahdelle linkkihenkilölle.", false),
        (0x0a01, 10, 20, TimeEntryKind::Contact, "Kuulumisia Liisan kanssa.", false),
        (0x0a02, 10, 30, TimeEntryKind::Meeting, "Kirjattu väärälle lähetteelle.", true),
    ] {
        let ctx = stage.as_user(db, KAISA, stage.days_ago(days_ago), "time_entry_create")?;
        let open = case::open(db, &ctx, Action::TimeEntryWrite, AINO.referral())?;
        let coordinator: UserId = id(KAISA);
        db.time_entry_insert(&TimeEntry {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            referral: open.case.referral.id,
            coordinator,
            content: TimeEntryContent { on: ctx.now.helsinki_date(), minutes, kind, note: Some(note.to_owned()) },
            recorded_at: ctx.now,
            struck: struck.then_some(Struck { by: coordinator, at: ctx.now }),
        })?;
        case::audit(db, &ctx, &open, lahete_domain::codes::AuditAction::Created);
    }
    Ok(())
}
