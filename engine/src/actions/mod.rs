//! Actions: functions of the owner's, called over HTTP for a visitor. What they need is filled from the visitor's words alone, who
//! the visitor is comes from a proof of contact and from nothing else, and what changes something is confirmed by a button.

mod address;
mod arguments;
mod book;
mod file;
mod request;
mod results;
mod words;

pub use address::Base;
pub use arguments::{Argument, Arguments};
pub use book::{Access, Action, ActionBook, Method, Outgoing};
pub use request::{Call, Ground, Request, begin, confirmed, describe, go_on, pending, proved};
pub use results::{Shown, clean};
pub use words::{TEXTS, mask, said};
