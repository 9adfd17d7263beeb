//! What is taken for which language, and what is not taken for any.

use super::*;
use crate::turn::Message;

#[test]
fn questions_of_visitors_have_a_language() {
    for (text, expect) in [
        ("How do I add the chat to my website?", "en"),
        ("Order over 1 month", "en"),
        ("Wie binde ich das Widget in meine Webseite ein?", "de"),
        ("Bonjour, combien coûte Porchlight ?", "fr"),
        ("¿Dónde está mi pedido?", "es"),
        ("Quanto costa il prodotto?", "it"),
        ("Hoeveel kost Porchlight per maand?", "nl"),
        ("Quanto custa o Porchlight por mês, você sabe?", "pt"),
        ("Ile kosztuje Porchlight?", "pl"),
        ("Сколько стоит Porchlight?", "ru"),
        ("Porchlightの料金はいくらですか？", "ja"),
        ("What does the error 'Die Datei konnte nicht gefunden werden' mean?", "en"),
        ("Was heißt „the file could not be found on this machine“ auf Deutsch?", "de"),
        ("It's the visitor's browser that doesn't open the chat", "en"),
    ] {
        let guess = of_text(text);
        let sure = guess.filter(|guess| guess.certainty >= Certainty::Sure);
        assert_eq!(sure.map(|guess| guess.code), Some(expect), "{text:?}: {guess:?}");
    }
}

#[test]
fn greetings_names_and_code_have_none() {
    for text in [
        "Hallo",
        "Bonjour",
        "Ciao!",
        "OK",
        "si",
        "SmolLM2-135M-Instruct",
        "docker compose postgres",
        "7878",
        "?!",
        "",
        "Restaurant Schmidt, Berlin",
        "Andersson Lindqvist Bergström Eriksson Sjöberg Håkansson Nyström Lundgren Wikström Sandström Öberg Åkesson Hellström",
    ] {
        let guess = of_text(text).filter(|guess| guess.certainty > Certainty::Guessed);
        assert_eq!(guess, None, "{text:?}");
    }
}

#[test]
fn a_language_is_kept_until_another_is_clear() {
    let german = "Wie binde ich das Widget in meine Webseite ein?";
    let english = "Sorry, could we please talk in English about how I install this?";
    for (said, expect) in [
        (vec!["Hallo"], None),
        (vec![german], Some("de")),
        (vec![german, "OK"], Some("de")),
        (vec![german, "thanks"], Some("de")),
        (vec![german, "Windows Server 2022 Standard"], Some("de")),
        (vec![german, "What about Linux?"], Some("de")),
        (vec![german, english], Some("en")),
        (vec![german, "What is it?", "Where is it?"], Some("en")),
        (vec!["Hi", "How do I change it?", "Ich habe eine Frage"], Some("de")),
        (vec!["How do I use the Größe setting of die App?"], Some("en")),
    ] {
        let visitor = |text: &&str| Message { speaker: Speaker::Visitor, text: (*text).into() };
        let mut history: Vec<Message> = said.iter().map(visitor).collect();
        let question = history.pop().map(|message| message.text).unwrap_or_default();
        history.push(Message { speaker: Speaker::Bot, text: "Ich weiß es nicht.".into() });
        let turn = Turn { history, ..Turn::asking(question) };
        assert_eq!(of_visitor(&turn), expect, "{said:?}");
    }
}

#[test]
fn every_language_with_little_words_is_told_apart() {
    let codes: Vec<&str> =
        WORDS.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 15, "{codes:?}");
    for code in codes {
        assert!(LANGUAGES.iter().any(|(known, _)| *known == code), "{code}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "\\PC{0,200}") {
        if let Some(guess) = of_text(&text) {
            proptest::prop_assert!(LANGUAGES.iter().any(|(code, _)| *code == guess.code));
        }
    }
}
