//! [`Ejections`]: how long a member is ejected.

use core::time::Duration;
use std::time::Instant;

use super::settings::Health;

/// No ejection is longer than a year, whatever is set.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The ejections of a member so far.
#[derive(Debug, Default)]
pub(in crate::upstream) struct Ejections {
    /// How often the first length was doubled, how long the last ejection was, and when it ended.
    last: Option<(u32, Duration, Instant)>,
}

impl Ejections {
    /// The end of the ejection of a member that is ejected now. `chance` is within 0.0 and 1.0.
    pub(in crate::upstream) fn next(&mut self, health: &Health, now: Instant, chance: f64) -> Instant {
        let bucket = Duration::from_millis(health.bucket()).min(LONGEST);
        let first = health.first.clamp(bucket, LONGEST);
        let longest = health.longest.clamp(first, LONGEST);
        let doublings = self.last.map_or(0, |(doublings, length, ended)| {
            // The length is not 0, since it is at least a bucket.
            let well = now.saturating_duration_since(ended).as_nanos() / length.as_nanos();
            let more = doublings + u32::from(length < longest);
            more.saturating_sub(u32::try_from(well).unwrap_or(u32::MAX))
        });
        let length = first.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(longest);
        let until = now + length + length.mul_f64(health.jitter * chance);
        self.last = Some((doublings, length, until));
        until
    }
}

#[cfg(all(test, not(chain_loom)))]
mod tests {
    use std::vec::Vec;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_doubles_up_to_the_longest_and_each_time_as_long_that_went_well_takes_one_off() {
        let health = Health::new().ejection(5 * SECOND, 60 * SECOND).jitter(0.0);
        let (mut ejections, mut now) = (Ejections::default(), Instant::now());
        let mut after = |well: Duration| {
            now += well;
            let length = ejections.next(&health, now, 0.5) - now;
            now += length;
            length.as_secs()
        };
        let at_once: Vec<_> = (0..7).map(|_| after(Duration::ZERO)).collect();
        assert_eq!(at_once, [5, 10, 20, 40, 60, 60, 60]);
        assert_eq!(after(59 * SECOND), 60);
        assert_eq!(after(60 * SECOND), 40);
        // One doubling more, and two less.
        assert_eq!(after(80 * SECOND), 20);
        assert_eq!(after(3600 * SECOND), 5);
    }

    #[test]
    fn chance_makes_it_longer_by_the_jitter_at_most() {
        let health = Health::new().jitter(0.1);
        let now = Instant::now();
        let length = |chance| Ejections::default().next(&health, now, chance) - now;
        assert_eq!((length(0.0), length(1.0)), (5 * SECOND, 5 * SECOND + SECOND / 2));
    }

    #[test]
    fn no_length_is_too_long_for_the_clock() {
        let health = Health::new().ejection(Duration::MAX, Duration::MAX).jitter(1.0);
        let now = Instant::now();
        assert_eq!(Ejections::default().next(&health, now, 1.0) - now, 2 * LONGEST);
        let health = Health::new().success(0.5, 20, Duration::MAX).jitter(0.0);
        assert_eq!(Ejections::default().next(&health, now, 0.0) - now, LONGEST);
    }
}
