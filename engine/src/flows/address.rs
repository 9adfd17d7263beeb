//! E-mail addresses as people write them who were told to hide them: `jo (at) example.org`, `jo at example dot org`.

/// A message with one sign for "at" and for the dot in addresses.
pub(super) fn plain(message: &str) -> String {
    let signs = message.replace('＠', "@");
    let mut parts: Vec<String> = Vec::new();
    let mut join = false;
    for part in signs.split_inclusive(char::is_whitespace) {
        let sign = match part.trim().to_lowercase().as_str() {
            "@" | "(at)" | "[at]" | "{at}" => "@",
            "(dot)" | "[dot]" | "{dot}" => ".",
            _ => "",
        };
        if !sign.is_empty() {
            if let Some(last) = parts.last_mut() {
                last.truncate(last.trim_end().len());
            }
            parts.push(sign.to_owned());
            join = true;
        } else {
            let part = if join { part.trim_start() } else { part };
            parts.push(part.to_owned());
            join = false;
        }
    }
    let joined = parts.concat();
    let joined = [("mailto:", ""), ("(at)", "@"), ("[at]", "@"), ("(dot)", "."), ("[dot]", ".")]
        .into_iter()
        .fold(joined, |text, (sign, plain)| text.replace(sign, plain));
    spelled(&joined).unwrap_or(joined)
}

/// A message with the signs of `jo at example dot org`, when it holds such.
fn spelled(message: &str) -> Option<String> {
    // Bytes are counted in one and cut in the other.
    let lower = message.to_lowercase();
    if lower.len() != message.len() {
        return None;
    }
    let dot = lower.find(" dot ")?;
    let at = lower[..dot].rfind(" at ")?;
    let host = message.get(at + " at ".len()..dot).filter(|host| !host.contains(' '))?;
    let rest = message[dot + " dot ".len()..].replace(" dot ", ".");
    Some(format!("{}@{host}.{rest}", &message[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_addresses_are_written_out() {
        for (text, expect) in [
            ("jo@example.org", "jo@example.org"),
            ("jo (at) example.org thanks", "jo@example.org thanks"),
            ("jo @ example.org", "jo@example.org"),
            ("jo[at]example[dot]org", "jo@example.org"),
            ("jo at example dot org", "jo@example.org"),
            ("jo at mail dot example dot org please", "jo@mail.example.org please"),
            ("we are at work", "we are at work"),
            ("@", "@"),
        ] {
            assert_eq!(plain(text), expect, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_written_out(text in "\\PC{0,60}|( at | dot |@|\\(at\\)|[a-zİ ]){0,20}") {
            plain(&text);
        }
    }
}
