//! A stop under load: whoever was let in gets a whole answer, and what was acknowledged is there.
//!
//! The callers behave as behind a load balancer: they open no new connection once `/readyz` says no. All that they have open they go on using.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{PATIENCE, Site, create, marked_referral, progress, rounds, stored_marks, until};
use crate::support::Kind;
use crate::support::process::Server;
use crate::support::wire::{Broken, Wire, request};

const CALLERS: usize = 12;
/// Callers whose request is half sent when the stop comes, and is ended after the server has stopped taking connections.
const LATE: usize = 4;

/// One caller until their connection is closed after the stop; the marks that were acknowledged.
fn call(server: &Server, site: &Site, word: &str, leaving: &AtomicBool) -> Vec<String> {
    let mut kept = Vec::new();
    let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
    for n in 0.. {
        let mark = format!("{word}-{n}");
        let answer = if n % 2 == 0 {
            create(&mut wire, &site.referrer, &mark)
        } else {
            wire.call("GET", "/v1/referrals?limit=5", &[("authorization", &site.coordinator)], None)
        };
        let answer = answer.unwrap_or_else(|broken| panic!("{mark} got no answer: {broken:?}"));
        assert!(matches!(answer.status, 200 | 201) || answer.is_for_later(), "{answer:?}");
        if answer.status == 201 {
            kept.push(mark);
        }
        if answer.closes() {
            if leaving.load(Ordering::SeqCst) {
                break;
            }
            wire = Wire::open(server.addr, PATIENCE).unwrap();
        }
    }
    kept
}

/// Sends half of a request, and the rest when the server takes no more connections.
fn call_late(server: &Server, site: &Site, mark: &str, half_sent: &AtomicBool) -> String {
    let headers = [("authorization", site.referrer.as_str()), ("idempotency-key", mark)];
    let bytes = request("POST", "/v1/referrals", &headers, Some(&marked_referral(mark)));
    let (first, rest) = bytes.split_at(bytes.len() - 100);
    let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
    wire.send(first).unwrap();
    half_sent.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    while Wire::open(server.addr, PATIENCE).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it still takes connections");
        std::thread::sleep(Duration::from_millis(50));
    }
    wire.send(rest).unwrap_or_else(|broken| panic!("{mark} was cut off: {broken:?}"));
    let answer = wire.answer().unwrap_or_else(|broken| panic!("{mark} got no answer: {broken:?}"));
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(matches!(wire.answer(), Err(Broken::Ended)), "the connection ends cleanly");
    mark.to_owned()
}

fn stopped_under_load(kind: Kind) {
    let mut site = Site::new(kind);
    let rounds = rounds(3, 100);
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let mut longest = Duration::ZERO;
    for round in 0..rounds {
        site.renew_tokens();
        let server = site.serve(&[("drain_seconds", "1")]);
        server.until_ready();
        let (leaving, acknowledged) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let half_sent: Vec<AtomicBool> = (0..LATE).map(|_| AtomicBool::new(false)).collect();
        let begun = std::thread::scope(|scope| {
            for caller in 0..CALLERS {
                let (server, site, leaving, acknowledged) = (&server, &site, &leaving, &acknowledged);
                scope.spawn(move || {
                    let kept = call(server, site, &format!("{round}-{caller}"), leaving);
                    acknowledged.lock().unwrap().extend(kept);
                });
            }
            for (late, half_sent) in half_sent.iter().enumerate() {
                let (server, site, acknowledged) = (&server, &site, &acknowledged);
                scope.spawn(move || {
                    let kept = call_late(server, site, &format!("{round}-late-{late}"), half_sent);
                    acknowledged.lock().unwrap().push(kept);
                });
            }
            // Somewhere in the middle: the low bits of a new id are as good as any.
            std::thread::sleep(Duration::from_millis(100 + u64::try_from(uuid::Uuid::now_v7().as_u128() % 300).unwrap()));
            until("half of the late requests", || half_sent.iter().all(|sent| sent.load(Ordering::SeqCst)));
            server.ask_to_stop();
            let begun = Instant::now();
            // The balancer.
            while Wire::open(server.addr, PATIENCE)
                .is_ok_and(|mut wire| wire.call("GET", "/readyz", &[], None).is_ok_and(|answer| answer.status == 200))
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            leaving.store(true, Ordering::SeqCst);
            begun
        });
        assert!(server.ended().success());
        longest = longest.max(begun.elapsed());
        let acknowledged = acknowledged.into_inner().unwrap();
        assert!(acknowledged.len() > CALLERS, "there was no load: {}", acknowledged.len());
        kept.extend(acknowledged);
        if (round + 1) % 10 == 0 || round + 1 == rounds {
            let stored: BTreeSet<String> = site.look(stored_marks).into_keys().collect();
            assert_eq!(stored, kept, "what was acknowledged and what is there");
            progress(&format!("graceful stop, {kind:?}: round {} of {rounds}, {} writes, longest stop {longest:?}", round + 1, kept.len()));
        }
    }
    println!(
        "graceful stop, {kind:?}: {rounds} rounds, {} writes acknowledged and there, no connection reset, longest stop {longest:?}",
        kept.len()
    );
}

#[test]
fn nobody_is_cut_off_on_sqlite() {
    stopped_under_load(Kind::Sqlite);
}

#[test]
fn nobody_is_cut_off_on_postgresql() {
    stopped_under_load(Kind::Postgresql);
}
