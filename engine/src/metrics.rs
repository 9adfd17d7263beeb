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
}
