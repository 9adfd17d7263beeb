//! The owner's view of what the bot may do: thresholds, what they would let through, and the rules in their order.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use engine::confidence::Point;
use engine::policy::Autonomy;
use engine::rules::{Action, Rule, RuleAction};
use engine::wording::{Guardrail, Style};
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::prompts::Prompts;
use crate::tuning::{self, Sample};

/// Steps of the curve that is drawn.
const STEPS: u8 = 100;
/// Shares of wrong answers that may be allowed.
const ALLOWED: std::ops::RangeInclusive<f32> = 0.01..=0.3;

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    bands: Figures,
    intents: Vec<OwnBands>,
    rules: Vec<Explained>,
    guardrails: Vec<Kept>,
    style: Style,
    tuning: Tuning,
}

/// What the policy says for all messages.
#[derive(Debug, Serialize)]
struct Figures {
    send_at: f32,
    hold_at: f32,
    passage_floor: f32,
    turn_cap: u32,
    stalled_cap: u32,
}

/// What it says for one intent.
#[derive(Debug, Serialize)]
struct OwnBands {
    id: String,
    /// `auto`, `draft` or `off`.
    autonomy: Autonomy,
    send_at: Option<f32>,
    hold_at: Option<f32>,
}

/// A rule in words.
#[derive(Debug, Serialize)]
struct Explained {
    id: String,
    /// Line of policy.toml.
    line: usize,
    action: RuleAction,
    /// The reason as a sentence.
    why: &'static str,
    /// What the visitor is told.
    say: String,
    words: Vec<String>,
    unless: Vec<String>,
    intents: Vec<String>,
    /// Score that an intent needs, 0 to 1.
    score: f32,
    frustration: Option<f32>,
    /// 0 is no limit.
    at_most_words: usize,
}

/// What no draft may say.
#[derive(Debug, Serialize)]
struct Kept {
    id: String,
    /// `hold` or `hand_off`.
    action: &'static str,
    words: Vec<String>,
    unless: Vec<String>,
}

/// How sure is sure enough, and what that brings.
#[derive(Debug, Serialize)]
pub(super) struct Tuning {
    at_most_wrong: Option<f32>,
    /// Confidence from which a draft is sent where no intent says otherwise.
    send_at: f32,
    curve: Vec<Point>,
    /// `headings` or `visitors`.
    sample: &'static str,
    questions: usize,
    right: usize,
    wrong: usize,
}

impl Tuning {
    fn of(app: &App) -> Self {
        let picture = app.mind.tuning.picture().borrow().clone();
        let policy = &app.mind.prompts().policy;
        Self {
            at_most_wrong: picture.at_most_wrong,
            send_at: picture
                .tuned
                .send_at
                .map_or(policy.send_at, |chosen| chosen.max(policy.hold_at)),
            curve: picture.curve.points(STEPS),
            sample: match picture.sample {
                Sample::Headings => "headings",
                Sample::Visitors => "visitors",
            },
            questions: picture.curve.len(),
            right: picture.verdicts.right,
            wrong: picture.verdicts.wrong,
        }
    }
}

/// `GET /console/api/rules`.
pub(super) async fn overview(State(app): State<Arc<App>>, _: SignedIn) -> Json<Overview> {
    let prompts = app.mind.prompts();
    let policy = &prompts.policy;
    let intents = policy.intent.iter().map(|(id, own)| OwnBands {
        id: id.clone(),
        autonomy: own.autonomy,
        send_at: own.send_at,
        hold_at: own.hold_at,
    });
    Json(Overview {
        bands: Figures {
            send_at: policy.send_at,
            hold_at: policy.hold_at,
            passage_floor: policy.passage_floor,
            turn_cap: policy.turn_cap,
            stalled_cap: policy.stalled_cap,
        },
        intents: intents.collect(),
        rules: policy.rule.iter().map(|rule| explained(&prompts, rule)).collect(),
        guardrails: policy.guardrail.iter().map(kept).collect(),
        style: policy.style.clone(),
        tuning: Tuning::of(&app),
    })
}

fn kept(guardrail: &Guardrail) -> Kept {
    Kept {
        id: guardrail.id.clone(),
        action: Action::from(guardrail.action).as_str(),
        words: guardrail.words.iter().map(ToString::to_string).collect(),
        unless: guardrail.unless.iter().map(ToString::to_string).collect(),
    }
}

fn explained(prompts: &Prompts, rule: &Rule) -> Explained {
    Explained {
        id: rule.id.clone(),
        line: rule.line,
        action: rule.action,
        why: rule.reason.why(),
        say: prompts.templates.say(rule.say_id()),
        words: rule.words.iter().map(ToString::to_string).collect(),
        unless: rule.unless.iter().map(ToString::to_string).collect(),
        intents: rule.intents.clone(),
        score: rule.score,
        frustration: rule.frustration,
        at_most_words: rule.at_most_words,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    // Named, so that nothing is chosen by leaving it out.
    #[serde(deserialize_with = "Option::deserialize")]
    at_most_wrong: Option<f32>,
}

/// `POST /console/api/rules/wrong`.
pub(super) async fn choose(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Choice>, JsonRejection>,
) -> Result<Json<Tuning>, ApiError> {
    let Json(choice) = body.map_err(unreadable)?;
    if choice.at_most_wrong.is_some_and(|share| !ALLOWED.contains(&share)) {
        let message = format!(
            "at_most_wrong lies between {} and {}, or is null.",
            ALLOWED.start(),
            ALLOWED.end()
        );
        return Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message));
    }
    tuning::choose(&app, choice.at_most_wrong).await.map_err(|error| ApiError::internal(&error))?;
    Ok(Json(Tuning::of(&app)))
}
