//! Conversions: what the owner hopes for, told by the page or by the owner's own shop.

use engine::metrics::event::What;
use serde::Deserialize;

use crate::app::App;
use crate::store::StoreError;

use super::record;

/// Characters of a kind at most.
const MAX_KIND: usize = 40;
/// The largest worth, in the smallest unit of a currency.
const MAX_VALUE: i64 = 100_000_000_000;

/// Conversions of a conversation in a day at most.
const MAX_A_DAY: usize = 20;
const DAY_MS: i64 = 86_400_000;

/// A conversion, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// What has happened: `purchase`, `sign_up`.
    pub kind: String,
    /// Its worth in the smallest unit of the currency: 1999 for 19.99.
    #[serde(default)]
    pub value: Option<i64>,
    /// Three capital letters of ISO 4217.
    #[serde(default)]
    pub currency: Option<String>,
}

/// What is read of a conversion that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// What has happened.
    pub kind: String,
}

/// Why a conversion is not taken.
#[derive(Debug, thiserror::Error)]
pub enum NoConversion {
    /// It is not one.
    #[error("{0}")]
    Bad(&'static str),
    /// The database failed.
    #[error("The conversion could not be stored. Please try again.")]
    Store(#[from] StoreError),
}

impl Conversion {
    /// Checks it.
    ///
    /// # Errors
    /// [`NoConversion::Bad`].
    pub fn checked(self) -> Result<Self, NoConversion> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if self.kind.is_empty() || self.kind.len() > MAX_KIND || !self.kind.chars().all(plain) {
            return Err(NoConversion::Bad(
                "`kind` has 1 to 40 of the characters a-z, 0-9, `_` and `-`.",
            ));
        }
        if self.value.is_some_and(|value| !(0..=MAX_VALUE).contains(&value)) {
            return Err(NoConversion::Bad(
                "`value` is a whole number of the currency's smallest unit, 0 or more.",
            ));
        }
        let code = |code: &String| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        if !self.currency.as_ref().is_none_or(code)
            || self.value.is_some() != self.currency.is_some()
        {
            return Err(NoConversion::Bad(
                "`currency` has three capital letters, such as EUR, and stands beside a `value`.",
            ));
        }
        Ok(self)
    }
}

/// Who tells of a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// A page in the visitor's browser, which says what it likes.
    Page,
    /// A program of the owner's, by its key.
    Program,
}

/// Writes a conversion of a conversation's visitor. A page is heard once a day for each kind: it tells again when it is loaded again.
///
/// # Errors
/// [`NoConversion`].
pub async fn convert(
    app: &App,
    conversation: &str,
    (conversion, teller): (Conversion, Teller),
) -> Result<(), NoConversion> {
    let Conversion { kind, value, currency } = conversion.checked()?;
    let by_page = teller == Teller::Page;
    let mut tx = app.store.begin().await?;
    let told = tx.conversions(conversation, app.clock.now_ms() - DAY_MS).await?;
    let again = told.iter().any(|told| told.kind == kind);
    if by_page && again {
        return Ok(());
    }
    if told.len() >= MAX_A_DAY {
        return Err(NoConversion::Bad("This visitor has converted often enough for one day."));
    }
    let what = What::Converted { kind, by_page, value, currency };
    record(app, &mut tx, Some(conversation), what).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_checked() {
        let check = |kind: &str, value: Option<i64>, currency: Option<&str>, good: bool| {
            let conversion =
                Conversion { kind: kind.into(), value, currency: currency.map(Into::into) };
            assert_eq!(conversion.clone().checked().is_ok(), good, "{conversion:?}");
        };
        check("purchase", Some(1_999), Some("EUR"), true);
        check("sign_up", None, None, true);
        check("", None, None, false);
        check("Purchase!", None, None, false);
        check(&"x".repeat(41), None, None, false);
        check("purchase", Some(-1), Some("EUR"), false);
        check("purchase", Some(i64::MAX), Some("EUR"), false);
        check("purchase", Some(1), None, false);
        check("purchase", None, Some("EUR"), false);
        check("purchase", Some(1), Some("euro"), false);
        check("purchase", Some(1), Some("eur"), false);
    }
}
