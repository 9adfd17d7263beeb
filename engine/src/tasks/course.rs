//! Whether a message goes on with a task, begins one, or is about something else.

use super::{Card, Scene, Step, Task};
use crate::rules::{Rule, RuleAction};
use crate::{actions, flows, tickets};

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
    if let Some(action) = books.actions.starts(scene.heard).filter(|one| open(&one.over)) {
        return Course::Step(Box::new(actions::begin(scene, action)));
    }
    if let Some(flow) = books.flows.starts(scene.heard).filter(|one| open(&one.over)) {
        return Course::Step(Box::new(flows::begin(scene, flow)));
    }
    if standing.is_some() { Course::Aside } else { Course::None }
}

/// What the task that is on waits for, to be said again after something else was answered.
pub(crate) fn say_again(scene: Scene<'_>) -> Option<(String, Option<Card>)> {
    match scene.turn.standing.task.as_ref()? {
        Task::Flow(run) => flows::pending(scene, run),
        Task::Action(request) => actions::pending(scene, request),
        Task::Ticket(request) => tickets::pending(scene, request),
    }
}
