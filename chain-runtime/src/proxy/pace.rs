//! Limits how long one side of a body is waited for.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::Rate;

/// The instant plus this time, or a time in thirty years if no clock can show it.
pub(super) fn later(instant: Instant, by: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3_600);
    instant.checked_add(by).unwrap_or_else(|| instant + NEVER)
}

pin_project! {
    /// Measures the time in which a side is waited for, and finds out when that is too long.
    ///
    /// The clock is read only when there is something to wait for. The timer is made once and is not moved with each
    /// part of a body: when it fires, this looks whether it should have.
    #[derive(Debug)]
    pub(super) struct Pace {
        silence: Duration,
        rate: Option<Rate>,
        until: Option<Instant>,
        // The bytes in this window.
        moved: u64,
        waited: Duration,
        since: Option<Instant>,
        #[pin]
        timer: Option<Sleep>,
    }
}

impl Pace {
    /// `until` is the time by which everything has to be over.
    pub(super) const fn new(silence: Duration, rate: Option<Rate>, until: Option<Instant>) -> Self {
        Self { silence, rate, until, moved: 0, waited: Duration::ZERO, since: None, timer: None }
    }

    /// So many bytes came or went.
    pub(super) fn moved(self: Pin<&mut Self>, bytes: usize) {
        let this = self.project();
        let Some(rate) = this.rate else {
            *this.since = None;
            return;
        };
        if let Some(since) = this.since.take() {
            *this.waited += since.elapsed();
        }
        *this.moved += bytes as u64;
        if *this.moved >= rate.bytes {
            (*this.moved, *this.waited) = (0, Duration::ZERO);
        }
    }

    /// There is nothing to do but wait. Ready when the wait is too long.
    pub(super) fn poll_wait(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let since = *this.since.get_or_insert_with(Instant::now);
        let patience = match this.rate {
            Some(rate) => (*this.silence).min(rate.window.saturating_sub(*this.waited)),
            None => *this.silence,
        };
        let mut at = later(since, patience);
        if let Some(until) = *this.until {
            at = at.min(until);
        }
        if this.timer.is_none() {
            this.timer.set(Some(sleep_until(at)));
        }
        loop {
            let Some(mut timer) = this.timer.as_mut().as_pin_mut() else { return Poll::Pending };
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= at {
                return Poll::Ready(());
            }
            timer.reset(at);
        }
    }

    /// Whether the time for everything is over.
    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;
    use std::pin::pin;

    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn is_cut_after(pace: Pin<&mut Pace>, wait: Duration) -> bool {
        let mut pace = pace;
        timeout(wait, poll_fn(|context| pace.as_mut().poll_wait(context))).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_says_nothing_is_cut_after_the_silence() {
        let mut pace = pin!(Pace::new(5 * SECOND, None, None));
        assert!(!is_cut_after(pace.as_mut(), 4 * SECOND).await);
        pace.as_mut().moved(1);
        assert!(!is_cut_after(pace.as_mut(), 4 * SECOND).await, "a byte came");
        assert!(is_cut_after(pace.as_mut(), 2 * SECOND).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_dribbles_is_cut_after_the_window_and_one_that_keeps_up_is_not() {
        let rate = Some(Rate::new(100, 10 * SECOND));
        for (bytes, is_cut) in [(9, true), (12, false), (1_000, false)] {
            let mut pace = pin!(Pace::new(5 * SECOND, rate, None));
            let mut seconds = 0;
            while seconds < 60 && !is_cut_after(pace.as_mut(), SECOND).await {
                pace.as_mut().moved(bytes);
                seconds += 1;
            }
            assert_eq!(seconds < 60, is_cut, "{bytes} bytes a second");
            if is_cut {
                assert!((9..=11).contains(&seconds), "after {seconds} s");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_waits_for_it_does_not_count() {
        let mut pace = pin!(Pace::new(5 * SECOND, Some(Rate::new(100, 10 * SECOND)), None));
        for _ in 0..20 {
            assert!(!is_cut_after(pace.as_mut(), SECOND / 10).await);
            pace.as_mut().moved(1);
            advance(60 * SECOND).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_whole_comes_first() {
        let mut pace = pin!(Pace::new(5 * SECOND, None, Some(Instant::now() + 2 * SECOND)));
        assert!(is_cut_after(pace.as_mut(), 3 * SECOND).await && pace.is_over());
    }
}
