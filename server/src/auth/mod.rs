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
    holder: Holder,
    until: i64,
}

/// Whose socket a ticket opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Name of the owner.
    pub name: String,
    /// Fingerprint of the session that it was given to; the socket ends with it.
    pub session: String,
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
    /// A ticket for one socket.
    pub fn ticket(&self, ids: &Ids, holder: Holder, now: i64) -> String {
        let ticket = ids.secret();
        let mut tickets = self.tickets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tickets.retain(|_, ticket| ticket.until > now);
        if tickets.len() >= TICKETS
            && let Some(oldest) =
                tickets.iter().min_by_key(|(_, t)| t.until).map(|(hash, _)| hash.clone())
        {
            tickets.remove(&oldest);
        }
        tickets.insert(fingerprint(&ticket), Ticket { holder, until: now + TICKET_MS });
        ticket
    }

    /// Whose ticket this is. A ticket is good once.
    pub fn redeem(&self, ticket: &str, now: i64) -> Option<Holder> {
        let mut tickets = self.tickets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let found = tickets.remove(&fingerprint(ticket))?;
        (found.until > now).then_some(found.holder)
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
        let ada = Holder { name: "Ada".into(), session: "s".into() };
        let ticket = doors.ticket(&ids, ada.clone(), 0);
        assert_eq!(doors.redeem("other", 1), None);
        assert_eq!(doors.redeem(&ticket, 1), Some(ada.clone()));
        assert_eq!(doors.redeem(&ticket, 1), None);
        let late = doors.ticket(&ids, ada.clone(), 0);
        assert_eq!(doors.redeem(&late, TICKET_MS), None);
        let first = doors.ticket(&ids, ada.clone(), 0);
        (0..TICKETS)
            .for_each(|at| drop(doors.ticket(&ids, ada.clone(), i64::try_from(at).unwrap() + 1)));
        assert_eq!(doors.redeem(&first, 2), None, "the oldest has gone");
    }
}
