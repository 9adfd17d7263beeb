//! Who is told what, and what became of it; and a notice to try a channel with.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::account::unreadable;
use crate::app::App;
use crate::auth::session::SignedIn;
use crate::error::ApiError;
use crate::notify::mail::MailError;
use crate::notify::{self, Event};
use crate::outbox::{self, Channel, Unsent};

/// Parcels that are listed.
const RECENT: i64 = 100;

#[derive(Debug, Serialize)]
pub(super) struct Overview {
    channels: Vec<ChannelLine>,
    routes: Vec<RouteLine>,
    quiet: Option<String>,
    recent: Vec<ParcelLine>,
    problem: Option<String>,
}

/// A channel that is set up.
#[derive(Debug, Serialize)]
struct ChannelLine {
    id: String,
    kind: &'static str,
    target: String,
    /// Why nothing goes out on it.
    problem: Option<String>,
}

/// Who is told about one event.
#[derive(Debug, Serialize)]
struct RouteLine {
    event: Event,
    to: Vec<String>,
    urgent: bool,
}

/// What became of one parcel.
#[derive(Debug, Serialize)]
struct ParcelLine {
    id: String,
    event: String,
    channel: String,
    conversation: String,
    /// `queued`, `sent`, `failed` or `digest`.
    status: String,
    attempts: i64,
    at: i64,
    error: Option<String>,
}

/// `GET /console/api/notifications`.
pub(super) async fn overview(
    State(app): State<Arc<App>>,
    _: SignedIn,
) -> Result<Json<Overview>, ApiError> {
    let prompts = app.mind.prompts();
    let rules = &prompts.notify;
    let stopped = app.store.stopped_targets().await?;
    let channel = |(channel, target): (Channel, String)| ChannelLine {
        id: channel.name(&target),
        kind: channel.as_str(),
        problem: trouble(&app, (channel, &target), &stopped),
        target,
    };
    let route = |event: &Event| {
        let told = rules.told(*event);
        RouteLine {
            event: *event,
            urgent: told.iter().any(|(_, _, urgent)| *urgent),
            to: told.iter().map(|(channel, target, _)| channel.name(target)).collect(),
        }
    };
    let recent = app.store.recent_parcels(RECENT).await?.into_iter().map(|row| ParcelLine {
        channel: Channel::of(&row.channel)
            .map_or_else(|| row.channel.clone(), |channel| channel.name(&row.target)),
        id: row.id,
        event: row.event,
        conversation: row.conversation,
        status: if row.status == "leased" { "queued".into() } else { row.status },
        attempts: row.attempts,
        at: row.created_at,
        error: Some(row.error).filter(|error| !error.is_empty()),
    });
    Ok(Json(Overview {
        channels: rules.channels().into_iter().map(channel).collect(),
        routes: Event::ALL.iter().map(route).filter(|route| !route.to.is_empty()).collect(),
        quiet: rules.quiet.map(|quiet| quiet.to_string()),
        recent: recent.collect(),
        problem: problem(&app),
    }))
}

/// Why nothing goes out on a channel.
fn trouble(
    app: &App,
    (channel, target): (Channel, &str),
    stopped: &[(String, String)],
) -> Option<String> {
    if channel == Channel::Mail && !app.mailer.is_set() {
        return Some(MailError::NotSet.to_string());
    }
    let gone = stopped.iter().any(|(c, t)| c == channel.as_str() && t == target);
    gone.then(|| {
        "It answered 410 Gone and is told nothing more. A test that succeeds begins it again."
            .into()
    })
}

/// What is wrong with all of it.
fn problem(app: &App) -> Option<String> {
    let refused = match app.outbox.refused() {
        0 => None,
        count => Some(format!(
            "{count} notices were not kept since the start, as {} wait to be sent already.",
            outbox::MAX
        )),
    };
    let problems: Vec<String> = refused.into_iter().chain(app.inbox.problem()).collect();
    (!problems.is_empty()).then(|| problems.join(" "))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    channel: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Tested {
    ok: bool,
}

/// `POST /console/api/notifications/test`.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    _: SignedIn,
    body: Result<Json<Test>, JsonRejection>,
) -> Result<Json<Tested>, ApiError> {
    let Json(body) = body.map_err(unreadable)?;
    let prompts = app.mind.prompts();
    let known =
        Channel::named(&body.channel).filter(|channel| prompts.notify.channels().contains(channel));
    let Some((channel, target)) = known else {
        let message = "There is no such channel in notify.toml.";
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_channel", message));
    };
    match notify::test(&app, (channel, &target)).await {
        Ok(()) => {
            let mut tx = app.store.begin().await?;
            tx.resume_target(channel.as_str(), &target).await?;
            tx.commit().await?;
            Ok(Json(Tested { ok: true }))
        }
        Err(Unsent::Later(why) | Unsent::Final(why) | Unsent::Stop(why)) => {
            let message = format!("The notice was not delivered: {why}");
            Err(ApiError::new(StatusCode::BAD_GATEWAY, "not_delivered", message))
        }
    }
}
