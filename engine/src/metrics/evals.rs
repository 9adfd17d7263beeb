//! Formulas of the evals, as plain functions over plain numbers.

use std::collections::HashMap;

use crate::text::words;

/// nDCG@k with binary relevance: `ranked` tells for each rank from the top whether it is relevant, `relevant` how many are.
///
/// Järvelin and Kekäläinen 2002; 0 when nothing is relevant.
pub fn ndcg(ranked: &[bool], relevant: usize, k: usize) -> f64 {
    let gain = |rank: usize| 1.0 / ((rank + 2) as f64).log2();
    let ideal: f64 = (0..relevant.min(k)).map(gain).sum();
    let got: f64 =
        ranked.iter().take(k).enumerate().filter(|(_, hit)| **hit).map(|(r, _)| gain(r)).sum();
    if ideal == 0.0 { 0.0 } else { got / ideal }
}

/// Probability that a positive scores above a negative, ties count half. `None` without both kinds.
///
/// The rank-sum (Mann-Whitney) form.
pub fn auroc(scored: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|(_, yes)| *yes).count();
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut rank_sum = 0.0;
    let mut start = 0;
    while start < sorted.len() {
        let end = start + sorted[start..].iter().take_while(|s| s.0 == sorted[start].0).count();
        let rank = (start + end + 1) as f64 / 2.0;
        rank_sum += rank * sorted[start..end].iter().filter(|(_, yes)| *yes).count() as f64;
        start = end;
    }
    let least = (positives * (positives + 1)) as f64 / 2.0;
    Some((rank_sum - least) / (positives * negatives) as f64)
}

/// Expected calibration error over `bins` bins of equal width: mean distance of confidence and accuracy, 0 to 1.
///
/// Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
pub fn ece(scored: &[(f64, bool)], bins: usize) -> f64 {
    let mut sums = vec![(0.0, 0.0, 0_usize); bins];
    for (value, yes) in scored {
        let bin = &mut sums[((value * bins as f64) as usize).min(bins - 1)];
        *bin = (bin.0 + value, bin.1 + f64::from(u8::from(*yes)), bin.2 + 1);
    }
    let distance =
        |(value, yes, n): &(f64, f64, usize)| if *n == 0 { 0.0 } else { (value - yes).abs() };
    sums.iter().map(distance).sum::<f64>() / scored.len().max(1) as f64
}

/// Harmonic mean of precision and recall of the words that two texts share, 0 to 1 (SQuAD's token F1, articles kept).
pub fn token_f1(text: &str, reference: &str) -> f64 {
    let (text, reference) = (words(text), words(reference));
    let mut left: HashMap<&String, usize> = HashMap::new();
    for word in &reference {
        *left.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in &text {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    if shared == 0 { 0.0 } else { 2.0 * f64::from(shared) / (text.len() + reference.len()) as f64 }
}

/// Share of the relevant that stand among the first `k`, 0 to 1; 0 when nothing is relevant.
pub fn recall(ranked: &[bool], relevant: usize, k: usize) -> f64 {
    let found = ranked.iter().take(k).filter(|hit| **hit).count();
    if relevant == 0 { 0.0 } else { found as f64 / relevant as f64 }
}

/// One over the rank of the first relevant among the first `k`, 0 when there is none.
pub fn reciprocal_rank(ranked: &[bool], k: usize) -> f64 {
    ranked.iter().take(k).position(|hit| *hit).map_or(0.0, |rank| 1.0 / (rank + 1) as f64)
}

/// Mean squared distance of confidence and outcome, 0 to 1 (Brier 1950).
pub fn brier(scored: &[(f64, bool)]) -> f64 {
    let distance = |(value, yes): &(f64, bool)| (value - f64::from(u8::from(*yes))).powi(2);
    scored.iter().map(distance).sum::<f64>() / scored.len().max(1) as f64
}

/// Coverage and error when the most confident share is answered: one point for each case, most confident first.
///
/// The risk–coverage curve of El-Yaniv and Wiener 2010. Equal confidences enter together, so that their order in the
/// file changes nothing.
pub fn risk_coverage(scored: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut points = Vec::with_capacity(sorted.len());
    let (mut wrong, mut start) = (0, 0);
    while start < sorted.len() {
        let end = start + sorted[start..].iter().take_while(|s| s.0 == sorted[start].0).count();
        wrong += sorted[start..end].iter().filter(|(_, yes)| !yes).count();
        let point = (
            end as f64 / sorted.len() as f64,
            f64::from(u32::try_from(wrong).unwrap_or(u32::MAX)) / end as f64,
        );
        points.extend(std::iter::repeat_n(point, end - start));
        start = end;
    }
    points
}

/// Area under the risk–coverage curve, 0 (never wrong) to 1: the mean error over all coverages.
pub fn aurc(scored: &[(f64, bool)]) -> f64 {
    let points = risk_coverage(scored);
    points.iter().map(|(_, risk)| risk).sum::<f64>() / points.len().max(1) as f64
}

/// The largest share of cases, most confident first, that can be answered with an error of at most `error`.
pub fn coverage_at_error(scored: &[(f64, bool)], error: f64) -> f64 {
    let within = risk_coverage(scored).into_iter().filter(|(_, risk)| *risk <= error);
    within.map(|(coverage, _)| coverage).fold(0.0, f64::max)
}

/// The 95 % interval of a share of which `hits` of `of` were counted (Wilson 1927); 0 to 1 when nothing was.
pub fn interval(hits: usize, of: usize) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    if of == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (of as f64, hits as f64 / of as f64);
    let middle = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    ((middle - half) / scale, (middle + half) / scale)
}

/// Mean over the labels of the harmonic mean of precision and recall, 0 to 1. Each pair is (true label, given label);
/// labels that are never true count when they were given.
pub fn macro_f1(pairs: &[(&str, &str)]) -> f64 {
    let mut counts: HashMap<&str, (f64, f64, f64)> = HashMap::new();
    for (wanted, given) in pairs {
        counts.entry(wanted).or_default().1 += 1.0;
        counts.entry(given).or_default().2 += 1.0;
        if wanted == given {
            counts.entry(wanted).or_default().0 += 1.0;
        }
    }
    let f1 = |(both, wanted, given): &(f64, f64, f64)| 2.0 * both / (wanted + given);
    counts.values().map(f1).sum::<f64>() / counts.len().max(1) as f64
}

/// F-measure of the longest common subsequence of words, 0 to 1 (ROUGE-L, Lin 2004, with equal weights).
pub fn rouge_l(text: &str, reference: &str) -> f64 {
    let (text, reference) = (words(text), words(reference));
    let mut lengths = vec![0_usize; reference.len() + 1];
    for word in &text {
        let mut diagonal = 0;
        for (at, other) in reference.iter().enumerate() {
            let above = lengths[at + 1];
            lengths[at + 1] = if word == other { diagonal + 1 } else { above.max(lengths[at]) };
            diagonal = above;
        }
    }
    let common = lengths[reference.len()] as f64;
    if common == 0.0 { 0.0 } else { 2.0 * common / (text.len() + reference.len()) as f64 }
}

/// The value below which a share `q` (0 to 1) of `values` lies, nearest rank. `None` without values.
pub fn percentile(values: &[f64], q: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = ((q * sorted.len() as f64).ceil() as usize).max(1);
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expect: f64) {
        assert!((got - expect).abs() < 1e-9, "{got} is not {expect}");
    }

    #[test]
    fn formulas_give_the_textbook_values() {
        close(ndcg(&[true, false], 1, 10), 1.0);
        close(ndcg(&[false, true], 1, 10), 1.0 / 3f64.log2());
        close(ndcg(&[true], 0, 10), 0.0);
        close(auroc(&[(0.9, true), (0.1, false)]).unwrap(), 1.0);
        close(auroc(&[(0.5, true), (0.5, false)]).unwrap(), 0.5);
        assert_eq!(auroc(&[(0.5, true)]), None);
        close(ece(&[(1.0, true), (1.0, false)], 10), 0.5);
        close(ece(&[(0.75, true), (0.75, true), (0.75, true), (0.75, false)], 10), 0.0);
        close(token_f1("the port is 7878", "port 7878"), 2.0 * 2.0 / 6.0);
        close(token_f1("", "x"), 0.0);
        close(percentile(&[3.0, 1.0, 2.0], 0.5).unwrap(), 2.0);
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn ranks_are_counted() {
        let ranked = [false, true, false, true];
        assert_eq!(
            (recall(&ranked, 4, 2), recall(&ranked, 4, 10), recall(&[], 0, 5)),
            (0.25, 0.5, 0.0)
        );
        assert_eq!((reciprocal_rank(&ranked, 10), reciprocal_rank(&ranked, 1)), (0.5, 0.0));
    }

    #[test]
    fn confidence_is_judged_by_what_it_lets_through() {
        let scored = [(0.9, true), (0.8, true), (0.7, false), (0.6, true)];
        assert!((brier(&scored) - (0.01 + 0.04 + 0.49 + 0.16) / 4.0).abs() < 1e-9);
        assert_eq!(risk_coverage(&scored)[1], (0.5, 0.0));
        assert!((aurc(&scored) - (0.0 + 0.0 + 1.0 / 3.0 + 0.25) / 4.0).abs() < 1e-9);
        assert_eq!(
            (coverage_at_error(&scored, 0.05), coverage_at_error(&scored, 0.25)),
            (0.5, 1.0)
        );
        let (low, high) = interval(10, 100);
        assert!((low - 0.0552).abs() < 1e-4 && (high - 0.1744).abs() < 1e-4, "{low} {high}");
        assert_eq!(interval(0, 0), (0.0, 1.0));
        let tied = [(0.5, true), (0.5, false)];
        assert_eq!(risk_coverage(&tied), [(1.0, 0.5), (1.0, 0.5)]);
        assert_eq!((coverage_at_error(&tied, 0.1), aurc(&[]), brier(&[])), (0.0, 0.0, 0.0));
    }

    #[test]
    fn labels_and_words_are_compared() {
        assert_eq!(macro_f1(&[("a", "a"), ("b", "b")]), 1.0);
        assert!((macro_f1(&[("a", "a"), ("b", "a")]) - (2.0 / 3.0) / 2.0).abs() < 1e-9);
        assert_eq!(macro_f1(&[]), 0.0);
        assert_eq!(rouge_l("the cat sat", "the cat sat"), 1.0);
        assert!((rouge_l("the cat sat", "the sat cat") - 2.0 / 3.0).abs() < 1e-9);
        assert_eq!((rouge_l("", "x"), rouge_l("x", "")), (0.0, 0.0));
    }
}
