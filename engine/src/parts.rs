//! All that a reply is made from, in one place that can be passed on.

use crate::confidence::Tuned;
use crate::draft::Mode;
use crate::entities::Entities;
use crate::intent::IntentBook;
use crate::model::Model;
use crate::policy::Policy;
use crate::prompt::Templates;
use crate::search::Search;
use crate::tasks::Books;

/// All that a reply is made from.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    /// The owner's documents.
    pub search: &'a dyn Search,
    /// Encoder and drafter.
    pub model: &'a dyn Model,
    /// The owner's intents.
    pub intents: &'a IntentBook,
    /// The owner's policy.
    pub policy: &'a Policy,
    /// The texts around answers.
    pub templates: &'a Templates,
    /// The owner's flows, actions and office hours.
    pub books: &'a Books,
    /// Finds what messages name.
    pub entities: &'a Entities,
    /// How sure is how sure, and how sure is sure enough.
    pub tuned: Tuned,
    /// How to draft.
    pub mode: Mode,
}
