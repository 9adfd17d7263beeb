//! Whether an intent should be left to the bot more, or less: its ratings against those of all others.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::metrics::{Case, Counts, Kind, Share, differ};
use crate::policy::{Autonomy, Policy};
use crate::rules::RuleAction;

/// Rating, 1 to 5, from which a visitor was content.
const CONTENT: u8 = 4;
/// Intents that stay with a person whatever their ratings are: money is no matter of averages (mission text: "no auto-reply when a
/// user reports billing issues or uses words like charge, refund, or cancel").
const STAY: [&str; 4] = ["billing", "refund", "cancel", "cancellation"];

/// A change that the ratings speak for; the owner makes it, or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suggestion {
    /// Id of the intent.
    pub intent: String,
    /// What it may do.
    pub now: Autonomy,
    /// What it should.
    pub suggested: Autonomy,
    /// Why, with the figures.
    pub why: String,
    /// Content visitors of those who rated the bot's or its assisted answers on this intent.
    pub csat: Share,
    /// The same for all other intents.
    pub others: Share,
    /// The lines of policy.toml that make the change.
    pub lines: String,
}

/// Ratings of cases that the bot answered or helped with, by their primary tag.
pub fn ratings<'a>(cases: impl IntoIterator<Item = &'a Case>) -> BTreeMap<String, Counts> {
    let mut found: BTreeMap<String, Counts> = BTreeMap::new();
    for case in cases {
        let Some(rating) = case.rating().filter(|_| case.kind() != Kind::PersonOnly) else {
            continue;
        };
        if !case.tag().is_empty() {
            found.entry(case.tag().to_owned()).or_default().count(rating >= CONTENT);
        }
    }
    found
}

/// The changes that the ratings speak for. One step down where an intent is credibly worse than all others, one up where it is credibly
/// better and its answers are only drafted; every intent is a look of its own, so that many intents bring no more false alarms.
pub fn suggestions(ratings: &BTreeMap<String, Counts>, policy: &Policy) -> Vec<Suggestion> {
    let looks = u32::try_from(ratings.len()).unwrap_or(u32::MAX);
    let mut all = Counts::default();
    ratings.values().for_each(|counts| all.merge(*counts));
    let one = |(intent, own): (&String, &Counts)| {
        let others = Counts { hits: all.hits - own.hits, of: all.of - own.of };
        let now = policy.intent.get(intent).map_or(Autonomy::Auto, |own| own.autonomy);
        let suggested = match (differ(*own, others, looks)?, now) {
            (Ordering::Less, Autonomy::Auto) => Autonomy::Draft,
            (Ordering::Less, Autonomy::Draft) => Autonomy::Off,
            (Ordering::Greater, Autonomy::Draft) if !stays(intent, policy) => Autonomy::Auto,
            _ => return None,
        };
        Some(suggestion(intent, (now, suggested), (own.share(), others.share())))
    };
    ratings.iter().filter_map(one).collect()
}

/// Whether the owner's rules, or the house's, keep an intent from being answered by the bot.
fn stays(intent: &str, policy: &Policy) -> bool {
    let ruled = |rule: &crate::rules::Rule| {
        rule.action != RuleAction::Say && rule.intents.iter().any(|own| own == intent)
    };
    STAY.contains(&intent) || policy.rule.iter().any(ruled)
}

fn suggestion(
    intent: &str,
    (now, suggested): (Autonomy, Autonomy),
    (csat, others): (Share, Share),
) -> Suggestion {
    let percent = |share: &Share| format!("{:.0} %", 100.0 * share.share.unwrap_or_default());
    let word = if suggested == Autonomy::Auto { "more" } else { "less" };
    let why = format!(
        "{} of {} who rated it were content ({}), {} of {} elsewhere ({}): credibly {word}, at 5 % over all intents.",
        csat.hits,
        csat.of,
        percent(&csat),
        others.hits,
        others.of,
        percent(&others)
    );
    let lines = format!("[intent.{intent}]\nautonomy = \"{}\"", written(suggested));
    Suggestion { intent: intent.to_owned(), now, suggested, why, csat, others, lines }
}

fn written(autonomy: Autonomy) -> &'static str {
    match autonomy {
        Autonomy::Auto => "auto",
        Autonomy::Draft => "draft",
        Autonomy::Off => "off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::IntentPolicy;

    fn policy(own: &[(&str, Autonomy)]) -> Policy {
        let intents = include_str!("../../../prompts/intents.toml");
        let shipped = include_str!("../../../prompts/policy.toml");
        let templates = include_str!("../../../prompts/templates.toml");
        let intents = crate::intent::IntentFile::parse(intents).unwrap();
        let templates = crate::prompt::Templates::parse(templates).unwrap();
        let mut policy = Policy::parse(shipped, &intents, &templates).unwrap();
        policy.intent = own
            .iter()
            .map(|(id, autonomy)| {
                ((*id).to_owned(), IntentPolicy { autonomy: *autonomy, ..IntentPolicy::default() })
            })
            .collect();
        policy
    }

    fn check(own: &[(&str, Autonomy)], counts: &[(&str, u64, u64)], expect: &[(&str, Autonomy)]) {
        let ratings =
            counts.iter().map(|(id, hits, of)| ((*id).to_owned(), Counts { hits: *hits, of: *of }));
        let found = suggestions(&ratings.collect(), &policy(own));
        let found: Vec<(&str, Autonomy)> =
            found.iter().map(|one| (one.intent.as_str(), one.suggested)).collect();
        assert_eq!(found, expect, "{counts:?}");
    }

    #[test]
    fn one_step_down_or_up_where_ratings_credibly_differ() {
        use Autonomy::{Auto, Draft, Off};
        let good = ("pricing", 180, 200);
        check(&[], &[], &[]);
        check(&[], &[good], &[]);
        check(&[], &[good, ("onboarding", 1, 3)], &[]);
        check(&[], &[good, ("onboarding", 20, 60)], &[("onboarding", Draft)]);
        check(&[("onboarding", Draft)], &[good, ("onboarding", 20, 60)], &[("onboarding", Off)]);
        check(&[("onboarding", Off)], &[good, ("onboarding", 20, 60)], &[]);
        let up = [("general", 60, 150), ("pricing", 95, 100)];
        check(&[("pricing", Draft), ("general", Off)], &up, &[("pricing", Auto)]);
        let refund = [("general", 60, 150), ("refund", 95, 100)];
        check(&[("refund", Draft), ("general", Off)], &refund, &[]);
    }
}
