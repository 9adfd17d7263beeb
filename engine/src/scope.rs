//! What a document is meant for, and which documents a visitor's page asks for.

use serde::{Deserialize, Serialize};

/// Product area, version, audience and language; an empty one is left open.
///
/// On a document it says whom the text is meant for, and each may list several values, parted by commas. On a question
/// it says where the visitor asks from, each with one value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// Product area: `billing`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub area: String,
    /// Version of the product: `2.1`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Whom it is written for: `administrators`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub audience: String,
    /// Language of the text as a BCP 47 tag: `en`, `pt-BR`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
}

/// A value of a question's scope that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` has {length} characters; at most {MAX_CHARS} are read")]
pub struct ScopeError {
    /// Which.
    pub name: &'static str,
    /// Its length.
    pub length: usize,
}

/// Characters of one value of a question's scope at most.
pub const MAX_CHARS: usize = 64;

impl Scope {
    /// Whether nothing is asked for or said.
    pub fn is_open(&self) -> bool {
        self.values().iter().all(|(_, value)| value.trim().is_empty())
    }

    /// The four by name.
    pub fn values(&self) -> [(&'static str, &str); 4] {
        [
            ("area", &self.area),
            ("version", &self.version),
            ("audience", &self.audience),
            ("language", &self.language),
        ]
    }

    /// Checks a question's scope.
    ///
    /// # Errors
    /// [`ScopeError`] with the first value that is too long.
    pub fn check(&self) -> Result<(), ScopeError> {
        let lengths = self.values().map(|(name, value)| (name, value.chars().count()));
        match lengths.into_iter().find(|(_, length)| *length > MAX_CHARS) {
            Some((name, length)) => Err(ScopeError { name, length }),
            None => Ok(()),
        }
    }

    /// Whether a question with this scope may be answered by a document of `scope`: where both say something, they agree.
    pub fn admits(&self, scope: &Self) -> bool {
        let same = |asked: &str, given: &str| asked.eq_ignore_ascii_case(given);
        agree(&self.area, &scope.area, same)
            && agree(&self.version, &scope.version, same)
            && agree(&self.audience, &scope.audience, same)
            && agree(&self.language, &scope.language, speaks)
    }
}

fn agree(asked: &str, given: &str, same: impl Fn(&str, &str) -> bool) -> bool {
    let (asked, given) = (asked.trim(), given.trim());
    asked.is_empty() || given.is_empty() || given.split(',').any(|one| same(asked, one.trim()))
}

/// Languages agree by their first part: who reads `en` reads `en-GB`.
fn speaks(asked: &str, given: &str) -> bool {
    primary(asked).eq_ignore_ascii_case(primary(given))
}

/// The first part of a BCP 47 tag: the language without its country or script.
pub fn primary(tag: &str) -> &str {
    tag.trim().split(['-', '_']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope([area, version, audience, language]: [&str; 4]) -> Scope {
        let [area, version, audience, language] =
            [area, version, audience, language].map(Into::into);
        Scope { area, version, audience, language }
    }

    #[test]
    fn where_both_say_something_they_agree() {
        let row = |asked, given, expect| {
            assert_eq!(scope(asked).admits(&scope(given)), expect, "{asked:?} {given:?}");
        };
        row(["", "", "", ""], ["billing", "2", "admins", "de"], true);
        row(["billing", "2", "admins", "de"], ["", "", "", ""], true);
        row(["Billing", "", "", ""], ["billing", "2", "", ""], true);
        row(["billing", "", "", ""], ["shipping, billing", "", "", ""], true);
        row(["bill", "", "", ""], ["billing", "", "", ""], false);
        row(["", "2", "", ""], ["", "2.1", "", ""], false);
        row(["", "2.1", "", ""], ["", "2.0, 2.1", "", ""], true);
        row(["billing", "2", "", ""], ["billing", "1", "", ""], false);
        row(["", "", "", "en"], ["", "", "", "en-GB"], true);
        row(["", "", "", "pt_BR"], ["", "", "", "PT"], true);
        row(["", "", "", "en"], ["", "", "", "de"], false);
        row(["", "", " ", ""], ["", "", "admins", ""], true);
    }

    #[test]
    fn long_values_are_refused_by_name() {
        let long = Scope { audience: "ä".repeat(MAX_CHARS + 1), ..Scope::default() };
        assert!(long.check().unwrap_err().to_string().contains("`audience` has 65"));
        assert_eq!(Scope { audience: "ä".repeat(MAX_CHARS), ..Scope::default() }.check(), Ok(()));
    }

    proptest! {
        #[test]
        fn every_document_admits_its_own_kind(values in proptest::array::uniform4("[a-z0-9. -]{0,12}")) {
            let one = scope(values.each_ref().map(String::as_str));
            prop_assert!(one.admits(&one) && one.admits(&Scope::default()) && Scope::default().admits(&one));
        }
    }
}
