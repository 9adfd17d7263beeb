//! The visit that a visitor writes from.

use super::{Complaint, Visitor, VisitorTalk, fatal};
use crate::events::visits::{self, Names, Opening};

impl VisitorTalk {
    /// The chat was opened in a visit; conversations that begin on this connection are of it.
    pub(super) async fn opened(
        &mut self,
        visitor: &Visitor,
        opening: Opening,
    ) -> Result<(), Complaint> {
        let unnamed = "`session` and `visitor` are 32 lower-case hexadecimal digits.";
        let opening = opening.clean().ok_or_else(|| Complaint::mild("bad_visit", unnamed))?;
        if visitor.visit.as_ref().is_some_and(|names| names.session == opening.session) {
            return Ok(());
        }
        // A visit begins no conversation, and costs no more than a message.
        let known = Visitor { conversation: Some(String::new()), ..visitor.clone() };
        self.paced(&known)?;
        let told = visits::opened(&self.app, visitor.conversation.as_deref(), &opening).await;
        told.map_err(fatal)?;
        if let Some(own) = &mut self.visitor {
            let Opening { session, visit } = opening;
            own.visit = Some(Box::new(Names { session, visitor: visit.visitor }));
        }
        Ok(())
    }
}
