//! [`Latency`]: the expected time of a request to a member.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::time::Instant;

use super::outcome::Outcome;

/// The peak of a member's latencies, which decays with time: Finagle's peak EWMA. A latency above the expected one is
/// believed at once, a lower one little by little.
///
/// - **A failure counts as a second**, or as its real time if that is longer, so that a member that fails fast is not
///   taken for a fast one. Single failures are averaged in: members that each fail one request in a hundred stay alike.
///   From the fifth failure in a row on, they are believed at once, as a peak. That is the default number of failures
///   that eject a member. If it were smaller, the member would get no more requests before it is ejected, and would
///   stay close to its ejection for as long as the peak decays.
/// - **A member that continues to fail counts twice as much with each try**, up to a minute. So it is tried less and
///   less often, even if all other members are slower than the penalty.
/// - **A member that is not asked is forgotten** by the same decay, completely after half a minute, and is tried again.
///   While that try is under way, the decay is eight times slower: otherwise a member that hangs would look better and
///   better. If the others take a millisecond, a second would need more than a minute to decay to that.
/// - **A member that was out is forgotten at once** when it is back: its latency while it was ill says nothing about
///   now.
/// - **A member without any result yet gets one request**, and no second one before there is a result.
#[derive(Debug)]
pub(super) struct Latency {
    /// The expected nanoseconds as an `f32` in the upper half, and in the lower half the time of that value, in
    /// [ticks](Self::ticks). Both are in one word, so that no reader sees them apart. 0 if nothing is known.
    word: AtomicU64,
    /// Failures in a row.
    failures: AtomicU32,
    since: Instant,
}

/// In this time a value without news falls to 1/e.
const DECAY: Duration = Duration::from_secs(10);

/// The decay is this many times slower while a request is in flight.
const WHILE_ASKED: f64 = 8.0;

/// The least number of nanoseconds that a failure counts as.
const PENALTY: f64 = 1e9;

/// The largest number of nanoseconds that failures in a row count as.
const MOST: f64 = 60e9;

/// This many failures in a row are no accident.
const ROW: u32 = 5;

/// The ticks after which a value without news is forgotten: half a minute.
const FORGOTTEN: u32 = 30 * SECOND;

/// A tick is 2¹⁶ ns, 66 µs: 32 bits of them are three days.
const TICK: u32 = 16;

/// The ticks of a second.
const SECOND: u32 = (1_000_000_000_u64 >> TICK) as u32;

/// The assumed time of a member without any result, while it is being asked.
const UNKNOWN: f64 = 1e18;

impl Latency {
    pub(super) const fn new(since: Instant) -> Self {
        Self { word: AtomicU64::new(0), failures: AtomicU32::new(0), since }
    }

    /// The expected nanoseconds of a request, by what is known now.
    pub(super) fn expected(&self, is_asked: bool, now: Instant) -> f64 {
        match (unpack(self.word.load(Relaxed)), is_asked) {
            (None, false) => 0.0,
            (None, true) => UNKNOWN,
            (Some((cost, at)), _) => {
                let age = age(self.ticks(now), at);
                if !is_asked && age >= FORGOTTEN {
                    return 0.0;
                }
                f64::from(cost) * decay(age, if is_asked { WHILE_ASKED } else { 1.0 })
            }
        }
    }

    /// Whether the last known request failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failures.load(Relaxed) != 0
    }

    /// A request ended in this way, after `took`.
    pub(super) fn observe(&self, outcome: Outcome, took: Duration, now: Instant) {
        let took = took.as_secs_f64() * 1e9;
        match outcome {
            Outcome::Replied { ok: true } => {
                // It is in a shared cache line, and mostly 0 already.
                if self.failures.load(Relaxed) != 0 {
                    self.failures.store(0, Relaxed);
                }
                let next = |cost: f64, w: f64, age| match took > cost || age >= FORGOTTEN {
                    true => took,
                    false => cost.mul_add(w, took * (1.0 - w)),
                };
                self.update(now, next, took);
            }
            Outcome::Replied { ok: false } | Outcome::Failed | Outcome::TimedOut => {
                let row = self.failures.fetch_add(1, Relaxed).saturating_add(1);
                let charge = took.max(PENALTY);
                if row < ROW {
                    self.update(now, |cost, w, _| cost.max(took).mul_add(w, charge * (1.0 - w)), charge);
                } else {
                    // Failures at the same time are one try. A failure a second later belongs to a new try.
                    let next = |cost: f64, age| if age >= SECOND { (2.0 * cost).min(MOST) } else { cost };
                    self.update(now, |cost, _, age| charge.max(next(cost, age)), charge);
                }
            }
            // There was no reply in this time. More is not known.
            Outcome::Cancelled if unpack(self.word.load(Relaxed)).is_some() => {
                self.update(now, |cost, w, _| (cost * w).max(took), took);
            }
            Outcome::Cancelled | Outcome::Panicked => {}
        }
    }

    /// Forgets everything.
    pub(super) fn forget(&self) {
        self.failures.store(0, Relaxed);
        self.word.store(0, Relaxed);
    }

    /// Replaces the cost, computed from the old one, its decayed value, and its age in ticks. `first` is the cost if
    /// nothing was known.
    fn update(&self, now: Instant, next: impl Fn(f64, f64, u32) -> f64, first: f64) {
        let now = self.ticks(now);
        let _ = self.word.fetch_update(Relaxed, Relaxed, |word| {
            let cost = match unpack(word) {
                Some((cost, at)) => {
                    let age = age(now, at);
                    next(f64::from(cost), decay(age, 1.0), age)
                }
                None => first,
            };
            Some(pack(cost as f32, now))
        });
    }

    /// [`expected`](Self::expected) as a time. `None` if nothing is known, or not any more.
    pub(super) fn shown(&self, is_asked: bool, now: Instant) -> Option<Duration> {
        unpack(self.word.load(Relaxed))?;
        let nanos = self.expected(is_asked, now);
        (nanos > 0.0).then(|| Duration::from_nanos(nanos as u64))
    }

    fn ticks(&self, now: Instant) -> u32 {
        (now.saturating_duration_since(self.since).as_nanos() >> TICK) as u32
    }
}

/// How far ahead of this thread's time another thread may have stored a value: a minute. All other numbers are the
/// past, so a value from some days ago is forgotten as well.
const AHEAD: u32 = 60 * SECOND;

fn age(now: u32, at: u32) -> u32 {
    let age = now.wrapping_sub(at);
    if age > u32::MAX - AHEAD { 0 } else { age }
}

fn decay(age: u32, slower: f64) -> f64 {
    (-f64::from(age) / (slower * DECAY.as_secs_f64() * f64::from(SECOND))).exp()
}

const fn unpack(word: u64) -> Option<(f32, u32)> {
    if word == 0 { None } else { Some((f32::from_bits((word >> 32) as u32), word as u32)) }
}

fn pack(cost: f32, at: u32) -> u64 {
    // At least a nanosecond, since 0 means that nothing is known.
    (u64::from(cost.max(1.0).to_bits()) << 32) | u64::from(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Outcome = Outcome::Replied { ok: true };
    const MS: Duration = Duration::from_millis(1);

    fn expected(latency: &Latency, now: Instant) -> Duration {
        Duration::from_secs_f64(latency.expected(false, now) / 1e9)
    }

    #[test]
    fn a_peak_is_believed_at_once_and_what_is_faster_by_and_by() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        latency.observe(OK, 10 * MS, begun);
        latency.observe(OK, 100 * MS, begun + MS);
        let peak = expected(&latency, begun + MS);
        assert!(peak > 99 * MS, "{peak:?}");
        latency.observe(OK, 10 * MS, begun + MS + DECAY);
        let later = expected(&latency, begun + MS + DECAY);
        // 1/e of the 100 ms is left, and the rest is of the 10 ms.
        assert!((42 * MS..44 * MS).contains(&later), "{later:?}");
    }

    #[test]
    fn who_fails_fast_is_not_taken_for_fast() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        latency.observe(OK, 10 * MS, begun);
        for _ in 0..ROW {
            latency.observe(Outcome::Failed, Duration::ZERO, begun);
        }
        assert!(expected(&latency, begun) >= 999 * MS);
    }

    #[test]
    fn who_was_not_asked_for_half_a_minute_is_asked_once_whatever_it_has_cost() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        for _ in 0..10 {
            latency.observe(Outcome::Failed, MS, begun);
        }
        let before = begun + Duration::from_secs(29);
        assert!(expected(&latency, before) > 40 * MS);
        let later = begun + Duration::from_secs(31);
        assert_eq!(expected(&latency, later), Duration::ZERO);
        assert!(latency.expected(true, later) > 0.5e9, "while it is asked, nobody else asks it");
        latency.observe(OK, MS, later);
        assert!(expected(&latency, later) <= MS, "it is as one that was never heard of");
    }

    #[test]
    fn who_is_back_is_as_one_that_was_never_heard_of() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        for _ in 0..10 {
            latency.observe(Outcome::TimedOut, 500 * MS, begun);
        }
        latency.forget();
        assert!(latency.expected(false, begun) < 1.0 && latency.expected(true, begun) >= UNKNOWN);
    }

    #[test]
    fn a_single_failure_costs_little_and_the_same_to_all() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        for step in 0..10_000 {
            let outcome = if step % 100 == 50 { Outcome::Replied { ok: false } } else { OK };
            latency.observe(outcome, 10 * MS, begun + step * MS);
        }
        let now = expected(&latency, begun + 10_000 * MS);
        assert!((10 * MS..30 * MS).contains(&now), "{now:?}");
    }

    #[test]
    fn who_fails_at_each_try_is_charged_more_each_time() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        latency.observe(Outcome::Failed, MS, begun);
        latency.observe(Outcome::Failed, MS, begun);
        let charged = [0, 0, 0, 0, 20, 40, 60, 80, 100, 120, 140, 160].map(|second| {
            let now = begun + Duration::from_secs(second);
            latency.observe(Outcome::Failed, MS, now);
            expected(&latency, now).as_secs_f64().round()
        });
        assert_eq!(charged, [1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]);
    }

    #[test]
    fn who_was_never_heard_of_is_asked_once() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        assert!(latency.expected(false, begun) < 1.0);
        assert!(latency.expected(true, begun) >= UNKNOWN);
        latency.observe(Outcome::Cancelled, MS, begun);
        assert!(latency.expected(true, begun) >= UNKNOWN, "a request that was cancelled says nothing");
    }

    #[test]
    fn a_cancelled_request_raises_and_never_lowers() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        latency.observe(OK, 10 * MS, begun);
        latency.observe(Outcome::Cancelled, MS, begun);
        assert!(expected(&latency, begun) > 9 * MS);
        latency.observe(Outcome::Cancelled, 500 * MS, begun);
        assert!(expected(&latency, begun) > 499 * MS);
    }

    #[test]
    fn who_was_not_asked_for_days_is_forgotten_as_well() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        latency.observe(Outcome::Failed, MS, begun);
        for hours in [1, 24, 40, 60, 78] {
            let now = expected(&latency, begun + Duration::from_secs(hours * 3600));
            assert!(now < MS, "{now:?} after {hours} hours");
        }
        // A value that another thread has stored a moment later is not forgotten.
        latency.observe(Outcome::Failed, MS, begun + MS);
        assert!(expected(&latency, begun) > 900 * MS);
    }

    #[test]
    fn who_hangs_does_not_look_better_meanwhile() {
        let begun = Instant::now();
        let latency = Latency::new(begun);
        latency.observe(OK, 10 * MS, begun);
        let later = begun + 2 * DECAY;
        assert!(latency.expected(true, later) > 5.0 * latency.expected(false, later));
    }
}
