//! [`Times`]: how long something took, each time that it happened.

use std::time::Duration;

use histogram::{Config, Histogram};

/// The buckets for each power of two: 32. So a bucket is at most 1/32 (3.1 %) wide.
const GROUPING: u8 = 5;
/// A time longer than 2^42 ns (73 minutes) counts as that long.
const POWER: u8 = 42;
/// The longest time that can be told apart, in nanoseconds.
pub(crate) const LONGEST: u64 = (1 << POWER) - 1;
pub(crate) const CONFIG: Config = match Config::new(GROUPING, POWER) {
    Ok(config) => config,
    Err(_) => unreachable!(),
};

/// How long something took, each time that it happened: a histogram of nanoseconds and their exact sum.
///
/// The histogram is that of the crate `histogram`: it has 32 buckets for each power of two, so a value that is read
/// from it is at most 3.1 % too high.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// `None` if it never happened.
    histogram: Option<Histogram>,
    sum: u64,
}

/// It never happened.
impl Default for Times {
    fn default() -> Self {
        Self::NEVER
    }
}

impl Times {
    /// It never happened.
    pub const NEVER: Self = Self { histogram: None, sum: 0 };

    /// From the counts, and the sum in nanoseconds.
    pub(crate) fn new(histogram: Histogram, sum: u64) -> Self {
        Self { histogram: Some(histogram), sum }
    }

    /// How often it happened.
    pub fn count(&self) -> u64 {
        self.histogram.iter().flat_map(Histogram::as_slice).sum()
    }

    /// How long it took in all, in nanoseconds. It is exact, except for the rounding of the clock's ticks.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// How long it took in all.
    pub const fn total(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// How long it took on average, in nanoseconds. `None` if it never happened.
    pub fn mean(&self) -> Option<u64> {
        self.sum.checked_div(self.count())
    }

    /// This quantile, from 0 to 1, in nanoseconds: the upper end of its bucket. `None` if it never happened, or if the
    /// quantile is not from 0 to 1.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let bucket = self.histogram.as_ref()?.quantile_bucket(quantile).ok()??;
        Some(bucket.end())
    }

    /// Several quantiles in one pass, in the given order. Each is as in [`quantile`](Self::quantile).
    pub fn quantiles<const N: usize>(&self, quantiles: [f64; N]) -> [Option<u64>; N] {
        let mut buckets = [const { None }; N];
        if let Some(histogram) = &self.histogram {
            // An error leaves `None` in all of them.
            let _ = histogram.quantile_buckets_into(&quantiles, &mut buckets);
        }
        buckets.map(|bucket| bucket.map(|bucket| bucket.end()))
    }

    /// The buckets that are not empty, from the shortest: the longest time that belongs to it, in nanoseconds, and how
    /// often it happened.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.histogram.iter().flatten();
        all.filter(|bucket| bucket.count() > 0).map(|bucket| (bucket.end(), bucket.count()))
    }

    /// How often it took no longer than so many nanoseconds. All of the bucket that contains this time is counted.
    pub fn within(&self, nanos: u64) -> u64 {
        let all = self.histogram.iter().flatten();
        all.take_while(|bucket| bucket.start() <= nanos).map(|bucket| bucket.count()).sum()
    }

    /// Adds another one.
    pub fn merge(&mut self, other: &Self) {
        self.sum = self.sum.wrapping_add(other.sum);
        match (&mut self.histogram, &other.histogram) {
            (_, None) => {}
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(mine), Some(theirs)) => {
                for (mine, theirs) in mine.as_mut_slice().iter_mut().zip(theirs.as_slice()) {
                    *mine = mine.wrapping_add(*theirs);
                }
            }
        }
    }

    /// Subtracts an earlier one, so that what happened since remains. If the earlier one had more than this one,
    /// nothing remains.
    pub fn subtract(&mut self, earlier: &Self) {
        self.sum = self.sum.saturating_sub(earlier.sum);
        if let (Some(mine), Some(theirs)) = (&mut self.histogram, &earlier.histogram) {
            for (mine, theirs) in mine.as_mut_slice().iter_mut().zip(theirs.as_slice()) {
                *mine = mine.saturating_sub(*theirs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_at_most_a_thirty_second_too_high() {
        let mut histogram = Histogram::with_config(&CONFIG);
        for nanos in 1..=100_000 {
            histogram.increment(nanos).expect("it is not too long");
        }
        let times = Times::new(histogram, (1..=100_000).sum());
        assert_eq!((times.count(), times.mean()), (100_000, Some(50_000)));
        for (quantile, exact) in [(0.01, 1_000), (0.5, 50_000), (0.99, 99_000), (1.0, 100_000)] {
            let read = times.quantile(quantile).expect("a quantile");
            assert!(exact <= read && read <= exact + exact / 32, "{quantile}: {read}");
        }
        assert_eq!(times.quantiles([0.5, 0.99]), [times.quantile(0.5), times.quantile(0.99)]);
        assert_eq!((times.quantile(1.1), Times::NEVER.quantile(0.5)), (None, None));
    }
}
