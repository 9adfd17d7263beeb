//! The fence around automatic replies: what may become of a finished draft when others have acted meanwhile.

use crate::conversation::State;

/// What a draft was begun for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Seq of the visitor's message that it answers.
    pub for_seq: i64,
    /// Generation of the conversation when the job was made; it rises with every change of holder.
    pub generation: i64,
}

/// The conversation as it is in the transaction that ends the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// Who holds it.
    pub state: State,
    /// Its generation.
    pub generation: i64,
    /// Whether the worker's lease still holds the job.
    pub leased: bool,
    /// Seq of the visitor's newest message, 0 for none.
    pub visitor: i64,
    /// Seq of a person's newest message, 0 for none.
    pub owner: i64,
}

/// What may become of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The decision over it holds: the visitor may get it.
    Reply,
    /// A person holds the conversation or is awaited: it is a suggestion, with its decision.
    Suggest,
    /// A person came first and has not written yet: what was drafted until then is theirs to use.
    Leave,
    /// It answers nothing any more.
    Drop,
}

/// What may become of a draft that was begun for `claim`.
pub fn may_finish(claim: Claim, scene: Scene) -> Verdict {
    let newest = scene.visitor == claim.for_seq;
    if scene.leased && scene.generation == claim.generation && newest {
        return if scene.state == State::Bot { Verdict::Reply } else { Verdict::Suggest };
    }
    if scene.state == State::Owner && newest && scene.owner <= claim.for_seq {
        return Verdict::Leave;
    }
    Verdict::Drop
}

/// Whether a draft on its way has to stop: another holder has the conversation, or somebody has written since.
pub fn is_void(claim: Claim, generation: i64, head: i64) -> bool {
    claim.generation != generation || head > claim.for_seq
}

/// The visitor's message that is still without an answer when a person gives the conversation back; nobody has said
/// anything since.
pub fn left_open(visitor: i64, owner: i64, bot: i64) -> Option<i64> {
    (visitor > owner.max(bot)).then_some(visitor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_ends_as_the_scene_allows() {
        let claim = Claim { for_seq: 5, generation: 2 };
        let scene = Scene { state: State::Bot, generation: 2, leased: true, visitor: 5, owner: 3 };
        for (scene, expect) in [
            (scene, Verdict::Reply),
            (Scene { state: State::Waiting, ..scene }, Verdict::Suggest),
            (Scene { state: State::Owner, ..scene }, Verdict::Suggest),
            (Scene { leased: false, ..scene }, Verdict::Drop),
            (Scene { visitor: 6, ..scene }, Verdict::Drop),
            (Scene { generation: 3, ..scene }, Verdict::Drop),
            (Scene { generation: 3, state: State::Owner, leased: false, ..scene }, Verdict::Leave),
            (Scene { generation: 3, state: State::Owner, owner: 6, ..scene }, Verdict::Drop),
            (Scene { generation: 3, state: State::Owner, visitor: 6, ..scene }, Verdict::Drop),
        ] {
            assert_eq!(may_finish(claim, scene), expect, "{scene:?}");
        }
    }

    #[test]
    fn a_draft_stops_for_another_holder_or_newer_words() {
        let claim = Claim { for_seq: 5, generation: 2 };
        assert!(!is_void(claim, 2, 5));
        assert!(is_void(claim, 3, 5));
        assert!(is_void(claim, 2, 6));
    }

    #[test]
    fn a_question_is_open_until_somebody_answers() {
        assert_eq!(left_open(5, 3, 4), Some(5));
        assert_eq!(left_open(5, 6, 4), None);
        assert_eq!(left_open(5, 3, 6), None);
        assert_eq!(left_open(0, 0, 0), None);
    }
}
