//! A deterministic simulation of the conversation core: the real store and the real functions under a schedule that a seed
//! makes, with clients over a bad network, people who take over, workers who are away, and crashes between any two steps.
//!
//! `PORCHLIGHT_SIM_SEED=17 cargo nextest run -p server simulation` repeats one seed.

mod browser;
mod home;
mod ledger;
mod world;

use home::{Home, Tally};
use world::World;

/// Seeds that are played, unless the environment names one.
const SEEDS: u64 = 200;
/// Deeds under each.
const DEEDS: u32 = 150;
const SEED: &str = "PORCHLIGHT_SIM_SEED";

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }
}

#[test]
fn two_hundred_seeds_lose_nothing_double_nothing_and_cross_nothing() {
    let only = std::env::var(SEED).ok().map(|seed| seed.parse::<u64>().unwrap());
    let seeds = only.map_or(0..SEEDS, |seed| seed..seed + 1);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let home = Home::new();
    let mut sum = Tally::default();
    for seed in seeds {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut world = World::new(&home, &runtime, seed);
            for _ in 0..DEEDS {
                world.deed();
            }
            world.settle();
            world.judge()
        }));
        match played {
            Ok(tally) => sum.add(&tally),
            Err(cause) => {
                let text = cause.downcast_ref::<String>().cloned();
                let text = text.or_else(|| cause.downcast_ref::<&str>().map(|&text| text.into()));
                panic!("{SEED}={seed} repeats this: {}", text.unwrap_or_default());
            }
        }
    }
    if only.is_none() {
        sum.has_everything();
    }
}
