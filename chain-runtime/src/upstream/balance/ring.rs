//! [`Ring`]: the same member for the same key.

use core::hash::{Hash as _, Hasher as _};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::boxed::Box;
use std::vec::Vec;

use siphasher::sip::SipHasher13;

use super::{Ask, Balance, Candidate};

/// The same member for the same key, as long as it has not too much in flight: consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2017).
///
/// Each member has points on a ring, by its name and its weight (as in ketama); a key belongs to the next point after its hash. Where a member comes or goes, only
/// those keys move that it gets or had, and where there are 131,072 points and more, a few others. All processes and all starts agree, as long as they have the same members.
///
/// **A member is full** where a request more would be more than `factor` times its share of all that is in flight, rounded up. Then the key goes on along the ring to the next that is not. So a
/// key that all want does not bring its member down.
///
/// The key comes from [`Pick::by`](super::super::Pick::by). A request without one is given a random one.
///
/// What is in flight on the average is summed up once in as many picks as an eighth of the members, at most, so it is off by an eighth of a request for each member at most where load grows.
#[derive(Debug)]
pub struct Ring {
    factor: f64,
}

impl Ring {
    /// A member has 1.25 times its share at most.
    #[must_use]
    pub const fn new() -> Self {
        Self { factor: 1.25 }
    }

    /// Sets how many times its share a member has in flight at most. [`f64::INFINITY`] does not bound it.
    ///
    /// # Panics
    ///
    /// If it is not more than 1: all would be full.
    #[must_use]
    pub fn bounded(mut self, factor: f64) -> Self {
        assert!(factor > 1.0, "a factor of {factor}: with 1 or less all members would be full");
        self.factor = factor;
        self
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new()
    }
}

/// What a [`Ring`] derives of the members.
#[derive(Debug)]
pub struct Points {
    /// Sorted by hash, with the index of the candidate.
    points: Box<[(u64, u32)]>,
    weights: f64,
    /// What is in flight for each unit of weight, as bits.
    average: AtomicU64,
    /// How often somebody has picked, and at which of these the average was made.
    picks: AtomicUsize,
    summed_at: AtomicUsize,
}

/// Points of the member that weighs least, and of others by their weights: so keys are spread with a deviation of about a tenth.
const POINTS: f64 = 100.0;

/// Points of all members, unless there are more members.
const ALL_POINTS: f64 = 131_072.0;

/// Points that are looked at, at most, for a member that is not full.
const STEPS: usize = 1024;

impl Points {
    fn of<T>(candidates: &[Candidate<T>]) -> Self {
        // By the whole weights, so that members that return have no influence on the others' points.
        let least = candidates.iter().map(|candidate| candidate.whole_weight().get()).min().map_or(1.0, f64::from);
        let weights: f64 = candidates.iter().map(Candidate::weight).sum();
        let mut points = Vec::new();
        for (index, candidate) in (0_u32..).zip(candidates) {
            let weight = candidate.weight();
            let number = (POINTS * weight / least).min(ALL_POINTS * weight / weights).max(1.0) as u64;
            points.extend((0..number).map(|point| (hash(candidate.seat().name(), point), index)));
        }
        points.sort_unstable();
        // As if the last sum were long ago.
        let (average, picks, summed_at) = (AtomicU64::new(0), AtomicUsize::new(candidates.len()), AtomicUsize::new(0));
        Self { points: points.into(), weights, average, picks, summed_at }
    }

    /// What is in flight for each unit of weight, with the request for which somebody picks the `picks`-th time.
    fn average<T>(&self, candidates: &[Candidate<T>], picks: usize) -> f64 {
        // It wraps where two threads sum up at once, and then it is summed up once more.
        let since = picks.wrapping_sub(self.summed_at.load(Relaxed));
        if since < candidates.len() / 8 {
            return f64::from_bits(self.average.load(Relaxed));
        }
        self.summed_at.store(picks, Relaxed);
        let in_flight: usize = candidates.iter().map(|candidate| candidate.seat().in_flight()).sum();
        let average = (in_flight as f64 + 1.0) / self.weights;
        self.average.store(average.to_bits(), Relaxed);
        average
    }
}

fn hash(name: &str, point: u64) -> u64 {
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    hasher.write_u64(point);
    hasher.finish()
}

impl<T> Balance<T> for Ring {
    type Table = Points;

    fn table(&self, candidates: &[Candidate<T>]) -> Points {
        Points::of(candidates)
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], table: &'a Points, ask: &Ask<'_>) -> &'a Candidate<T> {
        let key = ask.key.unwrap_or_else(|| fastrand::u64(..));
        let picks = table.picks.fetch_add(1, Relaxed);
        let mut share = None;
        let from = table.points.partition_point(|(hash, _)| *hash < key);
        let (before, behind) = table.points.split_at(from);
        let (mut best, mut least) = (None, f64::INFINITY);
        for (_, index) in behind.iter().chain(before).take(STEPS) {
            let candidate = &candidates[*index as usize];
            if !ask.takes(candidate) {
                continue;
            }
            let in_flight = candidate.seat().in_flight();
            // A first request is never too much, whatever the others have.
            if in_flight == 0 {
                return candidate;
            }
            let share = *share.get_or_insert_with(|| self.factor * table.average(candidates, picks));
            if (in_flight as f64) < (share * candidate.weight()).ceil() {
                return candidate;
            }
            let load = candidate.load();
            if load < least {
                (best, least) = (Some(candidate), load);
            }
        }
        best.unwrap_or(&candidates[0])
    }
}
