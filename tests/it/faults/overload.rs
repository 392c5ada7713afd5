//! Ten times as many calls as the server can do: those that are taken are done about as fast as ever, the others are told at once to come again.
//!
//! The load is heavy on purpose (long lists, of which each person goes on record), so that it is the server's limit that is met and not that of the
//! callers, who run on the same machine.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{PATIENCE, Site, create, is_long, progress};
use crate::support::Kind;
use crate::support::process::Server;
use crate::support::wire::{Answer, Wire};

/// Calls under way that the server is set to.
const IN_FLIGHT: usize = 16;
const TIMES: usize = 10;
const MEMORY_MIB: u64 = 64;
const RECOVERED_WITHIN: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Seen {
    taken: Vec<Duration>,
    refused: Vec<Duration>,
    lasted: Duration,
}

impl Seen {
    fn per_second(&self) -> usize {
        let milliseconds = usize::try_from(self.lasted.as_millis()).unwrap().max(1);
        self.taken.len() * 1000 / milliseconds
    }
}

fn percentile(times: &mut [Duration], hundredths: usize) -> Duration {
    times.sort_unstable();
    times.get((times.len() * hundredths / 100).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

fn call(wire: &mut Wire, site: &Site, caller: usize, n: usize) -> Answer {
    if (caller + n).is_multiple_of(10) {
        return create(wire, &site.referrer, &format!("{}-{caller}-{n}", uuid::Uuid::now_v7().simple())).unwrap();
    }
    wire.call("GET", "/v1/referrals?limit=200", &[("authorization", &site.coordinator)], None).unwrap()
}

/// Callers who each send a call every `pace`, or as soon as they have their answer when there is none.
fn load(server: &Server, site: &Site, callers: usize, pace: Option<Duration>, length: Duration) -> Seen {
    let seen = Mutex::new(Seen::default());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..callers {
            let seen = &seen;
            // Callers need no deep stack, and there are many of them.
            let thread = std::thread::Builder::new().stack_size(256 * 1024);
            let work = move || {
                let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
                let (mut taken, mut refused) = (Vec::new(), Vec::new());
                let mut next = begun + pace.unwrap_or_default() * u32::try_from(caller).unwrap() / u32::try_from(callers).unwrap();
                for n in 0.. {
                    std::thread::sleep(next.saturating_duration_since(Instant::now()));
                    let sent = Instant::now();
                    if begun.elapsed() >= length {
                        break;
                    }
                    let answer = call(&mut wire, site, caller, n);
                    if answer.is_for_later() {
                        refused.push(sent.elapsed());
                    } else {
                        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                        taken.push(sent.elapsed());
                    }
                    if answer.closes() {
                        wire = Wire::open(server.addr, PATIENCE).unwrap();
                    }
                    // Whoever is late does not make up for it: the calls that were missed were never made.
                    next = (next + pace.unwrap_or_default()).max(sent);
                }
                let mut seen = seen.lock().unwrap();
                seen.taken.append(&mut taken);
                seen.refused.append(&mut refused);
            };
            thread.spawn_scoped(scope, work).unwrap();
        }
    });
    let mut seen = seen.into_inner().unwrap();
    seen.lasted = begun.elapsed();
    seen
}

fn overloaded(kind: Kind) {
    let site = Site::new(kind);
    let in_flight = IN_FLIGHT.to_string();
    let mut server = site.serve(&[("max_in_flight", &in_flight)]);
    server.until_ready();
    {
        let mut wire = Wire::open(server.addr, PATIENCE).unwrap();
        for n in 0..200 {
            assert_eq!(create(&mut wire, &site.referrer, &format!("filling-{n}")).unwrap().status, 201);
        }
    }
    let length = Duration::from_secs(if is_long() { 20 } else { 2 });
    // As many callers as the server takes at a time: all it can do, and nobody is sent away.
    load(&server, &site, IN_FLIGHT, None, length / 4);
    let mut normal = load(&server, &site, IN_FLIGHT, None, length);
    let before = server.memory("VmRSS");
    let capacity = normal.per_second().max(1);
    progress(&format!("overload, {kind:?}: {capacity} calls a second; now ten times as many"));

    // Ten times as many callers, each of whom calls as often as one did before.
    let callers = IN_FLIGHT * TIMES;
    let pace = Duration::from_secs(1) * u32::try_from(callers).unwrap() / u32::try_from(capacity * TIMES).unwrap();
    let mut heavy = load(&server, &site, callers, Some(pace), length);
    let most = server.memory("VmHWM");
    assert!(server.is_alive());
    assert!(!heavy.refused.is_empty(), "nobody was sent away");
    assert!(!heavy.taken.is_empty(), "nobody was served");

    let begun = Instant::now();
    let after = loop {
        let after = load(&server, &site, IN_FLIGHT / 2, None, Duration::from_millis(300));
        if after.refused.is_empty() && !after.taken.is_empty() {
            break begun.elapsed();
        }
        assert!(begun.elapsed() < RECOVERED_WITHIN, "still refusing {:?} after the load has gone", begun.elapsed());
    };

    let (p50, p99) = (percentile(&mut normal.taken, 50), percentile(&mut normal.taken, 99));
    let (taken, refused) = (percentile(&mut heavy.taken, 99), percentile(&mut heavy.refused, 99));
    let offered = (heavy.taken.len() + heavy.refused.len()) * 1000 / usize::try_from(heavy.lasted.as_millis()).unwrap();
    let grown = most.saturating_sub(before) / 1024;
    let hundredths = |one: Duration, other: Duration| one.as_micros() * 100 / other.as_micros().max(1);
    println!(
        "overload, {kind:?}: capacity {capacity}/s (p50 {p50:?}, p99 {p99:?}); offered {offered}/s, {} taken, {} refused; p99 of the taken {taken:?} \
         = {} % of normal, of the refused {refused:?} = {} % of the normal p50; memory {} MiB, grown by {grown} MiB; recovered in {after:?}",
        heavy.taken.len(),
        heavy.refused.len(),
        hundredths(taken, p99),
        hundredths(refused, p50),
        before / 1024,
    );
    assert!(grown <= MEMORY_MIB, "memory has grown by {grown} MiB");
    // Among the other tests the machine is anybody's: times are judged only where this test has it for itself.
    if is_long() {
        assert!(taken <= p99 * 2, "those who were taken waited {taken:?}; {p99:?} is normal");
        assert!(refused <= p50 * 10, "a refusal took {refused:?}; an answer normally takes {p50:?}");
    }
    assert!(server.stop().success());
}

#[test]
fn ten_times_the_load_on_sqlite() {
    overloaded(Kind::Sqlite);
}

#[test]
fn ten_times_the_load_on_postgresql() {
    overloaded(Kind::Postgresql);
}
