//! What the savings are worked out with, as the owner has set it.

use engine::metrics::Assumptions;

use crate::app::App;
use crate::store::{Store, StoreError};

/// Name of the owner's choice in the database.
const CHOICE: &str = "assumptions";
/// The largest amount and number of minutes.
const MOST: f64 = 1_000_000.0;

/// What the owner assumes.
///
/// # Errors
/// When the database fails.
pub async fn read(store: &Store) -> Result<Assumptions, StoreError> {
    let stored = store.choice(CHOICE).await?;
    Ok(stored.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
}

/// Keeps what the owner assumes; check it before.
///
/// # Errors
/// When the database fails.
pub async fn keep(app: &App, assumptions: &Assumptions) -> Result<(), StoreError> {
    let mut tx = app.store.begin().await?;
    let json = crate::protocol::record::json(assumptions);
    tx.choose(CHOICE, &json, app.clock.now_ms()).await?;
    tx.commit().await
}

/// What is wrong with assumptions, in a sentence for the owner; none when nothing is.
pub fn problem(assumptions: &Assumptions) -> Option<String> {
    let Assumptions {
        minutes_per_ticket,
        baseline_handling_minutes,
        hourly_rate,
        currency,
        average_order_value,
        baseline_conversion_rate,
        attributed_share,
        tool_costs,
    } = assumptions;
    let amounts = [
        ("minutes_per_ticket", Some(*minutes_per_ticket), MOST),
        ("baseline_handling_minutes", *baseline_handling_minutes, MOST),
        ("hourly_rate", Some(*hourly_rate), MOST),
        ("average_order_value", *average_order_value, MOST),
        ("baseline_conversion_rate", *baseline_conversion_rate, 1.0),
        ("attributed_share", Some(*attributed_share), 1.0),
        ("tool_costs", Some(*tool_costs), MOST),
    ];
    let wrong = amounts
        .into_iter()
        .find(|(_, value, most)| value.is_some_and(|value| !(0.0..=*most).contains(&value)));
    if let Some((name, _, most)) = wrong {
        return Some(format!("`{name}` is a number from 0 to {most}."));
    }
    let code = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
    (!code).then(|| "`currency` is three capital letters, as in EUR.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused() {
        let usual = Assumptions::default();
        assert_eq!(problem(&usual), None);
        for (wrong, expect) in [
            (
                Assumptions { hourly_rate: -1.0, ..usual.clone() },
                "`hourly_rate` is a number from 0 to 1000000.",
            ),
            (
                Assumptions { tool_costs: f64::NAN, ..usual.clone() },
                "`tool_costs` is a number from 0 to 1000000.",
            ),
            (
                Assumptions { attributed_share: 1.1, ..usual.clone() },
                "`attributed_share` is a number from 0 to 1.",
            ),
            (
                Assumptions { baseline_conversion_rate: Some(20.0), ..usual.clone() },
                "`baseline_conversion_rate` is a number from 0 to 1.",
            ),
            (
                Assumptions { currency: "eur".into(), ..usual.clone() },
                "`currency` is three capital letters, as in EUR.",
            ),
        ] {
            assert_eq!(problem(&wrong).as_deref(), Some(expect));
        }
    }
}
