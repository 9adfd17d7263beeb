//! The demo: a shop with invented customers, and the inbox where their mail arrives. Nothing of it leaves this machine, and a
//! restart begins it anew.

pub mod shop;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;

use crate::app::App;
use crate::clock::Ids;
use crate::error::ApiError;
use crate::notify::mail::Mail;

use shop::Shop;

/// What the addresses of the demo's customers end in. It is no name of the internet (RFC 2606).
const HOST: &str = "@demo.example";
/// Mails that the inbox keeps.
const MAILS: usize = 20;
/// Characters of a mail that it keeps.
const MAX_TEXT: usize = 10_000;

/// The demo of a running server.
#[derive(Debug)]
pub struct Demo {
    /// What calls of this server's own show at the shop.
    key: String,
    state: Mutex<Demonstrated>,
}

/// What the demo remembers.
#[derive(Debug, Default)]
struct Demonstrated {
    shop: Shop,
    inbox: VecDeque<Arrived>,
}

/// A mail in the inbox.
#[derive(Debug, Clone, Serialize)]
struct Arrived {
    to: String,
    subject: String,
    text: String,
    at: i64,
}

impl Demo {
    /// A demo as it is at the start.
    pub fn new(ids: &Ids) -> Self {
        Self { key: ids.secret(), state: Mutex::default() }
    }

    /// What opens the shop's interface.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What was asked of the shop, the newest last.
    pub fn heard(&self) -> Vec<shop::Heard> {
        self.state().shop.heard()
    }

    fn state(&self) -> MutexGuard<'_, Demonstrated> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, to: &str, (subject, text): (&str, &str), at: i64) {
        let cut = |text: &str| text.chars().take(MAX_TEXT).collect::<String>();
        let mail = Arrived { to: to.to_owned(), subject: cut(subject), text: cut(text), at };
        let mut state = self.state();
        if state.inbox.len() >= MAILS {
            state.inbox.pop_front();
        }
        state.inbox.push_back(mail);
    }
}

/// Whether an address is one of the demo's.
pub fn is_demo(email: &str) -> bool {
    email.to_lowercase().ends_with(HOST)
}

/// Takes a mail to an address of the demo's: it is put into the inbox and goes nowhere else.
pub fn takes(app: &App, mail: &Mail) -> bool {
    let Some(demo) = app.demo.as_ref().filter(|_| is_demo(&mail.to)) else { return false };
    demo.deliver(&mail.to, (&mail.subject, &mail.text), app.clock.now_ms());
    true
}

/// Everything below `/demo` that is no file.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/demo/inbox", get(inbox))
        .route("/demo/shop/orders/{order}", get(shop::order))
        .route("/demo/shop/orders/{order}/invoice", post(shop::invoice))
        .route("/demo/shop/billing-email", post(shop::billing_email))
        .route("/demo/shop/subscription/pause", post(shop::pause))
}

/// The demo, if it is on.
fn demo(app: &App) -> Result<&Demo, ApiError> {
    let off = || ApiError::new(StatusCode::NOT_FOUND, "no_demo", "The demo is switched off here.");
    app.demo.as_ref().ok_or_else(off)
}

/// `GET /demo/inbox`.
async fn inbox(State(app): State<Arc<App>>) -> Result<Json<Vec<Arrived>>, ApiError> {
    Ok(Json(demo(&app)?.state().inbox.iter().rev().cloned().collect()))
}
