//! The visitor's end of a chat, and what it says to the questions after it.

use super::{Complaint, Visitor, VisitorTalk, complaint, failed};
use crate::closing;
use crate::surveys::{self, Answer, Unasked};

impl VisitorTalk {
    /// The visitor ends the chat. Where none has begun, or it has ended, nothing happens.
    pub(super) async fn resolve(&self, visitor: &Visitor) -> Result<(), Complaint> {
        self.paced(visitor)?;
        let changes = closing::leave(&self.app, visitor).await.map_err(complaint)?;
        self.tell(changes);
        Ok(())
    }

    /// The visitor answers a question.
    pub(super) async fn rate(
        &self,
        visitor: &Visitor,
        survey: &str,
        answer: Answer,
    ) -> Result<(), Complaint> {
        self.paced(visitor)?;
        let id = visitor.conversation.as_deref().ok_or_else(|| refused(Unasked::Unknown))?;
        self.heard(id, surveys::answer(&self.app, id, survey, answer).await)
    }

    /// The visitor does not want to answer.
    pub(super) async fn decline(&self, visitor: &Visitor, survey: &str) -> Result<(), Complaint> {
        self.paced(visitor)?;
        let id = visitor.conversation.as_deref().ok_or_else(|| refused(Unasked::Unknown))?;
        self.heard(id, surveys::decline(&self.app, id, survey).await)
    }

    /// Whose answer is not taken learns what is asked now.
    fn heard(&self, id: &str, done: Result<(), Unasked>) -> Result<(), Complaint> {
        if done.is_err() {
            surveys::tell(&self.app, id);
        }
        done.map_err(refused)
    }
}

fn refused(unasked: Unasked) -> Complaint {
    let message = unasked.to_string();
    match unasked {
        Unasked::Unknown => Complaint::mild("unknown_survey", message),
        Unasked::Over => Complaint::mild("survey_over", message),
        Unasked::Bad(_) => Complaint::mild("bad_frame", message),
        Unasked::Store(error) => failed(error),
    }
}
