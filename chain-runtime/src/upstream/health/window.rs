//! [`Window`]: how the latest requests ended.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use std::boxed::Box;

/// How many requests ended, and how many of them failed, in each of the last [`BUCKETS`] ticks.
///
/// It is a ring of words: the tick in the upper bits, and the two counts below. So a bucket's counts and its tick
/// change together. They order nothing else, so loom does not model them.
pub(super) struct Window(Box<[AtomicU64; BUCKETS]>);

/// The number of buckets in a window. A window of 30 s has buckets of 469 ms. After that time, present failures are no
/// longer counted together with earlier successes.
pub(super) const BUCKETS: usize = 64;

/// The bits of a count.
const COUNT: u32 = 18;

/// What a request adds to its bucket, and what a failed one adds in addition.
const ENDED: u64 = 1 << COUNT;
const FAILED: u64 = 1;

/// The bits of a word that hold the tick.
const TICK: u64 = !((1 << (2 * COUNT)) - 1);

/// How many requests a bucket counts. It has room for twice as many, since threads that count at once each look before
/// they add.
const FULL: u64 = 1 << (COUNT - 1);

/// How many requests ended, and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) all: u64,
    pub(super) failed: u64,
}

impl Window {
    pub(super) fn new() -> Self {
        Self(Box::new([const { AtomicU64::new(0) }; BUCKETS]))
    }

    /// Counts a request that ended in this tick. If very many, 131,072, have already ended in a tick, no more are
    /// counted in it.
    pub(super) fn count(&self, tick: u64, failed: bool) {
        let bucket = self.bucket(tick);
        let (own, one) = (tag(tick), ENDED + if failed { FAILED } else { 0 });
        let mut word = bucket.load(Relaxed);
        while word & TICK != own {
            // The bucket is that of a tick that has left the window.
            match bucket.compare_exchange_weak(word, own | one, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(other) => word = other,
            }
        }
        if counts(word).all < FULL {
            bucket.fetch_add(one, Relaxed);
        }
    }

    /// The latest requests: in as many of the newest buckets as it takes to have this many, back to tick `oldest`.
    /// `None` if there were fewer.
    pub(super) fn newest(&self, tick: u64, oldest: u64, samples: u64) -> Option<Ended> {
        let oldest = oldest.max((tick + 1).saturating_sub(BUCKETS as u64));
        let mut ended = Ended::default();
        for tick in (oldest..=tick).rev() {
            let word = self.bucket(tick).load(Relaxed);
            if word & TICK == tag(tick) {
                let Ended { all, failed } = counts(word);
                ended.all += all;
                ended.failed += failed;
                if ended.all >= samples {
                    return Some(ended);
                }
            }
        }
        None
    }

    fn bucket(&self, tick: u64) -> &AtomicU64 {
        &self.0[(tick % BUCKETS as u64) as usize]
    }
}

/// The upper bits of a word of this tick. Some years later another tick has the same bits.
const fn tag(tick: u64) -> u64 {
    tick << (2 * COUNT)
}

const fn counts(word: u64) -> Ended {
    Ended { all: (word >> COUNT) & (ENDED - 1), failed: word & (ENDED - 1) }
}

#[cfg(all(test, not(chain_loom)))]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_bucket_counts_no_more_and_spills_into_no_other() {
        let window = Window::new();
        for _ in 0..FULL + 10 {
            window.count(1, true);
        }
        assert_eq!(window.newest(1, 0, 1), Some(Ended { all: FULL, failed: FULL }));
        window.count(2, false);
        assert_eq!(window.newest(2, 2, 1), Some(Ended { all: 1, failed: 0 }));
    }

    proptest! {
        #[test]
        fn it_is_a_list_of_all_that_ended(
            steps in proptest::collection::vec((0..20_u64, 0..4_u64, any::<bool>(), 0..30_u64, 1..12_u64), 1..200),
        ) {
            let (window, mut all, mut now) = (Window::new(), Vec::new(), 0);
            for (pass, requests, failed, back, samples) in steps {
                now += if pass == 19 { 200 } else { pass / 4 };
                for _ in 0..requests {
                    window.count(now, failed);
                    all.push((now, failed));
                }
                let oldest = now.saturating_sub(back * 4);
                let since = |from: u64| {
                    let of = |(tick, _): &&(u64, bool)| *tick >= from && *tick + 64 > now;
                    let ended: Vec<_> = all.iter().filter(of).collect();
                    Ended { all: ended.len() as u64, failed: ended.iter().filter(|(_, failed)| *failed).count() as u64 }
                };
                let expected = (oldest..=now).rev().map(since).find(|ended| ended.all >= samples);
                prop_assert_eq!(window.newest(now, oldest, samples), expected);
            }
        }
    }
}
