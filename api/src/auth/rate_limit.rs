//! Limits for each address or caller, where guessing would pay: the token endpoint, the open intake, the search by identity code, and whatever is
//! asked for and not there.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use lahete_domain::actor::Caller;

use crate::config::Network;
use crate::error::AppError;

/// When so many addresses or callers are remembered, those that have been quiet are forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// A number of requests per minute for each key.
struct Buckets<K: Clone + Eq + Hash> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    /// With how many keys they are looked through next.
    full: AtomicUsize,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    fn per_minute(requests: u32) -> Self {
        let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
        let full = AtomicUsize::new(REMEMBERED_MAX);
        Self { limiter: RateLimiter::dashmap(Quota::per_minute(requests)), clock: DefaultClock::default(), full }
    }

    /// Counts one request; the time to wait when it is one too many.
    fn take(&self, key: &K) -> Result<(), Duration> {
        // Looked through when there are twice as many as stayed the last time: a flood of addresses does not make each call walk over all of them.
        if self.limiter.len() > self.full.load(Ordering::Relaxed) {
            self.limiter.retain_recent();
            self.full.store(REMEMBERED_MAX.max(2 * self.limiter.len()), Ordering::Relaxed);
        }
        self.limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

fn limited(wait: Duration) -> AppError {
    AppError::RateLimited { retry_after: wait.as_secs() + 1 }
}

/// A number of requests per minute for each address.
pub struct AddressLimit(Buckets<IpAddr>);

impl std::fmt::Debug for AddressLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AddressLimit({} addresses)", self.0.limiter.len())
    }
}

impl AddressLimit {
    /// So many in a minute, all of them at once if need be.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self(Buckets::per_minute(requests))
    }

    /// Counts one request.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] with the time to wait.
    pub fn check(&self, address: IpAddr) -> Result<(), AppError> {
        self.0.take(&bucket(address)).map_err(limited)
    }
}

/// A number of requests per minute for each caller, from wherever they call.
pub struct CallerLimit(Buckets<Caller>);

impl std::fmt::Debug for CallerLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CallerLimit({} callers)", self.0.limiter.len())
    }
}

impl CallerLimit {
    /// So many in a minute, all of them at once if need be.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        Self(Buckets::per_minute(requests))
    }

    /// Counts one request.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] with the time to wait.
    pub fn check(&self, caller: Caller) -> Result<(), AppError> {
        self.0.take(&caller).map_err(limited)
    }
}

/// Who asks for what is not there: somebody with a token, or else an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Seeker {
    /// Whoever the token names.
    Caller(Caller),
    /// Where the call came from; a /64 of IPv6 is one.
    Address(IpAddr),
}

impl Seeker {
    /// The one behind a call.
    #[must_use]
    pub fn of(caller: Caller, request: &HttpRequest, trusted: &[Network]) -> Self {
        match caller {
            Caller::Anonymous => Self::Address(bucket(client_address(request, trusted))),
            known => Self::Caller(known),
        }
    }
}

/// How many things that are not there somebody may ask for in a minute. Guessing ids and codes pays for nobody, and what is really there is not
/// told from what is not any sooner: whoever has missed too often waits before *any* further answer.
pub struct MissLimit {
    buckets: Buckets<Seeker>,
    waiting: Mutex<HashMap<Seeker, Instant>>,
}

impl std::fmt::Debug for MissLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MissLimit({} seekers)", self.buckets.limiter.len())
    }
}

impl MissLimit {
    /// So many in a minute, all of them at once if need be.
    #[must_use]
    pub fn per_minute(misses: u32) -> Self {
        Self { buckets: Buckets::per_minute(misses), waiting: Mutex::default() }
    }

    /// Notes that something was not there.
    pub fn note(&self, seeker: Seeker) {
        if let Err(wait) = self.buckets.take(&seeker) {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            if waiting.len() > REMEMBERED_MAX {
                waiting.retain(|_, until| *until > now);
            }
            waiting.insert(seeker, now + wait);
        }
    }

    /// Refuses whoever has missed too often.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] with the time to wait.
    pub fn check(&self, seeker: Seeker) -> Result<(), AppError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return Ok(());
        }
        match waiting.get(&seeker).map(|until| until.saturating_duration_since(Instant::now())) {
            None => Ok(()),
            Some(Duration::ZERO) => {
                waiting.remove(&seeker);
                Ok(())
            }
            Some(wait) => Err(limited(wait)),
        }
    }
}

/// One household or machine has a whole /64 of IPv6 addresses: they share a bucket.
fn bucket(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64))),
        v4 => v4,
    }
}

/// The address of the caller: of the connection, or, when that comes from a trusted proxy, the last one in `X-Forwarded-For` that is not a trusted
/// proxy itself. What stands before that was written by the caller and says nothing.
#[must_use]
pub fn client_address(request: &HttpRequest, trusted: &[Network]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |address| address.ip());
    let forwarded: Vec<_> = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    forwarded_address(peer, &forwarded.join(","), trusted)
}

fn forwarded_address(peer: IpAddr, forwarded: &str, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut address = peer;
    for hop in forwarded.rsplit(',').map(str::trim) {
        if !is_trusted(address) {
            break;
        }
        match hop.parse() {
            Ok(before) => address = before,
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_forged_header_does_not_change_the_bucket() {
        let proxies = ["10.0.0.0/8".parse().expect("a network")];
        assert_eq!(forwarded_address(ip("1.2.3.4"), "9.9.9.9", &proxies), ip("1.2.3.4"));
        assert_eq!(forwarded_address(ip("10.0.0.1"), "9.9.9.9", &proxies), ip("9.9.9.9"));
        assert_eq!(forwarded_address(ip("10.0.0.1"), "6.6.6.6, 9.9.9.9, 10.0.0.2", &proxies), ip("9.9.9.9"));
        assert_eq!(forwarded_address(ip("10.0.0.1"), "6.6.6.6, nonsense", &proxies), ip("10.0.0.1"));
        assert_eq!(forwarded_address(ip("10.0.0.1"), "", &proxies), ip("10.0.0.1"));
        assert_eq!(forwarded_address(ip("10.0.0.1"), "9.9.9.9", &[]), ip("10.0.0.1"));
    }

    #[test]
    fn whoever_misses_too_often_waits_and_nobody_else() {
        let limit = MissLimit::per_minute(2);
        let (one, other) = (Seeker::Address(ip("1.2.3.4")), Seeker::Caller(Caller::Clock));
        for _ in 0..2 {
            limit.note(one);
            assert!(limit.check(one).is_ok());
        }
        limit.note(one);
        assert!(matches!(limit.check(one), Err(AppError::RateLimited { retry_after }) if (1..=31).contains(&retry_after)));
        assert!(limit.check(other).is_ok());
        let search = CallerLimit::per_minute(1);
        assert!(search.check(Caller::Clock).is_ok() && search.check(Caller::Clock).is_err());
    }

    #[test]
    fn the_limit_counts_each_address_apart() {
        let limit = AddressLimit::per_minute(2);
        assert!(limit.check(ip("1.2.3.4")).is_ok());
        assert!(limit.check(ip("1.2.3.4")).is_ok());
        assert!(matches!(limit.check(ip("1.2.3.4")), Err(AppError::RateLimited { retry_after }) if retry_after > 0));
        assert!(limit.check(ip("1.2.3.5")).is_ok());
        assert!(limit.check(ip("2001:db8::1")).is_ok());
        assert!(limit.check(ip("2001:db8::2")).is_ok());
        assert!(limit.check(ip("2001:db8::3")).is_err(), "one bucket for a /64");
    }
}
