//! Limits for each address, where guessing would pay: the token endpoint and the open intake.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use actix_web::HttpRequest;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Network;
use crate::error::AppError;

/// When so many addresses are remembered, those that have been quiet are forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// A number of requests per minute for each address.
pub struct AddressLimit {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl std::fmt::Debug for AddressLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AddressLimit({} addresses)", self.limiter.len())
    }
}

impl AddressLimit {
    /// So many in a minute, all of them at once if need be.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
        Self { limiter: RateLimiter::dashmap(Quota::per_minute(requests)), clock: DefaultClock::default() }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] with the time to wait.
    pub fn check(&self, address: IpAddr) -> Result<(), AppError> {
        if self.limiter.len() > REMEMBERED_MAX {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(&bucket(address))
            .map_err(|not_until| AppError::RateLimited { retry_after: not_until.wait_time_from(self.clock.now()).as_secs() + 1 })
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
