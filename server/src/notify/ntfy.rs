//! Pushes to phones over an ntfy server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::file::Notify;
use super::webhook::answered;
use super::{Event, Notice};
use crate::app::App;
use crate::outbound::post::Letter;
use crate::outbox::Unsent;
use crate::secret;

/// Bytes of a title: an encoded one has a third more.
const MAX_TITLE: usize = 200;
/// Bytes of a text, by ntfy's default.
const MAX_TEXT: usize = 3_900;

/// Pushes a notice.
///
/// # Errors
/// [`Unsent`].
pub(super) async fn send(
    app: &App,
    (rules, topic): (&Notify, &str),
    notice: &Notice,
) -> Result<(), Unsent> {
    let gone = || Unsent::Final(format!("notify.toml has no topic `{topic}` any more"));
    let ntfy = rules.ntfy.iter().find(|ntfy| ntfy.topic == topic).ok_or_else(gone)?;
    let mut url = ntfy.url.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(topic);
    }
    let mut headers = headers(notice);
    if !notice.conversation.is_empty() {
        let base = app.origins.base();
        headers.push(("click", format!("{base}/console/#/c/{}", notice.conversation)));
    }
    if let Some(file) = &ntfy.token_file {
        let token = secret::read(file).await.map_err(Unsent::Later)?;
        headers.push(("authorization", format!("Bearer {token}")));
    }
    let letter = Letter {
        url: &url,
        headers: &headers,
        content_type: "text/plain; charset=utf-8",
        body: cut(&notice.text, MAX_TEXT).to_owned(),
        allowed: &rules.allow_private,
    };
    answered(app.poster.post(&letter).await)
}

fn headers(notice: &Notice) -> Vec<(&'static str, String)> {
    let priority = if notice.urgent { "high" } else { "default" };
    let tag = match notice.event {
        Event::FirstMessage | Event::HandOff | Event::FollowUp => "speech_balloon",
        Event::Unanswered | Event::PromiseDue => "hourglass",
        Event::NewLead => "seedling",
        Event::NewTicket => "ticket",
        Event::Approval => "raised_hand",
        Event::WeeklyScorecard => "bar_chart",
    };
    vec![("title", header_text(&notice.title)), ("priority", priority.into()), ("tags", tag.into())]
}

/// A text as a header may hold it: plain where it is plain, else encoded (RFC 2047).
fn header_text(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = cut(text.trim(), MAX_TITLE);
    match text.is_ascii() && !text.contains("=?") {
        true => text.to_owned(),
        false => format!("=?UTF-8?B?{}?=", STANDARD.encode(text)),
    }
}

/// The beginning of a text, at most so many bytes.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_safe_in_a_header() {
        for (text, expect) in [
            ("A person is asked for", "A person is asked for"),
            ("a\r\nX-Evil: 1", "a  X-Evil: 1"),
            ("Grüße", "=?UTF-8?B?R3LDvMOfZQ==?="),
            ("=?UTF-8?B?eA==?=", "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?="),
            ("a\u{0}b", "a b"),
            ("", ""),
        ] {
            assert_eq!(header_text(text), expect, "{text:?}");
        }
        assert!(header_text(&"ü".repeat(500)).len() < 300);
    }
}
