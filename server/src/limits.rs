//! Rates for each address: signing in, opening sockets. Maps of addresses are pruned, so they cannot grow for ever.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config;

/// Tries to sign in at once, then one each [`SIGN_IN_EVERY`]. Read by the compiler: a zero would not build.
const SIGN_INS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const SIGN_IN_EVERY: Duration = Duration::from_secs(30);

/// The limiters.
#[derive(Debug)]
pub struct Limits {
    messages: DefaultKeyedRateLimiter<IpAddr>,
    conversations: DefaultKeyedRateLimiter<IpAddr>,
    sign_in: DefaultKeyedRateLimiter<IpAddr>,
    sockets: DefaultKeyedRateLimiter<IpAddr>,
    talks: Crowd,
}

/// How many of something each address has at once.
#[derive(Debug)]
pub struct Crowd {
    counts: Counts,
    most: u32,
}

type Counts = Arc<Mutex<HashMap<IpAddr, u32>>>;

fn locked(counts: &Counts) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crowd {
    /// At most `most` for one address.
    pub fn new(most: u32) -> Self {
        Self { counts: Counts::default(), most }
    }

    /// Counts one more; `None` when the address has as many as it may.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        let household = household(peer);
        let mut counts = locked(&self.counts);
        let count = counts.entry(household).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { counts: Arc::clone(&self.counts), household })
    }
}

/// One of those that an address may have at once; given back when dropped.
#[derive(Debug)]
pub struct Place {
    counts: Counts,
    household: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = locked(&self.counts);
        if let Some(count) = counts.get_mut(&self.household) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.household);
            }
        }
    }
}

impl Limits {
    /// Limiters by the settings; signing in is not the owner's to loosen.
    pub fn new(settings: &config::Limits) -> Self {
        let sign_in = Quota::with_period(SIGN_IN_EVERY).unwrap_or(Quota::per_minute(SIGN_INS));
        Self {
            sign_in: RateLimiter::keyed(sign_in.allow_burst(SIGN_INS)),
            messages: RateLimiter::keyed(Quota::per_minute(settings.messages_a_minute)),
            conversations: RateLimiter::keyed(Quota::per_minute(settings.conversations_a_minute)),
            sockets: RateLimiter::keyed(Quota::per_minute(settings.sockets_a_minute)),
            talks: Crowd::new(settings.sockets_at_once.get()),
        }
    }

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

    /// Counts a talk among those that an address has open; `None` when it has as many as it may.
    pub fn talk(&self, peer: IpAddr) -> Option<Place> {
        self.talks.enter(peer)
    }

    /// Counts a visitor's message.
    ///
    /// # Errors
    /// Seconds until the next one, when there were too many.
    pub fn message(&self, peer: IpAddr) -> Result<(), u64> {
        check(&self.messages, peer)
    }

    /// Counts a conversation that begins.
    ///
    /// # Errors
    /// Seconds until the next one, when there were too many.
    pub fn conversation(&self, peer: IpAddr) -> Result<(), u64> {
        check(&self.conversations, peer)
    }

    /// Forgets addresses that have been quiet.
    pub fn prune(&self) {
        self.sign_in.retain_recent();
        self.sockets.retain_recent();
        self.messages.retain_recent();
        self.conversations.retain_recent();
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<IpAddr>, peer: IpAddr) -> Result<(), u64> {
    limiter
        .check_key(&household(peer))
        .map_err(|early| early.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
}

/// An IPv6 subscriber has a whole /64 and may use any address of it.
fn household(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_counted_with_its_household() {
        for (address, expect) in [
            ("10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ] {
            assert_eq!(household(address.parse().unwrap()), expect.parse::<IpAddr>().unwrap());
        }
        let limits = Limits::new(&config::Limits::default());
        let address = |n: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n));
        let tries: Vec<bool> = (0..6).map(|n| limits.sign_in(address(n)).is_ok()).collect();
        assert_eq!(tries, [true, true, true, true, true, false]);
    }
    #[test]
    fn an_address_has_only_so_many_talks_open() {
        let talks = Crowd::new(1);
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let place = talks.enter(one);
        assert!(place.is_some() && talks.enter(one).is_none() && talks.enter(other).is_some());
        drop(place);
        assert!(talks.enter(one).is_some() && locked(&talks.counts).is_empty());
    }
}
