//! Visits: which page a visitor came from when the chat was opened. What the browser says is bounded and stripped of queries.

use std::ops::RangeInclusive;

use engine::mask::mask;
use engine::metrics::event::{Visit, What};

use crate::app::App;
use crate::clock::is_hex;
use crate::store::conversations::Conversation;
use crate::store::{StoreError, Tx};

use super::{record, record_in};

/// Hex digits of the names of a visit and of a browser.
const DIGITS: usize = 32;
/// Characters of an address and of a campaign at most.
const MAX_ADDRESS: usize = 300;
const MAX_CAMPAIGN: usize = 120;
/// Characters of no width, and those that turn the direction of writing.
const UNSEEN: [RangeInclusive<char>; 4] = [
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
];

/// Names of a visit and of its browser: 32 hex digits each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The visit: one browser tab.
    pub session: String,
    /// The browser, across visits.
    pub visitor: String,
}

/// What a widget says when the chat is opened; not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Name of the visit.
    pub session: String,
    /// Where it came from.
    pub visit: Visit,
}

impl Opening {
    /// What may be stored of it; none when its names are none.
    pub fn clean(self) -> Option<Self> {
        let Self { session, visit } = self;
        if !is_hex(&session, DIGITS) || !is_hex(&visit.visitor, DIGITS) {
            return None;
        }
        let visit = Visit {
            page: address(&visit.page),
            referrer: address(&visit.referrer),
            campaign: line(&visit.campaign, MAX_CAMPAIGN),
            visitor: visit.visitor,
        };
        Some(Self { session, visit })
    }
}

/// Scheme, host and path: what stands behind them may hold secrets.
fn address(text: &str) -> String {
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = bare.split_once("://") else { return String::new() };
    if !matches!(scheme, "http" | "https") {
        return String::new();
    }
    let (host, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let host = host.rsplit('@').next().unwrap_or_default();
    line(&format!("{scheme}://{host}/{path}"), MAX_ADDRESS)
}

/// One line without personal data, and without characters that cannot be seen.
fn line(text: &str, most: usize) -> String {
    let unseen = |c: &char| c.is_control() || UNSEEN.iter().any(|range| range.contains(c));
    let plain: String = text.chars().filter(|c| !unseen(c)).take(most).collect();
    mask(plain.trim()).chars().take(most).collect()
}

/// The chat was opened; told once for each visit.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn opened(
    app: &App,
    conversation: Option<&str>,
    opening: &Opening,
) -> Result<(), StoreError> {
    // Most openings are of a visit that is known.
    if app.store.visit(&opening.session).await?.is_some_and(|visit| visit.opened_at > 0) {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    if tx.open_visit(&opening.session, &opening.visit, app.clock.now_ms()).await? {
        let place = (conversation, Some(opening.session.as_str()));
        record_in(app, &mut tx, place, What::ChatOpened(opening.visit.clone())).await?;
    }
    tx.commit().await
}

/// A conversation has begun, in the visit that its row names.
///
/// # Errors
/// [`StoreError::Sql`].
pub async fn started(app: &App, tx: &mut Tx, row: &Conversation) -> Result<(), StoreError> {
    let known = match &row.session {
        Some(session) => tx.visit(session).await?,
        None => None,
    };
    let (visit, staging) =
        known.map_or((Visit::default(), false), |row| (row.visit(), row.staging == 1));
    record(app, tx, Some(&row.id), What::ConversationStarted { visit, staging }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_is_nobodys_business() {
        for (text, expect) in [
            ("https://shop.example/pricing?token=1#x", "https://shop.example/pricing"),
            ("https://shop.example", "https://shop.example/"),
            ("https://ada:secret@shop.example/a", "https://shop.example/a"),
            ("http://localhost:7878/", "http://localhost:7878/"),
            (
                "https://shop.example/account/jo@example.org",
                "https://shop.example/account/[e-mail]",
            ),
            ("https://shop.example/a\u{202e}b", "https://shop.example/ab"),
            ("javascript:alert(1)", ""),
            ("data:text/html,x", ""),
            ("file:///etc/passwd", ""),
            ("", ""),
        ] {
            assert_eq!(address(text), expect, "{text}");
        }
        assert_eq!(
            address(&format!("https://a/{}", "x".repeat(9_999))).chars().count(),
            MAX_ADDRESS
        );
        assert_eq!(line("google / cpc\u{0}\n / autumn ", 120), "google / cpc / autumn");
    }

    #[test]
    fn an_opening_without_proper_names_is_none() {
        let visit = |visitor: &str| Visit { visitor: visitor.into(), ..Visit::default() };
        let good = "0123456789abcdef0123456789abcdef";
        for (session, visitor, expect) in
            [(good, good, true), ("x", good, false), (good, "", false), (good, &good[1..], false)]
        {
            let opening = Opening { session: session.into(), visit: visit(visitor) };
            assert_eq!(opening.clean().is_some(), expect, "{session} {visitor}");
        }
    }
}
