//! The demo's shop: orders, invoices and subscriptions of three invented customers, behind a key, each customer with their own only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, extract::rejection::JsonRejection};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::{Demo, demo};
use crate::app::App;

/// Requests that are remembered.
const HEARD: usize = 2_000;
/// Answers that are remembered by their idempotency key.
const KEYS: usize = 500;
/// Header of the key.
pub const KEY: &str = "x-porchlight-key";
/// Header that says whose account it is.
const SUBJECT: &str = "x-customer-email";
/// Field that says so.
const SUBJECT_FIELD: &str = "customer_email";

/// A request as the shop has seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Method and path.
    pub line: String,
    /// Whose account it was to be about.
    pub subject: String,
    /// Its idempotency key.
    pub key: String,
    /// What was answered.
    pub status: u16,
}

/// What the shop knows and remembers.
#[derive(Debug)]
pub(super) struct Shop {
    customers: BTreeMap<&'static str, Customer>,
    heard: VecDeque<Heard>,
    answered: VecDeque<(String, Value)>,
}

#[derive(Debug)]
struct Customer {
    orders: Vec<Order>,
    billing_email: String,
    /// What their subscription is, where they have one.
    subscription: Option<String>,
}

#[derive(Debug)]
struct Order {
    number: &'static str,
    status: &'static str,
    items: &'static [&'static str],
    expected: Option<&'static str>,
}

impl Default for Shop {
    fn default() -> Self {
        let order = |number, status, items, expected| Order { number, status, items, expected };
        let ada = vec![
            order(
                "12345",
                "On its way",
                &["Porch lamp, brass", "Two bulbs"],
                Some("Tomorrow, 9 to 12"),
            ),
            order("12377", "Delivered", &["Door bell"], None),
        ];
        let grace =
            vec![order("23456", "Being packed", &["Garden lantern"], Some("In three days"))];
        let linus = vec![order("34567", "Sent back", &["String of lights"], None)];
        let customer = |email: &str, orders, subscription: Option<&str>| Customer {
            orders,
            billing_email: email.to_owned(),
            subscription: subscription.map(str::to_owned),
        };
        let customers = [
            ("ada@demo.example", ada, Some("Active, monthly")),
            ("grace@demo.example", grace, Some("Active, yearly")),
            ("linus@demo.example", linus, None),
        ];
        let customers = customers
            .into_iter()
            .map(|(email, orders, subscription)| (email, customer(email, orders, subscription)));
        Self { customers: customers.collect(), heard: VecDeque::new(), answered: VecDeque::new() }
    }
}

/// An answer on its way.
type Answer = Result<Value, (StatusCode, &'static str)>;

impl Shop {
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.iter().cloned().collect()
    }

    fn note(&mut self, heard: Heard) {
        if self.heard.len() >= HEARD {
            self.heard.pop_front();
        }
        self.heard.push_back(heard);
    }

    fn customer(&mut self, subject: &str) -> Result<&mut Customer, (StatusCode, &'static str)> {
        let unknown = (StatusCode::FORBIDDEN, "There is no such customer.");
        self.customers.get_mut(subject).ok_or(unknown)
    }

    fn order(&mut self, subject: &str, number: &str) -> Result<&Order, (StatusCode, &'static str)> {
        // Orders of others are not found, as those that do not exist.
        let unknown = (StatusCode::NOT_FOUND, "There is no such order.");
        self.customer(subject)?.orders.iter().find(|order| order.number == number).ok_or(unknown)
    }

    /// Does what changes something once for each key: whoever asks again gets the same answer.
    fn once(&mut self, key: &str, act: impl FnOnce(&mut Self) -> Answer) -> Answer {
        if let Some((_, answer)) = self.answered.iter().find(|(known, _)| known == key) {
            return Ok(answer.clone());
        }
        let answer = act(self)?;
        if !key.is_empty() {
            if self.answered.len() >= KEYS {
                self.answered.pop_front();
            }
            self.answered.push_back((key.to_owned(), answer.clone()));
        }
        Ok(answer)
    }
}

/// A request to the shop.
struct Asked<'a> {
    headers: &'a HeaderMap,
    line: String,
    subject: String,
}

impl<'a> Asked<'a> {
    fn new(headers: &'a HeaderMap, line: String) -> Self {
        Self { headers, line, subject: header(headers, SUBJECT) }
    }

    /// Checks the key, acts, and remembers what was asked and answered.
    fn answer(self, demo: &Demo, act: impl FnOnce(&mut Shop, &str, &str) -> Answer) -> Response {
        let shown = header(self.headers, KEY);
        let known: bool = shown.as_bytes().ct_eq(demo.key().as_bytes()).into();
        let key = header(self.headers, "idempotency-key");
        let mut state = demo.state();
        let answer = match known {
            true => act(&mut state.shop, &self.subject, &key),
            false => Err((StatusCode::UNAUTHORIZED, "The key is wrong.")),
        };
        let status = answer.as_ref().map_or_else(|(status, _)| *status, |_| StatusCode::OK);
        let Self { line, subject, .. } = self;
        state.shop.note(Heard { line, subject, key, status: status.as_u16() });
        match answer {
            Ok(body) => Json(body).into_response(),
            Err((status, problem)) => (status, Json(json!({ "error": problem }))).into_response(),
        }
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// `GET /demo/shop/orders/{order}`.
pub(super) async fn order(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    let demo = match demo(&app) {
        Ok(demo) => demo,
        Err(off) => return off.into_response(),
    };
    let asked = Asked::new(&headers, format!("GET orders/{number}"));
    asked.answer(demo, |shop, subject, _| {
        let order = shop.order(subject, &number)?;
        let expected = order.expected;
        Ok(json!({ "order": order.number, "status": order.status, "items": order.items, "expected": expected }))
    })
}

/// `POST /demo/shop/orders/{order}/invoice`.
pub(super) async fn invoice(
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Response {
    let demo = match demo(&app) {
        Ok(demo) => demo,
        Err(off) => return off.into_response(),
    };
    let asked = Asked::new(&headers, format!("POST orders/{number}/invoice"));
    let mut sent = None;
    let response = asked.answer(demo, |shop, subject, key| {
        shop.once(key, |shop| {
            let invoice = format!("INV-{}", shop.order(subject, &number)?.number);
            let to = shop.customer(subject)?.billing_email.clone();
            sent = Some((to.clone(), invoice.clone()));
            Ok(json!({ "invoice": invoice, "sent_to": to }))
        })
    });
    if let Some((to, invoice)) = sent.filter(|(to, _)| super::is_demo(to)) {
        let text = format!("Here is your invoice {invoice} again. (A demo: there is none.)");
        demo.deliver(&to, ("Your invoice", &text), app.clock.now_ms());
    }
    response
}

/// `POST /demo/shop/billing-email`.
pub(super) async fn billing_email(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Response {
    let demo = match demo(&app) {
        Ok(demo) => demo,
        Err(off) => return off.into_response(),
    };
    let body = body.map(|Json(body)| body).unwrap_or_default();
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let (subject, email) = (text(SUBJECT_FIELD), text("billing_email"));
    let asked = Asked { subject, ..Asked::new(&headers, "POST billing-email".into()) };
    asked.answer(demo, |shop, subject, key| {
        if !email.contains('@') || email.len() > 100 {
            return Err((StatusCode::UNPROCESSABLE_ENTITY, "That is no e-mail address."));
        }
        shop.once(key, |shop| {
            let customer = shop.customer(subject)?;
            customer.billing_email = email;
            Ok(json!({ "billing_email": customer.billing_email }))
        })
    })
}

/// `POST /demo/shop/subscription/pause`.
pub(super) async fn pause(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Response {
    let demo = match demo(&app) {
        Ok(demo) => demo,
        Err(off) => return off.into_response(),
    };
    let months = body.ok().and_then(|Json(body)| body["months"].as_u64()).unwrap_or(0);
    let asked = Asked::new(&headers, "POST subscription/pause".into());
    asked.answer(demo, |shop, subject, key| {
        if !(1..=3).contains(&months) {
            return Err((StatusCode::UNPROCESSABLE_ENTITY, "One to three months."));
        }
        shop.once(key, |shop| {
            let subscription = &mut shop.customer(subject)?.subscription;
            let none = (StatusCode::CONFLICT, "There is no subscription.");
            let subscription = subscription.as_mut().ok_or(none)?;
            *subscription = "Paused".into();
            let resumes =
                if months == 1 { "In one month".into() } else { format!("In {months} months") };
            Ok(json!({ "subscription": "Paused", "resumes": resumes }))
        })
    })
}
