//! Whether a message goes on with a task, begins one, or is about something else.

use super::{Card, Left, Scene, Step, Task};
use crate::rules::{Rule, RuleAction};
use crate::{actions, flows, hours, tickets};

/// What becomes of a message as far as tasks go.
pub(crate) enum Course {
    /// It is a step of a task.
    Step(Box<Step>),
    /// It is about something else while a task waits.
    Aside,
    /// No task is on.
    None,
}

/// What a message comes to beside `rule`, the first rule that matches it. A rule that asks for a person comes first, unless the
/// owner has put the flow or action over it.
pub(crate) fn course(scene: Scene<'_>, rule: Option<&Rule>) -> Course {
    let person = rule.filter(|rule| rule.action == RuleAction::HandOff);
    let open = |over: &[String]| person.is_none_or(|rule| over.contains(&rule.id));
    let books = scene.parts.books;
    let standing = &scene.turn.standing.task;
    if let Some(task) = standing {
        let step = match task {
            Task::Flow(run) => books
                .flows
                .flow(run)
                .filter(|flow| open(&flow.over))
                .and_then(|_| flows::go_on(scene, run)),
            Task::Action(request) => books
                .actions
                .action(request)
                .filter(|action| open(&action.over))
                .and_then(|_| actions::go_on(scene, request)),
            Task::Ticket(request) => {
                person.is_none().then(|| tickets::go_on(scene, request)).flatten()
            }
        };
        if let Some(step) = step {
            return Course::Step(Box::new(step));
        }
    }
    if let Some(step) = hours::answer(scene) {
        return Course::Step(Box::new(step));
    }
    if let Some(action) = books.actions.starts(scene.heard).filter(|one| open(&one.over)) {
        return Course::Step(Box::new(actions::begin(scene, action)));
    }
    // A flow that is on is not begun anew by the question that interrupts it.
    let is_on = |id: &str| matches!(standing, Some(Task::Flow(run)) if run.flow == id);
    let begun = books.flows.starts(scene.heard).filter(|one| open(&one.over) && !is_on(&one.id));
    if let Some(flow) = begun {
        return Course::Step(Box::new(flows::begin(scene, flow)));
    }
    if standing.is_some() { Course::Aside } else { Course::None }
}

/// What the task that is on waits for, to be said again after something else was answered, and what is left of it then.
pub(crate) fn say_again(scene: Scene<'_>) -> Option<(String, Left)> {
    let task = scene.turn.standing.task.as_ref()?;
    let as_before = |(text, card): (String, Option<Card>)| {
        (text, Left { card, task: Some(task.clone()), effects: vec![] })
    };
    match task {
        Task::Flow(run) => flows::pending(scene, run),
        Task::Action(request) => actions::pending(scene, request).map(as_before),
        Task::Ticket(request) => tickets::pending(scene, request).map(as_before),
    }
}
