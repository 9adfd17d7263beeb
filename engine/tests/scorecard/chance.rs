//! How often equal shares are called different, and how soon different ones are: simulated owners who look each week.

use engine::metrics::{Counts, differ};

const INTENTS: usize = 8;
const WEEKS: usize = 13;
/// Comparisons of one owner: each intent, each week.
const LOOKS: u32 = (INTENTS * WEEKS) as u32;

/// A seeded source of chance (xorshift64*, Vigna 2016): the same numbers on each machine.
struct Dice(u64);

impl Dice {
    /// 0 to below 1.
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, most: u64) -> u64 {
        (self.roll() * most as f64) as u64
    }
}

/// An owner whose visitors rate eight intents.
struct Owner {
    /// True share of good ratings of each intent.
    truth: [f64; INTENTS],
    /// Ratings a week, of all intents.
    volume: u64,
    /// Whether half of the ratings are of one intent.
    uneven: bool,
}

impl Owner {
    /// For each intent, the first of the weeks in which it is told from the others.
    fn alarms(&self, dice: &mut Dice, weeks: usize) -> [Option<usize>; INTENTS] {
        let mut counts = [Counts::default(); INTENTS];
        let mut alarms = [None; INTENTS];
        for week in 1..=weeks {
            for _ in 0..self.volume {
                let frequent = self.uneven && dice.roll() < 0.5;
                let intent = if frequent { 0 } else { dice.below(INTENTS as u64) as usize };
                counts[intent].count(dice.roll() < self.truth[intent]);
            }
            for (intent, alarm) in alarms.iter_mut().enumerate().filter(|(_, a)| a.is_none()) {
                let mut others = Counts::default();
                let rest = counts.iter().enumerate().filter(|(other, _)| *other != intent);
                rest.for_each(|(_, counts)| others.merge(*counts));
                *alarm = differ(counts[intent], others, LOOKS).map(|_| week);
            }
        }
        alarms
    }
}

#[test]
fn equal_shares_are_seldom_called_different() {
    for uneven in [false, true] {
        for share in [0.5, 0.6, 0.7, 0.8, 0.9, 0.95] {
            let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (share * 1e6) as u64);
            let alarmed = |_: &u32| {
                let volume = 5 + dice.below(196);
                let owner = Owner { truth: [share; INTENTS], volume, uneven };
                owner.alarms(&mut dice, WEEKS).iter().any(Option::is_some)
            };
            let alarms = (0..1_000).filter(alarmed).count();
            assert!(alarms <= 50, "{alarms} of 1,000 with a true share of {share} were alarmed");
        }
    }
}

#[test]
fn twenty_points_are_found_within_eight_weeks() {
    for (low, high) in [(0.5, 0.7), (0.6, 0.8), (0.7, 0.9), (0.75, 0.95)] {
        // A hundred ratings a week of all intents together, and of each.
        for (volume, least) in [(100, 600), (800, 990)] {
            let mut dice = Dice(0xD1B5_4A32_D192_ED03);
            let mut truth = [high; INTENTS];
            truth[3] = low;
            let owner = Owner { truth, volume, uneven: false };
            let found = |_: &u32| owner.alarms(&mut dice, 8)[3].is_some();
            let found = (0..1_000).filter(found).count();
            assert!(found >= least, "{low} beside {high}, {volume} a week: {found} of 1,000");
        }
    }
}
