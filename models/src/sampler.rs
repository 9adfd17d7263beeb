//! Picks the next token: the likeliest, or by a seeded throw; always with its log-probability.

use engine::model::Sampling;

use crate::processor::level::Level;
use crate::processor::loops;

/// A picked token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Its id.
    pub id: u32,
    /// Natural-log probability under the unscaled distribution, at most 0.
    pub logprob: f32,
}

/// Picks tokens one after the other.
#[derive(Debug, Clone)]
pub struct Sampler {
    temperature: f32,
    state: u64,
}

impl Sampler {
    /// A sampler that repeats itself for the same `sampling`.
    pub fn new(sampling: &Sampling) -> Self {
        Self { temperature: sampling.temperature, state: sampling.seed }
    }

    /// The next token; `None` when `logits` are empty or not all finite.
    pub fn pick(&mut self, logits: &[f32]) -> Option<Pick> {
        let total = log_sum_exp(logits, 1.0)?;
        let id = if self.temperature > 0.0 { self.throw(logits)? } else { likeliest(logits)? };
        Some(Pick { id: u32::try_from(id).ok()?, logprob: (logits[id] - total).min(0.0) })
    }

    fn throw(&mut self, logits: &[f32]) -> Option<usize> {
        let total = log_sum_exp(logits, self.temperature)?;
        let mut left = self.uniform();
        for (id, logit) in logits.iter().enumerate() {
            left -= f64::from((logit / self.temperature - total).exp());
            if left <= 0.0 {
                return Some(id);
            }
        }
        likeliest(logits)
    }

    /// SplitMix64 (Steele, Lea and Flood 2014), 0 to 1.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Natural-log probability of `id`, at most 0; `None` when the logits are not usable or `id` is outside.
pub fn logprob(logits: &[f32], id: u32) -> Option<f32> {
    let total = log_sum_exp(logits, 1.0)?;
    logits.get(id as usize).map(|logit| (logit - total).min(0.0))
}

fn likeliest(logits: &[f32]) -> Option<usize> {
    let finite = logits.iter().enumerate().filter(|(_, l)| l.is_finite());
    // The first of equals, so that a tie never depends on order of evaluation.
    finite.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(id, _)| id)
}

/// `None` when the logits are none or not all finite.
fn log_sum_exp(logits: &[f32], temperature: f32) -> Option<f32> {
    let (mut top, mut log) = (0.0, 0.0);
    loops::log_sum_exp(Level::detect(), logits, temperature, &mut top, &mut log);
    log.is_finite().then(|| top / temperature + log)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f32, seed: u64) -> Sampler {
        Sampler::new(&Sampling { max_tokens: 1, temperature, seed })
    }

    #[test]
    fn greedy_picks_the_likeliest_with_its_probability() {
        let pick = sampler(0.0, 0).pick(&[0.0, 2.0, 1.0]).unwrap();
        let expect = 2.0 - (1.0_f32 + 2.0_f32.exp() + 1.0_f32.exp()).ln();
        assert_eq!(pick.id, 1);
        assert!((pick.logprob - expect).abs() < 1e-5);
        assert_eq!(sampler(0.0, 0).pick(&[1.0, 1.0]).unwrap().id, 0);
        assert_eq!(sampler(0.0, 0).pick(&[]), None);
        assert_eq!(sampler(0.0, 0).pick(&[f32::NAN]), None);
    }

    #[test]
    fn throws_repeat_by_seed_and_follow_the_distribution() {
        let logits = [0.0, 1.0_f32];
        let throws = |seed| {
            let mut sampler = sampler(1.0, seed);
            (0..2000).map(|_| sampler.pick(&logits).unwrap().id).collect::<Vec<_>>()
        };
        assert_eq!(throws(7), throws(7));
        assert_ne!(throws(7), throws(8));
        let share = throws(7).iter().filter(|id| **id == 1).count() as f64 / 2000.0;
        assert!((share - 0.731).abs() < 0.04, "{share}");
    }
}
