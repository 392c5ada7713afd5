//! A PostgreSQL server that is restarted under load, freezes, makes callers collide, or is not there yet.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::{Duration, Instant};

use lahete_domain::referral::state::ReferralState;
use lahete_domain::version::Version;
use lahete_persistence::{Db, StoreError};

use super::{PATIENCE, Site, StopAtTheEnd, create, expect_sound, id_of, is_long, progress, rounds, stored_marks};
use crate::store::Stage;
use crate::support::Kind;
use crate::support::database::{open, wait};
use crate::support::postgresql::Cluster;
use crate::support::process::{Server, lay_data_key};
use crate::support::wire::{Answer, Wire};

const CALLERS: usize = 8;
/// From the first refusal to the first answer after it.
const WINDOW: Duration = Duration::from_secs(5);
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
const FROZEN: Duration = Duration::from_secs(8);

fn site(cluster: &Cluster) -> Site {
    let keys = std::env::temp_dir().join(format!("{}-keys", cluster.folder().file_name().unwrap().to_string_lossy()));
    std::fs::create_dir_all(&keys).unwrap();
    Site::on(cluster.url(), keys, None)
}

/// One answer as a caller saw it.
struct Seen {
    mark: String,
    at: Instant,
    took: Duration,
    answer: Answer,
}

/// Callers who write and read in turn until they are told to stop.
fn call_meanwhile(server: &Server, site: &Site, word: &str, meanwhile: impl FnOnce()) -> Vec<Seen> {
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (stop, seen) = (&stop, &seen);
            scope.spawn(move || {
                let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
                for n in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let (mark, begun) = (format!("{word}-{caller}-{n}"), Instant::now());
                    let answer = if n % 2 == 0 {
                        create(&mut wire, &site.referrer, &mark).unwrap()
                    } else {
                        let headers = [("authorization", site.coordinator.as_str()), ("x-request-id", &mark)];
                        wire.call("GET", "/v1/referrals?limit=5", &headers, None).unwrap()
                    };
                    if answer.closes() {
                        wire = Wire::open(server.addr, PATIENCE).unwrap();
                    }
                    if answer.is_for_later() {
                        // Whoever is sent away does not come again at once.
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    seen.lock().unwrap().push(Seen { mark, at: begun, took: begun.elapsed(), answer });
                }
            });
        }
        let _end = StopAtTheEnd(&stop);
        meanwhile();
    });
    seen.into_inner().unwrap()
}

#[track_caller]
fn expect_answered_or_for_later(seen: &[Seen]) {
    for one in seen {
        let answer = &one.answer;
        assert!(matches!(answer.status, 200 | 201) || answer.is_for_later(), "{}: {answer:?}", one.mark);
    }
}

fn acknowledged(seen: &[Seen]) -> impl Iterator<Item = &str> {
    seen.iter().filter(|one| one.answer.status == 201).map(|one| one.mark.as_str())
}

#[track_caller]
fn expect_kept(site: &Site, acknowledged: &[String]) {
    let store = open(&site.url);
    let marks = wait(store.read(stored_marks)).unwrap();
    for mark in acknowledged {
        assert!(marks.contains_key(mark), "{mark} was acknowledged and is lost");
    }
    expect_sound(&store);
    wait(store.close());
}

#[test]
fn a_restart_at_once_costs_seconds_and_nothing_else() {
    let cluster = Cluster::start();
    let mut site = site(&cluster);
    let server = site.serve(&[]);
    server.until_ready();
    let rounds = rounds(2, 20);
    let (mut kept, mut longest, mut refused) = (Vec::new(), Duration::ZERO, 0);
    for round in 0..rounds {
        site.renew_tokens();
        let mut back = Instant::now();
        let seen = call_meanwhile(&server, &site, &format!("restart-{round}"), || {
            std::thread::sleep(Duration::from_millis(300));
            let before = cluster.first_process();
            cluster.restart_at_once();
            back = Instant::now();
            // Whether anybody is sent away is up to how quick it is: who waits for less than the patience of the store notices nothing.
            assert_ne!(cluster.first_process(), before, "the server has not been away");
            // Until the calls get through again, or it is certain that they do not.
            let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
            let get = |wire: &mut Wire| wire.call("GET", "/v1/referrals?limit=5", &[("authorization", &site.coordinator)], None).unwrap();
            while back.elapsed() < WINDOW * 2 && get(&mut wire).is_for_later() {
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(500));
        });
        expect_answered_or_for_later(&seen);
        kept.extend(acknowledged(&seen).map(str::to_owned));
        // Collisions are sent away for later as well, one at a time; in a window nobody gets through.
        let mut answered: Vec<Instant> = seen.iter().filter(|one| !one.answer.is_for_later()).map(|one| one.at + one.took).collect();
        answered.sort_unstable();
        let window = answered.windows(2).map(|pair| pair[1] - pair[0]).max().expect("answers");
        // How long the other server takes for its own restart is not ours; on a machine that the test has for itself it is next to nothing.
        let after = answered
            .iter()
            .find(|at| **at > back)
            .unwrap_or_else(|| panic!("nobody gets through: {}", server.last_lines()))
            .duration_since(back);
        assert!(after <= WINDOW, "nobody got through for {after:?}: {}", server.last_lines());
        assert!(!is_long() || window <= WINDOW, "nobody got through for {window:?}: {}", server.last_lines());
        longest = longest.max(window);
        refused += seen.iter().filter(|one| one.answer.is_for_later()).count();
        progress(&format!("PostgreSQL restart: round {} of {rounds}, nobody got through for {window:?}", round + 1));
    }
    expect_kept(&site, &kept);
    println!("PostgreSQL restart: {rounds} rounds, {} writes acknowledged, {refused} sent away, longest window {longest:?}", kept.len());
}

#[test]
fn a_frozen_server_keeps_nobody_waiting() {
    let cluster = Cluster::start();
    let site = site(&cluster);
    let server = site.serve(&[]);
    server.until_ready();
    for round in 0..rounds(1, 3) {
        let mut alive = 0;
        let mut thawed = Instant::now();
        let seen = call_meanwhile(&server, &site, &format!("frozen-{round}"), || {
            std::thread::sleep(Duration::from_millis(300));
            cluster.freeze();
            let frozen = Instant::now();
            while frozen.elapsed() < FROZEN {
                let begun = Instant::now();
                let answer = Wire::open(server.addr, PATIENCE).unwrap().call("GET", "/livez", &[], None).unwrap();
                assert_eq!(answer.status, 200);
                assert!(begun.elapsed() < ANSWERED_WITHIN);
                alive += 1;
                std::thread::sleep(Duration::from_millis(200));
            }
            cluster.thaw();
            thawed = Instant::now();
            std::thread::sleep(Duration::from_secs(2));
        });
        expect_answered_or_for_later(&seen);
        let longest = seen.iter().map(|one| one.took).max().unwrap();
        assert!(longest <= ANSWERED_WITHIN, "an answer took {longest:?}");
        let again = seen.iter().filter(|one| one.at > thawed && one.answer.status == 201).count();
        assert!(again > 0, "nobody can write after the thaw: {}", server.last_lines());
        let kept: Vec<String> = acknowledged(&seen).map(str::to_owned).collect();
        expect_kept(&site, &kept);
        let refused = seen.iter().filter(|one| one.answer.is_for_later()).count();
        println!(
            "PostgreSQL frozen for {FROZEN:?}: longest answer {longest:?}, {refused} sent away, {alive} times alive, {again} writes after"
        );
    }
}

#[test]
fn a_server_that_comes_later_is_waited_for() {
    let cluster = Cluster::start();
    let mut site = site(&cluster);
    lay_data_key(&site.folder);
    for round in 0..rounds(1, 5) {
        site.renew_tokens();
        cluster.stop_at_once();
        let server = Server::start_plain(&site.folder, &site.url, &[("log", "warn,lahete_api::startup=info")]);
        for path in ["/livez", "/readyz", "/startupz"] {
            let answer = Wire::open(server.addr, PATIENCE).unwrap().call("GET", path, &[], None).unwrap();
            assert!(if path == "/livez" { answer.status == 200 } else { answer.is_for_later() }, "{path}: {answer:?}");
        }
        let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
        let mark = format!("absent-{round}");
        let begun = Instant::now();
        let answer = create(&mut wire, &site.referrer, &mark).unwrap();
        assert!(answer.is_for_later() && begun.elapsed() <= ANSWERED_WITHIN, "{:?}: {answer:?}", begun.elapsed());
        cluster.resume_from_stop();
        let ready = server.until_ready();
        // The quiet connection has ended meanwhile.
        wire = Wire::open(server.addr, PATIENCE).unwrap();
        let answer = create(&mut wire, &site.referrer, &mark).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        id_of(&answer);
        println!("PostgreSQL absent at the start: ready {ready:?} after it came");
        assert!(server.stop().success());
    }
}

/// Two calls that surely collide: each waits in its first run until the other one is as far.
fn collide(stage: &Stage, f: impl Fn(&mut Db<'_>, usize, &dyn Fn()) -> Result<(), StoreError> + Send + Sync + 'static) -> usize {
    let (f, barrier, runs) = (Arc::new(f), Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let retries = stage.store.stats().retries;
    std::thread::scope(|scope| {
        for side in 0..2 {
            let (f, barrier, runs) = (f.clone(), barrier.clone(), runs.clone());
            scope.spawn(move || {
                let mut is_first = true;
                let outcome = stage.store.write(move |db: &mut Db<'_>| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    let meet = std::mem::take(&mut is_first);
                    f(db, side, &|| {
                        if meet {
                            barrier.wait();
                        }
                    })
                });
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(outcome).unwrap();
            });
        }
    });
    assert!(stage.store.stats().retries > retries, "nothing was run again");
    runs.load(Ordering::SeqCst)
}

#[test]
fn what_collides_is_run_again_and_done_once() {
    let stage = Stage::new(Kind::Postgresql);
    let one = stage.referral(ReferralState::Submitted).referral.id;
    let other = stage.referral(ReferralState::Submitted).referral.id;
    let raise = |db: &mut Db<'_>, id| -> Result<(), StoreError> {
        let case = db.referral_case(id)?.unwrap();
        db.referral_update(&case, case.referral.version)
    };
    let version = |id| stage.read(move |db| Ok(db.referral_case(id)?.unwrap().referral.version));
    for round in 0..rounds(3, 20) {
        let before = i64::try_from(round).unwrap() * 4;
        // Both read the same row before either has written it: 40001.
        let runs = collide(&stage, move |db, _, meet| {
            let case = db.referral_case(one)?.unwrap();
            meet();
            db.referral_update(&case, case.referral.version)
        });
        assert!(runs >= 3, "{runs} runs");
        assert_eq!(version(one), Version::new(1 + before + 2).unwrap(), "each of the two once");
        // Each holds the row that the other one wants: 40P01.
        let runs = collide(&stage, move |db, side, meet| {
            let (first, second) = if side == 0 { (one, other) } else { (other, one) };
            raise(db, first)?;
            meet();
            raise(db, second)
        });
        assert!(runs >= 3, "{runs} runs");
        assert_eq!(version(one), Version::new(1 + before + 4).unwrap(), "each of the two once");
        assert_eq!(version(other), Version::new(1 + before / 2 + 2).unwrap(), "each of the two once");
    }
}
