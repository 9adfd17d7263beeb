//! Webhooks by the Standard Webhooks specification: signed, with an id by which doubles are told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::json;
use sha2::Sha256;

use super::Notice;
use super::file::{Notify, Webhook};
use crate::app::App;
use crate::outbound::post::{Letter, PostError};
use crate::outbox::Unsent;
use crate::secret;

/// What every secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret, by the specification.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Secrets of one webhook at once.
const MOST: usize = 2;

/// The body for a notice, as it is sent and signed every time.
pub(super) fn body(notice: &Notice, now: i64) -> String {
    typed(notice.event.as_str(), notice, now)
}

/// The body of a test.
pub(super) fn test_body(notice: &Notice, now: i64) -> String {
    typed("test", notice, now)
}

fn typed(name: &str, notice: &Notice, now: i64) -> String {
    let at = Timestamp::from_millisecond(now).unwrap_or_default();
    json!({
        "type": name,
        "timestamp": at.to_string(),
        "data": { "conversation": notice.conversation, "title": notice.title, "text": notice.text },
    })
    .to_string()
}

/// Calls a webhook.
///
/// # Errors
/// [`Unsent`].
pub(super) async fn send(
    app: &App,
    (rules, id): (&Notify, &str),
    (parcel, body): (&str, &str),
) -> Result<(), Unsent> {
    let gone = || Unsent::Final(format!("notify.toml has no webhook `{id}` any more"));
    let hook = rules.webhook.iter().find(|hook| hook.id == id).ok_or_else(gone)?;
    let headers = signed(hook, (parcel, body), app.clock.now_ms()).await.map_err(Unsent::Later)?;
    let letter = Letter {
        url: &hook.url,
        headers: &headers,
        content_type: "application/json",
        body: body.to_owned(),
        allowed: &rules.allow_private,
    };
    answered(app.poster.post(&letter).await)
}

/// What an answer means: 2xx is success, 410 ends it for good, everything else is tried again.
pub(super) fn answered(answer: Result<u16, PostError>) -> Result<(), Unsent> {
    let status = answer.map_err(|error| Unsent::Later(error.to_string()))?;
    match status {
        200..300 => Ok(()),
        410 => Err(Unsent::Stop("it answered 410 Gone: it wants nothing more".into())),
        300..400 => Err(Unsent::Later(format!(
            "it answered {status}: it leads to another address, which is not followed. Name the final address in notify.toml."
        ))),
        status => Err(Unsent::Later(format!("it answered {status}"))),
    }
}

async fn signed(
    hook: &Webhook,
    (parcel, body): (&str, &str),
    now: i64,
) -> Result<Vec<(&'static str, String)>, String> {
    let keys = keys(&secret::read(&hook.secret_file).await?)
        .ok_or_else(|| unusable(&hook.secret_file.display().to_string()))?;
    let (id, seconds) = (format!("msg_{parcel}"), now.div_euclid(1_000).to_string());
    let signatures: Vec<String> =
        keys.iter().map(|key| format!("v1,{}", sign(key, (&id, &seconds, body)))).collect();
    Ok(vec![
        ("webhook-id", id),
        ("webhook-timestamp", seconds),
        ("webhook-signature", signatures.join(" ")),
    ])
}

fn unusable(file: &str) -> String {
    format!(
        "the file {file} holds no secret of a webhook: one or two lines {PREFIX}…, each with {} to {} bytes in base64",
        BYTES.start(),
        BYTES.end()
    )
}

/// The keys in a file; none when there is one that cannot be used.
fn keys(text: &str) -> Option<Vec<Vec<u8>>> {
    let lines: Vec<&str> = text.split_whitespace().collect();
    if lines.is_empty() || lines.len() > MOST {
        return None;
    }
    let key = |line: &&str| {
        let key = STANDARD.decode(line.strip_prefix(PREFIX)?).ok()?;
        BYTES.contains(&key.len()).then_some(key)
    };
    lines.iter().map(key).collect()
}

fn sign(key: &[u8], (id, seconds, body): (&str, &str, &str)) -> String {
    // Any length will do for an HMAC key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn signatures_are_those_of_the_specification() {
        let keys = keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(sign(&keys[0], signed), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_that_cannot_be_used_are_none() {
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        for (text, count) in [
            (good.to_owned(), Some(1)),
            (format!("{good}\n{good}"), Some(2)),
            (format!("{good}\n{good}\n{good}"), None),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(), None),
            ("whsec_c2hvcnQ=".into(), None),
            ("whsec_%%".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(keys(&text).map(|keys| keys.len()), count, "{text}");
        }
    }
}
