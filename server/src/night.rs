//! "Talk to a person" while nobody is there: the visitor is told so, and a ticket is taken.

use engine::hours::Availability;
use engine::intent::Reading;
use engine::language::of_visitor;
use engine::rules::Heard;
use engine::tasks::{Scene, Standing, Step, Task};
use engine::tickets;
use engine::turn::{Speaker, Turn};

use crate::app::App;
use crate::replies::turn::turn;
use crate::said::say;
use crate::store::conversations::Conversation;
use crate::store::messages::Message;
use crate::store::{StoreError, Tx};
use crate::tasks;

/// Messages that are looked at for what the visitor wants.
const RECENT: i64 = 50;

/// The lines that stand in place of a hand-off; `None` when a person can be expected, or it cannot wait.
///
/// # Errors
/// When the database fails.
pub async fn asked(
    app: &App,
    tx: &mut Tx,
    row: &mut Conversation,
) -> Result<Option<Vec<Message>>, StoreError> {
    let standing = tasks::standing(app, &row.id).await?;
    if standing.hours == Availability::Open {
        return Ok(None);
    }
    let rows = app.store.messages(&row.id, (row.head - RECENT).max(0), RECENT).await?;
    let Some(step) = step(app, newest_question(turn(&rows, 0, 0)?), standing) else {
        return Ok(None);
    };
    let line = Message::plain(Speaker::System, "You asked for a person.");
    let mut messages = vec![say(app, tx, row, line).await?];
    messages.extend(tasks::apply(app, tx, row, step).await?);
    Ok(Some(messages))
}

/// What the visitor has asked last, whether or not it was answered.
fn newest_question(mut turn: Turn) -> Turn {
    if turn.question.is_empty()
        && let Some(at) = turn.history.iter().rposition(|m| m.speaker == Speaker::Visitor)
    {
        turn.question = turn.history[at].text.clone();
        turn.history.truncate(at);
    }
    turn
}

fn step(app: &App, turn: Turn, standing: Standing) -> Option<Step> {
    let (edition, prompts) = (app.mind.knowledge.edition(), app.mind.prompts());
    let spoken = of_visitor(&turn).map(|code| prompts.templates.spoken_in(code));
    let parts = app.mind.parts(&edition, &prompts);
    let parts =
        engine::reply::Parts { templates: spoken.as_ref().unwrap_or(parts.templates), ..parts };
    let turn = Turn { standing, ..turn };
    let reading = Reading::default();
    let heard = Heard { text: &turn.question, reading: &reading, frustration: 0.0 };
    let scene = Scene { parts: &parts, turn: &turn, heard: &heard };
    if let Some(Task::Ticket(request)) = &turn.standing.task
        && let Some((text, card)) = tickets::pending(scene, request)
    {
        // It is on its way already.
        let task = turn.standing.task.clone();
        return Some(Step { card, task, ..Step::saying("ticket", text) });
    }
    tickets::begin(scene)
}
