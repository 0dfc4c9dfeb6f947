//! The length of the pause before a retry.

use std::time::Duration;

/// Exponential backoff with full jitter: before retry number `n`, a random time between 0 and `min(cap, base · 2ⁿ⁻¹)`.
///
/// Without it, clients that failed together would come back together. Of the ways to spread them that Marc Brooker
/// compares in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), this is the one that makes the fewest
/// calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// Pauses of up to `base`, twice that, four times that, .. but never over `cap`.
    #[must_use]
    pub const fn exponential(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// No pauses.
    #[must_use]
    pub const fn none() -> Self {
        Self::exponential(Duration::ZERO, Duration::ZERO)
    }

    /// The longest pause after try number `attempt`, which counts from 1.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chain_runtime::around::Backoff;
    ///
    /// let backoff = Backoff::exponential(Duration::from_millis(25), Duration::from_millis(80));
    /// let ceilings = [1, 2, 3, 100].map(|attempt| backoff.ceiling(attempt).as_millis());
    /// assert_eq!(ceilings, [25, 50, 80, 80]);
    /// ```
    #[must_use]
    pub fn ceiling(&self, attempt: u32) -> Duration {
        nanoseconds(self.ceiling_in_nanoseconds(attempt))
    }

    /// It computes in 128 bits, where no base is too small and no attempt too late: a product that does not fit is over
    /// every cap.
    fn ceiling_in_nanoseconds(&self, attempt: u32) -> u128 {
        let factor = 1_u128.checked_shl(attempt.saturating_sub(1));
        let product = factor.and_then(|factor| self.base.as_nanos().checked_mul(factor));
        match product {
            Some(product) => product.min(self.cap.as_nanos()),
            None if self.base.is_zero() => 0,
            None => self.cap.as_nanos(),
        }
    }

    /// A pause after try number `attempt`: any time up to the [`ceiling`](Self::ceiling), all with the same
    /// probability.
    pub(super) fn pause(&self, attempt: u32) -> Duration {
        nanoseconds(fastrand::u128(0..=self.ceiling_in_nanoseconds(attempt)))
    }
}

/// This many nanoseconds, which came out of a `Duration`.
fn nanoseconds(count: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    Duration::new((count / SECOND) as u64, (count % SECOND) as u32)
}

impl Default for Backoff {
    /// From 25 ms to 1 s.
    fn default() -> Self {
        Self::exponential(Duration::from_millis(25), Duration::from_secs(1))
    }
}
