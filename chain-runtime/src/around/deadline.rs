//! A block that has to be done by a given time.

use core::error::Error;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;
use std::cell::Cell;
use std::thread_local;
use std::time::{Duration, Instant};

use chain_macros::node;

use super::Timer;
#[cfg(feature = "tokio")]
use super::TokioTimer;

thread_local! {
    /// The soonest deadline of what this thread is polling. Polls nest as blocks do, so one cell is enough.
    static CURRENT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Limits the block in time.
///
/// [`within`](Deadline::within) counts from when the block begins; [`until`](Deadline::until) is a time of the clock.
///
/// # Contract
///
/// - The block is polled before the clock is asked: what is ready in time, is ready.
/// - When the time is up the block is abandoned, with [`Expired`]: its future is dropped at the await where it stands, so the
///   `cancelled` hooks of those of its nodes that were entered run, in reverse order. A block that does not suspend cannot be
///   interrupted.
/// - **Inherited.** While a block is polled, [`Deadline::current`] is the soonest of the deadlines around it, in whatever function
///   the block may call. An inner deadline can only be sooner: one that would be later is ended by the outer
///   one. So a client of an upstream can ask what is left, and pass it on. Each has a timer of its own all the same: a future that was polled under a
///   sooner deadline, and is moved out from under it, keeps its limit.
/// - Where the time is up before the block begins, be it one's own or an inherited one, the block is not polled at all.
/// - What the block spawns is polled elsewhere, and inherits nothing.
/// - No timer is asked for before the block has to wait, and it is dropped with the block. It only wakes: the clock itself is asked in each poll in which the
///   block is pending, so a block that was busy for too long is abandoned where it suspends next.
/// - It ends where the block gives its reply. Of an HTTP response that is its **head**: how long the body takes to be sent after that is not limited.
///   `WholeDeadline` limits both.
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use std::pin::pin;
/// use std::time::Duration;
///
/// use chain_runtime::around::{Deadline, Expired};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
/// # runtime.block_on(async {
/// let deadline = Deadline::within(Duration::from_millis(50));
///
/// let quick = pin!(async { 200 });
/// assert_eq!(deadline.around(quick).await, Ok(200));
///
/// let slow = pin!(async { tokio::time::sleep(Duration::from_secs(1)).await; 200 });
/// assert_eq!(deadline.around(slow).await, Err(Expired));
///
/// // An inner deadline that is later does not make the outer one so.
/// let nested = pin!(async {
///     let patient = Deadline::within(Duration::from_secs(10));
///     let slow = pin!(async { tokio::time::sleep(Duration::from_secs(1)).await; 200 });
///     patient.around(slow).await
/// });
/// assert_eq!(deadline.around(nested).await, Err(Expired));
/// # });
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deadline<#[cfg(feature = "tokio")] T = TokioTimer, #[cfg(not(feature = "tokio"))] T> {
    limit: Limit,
    timer: T,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    Within(Duration),
    Until(Instant),
}

#[cfg(feature = "tokio")]
impl Deadline {
    /// So long from when the block begins, which is when `around` is first polled.
    #[must_use]
    pub const fn within(limit: Duration) -> Self {
        Self::within_on(TokioTimer, limit)
    }

    /// At that time. A node serves all requests, so this is for a limit that came with one of them: make the deadline where
    /// the limit is known, and `around` the rest.
    #[must_use]
    pub const fn until(at: Instant) -> Self {
        Self::until_on(TokioTimer, at)
    }
}

/// Under no timer's name, so that `Deadline::current()` says it whichever timers there are.
impl Deadline<()> {
    /// By when the block that is being polled has to be done: the soonest of all deadlines around it. `None` where there is none.
    ///
    /// It is a matter of the poll: right in any function that the block calls, and not in what it spawned.
    #[must_use]
    pub fn current() -> Option<Instant> {
        CURRENT.get()
    }
}

impl<T> Deadline<T> {
    /// [`within`](Deadline::within), by another timer.
    #[must_use]
    pub const fn within_on(timer: T, limit: Duration) -> Self {
        Self { limit: Limit::Within(limit), timer }
    }

    /// [`until`](Deadline::until), by another timer.
    #[must_use]
    pub const fn until_on(timer: T, at: Instant) -> Self {
        Self { limit: Limit::Until(at), timer }
    }
}

#[node(crate = crate)]
impl<T: Timer> Deadline<T> {
    /// Polls the block until it is ready or the time is up. See [`Deadline`].
    ///
    /// # Errors
    ///
    /// [`Expired`] when the time is up. The block must not be polled after that.
    pub async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> Result<B::Output, Expired> {
        let now = self.timer.now();
        let own = self.limit.after(now);
        if sooner(own, CURRENT.get()).is_some_and(|at| at <= now) {
            return Err(expired());
        }
        let mut sleep = pin!(None);
        poll_fn(|context| {
            // Asked in each poll, since who polls may change: a future can be moved out from under an outer deadline.
            let inherited = CURRENT.get();
            let restored = Restored(CURRENT.replace(sooner(own, inherited)));
            let polled = block.as_mut().poll(context);
            drop(restored);
            if let Poll::Ready(output) = polled {
                return Poll::Ready(Ok(output));
            }
            let Some(own) = own else { return Poll::Pending };
            // The block may have been busy: a timer that is asked for a time that has passed may still take a turn of its driver, tokio's among them.
            let mut is_up = own <= self.timer.now();
            if !is_up {
                if sleep.is_none() {
                    sleep.set(Some(self.timer.sleep_until(own)));
                }
                is_up = sleep.as_mut().as_pin_mut().is_some_and(|sleep| sleep.poll(context).is_ready());
            }
            if is_up && inherited.is_some_and(|at| at <= own) {
                // The outer one ends this block, too. Who polls it without that one asks the clock again: it is polled for it, also where that is
                // by who polls only what was woken.
                sleep.set(None);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if is_up { Poll::Ready(Err(expired())) } else { Poll::Pending }
        })
        .await
    }
}

/// A block that was given up is no reply, to a limit that stands around it.
fn expired() -> Expired {
    #[cfg(feature = "pressure")]
    crate::pressure::tell(crate::pressure::Verdict::TimedOut);
    Expired
}

impl Limit {
    /// When it is up, if it begins now. What no clock will show is no limit.
    fn after(self, now: Instant) -> Option<Instant> {
        match self {
            Self::Within(limit) => now.checked_add(limit),
            Self::Until(at) => Some(at),
        }
    }
}

fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// What was there before the block was polled. It is there again after it, also where the poll panics.
struct Restored(Option<Instant>);

impl Drop for Restored {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// The time was up: what [`Deadline`] gives up with. As an `http::Response`, a 504.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired;

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl Error for Expired {}
