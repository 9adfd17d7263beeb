//! What is measured: the formulas of the evals, and the stream of events that every figure of a scorecard follows from.

pub mod audit;
mod audit_surveys;
mod audit_timers;
mod board;
mod case;
mod cases;
pub mod clock;
mod compare;
mod evals;
pub mod event;
mod finish;
mod group;
pub mod item;
mod money;
mod rates;
pub mod scorecard;
mod timers;

pub use board::{Board, Filter, NPS_MS, Period};
pub use case::{Case, Conversion, DURABLE_MS, Kind, Survey, Trend};
pub use cases::{ASSIST_MS, HANDLING_MS, cases};
pub use compare::differ;
pub use evals::*;
pub use money::{Assumptions, Savings};
pub use rates::{Counts, Csat, NPS_LEAST, Nps, Share, mean, normalised};
pub use scorecard::Scorecard;
pub use timers::{Spread, Timer};
