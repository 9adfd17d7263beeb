//! Group 6: text that is UTF-8, and what only looks like it.

use super::{FIN, MORE, Street, TEXT, fragments, frame};

/// A frame whose type is `text`: the error that refuses the type repeats it.
fn typed(text: &[u8]) -> Vec<u8> {
    [br#"{"type":""#, text, br#""}"#].concat()
}

impl Street {
    /// A text with `sequence` in it arrives, whole and in fragments of one octet, where it is UTF-8, and is refused
    /// with 1007 where it is not.
    async fn utf8(&mut self, name: &str, sequence: &[u8], valid: bool) {
        assert_eq!(std::str::from_utf8(sequence).is_ok(), valid, "the row {name}");
        let text = typed(sequence);
        let expect = if valid { str::from_utf8(sequence).unwrap() } else { "1007" };
        self.check(name, &frame(FIN | TEXT, &text), expect).await;
        self.check(&format!("{name}, octets"), &fragments(TEXT, &text, 1), expect).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn utf8_arrives_however_it_is_cut() {
    let mut street = Street::open().await;
    let empty = [frame(TEXT, ""), frame(MORE, ""), frame(FIN | MORE, "")].concat();
    street.check("6.1.2 empty fragments", &empty, "bad_frame").await;
    let around = [frame(TEXT, ""), frame(MORE, r#"{"type":"ping"}"#), frame(FIN | MORE, "")];
    street.check("6.1.3 a text between empty fragments", &around.concat(), "pong").await;
    for (name, text) in [
        ("6.2 words", "Hello-µ@ßöäüàá-UTF-8!!"),
        ("6.5 and 6.6 Greek", "κόσμε"),
        ("6.7 first of each length", "\u{80}\u{800}\u{10000}"),
        ("6.9 last of each length", "\u{7f}\u{7ff}\u{ffff}\u{10ffff}"),
        ("6.11 around the gap", "\u{d7ff}\u{e000}\u{fffd}\u{10ffff}"),
        ("6.23 specials", "\u{fff9}\u{fffa}\u{fffb}\u{fffc}\u{fffd}"),
    ] {
        street.utf8(name, text.as_bytes(), true).await;
    }
    // The last two of each of the 17 planes.
    let last = (0..=16).flat_map(|plane: u32| [plane << 16 | 0xfffe, plane << 16 | 0xffff]);
    let last: String = last.map(|code| char::from_u32(code).unwrap()).collect();
    street.utf8("6.22 that are no characters", last.as_bytes(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_utf8_ends_the_socket() {
    let mut street = Street::open().await;
    for (name, sequence) in [
        ("6.3 a surrogate between words", &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80edited"[..]),
        ("6.8.1 five octets", b"\xf8\x88\x80\x80\x80"),
        ("6.8.2 six octets", b"\xfc\x84\x80\x80\x80\x80"),
        ("6.10.1 the last of four octets", b"\xf7\xbf\xbf\xbf"),
        ("6.10.2 the last of five", b"\xfb\xbf\xbf\xbf\xbf"),
        ("6.10.3 the last of six", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
        ("6.11.5 after the last", b"\xf4\x90\x80\x80"),
        ("6.12.1 a continuation alone", b"\x80"),
        ("6.12.2 another", b"\xbf"),
        ("6.12.4 three", b"\x80\xbf\x80"),
        ("6.13.1 a beginning of two alone", b"\xdf "),
        ("6.13.2 of three", b"\xef "),
        ("6.13.3 of four", b"\xf4 "),
        ("6.14.1 two, cut", b"\xdf"),
        ("6.14.2 three, cut", b"\xe0\xa0"),
        ("6.14.3 four, cut", b"\xf0\x90\x80"),
        ("6.15 all of them", b"\xdf\xe0\xa0\xf0\x90\x80\xef\xbf\xf4\x8f\xbf"),
        ("6.16.1", b"\xfe"),
        ("6.16.2", b"\xff"),
        ("6.17.1 a slash in two", b"\xc0\xaf"),
        ("6.17.2 in three", b"\xe0\x80\xaf"),
        ("6.17.3 in four", b"\xf0\x80\x80\xaf"),
        ("6.18.1 the largest too long in two", b"\xc1\xbf"),
        ("6.18.2 in three", b"\xe0\x9f\xbf"),
        ("6.18.3 in four", b"\xf0\x8f\xbf\xbf"),
        ("6.19.1 NUL in two", b"\xc0\x80"),
        ("6.19.2 in three", b"\xe0\x80\x80"),
        ("6.19.3 in four", b"\xf0\x80\x80\x80"),
        ("6.20.1 the first surrogate", b"\xed\xa0\x80"),
        ("6.20.4 the first low one", b"\xed\xb0\x80"),
        ("6.20.7 the last", b"\xed\xbf\xbf"),
        ("6.21 a pair", b"\xed\xad\xbf\xed\xb0\x80"),
    ] {
        street.utf8(name, sequence, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_cannot_become_utf8_is_not_waited_for() {
    let mut street = Street::open().await;
    let greek = "κόσμε".as_bytes();
    for length in 1..greek.len() {
        // The message ends here, on a boundary or in the middle of a character.
        let (valid, part) = (str::from_utf8(&greek[..length]).is_ok(), &greek[..length]);
        let expect = if valid { "bad_frame" } else { "1007" };
        street.check(&format!("6.6.{length}"), &frame(FIN | TEXT, part), expect).await;
    }
    // No last fragment follows.
    let begun = frame(TEXT, greek);
    for (name, then) in [
        ("6.4.1 in the second fragment", vec![frame(MORE, b"\xf4\x90\x80\x80edited")]),
        ("6.4.2 over two fragments", vec![frame(MORE, b"\xf4"), frame(MORE, b"\x90")]),
    ] {
        street.check(name, &[begun.clone(), then.concat()].concat(), "1007").await;
    }
}
