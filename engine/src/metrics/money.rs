//! What the chat saves and earns: formulas over stated assumptions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::case::Conversion;
use super::rates::Counts;

/// Days of a month over which tool costs are spread.
const MONTH_DAYS: f64 = 30.0;
const DAY_MS: f64 = 86_400_000.0;

/// What has to be assumed about money; the owner sets each. Amounts are in whole units of the currency (19.99 euros).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Assumptions {
    /// Minutes that a repetitive question costs a person.
    pub minutes_per_ticket: f64,
    /// Minutes that a chat cost a person before; none: not known, nothing is gained or lost by faster handling.
    pub baseline_handling_minutes: Option<f64>,
    /// What an hour of support costs.
    pub hourly_rate: f64,
    /// Code of ISO 4217.
    pub currency: String,
    /// What an order is worth where its value was not given.
    pub average_order_value: Option<f64>,
    /// Share of visits without chat that buy, 0 to 1; when it is given, the uplift is the difference from it.
    pub baseline_conversion_rate: Option<f64>,
    /// Share of an assisted order that is owed to the chat, 0 to 1.
    pub attributed_share: f64,
    /// What the chat costs a month.
    pub tool_costs: f64,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            minutes_per_ticket: 2.0,
            baseline_handling_minutes: None,
            hourly_rate: 30.0,
            currency: "EUR".into(),
            average_order_value: None,
            baseline_conversion_rate: None,
            attributed_share: 0.2,
            tool_costs: 0.0,
        }
    }
}

/// Conversions as they are counted: their worth by currency, and how many did not say theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sales {
    /// Smallest units of each currency.
    pub(super) values: BTreeMap<String, i64>,
    /// Conversions with a value, by currency.
    valued: BTreeMap<String, u64>,
    /// All conversions.
    all: u64,
}

impl Sales {
    pub(super) fn count(&mut self, conversion: &Conversion) {
        self.all += 1;
        let Some(value) = conversion.value else { return };
        let currency = &conversion.currency;
        let sum = self.values.entry(currency.clone()).or_default();
        *sum = sum.saturating_add(value);
        *self.valued.entry(currency.clone()).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.all += other.all;
        for (currency, value) in other.values {
            let sum = self.values.entry(currency).or_default();
            *sum = sum.saturating_add(value);
        }
        for (currency, n) in other.valued {
            *self.valued.entry(currency).or_default() += n;
        }
    }

    /// What the conversions are worth in the owner's currency: their values, and the average order value for each that has none in this
    /// currency. None when one of them cannot be valued so.
    fn worth(&self, assumptions: &Assumptions) -> Option<f64> {
        let own = &assumptions.currency;
        let valued = self.valued.get(own).copied().unwrap_or(0);
        let units = 10_f64.powi(decimals(own));
        let known = self.values.get(own).map_or(0.0, |value| *value as f64 / units);
        match self.all - valued {
            0 => Some(known),
            others => Some(known + others as f64 * assumptions.average_order_value?),
        }
    }
}

/// Decimal places of a currency's smallest unit (ISO 4217).
fn decimals(currency: &str) -> i32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// What was done in a period, as far as money follows from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work<'a> {
    /// Milliseconds of the period.
    pub(super) period_ms: i64,
    /// Cases in which a person wrote.
    pub(super) person_cases: u64,
    /// Mean handling time of those, in milliseconds; none without any.
    pub(super) handling_mean_ms: Option<f64>,
    /// Cases that the bot answered and that needed no person.
    pub(super) spared: u64,
    /// Cases that owner or visitor resolved, and those of them that a conversion followed.
    pub(super) converted: Counts,
    /// The conversions.
    pub(super) sales: &'a Sales,
}

/// What the chat saves and earns in a period, in the owner's currency. Each is 0 when nothing happened and none where an assumption that it
/// needs is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Savings {
    /// (baseline - mean handling minutes) × cases with a person + contained cases that the bot answered × minutes per ticket (mission text: "support time saved").
    /// Negative when people take longer than before; without a baseline the second part only.
    pub minutes_saved: Option<f64>,
    /// Minutes per ticket × contained cases that the bot answered / 60 (mission text: "hours saved").
    pub hours_saved: Option<f64>,
    /// Hours saved × hourly rate (mission text: "support cost savings").
    pub cost_saved: Option<f64>,
    /// Worth of assisted orders × the share owed to the chat; with a baseline rate (assisted rate - baseline) × confirmed cases × average
    /// order value (mission text: "conversion uplift").
    pub uplift: Option<f64>,
    /// Costs a month × days / 30.
    pub tool_costs: Option<f64>,
    /// (uplift + cost saved - tool costs) / tool costs (mission text: "ROI formula"); none when tool costs are 0.
    pub roi: Option<f64>,
}

/// What follows from work and assumptions; see [`Savings`] for each formula.
pub(super) fn savings(assumptions: &Assumptions, work: &Work) -> Savings {
    let repetitive = assumptions.minutes_per_ticket * work.spared as f64;
    let faster = assumptions.baseline_handling_minutes.zip(work.handling_mean_ms);
    let handling = faster.map_or(0.0, |(baseline, mean_ms)| {
        (baseline - mean_ms / 60_000.0) * work.person_cases as f64
    });
    let hours = repetitive / 60.0;
    let cost_saved = hours * assumptions.hourly_rate;
    let uplift = uplift(assumptions, work);
    let tool_costs = assumptions.tool_costs * work.period_ms as f64 / DAY_MS / MONTH_DAYS;
    let gain = uplift.filter(|_| tool_costs > 0.0);
    Savings {
        minutes_saved: Some(handling + repetitive),
        hours_saved: Some(hours),
        cost_saved: Some(cost_saved),
        uplift,
        tool_costs: Some(tool_costs),
        roi: gain.map(|gain| (gain + cost_saved - tool_costs) / tool_costs),
    }
}

fn uplift(assumptions: &Assumptions, work: &Work) -> Option<f64> {
    let Some(baseline) = assumptions.baseline_conversion_rate else {
        return Some(work.sales.worth(assumptions)? * assumptions.attributed_share);
    };
    // (converted / confirmed - baseline) × confirmed, without the division by zero.
    let orders = work.converted.hits as f64 - baseline * work.converted.of as f64;
    Some(orders * assumptions.average_order_value?)
}
