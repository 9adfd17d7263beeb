//! One-time codes: six digits by mail that show whose an e-mail address is. Ten minutes, three tries, one use, bound to conversation and
//! address. A code is made when its mail goes out, and only its salted hash is kept.

use std::sync::Arc;
use std::time::Duration;

use engine::actions::{mask, said};
use engine::conversation::State;
use engine::tasks::Card;
use engine::turn::Speaker;
use tokio::sync::Semaphore;

use super::runner::pause;
use super::{tell, text};
use crate::app::App;
use crate::clock::{Ids, fingerprint};
use crate::conversation::{Refusal, Visitor};
use crate::demo;
use crate::hand_off::hand_off;
use crate::notify::mail::{self, Mail, MailError};
use crate::publish::{self, Changes};
use crate::said::say;
use crate::store::codes::{Sent, Wanted};
use crate::store::conversations::Conversation;
use crate::store::messages::Message;
use crate::store::{StoreError, Tx};
use crate::tasks;

/// What is stored in place of a code that was typed as a message.
pub const HIDDEN: &str = "••••••";
/// Digits of a code.
const DIGITS: usize = 6;
/// How long a code is good.
const GOOD_MS: i64 = 10 * 60 * 1_000;
/// How long after that a message of six digits is still taken for it.
const LATE_MS: i64 = 60 * 60 * 1_000;
/// Tries of one code.
const TRIES: i64 = 3;
/// How long a proof counts.
const PROVED_MS: i64 = 30 * 60 * 1_000;
/// The time in which mails to one address and to all are counted.
const HOUR_MS: i64 = 60 * 60 * 1_000;
/// Mails with codes to one address in that time, over all conversations.
const TO_ADDRESS: i64 = 3;
/// Mails to one address that were tried in that time, whatever became of them: each made a code that could be guessed for a moment.
const TRIED_TO_ADDRESS: i64 = 20;
/// Mails with codes in one conversation at most.
const IN_CONVERSATION: i64 = 6;
/// Mails with codes to anybody in that time.
const TO_ANYBODY: i64 = 300;
/// How long a mail is tried again.
const TRIED_MS: i64 = 60 * 1_000;
/// Pause between two tries.
const PAUSE_MS: i64 = 10 * 1_000;
/// Mails on their way at once.
const AT_ONCE: usize = 4;
/// For one mail.
const MAIL: Duration = Duration::from_secs(30);

/// Has a code sent to an address, in the transaction of what asks for it. A proof of another address counts no more.
///
/// # Errors
/// When the database fails.
pub async fn want(
    app: &App,
    tx: &mut Tx,
    conversation: &str,
    email: &str,
    now: i64,
) -> Result<(), StoreError> {
    tx.want_code(&app.ids.id(), (conversation, &email.to_lowercase()), now).await
}

/// The six digits that somebody has typed, however they wrote them.
pub fn read(text: &str) -> Option<String> {
    let plain = |c: char| match c {
        '\u{ff10}'..='\u{ff19}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    };
    let parts = |c: &char| {
        !c.is_whitespace()
            && !matches!(
                c,
                '-' | '.' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
            )
    };
    if text.chars().count() > 40 {
        return None;
    }
    let digits: String = text.chars().map(plain).filter(parts).collect();
    (digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// The code in a sentence around it: its only number of six digits.
fn within(text: &str) -> Option<String> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() == DIGITS);
    let code = numbers.next().filter(|_| text.chars().count() <= 200)?;
    numbers.next().is_none().then(|| code.to_owned())
}

/// Whether a message that is sent again is the one that was stored.
pub fn is_same(stored: &str, text: &str) -> bool {
    stored == text || (stored == HIDDEN && read(text).or_else(|| within(text)).is_some())
}

/// The code that a message is, where one is waited for.
///
/// # Errors
/// When the database fails.
pub async fn typed(
    tx: &mut Tx,
    conversation: &str,
    text: &str,
    now: i64,
) -> Result<Option<String>, StoreError> {
    let Some(code) = read(text).or_else(|| within(text)) else { return Ok(None) };
    if !tasks::waits_for_code(tx, conversation).await? {
        return Ok(None);
    }
    let waited = tx.waited_code(conversation).await?;
    let waits = waited.is_some_and(|code| code.status != "used" && code.expires_at + LATE_MS > now);
    Ok(waits.then_some(code))
}

/// What comes of a code, in the transaction that counts it.
///
/// # Errors
/// When the database fails.
pub async fn tried(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    code: &str,
) -> Result<Vec<Message>, StoreError> {
    let now = app.clock.now_ms();
    let Some(waited) = tx.waited_code(&row.id).await? else {
        return Ok(vec![tell(app, tx, row, (&text(app, "code_none"), None)).await?]);
    };
    let hash = hash(waited.salt.as_deref().unwrap_or_default(), (&row.id, &waited.email), code);
    let id = match tx.try_code(&waited.id, &hash, (now, TRIES)).await? {
        Some((status, _)) if status == "used" => return right(app, tx, row, &waited.email).await,
        Some((status, _)) if status == "over" => "code_over",
        Some((_, tries)) => {
            let left = (TRIES - tries).to_string();
            let text = said(&app.mind.prompts().templates, "code_wrong", &[("left", &left)]);
            let card = Card::Code { to: mask(&waited.email) };
            return Ok(vec![tell(app, tx, row, (&text, Some(&card))).await?]);
        }
        None if waited.status == "used" => "code_none",
        None if waited.status == "over" => "code_over",
        None => "code_expired",
    };
    Ok(vec![tell(app, tx, row, (&text(app, id), None)).await?])
}

/// The code was right: the address is proved, and what waited for that goes on.
async fn right(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    email: &str,
) -> Result<Vec<Message>, StoreError> {
    let now = app.clock.now_ms();
    tx.prove(&row.id, email, (now, now + PROVED_MS)).await?;
    // A reply that is being made knows nothing of this; what it would leave behind is void.
    crate::conversation::begin_again(app, tx, row).await?;
    let line = format!("The visitor has shown that {} is theirs.", mask(email));
    let mut messages = vec![say(app, tx, row, Message::plain(Speaker::System, &line)).await?];
    messages.extend(tasks::proved(app, tx, row, email).await?);
    Ok(messages)
}

/// A code from the widget's own field: nothing is stored but what came of it.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn enter(app: &App, visitor: &Visitor, code: &str) -> Result<Changes, Refusal> {
    let Some(id) = &visitor.conversation else { return Err(Refusal::Unknown) };
    let mut tx = app.store.begin().await?;
    let row = tx.conversation(id).await?;
    let row = row.filter(|row| row.token_hash == visitor.token_hash);
    let mut row = row.ok_or(Refusal::Unknown)?;
    let before = row.state.clone();
    let messages = match read(code) {
        Some(code) => tried(app, &mut tx, &mut row, &code).await?,
        None => {
            // Not six digits: a slip that costs no try.
            let text = text(app, "code_shape");
            vec![tell(app, &mut tx, &mut row, (&text, None)).await?]
        }
    };
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    Ok(Changes { passed: row.state != before, conversation: row, messages })
}

/// What is kept of a code: good for one conversation and one address.
fn hash(salt: &str, (conversation, email): (&str, &str), code: &str) -> String {
    fingerprint(format!("{salt}:{conversation}:{email}:{code}"))
}

/// Six digits, each code as likely as any other.
fn digits(ids: &Ids) -> String {
    let all = 10_u64.pow(6);
    // The last part of the numbers is left out, in which low codes would come once more than high ones.
    let fair = u64::MAX - u64::MAX % all;
    loop {
        let number = ids.spread(u64::MAX);
        if number < fair {
            return format!("{:06}", number % all);
        }
    }
}

/// What an earlier run was sending is sent anew: the old code is good no more.
pub(super) async fn take_up(app: &App) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    tx.take_up_codes(app.clock.now_ms()).await?;
    tx.commit().await
}

/// Sends codes until the server stops.
pub(super) async fn keep(app: Arc<App>) {
    let free = Arc::new(Semaphore::new(AT_ONCE));
    while !app.shutdown.is_cancelled() {
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { return };
        match next(&app).await {
            Ok(Next::Send(wanted, code)) => {
                let own = Arc::clone(&app);
                app.doors.sockets.spawn(async move {
                    send(&own, &wanted, &code).await;
                    drop(place);
                    own.actions.codes.notify_one();
                });
                continue;
            }
            Ok(Next::Limited) => continue,
            Ok(Next::None) => {}
            Err(error) => tracing::error!(%error, "no code could be sent"),
        }
        drop(place);
        let wait = pause(&app, app.store.next_code().await.ok().flatten());
        tokio::select! {
            () = app.shutdown.cancelled() => return,
            () = app.actions.codes.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// What there is to do.
enum Next {
    /// This code is to go out.
    Send(Wanted, String),
    /// One was not sent, as too many were.
    Limited,
    /// Nothing is due.
    None,
}

/// Takes the code that is due, counts it and keeps its hash, before its mail goes out.
async fn next(app: &App) -> Result<Next, StoreError> {
    if app.store.next_code().await?.is_none() {
        return Ok(Next::None);
    }
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let Some(wanted) = tx.due_code(now, TRIED_MS).await? else { return Ok(Next::None) };
    let sent = tx.codes_sent(&wanted, now - HOUR_MS).await?;
    if is_too_many(sent) {
        give_up(app, tx, &wanted, "code_limit").await?;
        return Ok(Next::Limited);
    }
    let (code, salt) = (digits(&app.ids), app.ids.secret());
    let hash = hash(&salt, (&wanted.conversation, &wanted.email), &code);
    tx.reserve_code(&wanted, (&salt, &hash), (now, now + GOOD_MS)).await?;
    tx.commit().await?;
    failpoint!("K17");
    Ok(Next::Send(wanted, code))
}

fn is_too_many(sent: Sent) -> bool {
    sent.to_address >= TO_ADDRESS
        || sent.tried_to_address >= TRIED_TO_ADDRESS
        || sent.in_conversation >= IN_CONVERSATION
        || sent.to_anybody >= TO_ANYBODY
}

/// Sends one mail and notes what came of it.
async fn send(app: &App, wanted: &Wanted, code: &str) {
    let text = said(&app.mind.prompts().templates, "code_mail", &[("code", code)]);
    let subject = format!("{}: your code", app.site.name);
    let mail = Mail { to: wanted.email.clone(), subject, text, ..Mail::default() };
    let sent = match demo::takes(app, &mail) {
        true => Ok(()),
        false => match tokio::time::timeout(MAIL, mail::send(app, &mail)).await {
            Ok(sent) => sent,
            Err(_) => Err(MailError::Unreached("it took too long".into())),
        },
    };
    failpoint!("K18");
    if let Err(error) = noted(app, wanted, sent).await {
        tracing::error!(%error, "what came of a code's mail could not be stored");
    }
}

async fn noted(app: &App, wanted: &Wanted, sent: Result<(), MailError>) -> Result<(), StoreError> {
    let now = app.clock.now_ms();
    let mut tx = app.store.begin().await?;
    let Err(error) = sent else {
        tx.code_sent(&wanted.id).await?;
        return tx.commit().await;
    };
    tracing::error!(%error, "the mail with a code was not sent");
    let hopeless = error.is_final() || error == MailError::NotSet;
    if hopeless || now + PAUSE_MS > wanted.wanted_at + TRIED_MS {
        return give_up(app, tx, wanted, "code_unsent").await;
    }
    tx.put_code_off(&wanted.id, now + PAUSE_MS).await?;
    tx.commit().await
}

/// The code does not go out: the visitor is told, and a person is asked for.
async fn give_up(app: &App, mut tx: Tx, wanted: &Wanted, id: &str) -> Result<(), StoreError> {
    if !tx.code_unsent(&wanted.id).await? {
        return Ok(());
    }
    let Some(mut row) = tx.conversation(&wanted.conversation).await? else {
        return tx.commit().await;
    };
    let before = row.state.clone();
    let messages = vec![tell(app, &mut tx, &mut row, (&text(app, id), None)).await?];
    if row.holder()? == State::Bot {
        tasks::drop_task(&mut tx, &row.id, app.clock.now_ms()).await?;
        hand_off(app, &mut tx, &mut row, "action_failed").await?;
    }
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    publish::changes(app, Changes { passed: row.state != before, conversation: row, messages });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn codes_are_read_as_people_write_them() {
        for (text, expect) in [
            ("123456", Some("123456")),
            (" 123 456 ", Some("123456")),
            ("123-456", Some("123456")),
            ("１２３４５６", Some("123456")),
            ("12 34 56.", Some("123456")),
            ("1\u{200b}23456", Some("123456")),
            ("12345", None),
            ("1234567", None),
            ("code 123456", None),
            ("[\"123456\",\"654321\"]", None),
            ("٣٤٥٦٧٨", None),
            ("12345六", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), expect, "{text:?}");
        }
        assert_eq!(read(&format!("123456{}", " ".repeat(100))), None);
    }

    #[test]
    fn codes_have_six_digits_and_come_alike() {
        let ids = Ids::system().unwrap();
        let mut seen: HashMap<char, usize> = HashMap::new();
        for _ in 0..10_000 {
            let code = digits(&ids);
            assert_eq!(code.len(), DIGITS);
            *seen.entry(code.chars().next().unwrap()).or_default() += 1;
        }
        assert!(
            seen.len() == 10 && seen.values().all(|count| (700..1_300).contains(count)),
            "{seen:?}"
        );
    }

    #[test]
    fn a_hash_is_good_for_one_conversation_and_address() {
        let one = hash("salt", ("c1", "a@b.example"), "123456");
        for (salt, conversation, email, code) in [
            ("other", "c1", "a@b.example", "123456"),
            ("salt", "c2", "a@b.example", "123456"),
            ("salt", "c1", "b@b.example", "123456"),
            ("salt", "c1", "a@b.example", "123457"),
        ] {
            assert_ne!(hash(salt, (conversation, email), code), one);
        }
    }
}
