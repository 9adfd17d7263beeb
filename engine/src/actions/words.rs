//! What is said around actions. The owner's `templates.toml` may say it otherwise, in any language.

use crate::prompt::Templates;

/// Ids of the texts with what is said where the owner's file lacks them.
pub const TEXTS: [(&str, &str); 31] = [
    (
        "action_email",
        "For this I have to know that the account is yours. Which e-mail address is it under? I will send a code there.",
    ),
    (
        "action_email_again",
        "I could not read an e-mail address. Please write it as name@example.org, and I will send a code there.",
    ),
    (
        "action_code",
        "I am sending a code of six digits to {email}. Please type it here within ten minutes.",
    ),
    (
        "action_code_again",
        "Please type the six digits of the code that went to {email}. Write “again” for a new code, another e-mail address, or “stop”.",
    ),
    ("action_again", "I could not read that. {ask}"),
    (
        "action_unclear",
        "I do not seem to get this right, so I have asked a person to help. They will reply right here.",
    ),
    ("action_confirm", "Is this right? Please press one of the buttons."),
    (
        "action_press",
        "Please press one of the buttons; words alone change nothing, so that nothing happens by mistake.",
    ),
    ("action_stopped", "All right, I have left everything as it was."),
    ("action_looking", "One moment, I am looking that up."),
    ("action_doing", "Thank you, I am doing that now."),
    (
        "action_owner",
        "Thank you. A person has to agree to this first; you will hear of it right here.",
    ),
    ("action_gone", "This cannot be done here any more."),
    ("action_lapsed", "Some time has passed, so please show once more that the account is yours."),
    ("action_found", "Here is what I found:"),
    ("action_done", "That is done:"),
    (
        "action_missing",
        "I could not find that. Please check what you wrote, or choose “Talk to a person”.",
    ),
    (
        "action_failed",
        "I could not look that up just now, so I have asked a person to help. They will reply right here.",
    ),
    (
        "action_refused",
        "That could not be done: it was refused at the other end. I have asked a person to help; they will reply right here.",
    ),
    (
        "action_unsent",
        "That could not be done just now; nothing was changed. I have asked a person to help; they will reply right here.",
    ),
    (
        "action_unknown",
        "I do not know whether that worked: the answer never came. I will not try it again by myself. I have asked a person to look; they will reply right here.",
    ),
    (
        "action_declined",
        "A person has looked at this and decided not to do it. They will reply right here.",
    ),
    (
        "action_busy",
        "Too much is being looked up right now, so I have asked a person to help. They will reply right here.",
    ),
    ("code_wrong", "That code is not right. Please try again; you have {left} left."),
    (
        "code_over",
        "That code was not right either, and no more tries are left. Write “again” for a new code.",
    ),
    ("code_expired", "That code is no longer good. Write “again” for a new one."),
    ("code_none", "No code is waited for right now."),
    ("code_shape", "A code has six digits. Please type it as it stands in the mail."),
    (
        "code_unsent",
        "I could not send the code, so I have asked a person to help. They will reply right here.",
    ),
    (
        "code_limit",
        "So many codes were sent already that I cannot send another one now. I have asked a person to help; they will reply right here.",
    ),
    (
        "code_mail",
        "Your code is {code}. It is good for ten minutes. If you did not ask for it, you can ignore this message.",
    ),
];

/// The owner's text with this id, else the one above, with `slots` filled.
pub fn said(templates: &Templates, id: &str, slots: &[(&str, &str)]) -> String {
    let own = templates.say(id);
    let built_in = || TEXTS.iter().find(|(known, _)| *known == id).map_or("", |(_, text)| text);
    let mut text = if own.is_empty() { built_in().to_owned() } else { own };
    for (slot, value) in slots {
        text = text.replace(&format!("{{{slot}}}"), value);
    }
    text
}

/// An e-mail address as it may be shown: `a•••@example.org`.
pub fn mask(email: &str) -> String {
    let Some((name, host)) = email.split_once('@') else { return "•••".into() };
    let first: String = name.chars().take(1).collect();
    format!("{first}•••@{host}")
}

/// Words that end a request, alone or with little beside them.
const STOP: [&str; 22] = [
    "stop",
    "cancel",
    "abort",
    "quit",
    "exit",
    "nevermind",
    "never mind",
    "forget it",
    "forget about it",
    "leave it",
    "no thanks",
    "no thank you",
    "not now",
    "do not",
    "don't",
    "dont do it",
    "abbrechen",
    "stopp",
    "annuler",
    "cancelar",
    "annulla",
    "anuluj",
];
/// Words that say no where a yes or no is asked for.
const NO: [&str; 8] = ["no", "nope", "nah", "nein", "non", "nee", "não", "nie"];
/// Words of a message that wants another code.
const AGAIN: [&str; 12] = [
    "again",
    "resend",
    "new code",
    "another code",
    "other code",
    "no code",
    "not arrived",
    "didn't arrive",
    "didn't get",
    "did not get",
    "nothing came",
    "nochmal",
];
/// Words that a question begins with.
const ASKS: [&str; 26] = [
    "who", "what", "what's", "when", "where", "why", "how", "which", "whose", "can", "could", "do",
    "does", "did", "is", "are", "will", "would", "should", "may", "wie", "was", "warum", "wo",
    "wann", "pourquoi",
];

/// Words of a stop or a no at most.
const SHORT: usize = 5;

/// Whether the message ends what is being done.
pub(super) fn is_stop(text: &str) -> bool {
    let words = crate::text::words(text);
    words.len() <= SHORT && STOP.iter().any(|stop| holds(&words, stop))
}

/// Whether the message says no.
pub(super) fn is_no(text: &str) -> bool {
    let words = crate::text::words(text);
    is_stop(text)
        || (words.len() <= SHORT && words.first().is_some_and(|word| NO.contains(&word.as_str())))
}

/// Whether another code is wanted.
pub(super) fn wants_again(text: &str) -> bool {
    let words = crate::text::words(text);
    AGAIN.iter().any(|again| holds(&words, again))
}

/// Whether the message asks something.
pub(super) fn is_question(text: &str) -> bool {
    let words = crate::text::words(text);
    text.trim_end().ends_with(['?', '？', '؟'])
        || words.first().is_some_and(|word| ASKS.contains(&word.as_str()))
}

/// Whether the words of `phrase` stand in `words` one after the other.
pub(super) fn holds(words: &[String], phrase: &str) -> bool {
    let wanted: Vec<&str> = phrase.split(' ').collect();
    words
        .windows(wanted.len())
        .any(|some| some.iter().map(String::as_str).eq(wanted.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_are_understood() {
        for (text, stop, no, asks) in [
            ("stop", true, true, false),
            ("Never mind!", true, true, false),
            ("please cancel", true, true, false),
            ("No", false, true, false),
            ("no, that is wrong", false, true, false),
            ("yes", false, false, false),
            ("12345", false, false, false),
            ("Can I pay by card?", false, false, true),
            ("how long does it take", false, false, true),
            ("I want to cancel the order that I made last week", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!((is_stop(text), is_no(text), is_question(text)), (stop, no, asks), "{text}");
        }
        assert!(wants_again("Send it again please") && wants_again("The code didn't arrive"));
        assert!(!wants_again("123 456"));
    }

    #[test]
    fn addresses_are_masked() {
        for (email, expect) in [
            ("ada@demo.example", "a•••@demo.example"),
            ("é@x.example", "é•••@x.example"),
            ("x", "•••"),
        ] {
            assert_eq!(mask(email), expect);
        }
    }

    #[test]
    fn the_shipped_templates_say_the_same() {
        let shipped = Templates::parse(include_str!("../../../prompts/templates.toml")).unwrap();
        for (id, text) in TEXTS {
            assert_eq!(shipped.say.get(id).map(String::as_str), Some(text), "{id}");
        }
        let text = said(&shipped, "action_code", &[("email", "a•••@b.example")]);
        assert!(text.contains("to a•••@b.example."), "{text}");
        assert_eq!(said(&shipped, "nothing", &[]), "");
    }
}
