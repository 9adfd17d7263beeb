//! Rates for each address: signing in, opening sockets. Maps of addresses are pruned, so they cannot grow for ever.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Wrong passwords at once, then one each [`SIGN_IN_EVERY`].
const SIGN_INS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const SIGN_IN_EVERY: Duration = Duration::from_secs(30);
/// Sockets at once, then [`SOCKETS_A_SECOND`].
const SOCKETS: NonZeroU32 = NonZeroU32::new(100).unwrap();
const SOCKETS_A_SECOND: NonZeroU32 = NonZeroU32::new(5).unwrap();

/// The limiters.
#[derive(Debug)]
pub struct Limits {
    sign_in: DefaultKeyedRateLimiter<IpAddr>,
    sockets: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        let sign_in = Quota::with_period(SIGN_IN_EVERY).unwrap_or(Quota::per_minute(SIGN_INS));
        Self {
            sign_in: RateLimiter::keyed(sign_in.allow_burst(SIGN_INS)),
            sockets: RateLimiter::keyed(Quota::per_second(SOCKETS_A_SECOND).allow_burst(SOCKETS)),
        }
    }
}

impl Limits {
    /// Counts a try to sign in.
    ///
    /// # Errors
    /// Seconds until the next try, when there were too many.
    pub fn sign_in(&self, peer: IpAddr) -> Result<(), u64> {
        check(&self.sign_in, peer)
    }

    /// Counts a socket.
    ///
    /// # Errors
    /// Seconds until the next one, when there were too many.
    pub fn socket(&self, peer: IpAddr) -> Result<(), u64> {
        check(&self.sockets, peer)
    }

    /// Forgets addresses that have been quiet.
    pub fn prune(&self) {
        self.sign_in.retain_recent();
        self.sockets.retain_recent();
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<IpAddr>, peer: IpAddr) -> Result<(), u64> {
    limiter
        .check_key(&peer)
        .map_err(|early| early.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
}
