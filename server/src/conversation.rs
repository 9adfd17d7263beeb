//! What people do to a conversation: write, ask for a person, take it, hand it back, close it.
//!
//! Each is one transaction; what it changed is published after the commit, see [`crate::publish`].

use engine::conversation::{Event, IllegalMove, State, next};
use engine::fence;
use engine::metrics::event::What;
use engine::scope::Scope;
use engine::turn::Speaker;

use crate::actions::codes;
use crate::app::App;
use crate::events::{record, visits};
pub use crate::marks::{Mark, mark};

use crate::hand_off::{hand_off, with};
use crate::protocol::record;
use crate::publish::Changes;
use crate::quiet;
use crate::said::{say, say_from};
use crate::store::conversations::Conversation;
use crate::store::files::File;
use crate::store::jobs::{Due, Job};
use crate::store::messages::Message;
use crate::store::suggestions::{Fate, Suggestion};
use crate::store::{StoreError, Tx};
use crate::surveys::silence;
use crate::{night, notify, promises, tasks, uploads};

/// Reply jobs that may wait; beyond it a person is asked for.
pub const MAX_JOBS: i64 = 200;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such conversation, or it belongs to somebody else.
    #[error("There is no such conversation.")]
    Unknown,
    /// There is no such suggestion any more.
    #[error("This suggestion is no longer open.")]
    UnknownSuggestion,
    /// The id was used for another text.
    #[error("A message with this id was stored with another text.")]
    IdReused,
    /// Not in this state.
    #[error("{0}.")]
    Illegal(#[from] IllegalMove),
    /// There are files enough.
    #[error(transparent)]
    Full(#[from] uploads::Full),
    /// The database failed.
    #[error("The message could not be stored. Please try again.")]
    Store(#[from] StoreError),
}

/// Who writes: the visitor of a conversation, or of none yet.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The conversation, once it has begun.
    pub conversation: Option<String>,
    /// Hash of the secret that the browser keeps.
    pub token_hash: String,
    /// Lineage that the browser was told.
    pub epoch: String,
    /// What the visitor's page is about.
    pub scope: Scope,
    /// The visit it writes from.
    pub visit: Option<Box<visits::Names>>,
}

/// What was stored of a visitor's message.
#[derive(Debug)]
pub struct Accepted {
    /// The conversation.
    pub conversation: String,
    /// Its place.
    pub seq: i64,
    /// When it was stored.
    pub at: i64,
    /// What to publish; `None` when it had been stored before.
    pub changes: Option<Changes>,
}

/// Stores a visitor's message, and with it the job to answer it.
///
/// # Errors
/// [`Refusal`]; nothing was stored then.
pub async fn accept(
    app: &App,
    visitor: &Visitor,
    client_msg_id: &str,
    text: &str,
) -> Result<Accepted, Refusal> {
    take_in(app, visitor, Words { client_msg_id, text, file: None }).await
}

/// Stores a file that a visitor has sent, and the message that shows it; a task that waits for it goes on.
///
/// # Errors
/// [`Refusal`]; nothing was stored then.
pub async fn accept_file(app: &App, visitor: &Visitor, file: &File) -> Result<Accepted, Refusal> {
    let text = uploads::text(file);
    let words = Words { client_msg_id: &file.id, text: &text, file: Some(file) };
    take_in(app, visitor, words).await
}

/// What a visitor's message is made of.
struct Words<'a> {
    client_msg_id: &'a str,
    text: &'a str,
    file: Option<&'a File>,
}

async fn take_in(app: &App, visitor: &Visitor, words: Words<'_>) -> Result<Accepted, Refusal> {
    let Words { client_msg_id, text, file } = words;
    let mut tx = app.store.begin().await?;
    let now = app.clock.now_ms();
    let id = match &visitor.conversation {
        Some(id) => id.clone(),
        None => open(app, &mut tx, visitor).await?.id,
    };
    let found = tx.receiving(&id, client_msg_id).await?;
    let found = found.filter(|found| found.conversation.token_hash == visitor.token_hash);
    let found = found.ok_or(Refusal::Unknown)?;
    if let (Some(seq), Some(at)) = (found.sent_seq, found.sent_at) {
        if !found.sent_text.as_deref().is_some_and(|sent| codes::is_same(sent, text)) {
            return Err(Refusal::IdReused);
        }
        return Ok(Accepted { conversation: id, seq, at, changes: None });
    }
    let mut row = found.conversation;
    let before = row.holder()?;
    let state = next(before, Event::VisitorMessage)?;
    let mut passed = state != before;
    row.pass_to(state, now);
    let answered =
        tx.newest(&row.id, Speaker::Owner).await? > tx.newest(&row.id, Speaker::Visitor).await?;
    // A code that is waited for is tried and never stored.
    let code = codes::typed(&mut tx, &row.id, text, now).await?;
    let text = if code.is_some() { codes::HIDDEN } else { text };
    let client_msg_id = Some(client_msg_id.to_owned());
    let scope = record::scope(&visitor.scope);
    let card = tasks::card_json(file.map(uploads::card).as_ref());
    let message = Message { client_msg_id, scope, card, ..Message::plain(Speaker::Visitor, text) };
    let message = say(app, &mut tx, &mut row, message).await?;
    let (seq, mut messages) = (message.seq, vec![message]);
    if found.open_suggestions > 0 {
        tx.outdate_suggestions(&row.id).await?;
    }
    if found.unfinished_by.is_some() {
        tx.outdate_jobs(&row.id).await?;
    }
    let asks = match file {
        None => true,
        Some(file) => {
            uploads::full(tx.files_kept(&row.id).await?, file.bytes)?;
            tx.add_file(file).await?;
            // A file says nothing to answer unless something waits for it, or for the words before it.
            found.unfinished_by.is_some() || tx.tasks(&row.id).await?.task.is_some()
        }
    };
    let wanted = asks && (state == State::Bot || app.mind.suggest);
    if let Some(code) = code {
        messages.extend(codes::tried(app, &mut tx, &mut row, &code).await?);
        passed |= row.holder()? != state;
        if found.unfinished_by.is_some() && row.holder()? == State::Bot {
            // What was asked just before is still to be answered.
            tx.insert_job_again(&job(app, &row, seq, now)).await?;
        }
    } else if wanted && tx.jobs_waiting().await? < MAX_JOBS {
        let due = quiet::due(app, found.unfinished_by, (text, now));
        tx.insert_job(&Job { due, ..job(app, &row, seq, now) }).await?;
    } else if asks && state == State::Bot {
        let sentence = hand_off(app, &mut tx, &mut row, "busy").await?;
        let fault = app.mind.prompts().templates.say("fault");
        let line = Message::plain(Speaker::Bot, &with(&fault, sentence.as_deref()));
        let line = Message { reply_to: Some(seq), ..line };
        messages.push(say(app, &mut tx, &mut row, line).await?);
        passed = true;
    }
    if state == State::Owner && answered {
        promises::remind(app, &mut tx, &row.id, now).await?;
    }
    if seq == 1 {
        notify::first_message(app, &mut tx, (&row.id, text), now).await?;
    }
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    let conversation = row.id.clone();
    Ok(Accepted {
        conversation,
        seq,
        at: now,
        changes: Some(Changes { conversation: row, messages, passed }),
    })
}

/// A reply that is being made knows nothing of what has changed beside it: it is begun again.
///
/// # Errors
/// When the database fails.
pub(crate) async fn begin_again(
    app: &App,
    tx: &mut Tx,
    row: &Conversation,
) -> Result<(), StoreError> {
    let Some(seq) = tx.unfinished_job(&row.id).await? else { return Ok(()) };
    tx.insert_job_again(&job(app, row, seq, app.clock.now_ms())).await
}

/// A job that is due at once.
fn job(app: &App, row: &Conversation, seq: i64, now: i64) -> Job {
    Job {
        id: app.ids.id(),
        conversation: row.id.clone(),
        for_seq: seq,
        generation: row.generation,
        attempts: 0,
        created_at: now,
        due: Due { at: now, by: now },
    }
}

/// The visitor's conversation, begun if it has to be. A secret begins one conversation: when the widget does not know
/// yet that its first message was stored, it must not begin another.
async fn open(app: &App, tx: &mut Tx, visitor: &Visitor) -> Result<Conversation, Refusal> {
    if let Some(id) = &visitor.conversation {
        let row = tx.conversation(id).await?.filter(|row| row.token_hash == visitor.token_hash);
        return row.ok_or(Refusal::Unknown);
    }
    if let Some(row) = tx.conversation_by_token(&visitor.token_hash).await? {
        return Ok(row);
    }
    let names = (app.ids.id(), visitor.epoch.clone(), visitor.token_hash.clone());
    let visit = visitor.visit.as_deref().cloned();
    let row = tx.start_conversation(names, visit, app.clock.now_ms()).await?;
    visits::started(app, tx, &row).await?;
    Ok(row)
}

/// The visitor wants a person.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn ask_person(app: &App, visitor: &Visitor) -> Result<Changes, Refusal> {
    let mut tx = app.store.begin().await?;
    let mut row = open(app, &mut tx, visitor).await?;
    if matches!(row.holder()?, State::Owner | State::Waiting) {
        return Ok(Changes { conversation: row, messages: vec![], passed: true });
    }
    tx.outdate_jobs(&row.id).await?;
    if let Some(messages) = night::asked(app, &mut tx, &mut row).await? {
        tx.update_conversation(&row).await?;
        tx.commit().await?;
        return Ok(Changes { conversation: row, messages, passed: true });
    }
    let sentence = hand_off(app, &mut tx, &mut row, "asked_for_person").await?;
    let asked = with("You asked for a person. They will reply right here.", sentence.as_deref());
    let line = Message::plain(Speaker::System, &asked);
    changed(app, tx, row, vec![line]).await
}

/// An owner takes the conversation. Drafts on their way are void from here on.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn take(app: &App, owner: &str, id: &str) -> Result<Changes, Refusal> {
    let mut tx = app.store.begin().await?;
    let mut row = tx.conversation(id).await?.ok_or(Refusal::Unknown)?;
    let lines = join(app, &mut tx, &mut row, owner).await?;
    changed(app, tx, row, lines).await
}

/// Makes `owner` the holder; the lines to add when somebody else was.
async fn join(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
    owner: &str,
) -> Result<Vec<Message>, Refusal> {
    if row.holder()? == State::Owner && row.author.as_deref() == Some(owner) {
        return Ok(vec![]);
    }
    let now = app.clock.now_ms();
    row.pass_to(next(row.holder()?, Event::TakeOver)?, now);
    record(app, tx, Some(&row.id), What::TakenOver { by: owner.into() }).await?;
    row.author = Some(owner.into());
    row.owner_read = row.head;
    // What was being done step by step is theirs now, and no old button brings it about.
    tasks::drop_task(tx, &row.id, now).await?;
    tx.outdate_jobs(&row.id).await?;
    Ok(vec![Message::plain(Speaker::System, &format!("{owner} joined the conversation."))])
}

/// What an owner writes.
#[derive(Debug, Clone)]
pub struct Written {
    /// The console's own id for it.
    pub client_msg_id: String,
    /// Plain text.
    pub text: String,
    /// The suggestion it came from.
    pub suggestion: Option<String>,
    /// The saved reply that it began with.
    pub template: Option<String>,
    /// When it was written, where that is not now: milliseconds since 1970.
    pub written_at: Option<i64>,
}

/// Stores an owner's message; writing takes the conversation.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn write(
    app: &App,
    owner: &str,
    id: &str,
    written: &Written,
) -> Result<(i64, Option<Changes>), Refusal> {
    // Before anything is held up by it.
    let known = known(app, id, written).await?;
    let mut tx = app.store.begin().await?;
    let done = put(app, &mut tx, (owner, id), (written, known)).await?;
    tx.commit().await?;
    Ok(done)
}

/// Puts an owner's message into the conversation, within a transaction that may do more.
///
/// # Errors
/// [`Refusal`].
pub async fn put(
    app: &App,
    tx: &mut Tx,
    (owner, id): (&str, &str),
    (written, known): (&Written, Option<(String, i64)>),
) -> Result<(i64, Option<Changes>), Refusal> {
    let now = app.clock.now_ms();
    let mut row = tx.conversation(id).await?.ok_or(Refusal::Unknown)?;
    if let Some(stored) = tx.sent(id, Speaker::Owner, &written.client_msg_id).await? {
        if stored.text != written.text {
            return Err(Refusal::IdReused);
        }
        return Ok((stored.seq, None));
    }
    let lines = join(app, tx, &mut row, owner).await?;
    let mut message = Message {
        client_msg_id: Some(written.client_msg_id.clone()),
        author: Some(owner.into()),
        written_at: written.written_at,
        ..Message::plain(Speaker::Owner, &written.text)
    };
    if let Some(draft) = suggested(tx, id, (written, known.as_ref())).await? {
        let same = draft.text.trim() == written.text.trim();
        let for_seq = draft.for_seq;
        let fate = if same { Fate::Accepted } else { Fate::Edited };
        let distance = known.map_or(0, |(_, distance)| distance);
        let sent = (written.text.as_str(), distance);
        tx.settle_suggestion(&draft.id, (fate, Some(sent)), now).await?;
        let what = match fate {
            Fate::Accepted => What::SuggestionAccepted { for_seq },
            _ => What::SuggestionEdited { for_seq, distance },
        };
        record(app, tx, Some(id), what).await?;
        if same {
            (message.text, message.pieces, message.citations) =
                (draft.text, draft.pieces, draft.citations);
        }
    }
    tx.outdate_suggestions(id).await?;
    promises::kept(tx, id, written.written_at.unwrap_or(now)).await?;
    let mut messages = Vec::new();
    for line in lines {
        messages.push(say(app, tx, &mut row, line).await?);
    }
    messages.push(say_from(app, tx, &mut row, (message, written.template.clone())).await?);
    tx.update_conversation(&row).await?;
    Ok((row.head, Some(Changes { conversation: row, messages, passed: true })))
}

/// The open suggestion that a message came from. Where it is open no more, the visitor has written meanwhile: it is not sent as it
/// was, but words that a person has put in its place are, as their own.
async fn suggested(
    tx: &mut Tx,
    id: &str,
    (written, known): (&Written, Option<&(String, i64)>),
) -> Result<Option<Suggestion>, Refusal> {
    let Some(suggestion) = &written.suggestion else { return Ok(None) };
    let open = tx.suggestion(suggestion, id).await?;
    let theirs = known.is_some_and(|(text, _)| text.trim() != written.text.trim());
    if open.is_none() && !theirs {
        return Err(Refusal::UnknownSuggestion);
    }
    Ok(open)
}

/// The suggestion that a message came from, open or not, and how many characters were inserted, deleted or replaced in it, white
/// space at the ends aside. A suggestion never changes, so this holds nothing up.
async fn known(app: &App, id: &str, written: &Written) -> Result<Option<(String, i64)>, Refusal> {
    let Some(suggestion) = &written.suggestion else { return Ok(None) };
    let Some(text) = app.store.suggested_text(suggestion, id).await? else { return Ok(None) };
    let (draft, sent) = (text.clone(), written.text.clone());
    // Two long texts take a while.
    let distance = move || strsim::levenshtein(draft.trim(), sent.trim());
    let distance = tokio::task::spawn_blocking(distance).await;
    let distance = distance.ok().and_then(|distance| i64::try_from(distance).ok());
    Ok(Some((text, distance.unwrap_or(i64::MAX))))
}

/// An owner gives the conversation back to the bot, which answers the question that was left open; its counters begin anew.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn hand_back(app: &App, id: &str) -> Result<Changes, Refusal> {
    let mut tx = app.store.begin().await?;
    let mut row = tx.conversation(id).await?.ok_or(Refusal::Unknown)?;
    let mut newest = [0; 3];
    for (seq, speaker) in newest.iter_mut().zip([Speaker::Visitor, Speaker::Owner, Speaker::Bot]) {
        *seq = tx.newest(id, speaker).await?;
    }
    let [visitor, owner, bot] = newest;
    let left = row.author.clone();
    row.pass_to(next(row.holder()?, Event::HandBack)?, app.clock.now_ms());
    row.counted_from = row.head;
    record(app, &mut tx, Some(id), What::HandedBack {}).await?;
    promises::ended(&mut tx, id, app.clock.now_ms()).await?;
    tx.outdate_jobs(id).await?;
    tx.outdate_suggestions(id).await?;
    if let Some(seq) = fence::left_open(visitor, owner, bot) {
        tx.insert_job_again(&job(app, &row, seq, app.clock.now_ms())).await?;
    }
    let again = "The conversation is with the automatic assistant again.";
    let line = left.map_or_else(|| again.to_owned(), |owner| format!("{owner} left. {again}"));
    let changes = changed(app, tx, row, vec![Message::plain(Speaker::System, &line)]).await?;
    app.desk.ring();
    Ok(changes)
}

/// An owner throws a suggestion away.
///
/// # Errors
/// [`Refusal`]; nothing has changed then.
pub async fn discard(app: &App, id: &str, suggestion: &str) -> Result<(), Refusal> {
    let mut tx = app.store.begin().await?;
    let open = tx.suggestion(suggestion, id).await?.ok_or(Refusal::UnknownSuggestion)?;
    tx.settle_suggestion(suggestion, (Fate::Discarded, None), app.clock.now_ms()).await?;
    let what = What::SuggestionDiscarded { for_seq: open.for_seq };
    record(app, &mut tx, Some(id), what).await?;
    silence::listen(app, &mut tx, id).await?;
    Ok(tx.commit().await?)
}

/// Gives a conversation's history another name: what clients have of it is no longer stored.
///
/// # Errors
/// When the database fails; the name is the old one then.
pub async fn new_epoch(app: &App, id: &str, old: &str) -> Result<String, StoreError> {
    let epoch = app.ids.id();
    let mut tx = app.store.begin().await?;
    // Another page of the visitor may have noticed it first.
    if let Some(row) = tx.conversation(id).await?.filter(|row| row.epoch != old) {
        return Ok(row.epoch);
    }
    tx.renew_epoch(id, &epoch).await?;
    tx.commit().await?;
    Ok(epoch)
}

/// Appends lines, writes the row and commits.
pub(crate) async fn changed(
    app: &App,
    mut tx: Tx,
    mut row: Conversation,
    lines: Vec<Message>,
) -> Result<Changes, Refusal> {
    let mut messages = Vec::new();
    for line in lines {
        messages.push(say(app, &mut tx, &mut row, line).await?);
    }
    tx.update_conversation(&row).await?;
    tx.commit().await?;
    Ok(Changes { conversation: row, messages, passed: true })
}
