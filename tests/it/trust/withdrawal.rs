//! Withdrawing the consent while others are at work: once the client has been told that it is done, no answer with their data is made any more, and no
//! change of somebody who was let in before is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;

use lahete_api::error::AppError;
use lahete_api::operation::OpContext;
use lahete_api::referrals::case;
use lahete_domain::access::Action;
use lahete_domain::actor::Caller as Who;
use lahete_domain::codes::Language;
use lahete_domain::goal::Goal;
use lahete_domain::ids::{Id as _, ReferralId, SupportPeriodId};
use lahete_domain::time::Clock as _;
use lahete_domain::version::Version;
use lahete_persistence::Db;
use serde_json::json;

use super::is_long;
use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::support::app::Caller;
use crate::support::database::wait;
use crate::support::{Kind, Reply, TestApp};

const READS: &[&str] = &[
    "/v1/referrals/{referral_id}",
    "/v1/clients/{client_id}",
    "/v1/support-periods/{support_period_id}",
    "/v1/support-periods/{support_period_id}/visits",
    "/v1/visits/{visit_id}",
    "/v1/referrals",
    "/v1/visits",
    "/v1/assignments",
];

fn path(pattern: &str, built: &Built) -> String {
    let mut path = pattern.to_owned();
    while let Some((before, rest)) = path.split_once('{') {
        let (name, after) = rest.split_once('}').unwrap();
        path = format!("{before}{}{after}", built.id(name));
    }
    path
}

fn goals(app: &TestApp, built: &Built) -> usize {
    let goals = app.user(app.world.own.coordinator).get(&path("/v1/support-periods/{support_period_id}/goals?limit=200", built)).send();
    goals.expect(200)["items"].as_array().unwrap().len()
}

/// One step of the link worker; says whether it showed or changed something.
fn step(worker: &Caller<'_>, built: &Built, number: usize) -> (bool, bool, Reply) {
    // One in three writes.
    if number.is_multiple_of(3) {
        let words = json!({"words": format!("Tavoite {number}.")});
        let reply = worker.post(&path("/v1/support-periods/{support_period_id}/goals", built)).json(words).send();
        return (reply.status == 201, true, reply);
    }
    let reply = worker.get(&path(READS[number % READS.len()], built)).send();
    let shows = reply.status == 200 && reply.text.contains(built.id("referral_id"));
    (shows, false, reply)
}

/// Withdrawals on one database; a client's month has minutes for this many first visits.
const ROUNDS_MAX: usize = 500;

fn withdraws_under_load(kind: Kind) {
    let rounds = if is_long() { 1_000 } else { 50 };
    let mut calls = [0, 0, 0];
    for first in (0..rounds).step_by(ROUNDS_MAX) {
        let part = withdrawals(&TestApp::start(kind), first..rounds.min(first + ROUNDS_MAX));
        for (sum, count) in calls.iter_mut().zip(part) {
            *sum += count;
        }
    }
    let [before, across, after] = calls;
    println!("{kind:?}: {rounds} withdrawals; calls of the link worker before {before}, across {across}, after {after} (all refused)");
    assert!(before > 0 && across > 0 && after > 0);
}

fn withdrawals(app: &TestApp, rounds: std::ops::Range<usize>) -> [usize; 3] {
    let people = app.world.own;
    prepare(app);
    let mut calls = [0, 0, 0];
    for round in rounds {
        let built = Built::new(app, Origin::Referrer, Stage::InSupport);
        let purpose = if round % 2 == 0 { "process_referral" } else { "share_with_link_worker" };
        let (begun, gone, over, written) = (AtomicUsize::new(0), AtomicBool::new(false), AtomicBool::new(false), AtomicUsize::new(0));
        let counted = std::thread::scope(|scope| {
            let work = |first: usize| {
                let worker = app.user(people.link_worker);
                let (mut counts, mut refused) = ([0, 0, 0], 0);
                for number in first.. {
                    let was_gone = gone.load(Ordering::SeqCst);
                    begun.fetch_add(1, Ordering::SeqCst);
                    let (shows, writes, reply) = step(&worker, &built, number);
                    assert!(matches!(reply.status, 200 | 201 | 404 | 503), "{reply:?}");
                    assert!(!(was_gone && shows), "round {round}: told after the client was told that it ends: {reply:?}");
                    if shows && writes {
                        written.fetch_add(1, Ordering::SeqCst);
                    }
                    let is_gone = gone.load(Ordering::SeqCst);
                    counts[if was_gone { 2 } else { usize::from(is_gone) }] += 1;
                    refused += usize::from(was_gone || over.load(Ordering::SeqCst));
                    // Everything is tried once more when it is over.
                    if refused > READS.len() {
                        break;
                    }
                }
                counts
            };
            let workers: Vec<_> = [0, 1].map(|first| scope.spawn(move || work(first * 5))).into_iter().collect();
            // The moment is another one in each round, counted in what the link worker has begun.
            while begun.load(Ordering::SeqCst) < 2 + round % 23 && !workers.iter().any(std::thread::ScopedJoinHandle::is_finished) {
                std::thread::yield_now();
            }
            let client = app.user(people.client);
            let place = path("/v1/me/consents/{consent_id}/withdraw", &built);
            // A server that is busy says so and has done nothing; whoever is told so comes again.
            let reply = loop {
                let reply = client.post(&place).if_match(built.version("referral_id")).json(json!({"purposes": [purpose]})).send();
                if reply.status != 503 {
                    break reply;
                }
            };
            gone.store(reply.status == 200, Ordering::SeqCst);
            over.store(true, Ordering::SeqCst);
            reply.expect(200);
            let at_once = goals(app, &built);
            let counts = workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .fold([0, 0, 0], |sum, counts| [sum[0] + counts[0], sum[1] + counts[1], sum[2] + counts[2]]);
            assert_eq!(goals(app, &built), at_once, "round {round}: something was written after the withdrawal was done");
            // The case began with one.
            assert_eq!(at_once, 1 + written.load(Ordering::SeqCst), "round {round}: what was acknowledged is there, and nothing else");
            counts
        });
        for (sum, count) in calls.iter_mut().zip(counted) {
            *sum += count;
        }
        built.finish(app);
    }
    calls
}

#[test]
fn nothing_is_told_or_kept_after_a_withdrawal_sqlite() {
    withdraws_under_load(Kind::Sqlite);
}

#[test]
fn nothing_is_told_or_kept_after_a_withdrawal_postgresql() {
    withdraws_under_load(Kind::Postgresql);
}

/// On PostgreSQL two changes run side by side: one that was let in, and waits in its middle until the withdrawal is done, is run again and refused. On
/// SQLite no change begins before the one in front of it has ended.
#[test]
fn a_change_that_began_before_the_withdrawal_is_not_kept() {
    let app = TestApp::start(Kind::Postgresql);
    let people = app.world.own;
    prepare(&app);
    let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
    let referral = ReferralId::from_uuid(built.id("referral_id").parse().unwrap());
    let period = SupportPeriodId::from_uuid(built.id("support_period_id").parse().unwrap());
    let (told, hears) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let (now, store) = (app.clock.now(), app.store.clone());
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let writing = std::thread::spawn(move || {
        let may_go_on = std::sync::Mutex::new(may_go_on);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(store.write(move |db: &mut Db<'_>| -> Result<(), AppError> {
            let actor = db.actor(Who::User(people.link_worker), now.helsinki_date())?;
            let ids: Arc<dyn lahete_domain::ids::IdSource> = Arc::new(lahete_api::id_source::UuidV7);
            let ctx = OpContext {
                actor,
                now,
                request_id: "a-change".to_owned(),
                operation: "goal_create",
                if_match: None,
                ids,
                language: Language::Finnish,
                reason: None,
            };
            let run = counted.fetch_add(1, Ordering::SeqCst);
            case::open(db, &ctx, Action::PlanWrite, referral)?;
            if run == 0 {
                told.send(()).unwrap();
                may_go_on.lock().unwrap().recv().unwrap();
            }
            db.goal_insert(&Goal {
                id: ctx.ids.next(),
                version: Version::FIRST,
                support_period: period,
                words: "Liian myöhään.".to_owned(),
                steps: Vec::new(),
                outcome: None,
                recorded_at: now,
            })?;
            db.support_period_moved_on(period)?;
            Ok(())
        }))
    });
    hears.recv().unwrap();
    let place = path("/v1/me/consents/{consent_id}/withdraw", &built);
    app.user(people.client).post(&place).if_match(built.version("referral_id")).json(json!({})).send().expect(200);
    go_on.send(()).unwrap();
    let outcome = writing.join().unwrap();
    assert!(matches!(outcome, Err(AppError::NotFound(_))), "{outcome:?}");
    assert_eq!((runs.load(Ordering::SeqCst), goals(&app, &built)), (2, 1));
    let denied = app.user(people.privacy_officer).get("/v1/audit-events?outcome=denied").send();
    assert!(denied.text.contains("a-change"), "{denied:?}");
    wait(async {});
}

/// A stored answer is not given again to somebody who may no longer know of the case.
#[test]
fn a_repeated_call_is_held_against_the_rights_of_today() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let app = TestApp::start(kind);
        let people = app.world.own;
        prepare(&app);
        let built = Built::new(&app, Origin::Referrer, Stage::InSupport);
        let worker = app.user(people.link_worker);
        let goal = || {
            worker
                .post(&path("/v1/support-periods/{support_period_id}/goals", &built))
                .key("goal-1")
                .json(json!({"words": "Kuoroon."}))
                .send()
        };
        assert_eq!(goal().status, 201);
        let again = goal();
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
        let place = path("/v1/me/consents/{consent_id}/withdraw", &built);
        let withdraw = || {
            let client = app.user(people.client);
            client
                .post(&place)
                .key("withdraw-1")
                .if_match(built.version("referral_id"))
                .json(json!({"purposes": ["share_with_link_worker"]}))
                .send()
        };
        withdraw().expect(200);
        let late = goal();
        assert!(!late.text.contains("Kuoroon"), "{late:?}");
        late.problem(404, "not_found");
        let told = withdraw();
        assert_eq!((told.status, told.header("idempotent-replayed")), (200, Some("true")), "the client may hear it again");
        assert_eq!(goals(&app, &built), 2);

        // Who ends the case for themself may still hear that it was done.
        let built = Built::new(&app, Origin::Referrer, Stage::Assigned);
        let end = || {
            let call =
                worker.post(&path("/v1/assignments/{assignment_id}/end", &built)).key("end-1").if_match(built.version("assignment_id"));
            call.json(json!({"reason": "link_worker_unavailable"})).send()
        };
        assert_eq!(end().status, 200);
        assert_eq!(end().header("idempotent-replayed"), Some("true"));
        // An administrator sees no content, and repeats what they did all the same.
        let mistaken = Built::new(&app, Origin::Referrer, Stage::Submitted);
        let mark = || {
            let place = path("/v1/referrals/{referral_id}/mark-as-error", &mistaken);
            let call = app.user(people.admin).post(&place).key("error-1").if_match(mistaken.version("referral_id"));
            call.json(json!({"reason": "Väärä henkilö."})).send()
        };
        assert_eq!(mark().status, 200);
        assert_eq!(mark().header("idempotent-replayed"), Some("true"));
    }
}
