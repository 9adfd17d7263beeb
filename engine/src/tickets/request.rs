//! The way to a ticket: where to reach the visitor and, where they have not said, what it is about. Questions in between are answered.

use serde::{Deserialize, Serialize};

use super::{Draft, Priority, SUBJECT_CHARS, SUMMARY_CHARS, line};
use crate::entities::Kind;
use crate::hours::{AfterHours, Availability, after_hours};
use crate::rules::Reason;
use crate::tasks::{Card, Effect, Scene, Step, Task};
use crate::text;
use crate::turn::{Speaker, Turn};

/// What records call the steps.
const RULE: &str = "ticket";
/// Words of a question that says what it is about.
const MATTER_WORDS: usize = 4;
/// Times that an address is asked for.
const TRIES: u8 = 2;
/// How annoyed a message sounds, 0 to 1, from which its ticket comes before the others.
const ANNOYED: f32 = 0.8;
/// Messages about it that are kept until the ticket is made, and characters of one.
const MATTERS: usize = 8;
const MATTER_CHARS: usize = 2_000;

/// A ticket on the way, as it is kept with the conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What the visitor has said about it.
    matter: Vec<String>,
    email: Option<String>,
    priority: Priority,
    tags: Vec<String>,
    wants: Wants,
    /// How often an address was asked for in vain.
    tries: u8,
}

/// What it lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wants {
    /// Where the visitor can be reached.
    #[default]
    Email,
    /// A sentence about what it is.
    Matter,
    /// Nothing: the ticket is made. What comes to it later is added.
    Nothing,
}

/// What a visitor says instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instead {
    Skip,
    Stop,
}

impl Request {
    /// Whether the ticket is made.
    pub fn is_made(&self) -> bool {
        self.wants == Wants::Nothing
    }
}

/// The first step, in place of a hand-off while nobody is there; `None` when a person can be expected or is asked for at once
/// (priority words).
pub fn begin(scene: Scene<'_>) -> Option<Step> {
    let question = scene.turn.question.as_str();
    let standing = &scene.turn.standing;
    match after_hours(&scene.parts.books.hours, &standing.hours, question) {
        AfterHours::Ticket { .. } => {}
        AfterHours::AsAlways | AfterHours::Urgent => return None,
    }
    let talk = Talk::of(scene);
    if talk.say("ticket_email").is_empty() {
        // The owner's texts are older than tickets.
        return None;
    }
    if let Some(Task::Ticket(on)) = &standing.task {
        return Some(talk.again(on.clone()));
    }
    let reason = scene.parts.policy.before(scene.heard).map(|rule| rule.reason);
    let asks_person = reason == Some(Reason::AskedForPerson);
    let told = !asks_person && text::words(question).len() >= MATTER_WORDS;
    let matter = if told { said(question) } else { None };
    let email = standing.verified.clone().or_else(|| talk.named(question)).or_else(|| {
        let earlier = scene.turn.history.iter().rev().filter(|m| m.speaker == Speaker::Visitor);
        earlier.take(10).find_map(|message| talk.named(&message.text))
    });
    let tags = scene.heard.reading.primary().map(|tag| tag.label.clone());
    let annoyed = scene.heard.frustration >= ANNOYED || reason == Some(Reason::Frustration);
    let request = Request {
        matter: matter.into_iter().collect(),
        email,
        priority: if annoyed { Priority::High } else { Priority::Normal },
        tags: tags.into_iter().collect(),
        ..Request::default()
    };
    let closed = talk.closed();
    Some(talk.next(request, &closed))
}

/// The next step; `None` when the message is about something else.
pub fn go_on(scene: Scene<'_>, on: &Request) -> Option<Step> {
    if on.is_made() {
        return None;
    }
    let (talk, question) = (Talk::of(scene), scene.turn.question.as_str());
    let mut request = on.clone();
    if scene.parts.books.hours.is_urgent(question) {
        request.note(question);
        request.priority = Priority::Urgent;
        return Some(talk.urgent(request));
    }
    match (instead(question, &talk.say("ticket_skip")), on.wants) {
        (Some(Instead::Stop), _) => return Some(Step::saying(RULE, talk.say("ticket_stopped"))),
        (Some(Instead::Skip), Wants::Email) => return Some(talk.without(request)),
        (Some(Instead::Skip), _) => return Some(talk.made(request)),
        (None, _) => {}
    }
    let named = talk.named(question);
    if on.wants == Wants::Matter {
        request.note(question);
        request.email = named.or(request.email);
        return Some(talk.made(request));
    }
    if let Some(email) = named {
        let rest = question.to_lowercase().replacen(&email, " ", 1);
        // What stands around an address says what it is about only when there is enough of it.
        if text::words(&rest).len() >= 2 * MATTER_WORDS {
            request.note(question);
        }
        request.email = Some(email);
        return Some(talk.next(request, ""));
    }
    let asks = asks(question);
    if asks && !question.contains('@') {
        return None;
    }
    if !question.contains('@') {
        request.note(question);
    }
    request.tries += 1;
    if request.tries >= TRIES {
        return Some(talk.without(request));
    }
    let wrong = talk.say("ticket_email_wrong");
    Some(talk.asking(request, &wrong))
}

/// What it waits for, in words and with its card.
pub fn pending(scene: Scene<'_>, on: &Request) -> Option<(String, Option<Card>)> {
    if on.is_made() {
        return None;
    }
    let step = Talk::of(scene).asking(on.clone(), "");
    Some((step.text(), step.card))
}

/// The words that are said to one visitor.
struct Talk<'a> {
    scene: Scene<'a>,
    opens: String,
}

impl<'a> Talk<'a> {
    fn of(scene: Scene<'a>) -> Self {
        let opens = opens(scene.turn);
        Self { scene, opens }
    }

    /// A text with its places filled. Where nobody knows when somebody will be there, the text for that is taken.
    fn say(&self, id: &str) -> String {
        let texts = self.scene.parts.templates;
        let text = match self.opens.as_str() {
            "" => Some(texts.say(&format!("{id}_unknown"))).filter(|text| !text.is_empty()),
            _ => None,
        };
        let hours = self.scene.parts.books.hours.describe();
        let text = text.unwrap_or_else(|| texts.say(id));
        text.replace("{hours}", &hours).replace("{opens}", &self.opens)
    }

    /// That nobody is there, and when somebody will be.
    fn closed(&self) -> String {
        match self.scene.parts.books.hours.is_set() {
            true => self.say("closed"),
            false => self.say("away"),
        }
    }

    /// The e-mail address that a text names.
    fn named(&self, text: &str) -> Option<String> {
        let found = self.scene.parts.entities.find(text);
        found.into_iter().find(|entity| entity.kind == Kind::Email).map(|entity| entity.value)
    }

    /// Asks for what is lacking, after `before`, or makes the ticket.
    fn next(&self, mut request: Request, before: &str) -> Step {
        request.wants = match (&request.email, request.matter.is_empty()) {
            (None, _) => Wants::Email,
            (Some(_), true) => Wants::Matter,
            (Some(_), false) => return self.told(request, before),
        };
        self.asking(request, before)
    }

    /// The visitor gives no address: the ticket is made without one, once it is known what it is about.
    fn without(&self, mut request: Request) -> Step {
        if request.matter.is_empty() {
            request.wants = Wants::Matter;
            return self.asking(request, "");
        }
        self.made(request)
    }

    fn asking(&self, request: Request, before: &str) -> Step {
        let (id, card) = match request.wants {
            Wants::Email => {
                let options = vec![self.say("ticket_skip")];
                ("ticket_email", Some(Card::Choices { options }))
            }
            _ => ("ticket_matter", None),
        };
        let text = joined(before, &self.say(id));
        Step { card, task: Some(Task::Ticket(request)), ..Step::saying(RULE, text) }
    }

    fn made(&self, request: Request) -> Step {
        self.told(request, "")
    }

    /// The ticket is made, and the visitor told so after `before`.
    fn told(&self, mut request: Request, before: &str) -> Step {
        request.wants = Wants::Nothing;
        let text = match &request.email {
            Some(email) => self.say("ticket_made").replace("{email}", email),
            None => self.say("ticket_made_here"),
        };
        let effects = vec![Effect::Ticket(request.draft())];
        let task = Some(Task::Ticket(request));
        Step { task, effects, ..Step::saying(RULE, joined(before, &text)) }
    }

    /// Something else that nothing answers, while a ticket is on its way or made.
    fn again(&self, mut request: Request) -> Step {
        if !request.is_made() {
            request.note(&self.scene.turn.question);
            return self.next(request, "");
        }
        request.matter.clear();
        request.note(&self.scene.turn.question);
        let effects = vec![Effect::Ticket(request.draft())];
        let task = Some(Task::Ticket(request));
        Step { task, effects, ..Step::saying(RULE, self.say("ticket_added")) }
    }

    /// It cannot wait: a person is asked for after all.
    fn urgent(&self, request: Request) -> Step {
        let effects = vec![Effect::Ticket(request.draft())];
        let hand_off = Some(Reason::AfterHours);
        Step { effects, hand_off, ..Step::saying(RULE, self.say("ticket_urgent")) }
    }
}

impl Request {
    /// Keeps what the visitor says about it.
    fn note(&mut self, text: &str) {
        if self.matter.len() < MATTERS {
            self.matter.extend(said(text));
        }
    }

    fn draft(&self) -> Draft {
        let subject = self.matter.first().map_or("", String::as_str);
        let subject = match line(subject, SUBJECT_CHARS) {
            empty if empty.is_empty() => "A visitor asks to be answered".into(),
            subject => subject,
        };
        Draft {
            subject,
            summary: self.matter.join("\n").chars().take(SUMMARY_CHARS).collect(),
            priority: self.priority,
            email: self.email.clone(),
            tags: self.tags.clone(),
        }
    }
}

/// When somebody will be there; empty when nobody can tell.
fn opens(turn: &Turn) -> String {
    match &turn.standing.hours {
        Availability::Closed { opens } => opens.clone(),
        Availability::Open => String::new(),
    }
}

/// The visitor's words as they are kept.
fn said(text: &str) -> Option<String> {
    Some(line(text, MATTER_CHARS)).filter(|line| !line.is_empty())
}

fn joined(before: &str, text: &str) -> String {
    if before.is_empty() { text.to_owned() } else { format!("{before} {text}") }
}

/// Whether a text is a question by its end or its first word.
fn asks(text: &str) -> bool {
    const FIRST: [&str; 19] = [
        "what", "what's", "how", "why", "when", "where", "which", "who", "can", "could", "do",
        "does", "did", "is", "are", "will", "would", "should", "may",
    ];
    let words = text::words(text);
    text.trim_end().ends_with('?')
        || (words.len() > 2 && words.first().is_some_and(|word| FIRST.contains(&word.as_str())))
}

/// Whether a short message gives no answer; `skip` is what the button says.
fn instead(text: &str, skip: &str) -> Option<Instead> {
    const STOP: [&str; 10] = [
        "stop",
        "cancel",
        "never mind",
        "nevermind",
        "forget it",
        "leave it",
        "no ticket",
        "no ticket please",
        "quit",
        "abbrechen",
    ];
    const SKIP: [&str; 12] = [
        "no",
        "nope",
        "no thanks",
        "no thank you",
        "skip",
        "none",
        "no email",
        "no e mail",
        "rather not",
        "i'd rather not",
        "nein",
        "nein danke",
    ];
    let words = text::words(text).join(" ");
    if words == text::words(skip).join(" ") || SKIP.contains(&words.as_str()) {
        return Some(Instead::Skip);
    }
    STOP.contains(&words.as_str()).then_some(Instead::Stop)
}
