//! E-mail addresses: checked once, in lower case, of which nothing can break out of a header.

/// Bytes of an address at most (RFC 5321).
const LONGEST: usize = 254;

/// An e-mail address in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

impl Address {
    /// Reads one; none when it is no plain address: no name beside it, no quotes, comments or white space.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.split_once('@')?;
        let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&b);
        let dotted = |part: &str| !part.split('.').any(str::is_empty);
        let label = |label: &str| !label.starts_with('-') && !label.ends_with('-');
        let host = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        let fits = text.len() <= LONGEST
            && (1..=64).contains(&local.len())
            && local.bytes().all(atom)
            && dotted(local)
            && domain.bytes().all(host)
            && dotted(domain)
            && domain.split('.').all(label);
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_or_none() {
        for (text, expect) in [
            ("Ada@Example.org", Some("ada@example.org")),
            (" ada+chat@example.org ", Some("ada+chat@example.org")),
            ("o'hara@localhost", Some("o'hara@localhost")),
            ("ada@example.org\r\nBcc: eve@example.org", None),
            ("ada@example.org\nBcc: eve", None),
            ("Ada <ada@example.org>", None),
            ("ada@example.org,eve@example.org", None),
            ("ada@eve@example.org", None),
            ("\"ada b\"@example.org", None),
            ("ada(x)@example.org", None),
            ("ada@", None),
            ("@example.org", None),
            ("ada@.example.org", None),
            (".ada@example.org", None),
            ("ada@-example.org", None),
            ("ada@exämple.org", None),
            ("ada\u{0}@example.org", None),
            ("", None),
        ] {
            let read = Address::parse(text);
            assert_eq!(read.as_ref().map(Address::as_str), expect, "{text:?}");
        }
        assert_eq!(Address::parse(&format!("{}@example.org", "a".repeat(65))), None);
    }
}
