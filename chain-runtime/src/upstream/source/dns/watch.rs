//! [`Watch`]: decides whether a resolver is asked at all.

use core::time::Duration;
use std::time::Instant;

/// How a resolver's queries end, and the consequences.
///
/// It is only the state: it knows no lock and no clock.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) limits: Limits,
    buckets: [Bucket; BUCKETS],
    isolated: Option<Isolated>,
}

/// When a resolver is isolated, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// This share of failures isolates it.
    pub(super) share: f64,
    /// The least number of queries for that.
    pub(super) samples: u32,
    /// The time in which they count.
    pub(super) window: Duration,
    /// How long it rests before the first probe.
    pub(super) rest: Duration,
    /// How long it rests at most. Each failed probe doubles the rest.
    pub(super) longest: Duration,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        share: 0.5,
        samples: 10,
        window: Duration::from_secs(60),
        rest: Duration::from_secs(5),
        longest: Duration::from_secs(60),
    };
}

/// The buckets of a window: for 60 s, one has 5 s.
const BUCKETS: usize = 12;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    begins: Option<Instant>,
    all: u32,
    failed: u32,
}

#[derive(Debug)]
struct Isolated {
    said: Isolation,
    rest: Duration,
    probing: bool,
}

/// Why and how long a resolver is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Isolation {
    /// The beginning of the isolation.
    pub since: Instant,
    /// From then on, one query is let through; if it succeeds, the isolation is over. While that query is under way,
    /// this is the time of the query after it.
    pub until: Instant,
    /// How many queries had failed,
    pub failed: u32,
    /// of how many.
    pub queries: u32,
}

/// A query that is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Like any other query.
    Ordinary,
    /// The only query that an isolated resolver gets.
    Probe,
}

impl Watch {
    pub(super) const fn new(limits: Limits) -> Self {
        const EMPTY: Bucket = Bucket { begins: None, all: 0, failed: 0 };
        Self { limits, buckets: [EMPTY; BUCKETS], isolated: None }
    }

    pub(super) fn isolation(&self) -> Option<Isolation> {
        self.isolated.as_ref().map(|isolated| isolated.said)
    }

    /// Lets a query through, or returns why not. A query that was let through has to be [noted](Self::note) or
    /// [cancelled](Self::cancelled).
    pub(super) fn enter(&mut self, now: Instant) -> Result<Pass, Isolation> {
        let Some(isolated) = &mut self.isolated else { return Ok(Pass::Ordinary) };
        if isolated.probing || now < isolated.said.until {
            return Err(isolated.said);
        }
        isolated.probing = true;
        isolated.said.until = now + isolated.rest;
        Ok(Pass::Probe)
    }

    /// A query ended without an answer, because it is no longer wanted. It says nothing about the resolver.
    pub(super) fn cancelled(&mut self, pass: Pass, now: Instant) {
        if let (Pass::Probe, Some(isolated)) = (pass, &mut self.isolated) {
            isolated.probing = false;
            isolated.said.until = now;
        }
    }

    /// A query ended, and the resolver answered or failed. Returns whether this isolated the resolver, or ended its
    /// isolation.
    pub(super) fn note(&mut self, pass: Pass, now: Instant, failed: bool) -> bool {
        match (&mut self.isolated, pass) {
            (Some(isolated), Pass::Probe) if failed => {
                isolated.probing = false;
                isolated.rest = (isolated.rest * 2).min(self.limits.longest);
                isolated.said.until = now + isolated.rest;
                false
            }
            (Some(_), Pass::Probe) => {
                *self = Self::new(self.limits);
                true
            }
            // It had begun before the isolation. So it is too late to prevent the isolation, and too early to end it.
            (Some(_), Pass::Ordinary) => false,
            (None, _) => {
                self.count(now, failed);
                failed && self.isolate(now)
            }
        }
    }

    fn count(&mut self, now: Instant, failed: bool) {
        let width = self.limits.window / BUCKETS as u32;
        let newest = self.buckets[0].begins;
        if newest.is_none_or(|begins| now.saturating_duration_since(begins) >= width) {
            self.buckets.rotate_right(1);
            self.buckets[0] = Bucket { begins: Some(now), ..Bucket::default() };
        }
        let bucket = &mut self.buckets[0];
        bucket.all = bucket.all.saturating_add(1);
        bucket.failed = bucket.failed.saturating_add(u32::from(failed));
    }

    fn isolate(&mut self, now: Instant) -> bool {
        let Limits { share, samples, window, rest, longest } = self.limits;
        let of_window =
            |bucket: &&Bucket| bucket.begins.is_some_and(|begins| now.saturating_duration_since(begins) < window);
        let (all, failed) = self.buckets.iter().filter(of_window).fold((0_u32, 0_u32), |(all, failed), bucket| {
            (all.saturating_add(bucket.all), failed.saturating_add(bucket.failed))
        });
        if all < samples || f64::from(failed) < share * f64::from(all) {
            return false;
        }
        let rest = rest.min(longest);
        let said = Isolation { since: now, until: now + rest, failed, queries: all };
        self.isolated = Some(Isolated { said, rest, probing: false });
        true
    }
}

#[cfg(all(test, not(chain_loom)))]
mod tests {
    use super::*;
    use std::vec::Vec;

    const SECOND: Duration = Duration::from_secs(1);

    fn watch() -> (Watch, Instant) {
        (Watch::new(Limits::DEFAULT), Instant::now())
    }

    fn failing(watch: &mut Watch, now: Instant, times: u32) -> bool {
        (0..times).any(|_| {
            let pass = watch.enter(now).unwrap();
            watch.note(pass, now, true)
        })
    }

    #[test]
    fn few_failures_isolate_nobody_and_one_more_does() {
        let (mut watch, now) = watch();
        assert!(!failing(&mut watch, now, 9));
        assert!(watch.enter(now).is_ok());
        assert!(failing(&mut watch, now + 30 * SECOND, 1));
        let isolation = watch.enter(now + 30 * SECOND).unwrap_err();
        assert_eq!((isolation.failed, isolation.queries), (10, 10));
        assert_eq!((isolation.since, isolation.until), (now + 30 * SECOND, now + 35 * SECOND));
    }

    #[test]
    fn failures_beside_as_many_successes_and_more_isolate_nobody() {
        let (mut watch, now) = watch();
        for _ in 0..11 {
            watch.note(Pass::Ordinary, now, false);
        }
        assert!(!failing(&mut watch, now, 10));
        assert!(failing(&mut watch, now, 1), "11 of 22");
    }

    #[test]
    fn what_has_left_the_window_does_not_count() {
        let (mut watch, now) = watch();
        assert!(!failing(&mut watch, now, 9));
        assert!(!failing(&mut watch, now + 60 * SECOND, 9));
        assert!(!failing(&mut watch, now + 3600 * SECOND, 9));
        assert!(failing(&mut watch, now + 3601 * SECOND, 1));
    }

    #[test]
    fn one_probe_at_a_time_at_growing_intervals() {
        let (mut watch, now) = watch();
        failing(&mut watch, now, 10);
        let (mut at, mut rests) = (now, Vec::new());
        for _ in 0..6 {
            let until = watch.enter(at).unwrap_err().until;
            rests.push((until - at).as_secs());
            at = until;
            assert_eq!(watch.enter(at), Ok(Pass::Probe));
            assert!(watch.enter(at).is_err(), "one is under way");
            assert!(!watch.note(Pass::Probe, at, true));
        }
        assert_eq!(rests, [5, 10, 20, 40, 60, 60]);
        at = watch.enter(at).unwrap_err().until;
        assert_eq!(watch.enter(at), Ok(Pass::Probe));
        assert!(watch.note(Pass::Probe, at, false), "it is told");
        assert_eq!((watch.isolation(), watch.enter(at)), (None, Ok(Pass::Ordinary)));
        assert!(!failing(&mut watch, at, 9), "what was before is forgotten");
    }

    #[test]
    fn a_probe_that_is_cancelled_gives_its_place_back() {
        let (mut watch, now) = watch();
        failing(&mut watch, now, 10);
        let at = now + 5 * SECOND;
        assert_eq!(watch.enter(at), Ok(Pass::Probe));
        watch.cancelled(Pass::Probe, at);
        assert_eq!(watch.enter(at), Ok(Pass::Probe));
    }

    #[test]
    fn a_query_from_before_neither_ends_an_isolation_nor_lengthens_it() {
        let (mut watch, now) = watch();
        failing(&mut watch, now, 10);
        let before = watch.isolation();
        assert!(!watch.note(Pass::Ordinary, now + SECOND, false));
        assert!(!watch.note(Pass::Ordinary, now + SECOND, true));
        watch.cancelled(Pass::Ordinary, now + SECOND);
        assert_eq!(watch.isolation(), before);
    }
}
