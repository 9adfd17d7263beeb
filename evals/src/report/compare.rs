//! Which way a figure is better, and what a difference to the stored baseline means.

/// Share of the baseline by which a figure that a clock measured has to differ.
const CLOCK_NOISE: f64 = 0.1;
/// Differences of any other figure that only rounding makes.
const ROUNDING: f64 = 1e-9;

/// Figures that are better when they are lower, besides those that end in a unit of time.
const LOWER: [&str; 14] = [
    "ece",
    "brier",
    "aurc",
    "rss_mib",
    "lost",
    "unanswered",
    "doubled",
    "reordered",
    "errors",
    "failed",
    "changed",
    "changed_answers",
    "changed_decisions",
    "changed_confidences",
];
/// Figures that are better when they are higher.
const HIGHER: [&str; 12] = [
    "accuracy",
    "macro_f1",
    "auroc",
    "oos_auroc",
    "right_share",
    "token_f1",
    "rouge_l",
    "supported_share",
    "citation_validity",
    "tokens_per_second",
    "grounded_decode",
    "passed",
];
/// Beginnings of names of figures that are better when they are higher.
const HIGHER_STARTS: [&str; 7] =
    ["ndcg@", "recall@", "mrr@", "coverage_at_", "prefill_", "decode_", "batch_"];
/// Of those, the ones that a clock measures.
const SPEEDS: [&str; 5] = ["tokens_per_second", "grounded_decode", "prefill_", "decode_", "batch_"];

/// The way in which a figure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Higher,
    Lower,
}

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Better,
    Worse,
    /// As it was, or neither way is better.
    Even,
}

/// Which way a figure is better; `None` for counts that only describe the data, and for the other program's figures.
pub(super) fn way(figure: &str) -> Option<Way> {
    let (group, name) = figure.rsplit_once('.').unwrap_or(("", figure));
    match (group, name) {
        ("peer", _) => None,
        ("answerable", "answered") | ("unanswerable", "abstained") => Some(Way::Higher),
        ("answerable", "abstained") | ("unanswerable", "answered") => Some(Way::Lower),
        _ if is_time(figure) || LOWER.contains(&name) => Some(Way::Lower),
        _ if HIGHER.contains(&name) => Some(Way::Higher),
        _ if HIGHER_STARTS.iter().any(|start| name.starts_with(start)) => Some(Way::Higher),
        _ => None,
    }
}

/// Whether it is a time: named with its unit, or in a group that is.
pub(super) fn is_time(figure: &str) -> bool {
    figure.split('.').any(|part| part.ends_with("_ms") || part.ends_with("_seconds"))
}

/// Whether it is a percentile of a time, as `latency_p95_ms` and `ttft_ms.p50`.
pub(super) fn is_percentile(figure: &str) -> bool {
    let percentile = |part: &str| {
        part.strip_prefix('p')
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    is_time(figure) && figure.split(['.', '_']).any(percentile)
}

/// What it means that a figure is `now` and was `before`.
pub(super) fn verdict(figure: &str, now: f64, before: f64) -> Verdict {
    let name = figure.rsplit('.').next().unwrap_or(figure);
    let clocked = is_time(figure) || SPEEDS.iter().any(|start| name.starts_with(start));
    let least = if clocked { before.abs() * CLOCK_NOISE } else { ROUNDING };
    if (now - before).abs() <= least {
        return Verdict::Even;
    }
    match (way(figure), now > before) {
        (None, _) => Verdict::Even,
        (Some(Way::Higher), true) | (Some(Way::Lower), false) => Verdict::Better,
        (Some(_), _) => Verdict::Worse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(figure: &str, now: f64, before: f64, expect: Verdict) {
        assert_eq!(verdict(figure, now, before), expect, "{figure} {now} {before}");
    }

    #[test]
    fn better_and_worse_go_by_the_figure() {
        check("final.ndcg@10", 0.91, 0.90, Verdict::Better);
        check("final.ndcg@10", 0.89, 0.90, Verdict::Worse);
        check("ece", 0.05, 0.06, Verdict::Better);
        check("aurc", 0.07, 0.06, Verdict::Worse);
        check("unanswerable.answered", 3.0, 2.0, Verdict::Worse);
        check("answerable.answered", 3.0, 2.0, Verdict::Better);
        check("queries", 10.0, 20.0, Verdict::Even);
        check("auroc", 0.9, 0.9, Verdict::Even);
        check("never_heard_of", 1.0, 2.0, Verdict::Even);
    }

    #[test]
    fn clocks_may_differ_a_little() {
        check("latency_p95_ms", 109.0, 100.0, Verdict::Even);
        check("latency_p95_ms", 111.0, 100.0, Verdict::Worse);
        check("ttft_ms.p50", 50.0, 100.0, Verdict::Better);
        check("prefill_512", 95.0, 100.0, Verdict::Even);
        check("ratios.decode_512", 0.8, 1.0, Verdict::Worse);
        check("peer.decode_512", 0.8, 1.0, Verdict::Even);
        check("ratios.ttft_512_ms", 0.8, 1.0, Verdict::Better);
        for (figure, expect) in [
            ("latency_p95_ms", true),
            ("ttft_ms.p50", true),
            ("index_seconds", false),
            ("load_ms", false),
            ("coverage_p50", false),
        ] {
            assert_eq!(is_percentile(figure), expect, "{figure}");
        }
    }
}
