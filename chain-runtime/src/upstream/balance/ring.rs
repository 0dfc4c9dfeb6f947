//! [`Ring`]: the same member for the same key.

use core::hash::{Hash as _, Hasher as _};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::boxed::Box;
use std::vec::Vec;

use siphasher::sip::SipHasher13;

use super::{Ask, Balance, Candidate};

/// The same member for the same key, as long as the member does not have too many requests in flight: consistent
/// hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam 2017).
///
/// Each member has points on a ring, by its name and its weight (as in ketama). A key belongs to the next point after
/// its hash. When a member comes or goes, only the keys move that it gets or had, and, if there are 131,072 points or
/// more, a few others. All processes agree, also after a restart, as long as they have the same members.
///
/// **A member is full** if one more request would be more than `factor` times its share of all requests in flight,
/// rounded up. The key then goes along the ring to the next member that is not full. So a key that all clients want
/// does not bring its member down.
///
/// The key comes from [`Pick::by`](super::super::Pick::by). A request without a key gets a random one.
///
/// The average of requests in flight is summed up once in at most as many picks as an eighth of the members. So while
/// the load grows, it is off by at most an eighth of a request for each member.
#[derive(Debug)]
pub struct Ring {
    factor: f64,
}

impl Ring {
    /// A member has at most 1.25 times its share.
    #[must_use]
    pub const fn new() -> Self {
        Self { factor: 1.25 }
    }

    /// Sets how many times its share a member may have in flight. [`f64::INFINITY`] sets no bound.
    ///
    /// # Panics
    ///
    /// If it is not more than 1, because then all members would be full.
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

/// What a [`Ring`] derives from the members.
#[derive(Debug)]
pub struct Points {
    /// Sorted by hash, with the index of the candidate.
    points: Box<[(u64, u32)]>,
    weights: f64,
    /// The requests in flight for each unit of weight, as bits.
    average: AtomicU64,
    /// How many picks there were, and at which of them the average was made.
    picks: AtomicUsize,
    summed_at: AtomicUsize,
}

/// The points of the lightest member. Others have points by their weights, so that keys are spread with a deviation of
/// roughly a tenth.
const POINTS: f64 = 100.0;

/// The most points of all members, unless there are more members.
const ALL_POINTS: f64 = 131_072.0;

/// The most points that are visited to find a member that is not full.
const STEPS: usize = 1024;

impl Points {
    fn of<T>(candidates: &[Candidate<T>]) -> Self {
        // The whole weights are used, so that members that return do not change the points of others.
        let least = candidates.iter().map(|candidate| candidate.whole_weight().get()).min().map_or(1.0, f64::from);
        let weights: f64 = candidates.iter().map(Candidate::weight).sum();
        let mut points = Vec::new();
        for (index, candidate) in (0_u32..).zip(candidates) {
            let weight = candidate.weight();
            let number = (POINTS * weight / least).min(ALL_POINTS * weight / weights).max(1.0) as u64;
            points.extend((0..number).map(|point| (hash(candidate.seat().name(), point), index)));
        }
        points.sort_unstable();
        // This makes the first pick sum up.
        let (average, picks, summed_at) = (AtomicU64::new(0), AtomicUsize::new(candidates.len()), AtomicUsize::new(0));
        Self { points: points.into(), weights, average, picks, summed_at }
    }

    /// The requests in flight for each unit of weight, including the request of pick number `picks`.
    fn average<T>(&self, candidates: &[Candidate<T>], picks: usize) -> f64 {
        // It wraps if two threads sum up at once, and then the sum is made once more.
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
