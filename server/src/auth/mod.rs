//! Who may use the console: sign-up by a one-time link, sign-in by password, sessions by cookie, tickets for sockets.

pub mod password;
pub mod session;

use std::collections::HashMap;
use std::sync::Mutex;

use tokio_util::task::TaskTracker;

use crate::clock::{Clock, Ids, fingerprint};
use crate::store::{Store, StoreError};

/// How long a ticket is good.
const TICKET_MS: i64 = 30_000;
/// Tickets that may be out at once; the oldest goes first.
const TICKETS: usize = 64;

/// Sign-in's own state.
#[derive(Debug)]
pub struct Doors {
    tickets: Mutex<HashMap<String, Ticket>>,
    /// Hashing of passwords, a few at a time.
    pub passwords: password::Passwords,
    /// Tasks of open sockets.
    pub sockets: TaskTracker,
}

#[derive(Debug)]
struct Ticket {
    owner: String,
    until: i64,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            tickets: Mutex::default(),
            passwords: password::Passwords::default(),
            sockets: TaskTracker::new(),
        }
    }
}

impl Doors {
    /// A ticket for one socket of the owner with this name.
    pub fn ticket(&self, ids: &Ids, owner: &str, now: i64) -> String {
        let ticket = ids.secret();
        let mut tickets = self.tickets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.until > now);
        if tickets.len() >= TICKETS
            && let Some(oldest) =
                tickets.iter().min_by_key(|(_, t)| t.until).map(|(hash, _)| hash.clone())
        {
            tickets.remove(&oldest);
        }
        tickets
            .insert(fingerprint(&ticket), Ticket { owner: owner.into(), until: now + TICKET_MS });
        ticket
    }

    /// Name of the owner whose ticket this is. A ticket is good once.
    pub fn redeem(&self, ticket: &str, now: i64) -> Option<String> {
        let mut tickets = self.tickets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let found = tickets.remove(&fingerprint(ticket))?;
        (found.until > now).then_some(found.owner)
    }
}

/// Makes a fresh set-up link's secret; older links end.
///
/// # Errors
/// [`StoreError`].
pub async fn new_link(store: &Store, ids: &Ids, clock: &Clock) -> Result<String, StoreError> {
    let secret = ids.secret();
    let mut tx = store.begin().await?;
    tx.replace_link(&fingerprint(&secret), clock.now_ms()).await?;
    tx.commit().await?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_not_for_long() {
        let (doors, ids) = (Doors::default(), Ids::system().unwrap());
        let ticket = doors.ticket(&ids, "Ada", 0);
        assert_eq!(doors.redeem("other", 1), None);
        assert_eq!(doors.redeem(&ticket, 1), Some("Ada".into()));
        assert_eq!(doors.redeem(&ticket, 1), None);
        let late = doors.ticket(&ids, "Ada", 0);
        assert_eq!(doors.redeem(&late, TICKET_MS), None);
        let first = doors.ticket(&ids, "Ada", 0);
        (0..TICKETS).for_each(|at| drop(doors.ticket(&ids, "Ada", i64::try_from(at).unwrap() + 1)));
        assert_eq!(doors.redeem(&first, 2), None, "the oldest has gone");
    }
}
