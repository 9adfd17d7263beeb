//! Bytes to text: UTF-8, what a byte order mark says, or what a page declares.

use encoding_rs::{Encoding, UTF_8};

use super::foreign::ConvertError;

/// The text of `bytes`; `declared` is the encoding that the file itself names, if any.
///
/// # Errors
/// [`ConvertError::Line`] at the first byte that is no text.
pub(super) fn text(bytes: &[u8], declared: Option<&str>) -> Result<String, ConvertError> {
    let named = declared.and_then(|label| Encoding::for_label(label.as_bytes()));
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or_else(|| (named.unwrap_or(UTF_8), 0));
    let bytes = &bytes[mark..];
    let text = match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) => text.into_owned(),
        None => return Err(broken(bytes, encoding)),
    };
    match text.find('\0') {
        None => Ok(text),
        Some(at) => {
            let problem = "holds a NUL byte, so it is no text file. Is its ending right?".into();
            Err(ConvertError::Line { line: line(&text.as_bytes()[..at]), problem })
        }
    }
}

fn broken(bytes: &[u8], encoding: &'static Encoding) -> ConvertError {
    let valid = match std::str::from_utf8(bytes) {
        Err(error) if encoding == UTF_8 => error.valid_up_to(),
        _ => 0,
    };
    let problem = match encoding.name() {
        "UTF-8" => "is no UTF-8 text. Save the file with the encoding UTF-8.".into(),
        other => format!("is no {other} text, which the file says it is"),
    };
    ConvertError::Line { line: line(&bytes[..valid]), problem }
}

fn line(before: &[u8]) -> u64 {
    (1..).zip(before.split(|byte| *byte == b'\n')).last().map_or(1, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        for (bytes, declared, expect) in [
            (b"\xef\xbb\xbfa".as_slice(), None, "a"),
            (b"\xff\xfea\0\xe4\0", None, "aä"),
            (b"\xfe\xff\0a", Some("utf-8"), "a"),
            (b"gr\xfc\xdfe \x80", Some("windows-1252"), "grüße €"),
            (b"gr\xfc\xdfe", Some("ISO-8859-1"), "grüße"),
            ("grüße".as_bytes(), Some("no such thing"), "grüße"),
        ] {
            assert_eq!(text(bytes, declared).as_deref(), Ok(expect), "{bytes:?}");
        }
        for (bytes, expect) in [
            (b"a\nb\n\xff".as_slice(), "line 3: is no UTF-8 text"),
            (b"a\n\0", "line 2: holds a NUL byte"),
            (b"\xff\xfe\0\xd8", "line 1: is no UTF-16LE text"),
        ] {
            assert!(text(bytes, None).unwrap_err().to_string().contains(expect), "{bytes:?}");
        }
    }
}
