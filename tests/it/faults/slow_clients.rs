//! Clients that send a head or a body drop by drop, or never read their answer: each is cut off, and meanwhile others are served.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Broken, marked_referral, rounds};
use crate::support::wire::Wire;
use crate::support::{Kind, TestApp};

const OF_EACH_KIND: usize = 10;

/// The longest limit is five seconds, for the head; a busy machine may look at its clocks late.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(20);

/// More than the buffers of both systems hold, many times over.
const UNREAD_ANSWERS: usize = 60;

fn open(app: &TestApp) -> Wire {
    Wire::open(app.addr, CUT_OFF_WITHIN).unwrap()
}

/// Sends one byte after another until the connection ends or an answer comes; what the end was.
fn drip(wire: &mut Wire, begin: &str) -> &'static str {
    let begun = Instant::now();
    wire.send(begin.as_bytes()).unwrap();
    while begun.elapsed() < CUT_OFF_WITHIN {
        if wire.send(b"a").is_err() {
            return "reset";
        }
        match wire.try_answer(Duration::from_millis(100)) {
            Ok(answer) => {
                assert_eq!(answer.status, 408, "{answer:?}");
                return "408";
            }
            Err(Broken::Late) => {}
            Err(_) => return "ended",
        }
    }
    panic!("still not cut off after {CUT_OFF_WITHIN:?}")
}

fn slow_head(app: &TestApp) -> &'static str {
    drip(&mut open(app), "GET /livez HTTP/1.1\r\nhost: lahete.test\r\nx-slow: ")
}

fn slow_body(app: &TestApp, token: &str) -> &'static str {
    let head = format!(
        "POST /v1/referrals HTTP/1.1\r\nhost: lahete.test\r\nauthorization: {token}\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n"
    );
    drip(&mut open(app), &head)
}

/// Asks for much and reads nothing of it for longer than is allowed. What comes afterwards is what the systems' buffers held.
fn slow_reader(app: &TestApp, length: usize) {
    let mut wire = open(app);
    let ask = "GET /openapi.json HTTP/1.1\r\nhost: lahete.test\r\n\r\n".repeat(UNREAD_ANSWERS);
    wire.send(ask.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_secs(6));
    let (count, _) = wire.drain();
    assert!(count < length * UNREAD_ANSWERS, "all of it was sent to somebody who did not read for longer than is allowed");
}

#[test]
fn the_slow_are_cut_off_and_others_served() {
    let app = TestApp::start_with(Kind::Sqlite, &[("body_timeout_seconds", "1"), ("send_timeout_seconds", "2"), ("workers", "2")]);
    let people = app.world.own;
    let token = format!("Bearer {}", app.token(&format!("user:{}", lahete_domain::ids::Id::as_uuid(people.referrer))));
    let length = app.nobody().get("/openapi.json").send().text.len();
    for _ in 0..rounds(1, 10) {
        let slow = AtomicUsize::new(3 * OF_EACH_KIND);
        let served: usize = std::thread::scope(|scope| {
            for _ in 0..OF_EACH_KIND {
                let (app, token, slow) = (&app, &token, &slow);
                let done = move || slow.fetch_sub(1, Ordering::SeqCst);
                scope.spawn(move || (slow_head(app), done()));
                scope.spawn(move || (slow_body(app, token), done()));
                scope.spawn(move || (slow_reader(app, length), done()));
            }
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let (app, token, slow) = (&app, &token, &slow);
                    scope.spawn(move || {
                        let mut served = 0;
                        let begun = Instant::now();
                        while slow.load(Ordering::SeqCst) > 0 && begun.elapsed() < 3 * CUT_OFF_WITHIN {
                            let mut wire = open(app);
                            let answer =
                                wire.call("POST", "/v1/referrals", &[("authorization", token)], Some(&marked_referral("x"))).unwrap();
                            assert_eq!(answer.status, 201, "{answer:?}");
                            served += 1;
                        }
                        served
                    })
                })
                .collect();
            others.into_iter().map(|other| other.join().unwrap()).sum()
        });
        assert!(served > 20, "only {served} others were served");
        println!("{} slow clients were cut off; meanwhile {served} others were served", 3 * OF_EACH_KIND);
    }
}
