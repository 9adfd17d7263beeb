//! The address of an action: fixed scheme, host and port, and a path and query with places for arguments.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// What stands for this server itself at the start of an address.
const OWN: &str = "{porchlight}";
/// Characters of an address at most.
const MOST: usize = 500;

/// Where an action is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// At this server itself.
    Own,
    /// `https://shop.example.org` or `http://10.0.0.7:8080`, without a path.
    Web(String),
}

/// An address with places for arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) base: Base,
    pieces: Vec<Piece>,
    /// As the owner wrote it.
    pub(super) written: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(String),
}

impl Address {
    /// Reads an address. The error says what to write instead.
    pub(super) fn read(written: &str) -> Result<Self, String> {
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\' || c == '#';
        if written.chars().count() > MOST || written.contains(odd) {
            return Err(format!(
                "url has blanks, a fragment or more than {MOST} characters; write https://host/path"
            ));
        }
        let (base, rest) = match written.strip_prefix(OWN) {
            Some(rest) => (Base::Own, rest),
            None => web(written)?,
        };
        if !rest.is_empty() && !rest.starts_with(['/', '?']) {
            return Err(format!("url needs a / behind {OWN}"));
        }
        Ok(Self { base, pieces: pieces(rest)?, written: written.to_owned() })
    }

    /// Names of the arguments that stand in it.
    pub(super) fn places(&self) -> BTreeSet<&str> {
        let places = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        });
        places.collect()
    }

    /// Path and query with the values in their places; `None` when a value is missing or would lead to another path.
    pub(super) fn filled(&self, values: &Map<String, Value>) -> Option<String> {
        let mut target = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => target.push_str(text),
                Piece::Place(name) => target.push_str(&encoded(&plain(values.get(name)?)?)),
            }
        }
        let path = target.split('?').next().unwrap_or_default();
        // An empty or a dotted step of the path would be read as another path.
        let astray = path.split('/').any(|step| matches!(step, "." | ".."));
        let empty = path.contains("//") && !self.is_odd();
        (!astray && !empty).then_some(target)
    }

    /// Whether the owner's own path has an empty step.
    fn is_odd(&self) -> bool {
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(_) => "x".into(),
        };
        self.pieces.iter().map(text).collect::<String>().contains("//")
    }
}

/// A value as text: what is neither text, number nor yes and no has none.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// Percent-encoded but for the unreserved characters of RFC 3986.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Scheme, host and port, and what follows them.
fn web(written: &str) -> Result<(Base, &str), String> {
    let refused = || {
        format!(
            "url begins with https://host or {OWN}; an argument stands only in the path or the query, and there is no password in it"
        )
    };
    let scheme = ["https://", "http://"].into_iter().find(|scheme| written.starts_with(scheme));
    let after = scheme.ok_or_else(refused)?.len();
    let end = written[after..].find(['/', '?']).map_or(written.len(), |at| after + at);
    let host = &written[after..end];
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    if host.is_empty() || host.starts_with(':') || !host.chars().all(fits) {
        return Err(refused());
    }
    Ok((Base::Web(written[..end].to_owned()), &written[end..]))
}

fn pieces(rest: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut left) = (Vec::new(), rest);
    while let Some(open) = left.find('{') {
        let close = left[open..].find('}').map(|at| open + at);
        let name = close.map(|close| &left[open + 1..close]).unwrap_or_default();
        let Some(close) = close.filter(|_| is_name(name)) else {
            return Err("url has a { without the name of an argument and }".into());
        };
        pieces.push(Piece::Text(left[..open].to_owned()));
        pieces.push(Piece::Place(name.to_owned()));
        left = &left[close + 1..];
    }
    if left.contains('}') {
        return Err("url has a } without its {".into());
    }
    pieces.push(Piece::Text(left.to_owned()));
    Ok(pieces)
}

/// Whether an argument may be called so.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(fits)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.len() <= 40
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(written: &str, values: Value, expect: Option<&str>) {
        let address = Address::read(written).unwrap();
        let values = values.as_object().cloned().unwrap();
        assert_eq!(address.filled(&values).as_deref(), expect, "{written} {values:?}");
    }

    #[test]
    fn values_stay_in_their_places() {
        let shop = "https://shop.example/orders/{order}?by={by}";
        check(shop, json!({"order": "12", "by": "a b"}), Some("/orders/12?by=a%20b"));
        check(
            shop,
            json!({"order": "1/../2?x=1#y", "by": "a&b=c"}),
            Some("/orders/1%2F..%2F2%3Fx%3D1%23y?by=a%26b%3Dc"),
        );
        check(shop, json!({"order": "é%2f\r\n", "by": 7}), Some("/orders/%C3%A9%252f%0D%0A?by=7"));
        check(shop, json!({"order": "..", "by": "x"}), None);
        check(shop, json!({"order": ".", "by": "x"}), None);
        check(shop, json!({"order": ["1"], "by": "x"}), None);
        check(shop, json!({"by": "x"}), None);
        check("https://shop.example/a/{x}/b", json!({"x": ""}), None);
        check("https://shop.example/a/{x}{y}/b", json!({"x": ".", "y": "."}), None);
        check("{porchlight}/demo/{x}", json!({"x": true}), Some("/demo/true"));
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_refused() {
        for written in [
            "",
            "shop.example/x",
            "ftp://shop.example/x",
            "https://{host}/x",
            "https://shop{x}.example/",
            "https://shop.example:{port}/",
            "{scheme}://shop.example/",
            "https://a@shop.example/",
            "https://a:b@shop.example/",
            "https:///x",
            "https://:80/x",
            "https://shop.example/{}",
            "https://shop.example/{a b}",
            "https://shop.example/{a",
            "https://shop.example/a}",
            "https://shop.example/{1a}",
            "https://shop.example/a#b",
            "https://shop.example\\x",
            "https://shop.example/a b",
            "{porchlight}x/y",
            "{porchlight}@evil.example/",
            "{porchlight}.evil.example/",
        ] {
            assert!(Address::read(written).is_err(), "{written}");
        }
        let address = Address::read("https://shop.example:8443").unwrap();
        assert_eq!(address.base, Base::Web("https://shop.example:8443".into()));
        assert_eq!(Address::read("{porchlight}/a/{b}").unwrap().places().len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_value_leaves_its_place(value in "\\PC{0,40}") {
            let address = Address::read("https://shop.example/orders/{order}/x").unwrap();
            let values = json!({"order": value}).as_object().cloned().unwrap();
            if let Some(target) = address.filled(&values) {
                let steps: Vec<&str> = target.split('/').collect();
                proptest::prop_assert!(steps.len() == 4 && target.ends_with("/x") && !target.contains(['?', '#']));
            }
        }
    }
}
