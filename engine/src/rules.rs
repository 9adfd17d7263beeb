//! Rules and decisions: what a message may trigger before anything is drafted, and what becomes of a turn and why.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::intent::Reading;
use crate::phrase::Phrase;
use crate::text;

/// A rule of the owner: matches words or an intent of the newest message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Name that records show: `money-words`.
    pub id: String,
    /// What happens.
    pub action: RuleAction,
    /// Why, in the field's words.
    pub reason: Reason,
    /// Words or phrases in one sentence of the message. Any one suffices.
    #[serde(default)]
    pub words: Vec<Phrase>,
    /// Phrases that take a match away: words that stand in one of them do not count, nor does the intent beside it.
    #[serde(default)]
    pub unless: Vec<Phrase>,
    /// Ids of intents. Any one suffices when it is the primary tag with at least `score`.
    #[serde(default)]
    pub intents: Vec<String>,
    /// Score that a matching intent needs, 0 to 1.
    #[serde(default = "half")]
    pub score: f32,
    /// Score of sounding annoyed, 0 to 1, from which the rule matches.
    pub frustration: Option<f32>,
    /// The message may have at most this many words for the rule to match; 0 is no limit.
    #[serde(default)]
    pub at_most_words: usize,
    /// Id of the text in `prompts/templates.toml` that the visitor is told; empty takes the action's own.
    #[serde(default)]
    pub say: String,
    /// Line of the policy that it begins in, from 1.
    #[serde(skip)]
    pub line: usize,
}

fn half() -> f32 {
    0.5
}

/// What a rule may do before drafting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// A person is asked for, nothing is drafted.
    HandOff,
    /// A draft is made for the owner, the visitor does not get it.
    Hold,
    /// The visitor gets the text named by `say`, nothing is drafted.
    Say,
}

/// What becomes of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The visitor gets the draft.
    Send,
    /// The owner gets the draft as a suggestion, the visitor waits.
    Hold,
    /// A person is asked for.
    HandOff,
}

impl Action {
    /// The word used in records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Hold => "hold",
            Self::HandOff => "hand_off",
        }
    }
}

/// Why it was decided so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The draft is supported and its confidence is high enough.
    Confident,
    /// Greeting, thanks or good-bye.
    SmallTalk,
    /// The visitor asks whether a person or a program answers.
    AskedIfHuman,
    /// The visitor asked for a person.
    AskedForPerson,
    /// A legal, medical or otherwise regulated topic.
    RegulatedTopic,
    /// A topic that the owner keeps from the bot.
    DoNotAnswer,
    /// Words about the visitor's money.
    MoneyWords,
    /// A question about the visitor's own account or order, who is not known.
    UnverifiedAccount,
    /// The visitor is annoyed.
    Frustration,
    /// Several automatic replies in a row brought the visitor no further.
    NoProgress,
    /// The bot has answered often enough.
    TurnCap,
    /// Not about the owner's business.
    OffTopic,
    /// No passage answers.
    NoPassage,
    /// The passages answer, but not surely enough.
    LowConfidence,
    /// Two answers are equally near, so the visitor is asked which is meant.
    Competing,
    /// What the owner has set for this kind of question.
    IntentPolicy,
    /// A sentence of the draft is not in the passages.
    Unsupported,
    /// The visitor writes in a language that no document is in.
    OtherLanguage,
    /// A guardrail of the owner's keeps the draft from the visitor.
    Guardrail,
    /// The message holds no words.
    Unreadable,
    /// A flow of the owner's goes on.
    Flow,
    /// An action of the owner's goes on.
    Action,
    /// An action failed, or may have failed.
    ActionFailed,
    /// The visitor is stuck at a step.
    Stuck,
    /// A visitor who is worth calling at once.
    Lead,
    /// Nobody is there, so it becomes a ticket.
    AfterHours,
    /// The time has come to get back to the visitor.
    FollowUp,
    /// A model or the index failed.
    Fault,
}

impl Reason {
    /// The word used in records and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confident => "confident",
            Self::SmallTalk => "small_talk",
            Self::AskedIfHuman => "asked_if_human",
            Self::AskedForPerson => "asked_for_person",
            Self::RegulatedTopic => "regulated_topic",
            Self::DoNotAnswer => "do_not_answer",
            Self::MoneyWords => "money_words",
            Self::UnverifiedAccount => "unverified_account",
            Self::Frustration => "frustration",
            Self::NoProgress => "no_progress",
            Self::TurnCap => "turn_cap",
            Self::OffTopic => "off_topic",
            Self::NoPassage => "no_passage",
            Self::LowConfidence => "low_confidence",
            Self::Competing => "competing",
            Self::IntentPolicy => "intent_policy",
            Self::Unsupported => "unsupported",
            Self::OtherLanguage => "other_language",
            Self::Guardrail => "guardrail",
            Self::Unreadable => "unreadable",
            Self::Flow => "flow",
            Self::Action => "action",
            Self::ActionFailed => "action_failed",
            Self::Stuck => "stuck",
            Self::Lead => "lead",
            Self::AfterHours => "after_hours",
            Self::FollowUp => "follow_up",
            Self::Fault => "fault",
        }
    }

    /// A sentence for the owner.
    pub fn why(self) -> &'static str {
        match self {
            Self::Confident => "The documents answer this, and every sentence is supported.",
            Self::SmallTalk => "A greeting, thanks or good-bye; nothing to look up.",
            Self::AskedIfHuman => {
                "The visitor asked whether a person or a program answers; the answer is true."
            }
            Self::AskedForPerson => "The visitor asked for a person.",
            Self::RegulatedTopic => "The topic is one that a person has to answer.",
            Self::DoNotAnswer => "The owner has said that the bot does not answer this.",
            Self::MoneyWords => {
                "The message is about the visitor's money, so a person decides what is sent."
            }
            Self::UnverifiedAccount => {
                "The question is about the visitor's own account or order, and nobody knows yet who they are."
            }
            Self::Frustration => "The visitor sounds annoyed.",
            Self::NoProgress => {
                "Several automatic replies in a row brought the visitor no further."
            }
            Self::TurnCap => "The bot has answered as often in a row as the policy allows.",
            Self::OffTopic => "The question does not seem to be about this business.",
            Self::NoPassage => "Nothing in the documents answers this.",
            Self::LowConfidence => "The documents may answer this, but not surely enough.",
            Self::Competing => {
                "Two answers are equally near, so the visitor was asked which is meant."
            }
            Self::IntentPolicy => {
                "The owner has set that a person answers this kind of question, or looks at the answer first."
            }
            Self::Unsupported => "A sentence of the draft is not supported by the documents.",
            Self::OtherLanguage => {
                "The visitor writes in a language that none of the documents is in."
            }
            Self::Guardrail => "A sentence of the draft says what the owner wants no bot to say.",
            Self::Unreadable => "The message holds no words that can be looked up.",
            Self::Flow => "A flow that you have set up goes on.",
            Self::Action => "An action that you have set up goes on.",
            Self::ActionFailed => {
                "An action failed, or nobody knows whether it worked; its steps stand in the conversation."
            }
            Self::Stuck => "The visitor is stuck at a step.",
            Self::Lead => {
                "The visitor has left contact details that you want to follow up at once."
            }
            Self::AfterHours => "Nobody is there now, so a ticket is made of it.",
            Self::FollowUp => {
                "The visitor wrote outside office hours, and was told to hear from you now."
            }
            Self::Fault => "A model or the index failed; the log says more.",
        }
    }
}

/// A decision with the rule that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What happens.
    pub action: Action,
    /// Id of the rule: the owner's, or one of the engine's own (`confident`, `unsure`, `low-confidence`, …).
    pub rule: String,
    /// Why.
    pub reason: Reason,
}

/// What is known of a message before anything is drafted.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Its words.
    pub text: &'a str,
    /// What it was read as.
    pub reading: &'a Reading,
    /// How annoyed it sounds, 0 to 1.
    pub frustration: f32,
}

impl Rule {
    /// Id of the text that the visitor is told: the rule's own, else its action's.
    pub fn say_id(&self) -> &str {
        match (self.say.as_str(), self.action) {
            ("", RuleAction::HandOff) => "hand_off",
            ("", RuleAction::Hold) => "hold",
            (own, _) => own,
        }
    }

    /// Whether the rule decides over the message.
    pub fn matches(&self, heard: &Heard<'_>) -> bool {
        let sentences = text::sentences(heard.text);
        let words: usize = sentences.iter().map(Vec::len).sum();
        if self.at_most_words > 0 && words > self.at_most_words {
            return false;
        }
        self.frustration.is_some_and(|score| heard.frustration >= score)
            || sentences.iter().any(|words| self.stands_in(words))
            || self.is_meant(heard.reading, &sentences)
    }

    /// Whether one of its phrases stands in the sentence, and outside of those that take it away.
    fn stands_in(&self, words: &[String]) -> bool {
        stands_in(words, &self.words, &self.unless)
    }

    /// Whether the message was read as one of its intents, with no phrase in it that takes that away.
    fn is_meant(&self, reading: &Reading, sentences: &[Vec<String>]) -> bool {
        let tagged = reading
            .primary()
            .is_some_and(|tag| tag.score >= self.score && self.intents.contains(&tag.id));
        let taken =
            |words: &Vec<String>| self.unless.iter().any(|p| p.places(words).next().is_some());
        tagged && !sentences.iter().any(taken)
    }
}

/// Whether one of the phrases stands in the words of a sentence, and outside of those that take it away.
pub(crate) fn stands_in(words: &[String], phrases: &[Phrase], unless: &[Phrase]) -> bool {
    let apart = |place: &Range<usize>| {
        let mut taken = unless.iter().flat_map(|phrase| phrase.places(words));
        !taken.any(|other| place.start < other.end && other.start < place.end)
    };
    phrases.iter().any(|phrase| phrase.places(words).any(|place| apart(&place)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::Scored;

    fn check(rule: &str, (text, frustration): (&str, f32), expect: bool) {
        let head = "id='r'\naction='hand_off'\nreason='frustration'\n";
        let rule: Rule = toml::from_str(&format!("{head}{rule}")).unwrap();
        let tag = Scored { id: "human".into(), label: "Human".into(), score: 0.9 };
        let reading = Reading { tags: vec![tag], ..Reading::default() };
        let heard = Heard { text, reading: &reading, frustration };
        assert_eq!(rule.matches(&heard), expect, "{text:?} / {rule:?}");
    }

    #[test]
    fn a_rule_matches_by_words_intent_or_tone() {
        let words = "words=['talk|speak .. person|human']\nunless=['am i talk* .. human']";
        check(words, ("Can I talk to a human?", 0.0), true);
        check(words, ("am i talking to a human", 0.0), false);
        check(
            "words=['talk* .. human']\nunless=['am i talk* .. human']",
            ("Am I talking to a human", 0.0),
            false,
        );
        check(
            "words=['human']\nunless=['are you .. human']",
            ("are you human? get me a human", 0.0),
            true,
        );
        check(
            "words=['human']\nunless=['human resources']",
            ("the human resources module", 0.0),
            false,
        );
        check(
            "words=['human']\nunless=['human resources']",
            ("human resources? I want a human", 0.0),
            true,
        );
        check("words=['talk .. human']", ("We talk. A human came", 0.0), false);
        check("intents=['human']", ("whatever", 0.0), true);
        check("intents=['human']\nscore=0.95", ("whatever", 0.0), false);
        check("intents=['human']\nunless=['what*']", ("whatever", 0.0), false);
        check("intents=['human']\nat_most_words=2", ("one two three", 0.0), false);
        check("frustration=0.8", ("ok", 0.79), false);
        check("frustration=0.8", ("ok", 0.8), true);
    }
}
