//! A request for an action on its way to the call: arguments are asked for one at a time, then a proof of contact, then a
//! confirmation by button. Who the visitor is comes from the proof alone.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entities::{Entities, Kind};
use crate::prompt::Templates;
use crate::rules::Reason;
use crate::tasks::{Card, Effect, Line, Row, Scene, Step, Task};
use crate::turn::{Speaker, Turn};

use super::arguments::{Argument, Place, narrow};
use super::book::{Action, ActionBook};
use super::words::{is_no, is_question, is_stop, mask, said, wants_again};

/// The visitor's messages that arguments are looked for in.
const RECENT: usize = 20;
/// Characters at the end of each that are read.
const CHARS: usize = 2_000;
/// Answers that cannot be used before a person is asked for.
const TRIES: u32 = 2;

/// As it is kept with the conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    id: String,
    pub(super) action: String,
    /// What is known so far.
    #[serde(default)]
    values: Map<String, Value>,
    /// What it waits for.
    stage: Stage,
    /// Answers in a row that could not be used.
    #[serde(default)]
    tries: u32,
    /// The address that a code goes to, in lower case.
    #[serde(default)]
    email: Option<String>,
}

impl Request {
    /// Names it on the card that confirms it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether a one-time code is what comes next.
    pub fn waits_for_code(&self) -> bool {
        self.stage == Stage::Code
    }
}

/// What a request waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(super) enum Stage {
    /// The value of an argument.
    Argument {
        /// Its name.
        name: String,
    },
    /// An address to prove.
    #[default]
    Email,
    /// The code that went there.
    Code,
    /// The card's button.
    Confirm,
}

/// A request with all that it needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The request's own id.
    pub request: String,
    /// The action.
    pub action: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// The address that the visitor has shown to be theirs, where the action has to know it.
    pub subject: Option<String>,
    /// Whether the visitor has pressed the button that confirms it.
    pub confirmed: bool,
}

/// What a request goes on from.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The owner's actions.
    pub book: &'a ActionBook,
    /// The owner's texts.
    pub templates: &'a Templates,
    /// The address that the visitor has lately shown to be theirs.
    pub verified: Option<&'a str>,
}

impl<'a> Ground<'a> {
    fn of(scene: Scene<'a>) -> Self {
        Self {
            book: &scene.parts.books.actions,
            templates: scene.parts.templates,
            verified: scene.turn.standing.verified.as_deref(),
        }
    }

    fn said(&self, id: &str, slots: &[(&str, &str)]) -> String {
        said(self.templates, id, slots)
    }
}

/// The first step.
pub fn begin(scene: Scene<'_>, action: &Action) -> Step {
    let ground = Ground::of(scene);
    let id = scene.turn.standing.fresh.clone();
    let mut request = Request { id, action: action.id.clone(), ..Request::default() };
    let own: Vec<String> = ground.verified.map(str::to_owned).into_iter().collect();
    fill(action, &mut request.values, (scene.turn, scene.parts.entities), &own);
    request.email = named_address(action, scene.turn, scene.parts.entities);
    next(ground, action, request)
}

/// The next step; `None` when the message is about something else.
pub fn go_on(scene: Scene<'_>, on: &Request) -> Option<Step> {
    let ground = Ground::of(scene);
    let action = ground.book.action(on)?;
    let text = newest(&scene.turn.question);
    match &on.stage {
        Stage::Argument { name } => {
            let argument = action.arguments.named(name)?;
            answered(scene, ground, (action, argument), on)
        }
        _ if is_stop(&text) => Some(stopped(ground, on)),
        Stage::Email => addressed(scene, ground, action, on),
        Stage::Code => coded(scene, ground, action, on),
        Stage::Confirm if is_no(&text) => Some(stopped(ground, on)),
        Stage::Confirm if is_question(&text) => None,
        Stage::Confirm => Some(asked_again(ground, action, on, "action_press")),
    }
}

/// What it waits for, in words and with its card.
pub fn pending(scene: Scene<'_>, on: &Request) -> Option<(String, Option<Card>)> {
    let ground = Ground::of(scene);
    let step = waiting(ground, ground.book.action(on)?, on.clone(), None);
    Some((step.text(), step.card))
}

/// The step after the visitor has shown that the address of `ground` is theirs.
pub fn proved(ground: Ground<'_>, on: &Request) -> Step {
    match ground.book.action(on) {
        Some(action) => next(ground, action, Request { tries: 0, ..on.clone() }),
        None => Step::saying(rule(on), ground.said("action_gone", &[])),
    }
}

/// The step after the visitor has pressed a button of the card that asks for confirmation. `None` when nothing waits for it.
pub fn confirmed(ground: Ground<'_>, on: &Request, yes: bool) -> Option<Step> {
    if on.stage != Stage::Confirm {
        return None;
    }
    if !yes {
        return Some(stopped(ground, on));
    }
    let Some(action) = ground.book.action(on) else {
        return Some(Step::saying(rule(on), ground.said("action_gone", &[])));
    };
    if action.verified() && ground.verified != on.email.as_deref() {
        // Whoever was shown has to be shown anew: the card was about that account.
        let step = next(ground, action, Request { tries: 0, ..on.clone() });
        return Some(prefixed(step, ground.said("action_lapsed", &[])));
    }
    Some(call(ground, action, on, true))
}

/// A title and what it waits for, for the owner's page.
pub fn describe(book: &ActionBook, on: &Request) -> (String, String) {
    let Some(action) = book.action(on) else { return (on.action.clone(), String::new()) };
    let at = match &on.stage {
        Stage::Argument { name } => {
            let label =
                action.arguments.named(name).map_or(name.as_str(), |one| one.label.as_str());
            format!("asks for: {label}")
        }
        Stage::Email => "asks for: the e-mail address of the account".into(),
        Stage::Code => "waits for the code that was sent".into(),
        Stage::Confirm => "waits for the visitor's confirmation".into(),
    };
    (action.title.clone(), at)
}

/// Goes to whatever is missing next, or to the call.
fn next(ground: Ground<'_>, action: &Action, mut on: Request) -> Step {
    if let Some(argument) = action.arguments.missing(&on.values) {
        on.stage = Stage::Argument { name: argument.name.clone() };
        return waiting(ground, action, on, None);
    }
    if action.verified() {
        match (ground.verified, &on.email) {
            (None, None) => {
                on.stage = Stage::Email;
                return waiting(ground, action, on, None);
            }
            (verified, Some(email)) if verified != Some(email) => {
                on.stage = Stage::Code;
                return waiting(ground, action, on, Some("action_code"));
            }
            (verified, _) => on.email = verified.map(str::to_owned),
        }
    }
    if action.writes() {
        on.stage = Stage::Confirm;
        return waiting(ground, action, on, None);
    }
    call(ground, action, &on, false)
}

/// The step that asks for what the request waits for. A code is sent only with the text that says so.
fn waiting(ground: Ground<'_>, action: &Action, on: Request, say: Option<&str>) -> Step {
    let email = on.email.clone().unwrap_or_default();
    let masked = mask(&email);
    let slots = [("email", masked.as_str())];
    let ask = match &on.stage {
        Stage::Argument { name } => action.arguments.named(name).map_or("", |one| &one.ask),
        _ => "",
    };
    let (usual, card) = match &on.stage {
        Stage::Argument { .. } => (ask.to_owned(), None),
        Stage::Email => (ground.said("action_email", &[]), None),
        Stage::Code => {
            (ground.said("action_code_again", &slots), Some(Card::Code { to: masked.clone() }))
        }
        Stage::Confirm => (ground.said("action_confirm", &[]), Some(card(action, &on))),
    };
    let text = match say {
        Some(id) => ground.said(id, &[("ask", ask), slots[0]]),
        None => usual,
    };
    let sends = on.stage == Stage::Code && say == Some("action_code");
    let effects = if sends { vec![Effect::SendCode { email }] } else { vec![] };
    Step { card, effects, task: Some(Task::Action(on.clone())), ..Step::saying(rule(&on), text) }
}

/// The card that shows all that is about to be done.
fn card(action: &Action, on: &Request) -> Card {
    let mut rows = action.arguments.rows(&on.values);
    if let Some(email) = &on.email {
        rows.push(Row::new("Account", mask(email)));
    }
    Card::Confirm { request: on.id.clone(), title: action.title.clone(), rows }
}

/// All is there: the call.
fn call(ground: Ground<'_>, action: &Action, on: &Request, confirmed: bool) -> Step {
    let call = Call {
        request: on.id.clone(),
        action: action.id.clone(),
        arguments: on.values.clone(),
        subject: ground.verified.filter(|_| action.verified()).map(str::to_owned),
        confirmed,
    };
    let id = match (action.owner_confirms, action.writes()) {
        (true, _) => "action_owner",
        (false, true) => "action_doing",
        (false, false) => "action_looking",
    };
    Step { effects: vec![Effect::Call(call)], ..Step::saying(rule(on), ground.said(id, &[])) }
}

/// An answer to the question for an argument. Others that it names are taken with it.
fn answered(
    scene: Scene<'_>,
    ground: Ground<'_>,
    (action, argument): (&Action, &Argument),
    on: &Request,
) -> Option<Step> {
    let (text, entities) = (newest(&scene.turn.question), scene.parts.entities);
    let own: Vec<String> = ground.verified.map(str::to_owned).into_iter().collect();
    let mut request = Request { tries: 0, ..on.clone() };
    let asks = is_question(&text);
    // A text that may be anything is taken from an answer only, and a question is none.
    let place = if asks { Place::Opening } else { Place::Answer };
    let value = argument.find(&text, place, entities, &own);
    let stops = is_stop(&text) || is_no(&text);
    if stops && value.as_ref().is_none_or(Value::is_string) {
        return Some(stopped(ground, on));
    }
    let Some(value) = value else {
        return if asks { None } else { Some(asked_again(ground, action, on, "action_again")) };
    };
    request.values.insert(argument.name.clone(), value);
    for other in &action.arguments.list {
        if !request.values.contains_key(&other.name)
            && let Some(value) = other.find(&text, Place::Opening, entities, &own)
        {
            request.values.insert(other.name.clone(), value);
        }
    }
    Some(next(ground, action, request))
}

/// An answer to the question for the address.
fn addressed(scene: Scene<'_>, ground: Ground<'_>, action: &Action, on: &Request) -> Option<Step> {
    let text = newest(&scene.turn.question);
    match &addresses(&text, scene.parts.entities)[..] {
        [email] => {
            let request = Request { email: Some(email.clone()), tries: 0, ..on.clone() };
            Some(next(ground, action, request))
        }
        [] if is_question(&text) => None,
        [] if is_no(&text) => Some(stopped(ground, on)),
        _ => Some(asked_again(ground, action, on, "action_email_again")),
    }
}

/// Something other than a code where one is waited for.
fn coded(scene: Scene<'_>, ground: Ground<'_>, action: &Action, on: &Request) -> Option<Step> {
    let text = newest(&scene.turn.question);
    let email = match &addresses(&text, scene.parts.entities)[..] {
        [email] => Some(email.clone()),
        _ if ground.verified.is_some() && ground.verified == on.email.as_deref() => {
            // It was shown while somebody else held the conversation.
            return Some(proved(ground, on));
        }
        _ if wants_again(&text) => on.email.clone(),
        _ if is_question(&text) => return None,
        _ => return Some(asked_again(ground, action, on, "action_code_again")),
    };
    Some(next(ground, action, Request { email, tries: 0, ..on.clone() }))
}

/// The same question once more; after [`TRIES`] answers that could not be used a person.
fn asked_again(ground: Ground<'_>, action: &Action, on: &Request, say: &str) -> Step {
    let on = Request { tries: on.tries + 1, ..on.clone() };
    if on.tries >= TRIES {
        let step = Step::saying(rule(&on), ground.said("action_unclear", &[]));
        return Step { hand_off: Some(Reason::NoProgress), ..step };
    }
    waiting(ground, action, on, Some(say))
}

fn stopped(ground: Ground<'_>, on: &Request) -> Step {
    Step::saying(rule(on), ground.said("action_stopped", &[]))
}

fn prefixed(mut step: Step, text: String) -> Step {
    step.say.insert(0, Line::Plain(format!("{text} ")));
    step
}

fn rule(on: &Request) -> String {
    format!("action:{}", on.action)
}

/// Fills what the visitor's own messages say, the newest first.
fn fill(
    action: &Action,
    values: &mut Map<String, Value>,
    (turn, entities): (&Turn, &Entities),
    not: &[String],
) {
    let own = turn.history.iter().rev().filter(|message| message.speaker == Speaker::Visitor);
    let earlier = own.take(RECENT).map(|message| (newest(&message.text), Place::Earlier));
    let texts = std::iter::once((newest(&turn.question), Place::Opening)).chain(earlier);
    for (text, place) in texts {
        for argument in &action.arguments.list {
            if !values.contains_key(&argument.name)
                && let Some(value) = argument.find(&text, place, entities, not)
            {
                values.insert(argument.name.clone(), value);
            }
        }
    }
}

/// The address that a code may go to without being asked for: the one that the opening message names, unless the action has an
/// address among its arguments, which may be meant.
fn named_address(action: &Action, turn: &Turn, entities: &Entities) -> Option<String> {
    let taken = action.arguments.list.iter().any(|one| one.entity == Some(Kind::Email));
    match &addresses(&newest(&turn.question), entities)[..] {
        [email] if action.verified() && !taken => Some(email.clone()),
        _ => None,
    }
}

/// The e-mail addresses that a text names, each once.
fn addresses(text: &str, entities: &Entities) -> Vec<String> {
    let mut found = Vec::new();
    for entity in entities.find(&narrow(text)) {
        if entity.kind == Kind::Email && !found.contains(&entity.value) {
            found.push(entity.value);
        }
    }
    found
}

/// The end of a long message.
fn newest(text: &str) -> String {
    let skipped = text.chars().count().saturating_sub(CHARS);
    text.chars().skip(skipped).collect()
}
