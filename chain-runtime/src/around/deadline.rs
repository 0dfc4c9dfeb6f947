//! A time limit for a block.

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
#[cfg(not(feature = "tokio"))]
use super::{IsEnabled, NoTimer};

thread_local! {
    /// The soonest deadline of the block that this thread is polling. Polls nest as blocks do, so one cell is enough.
    static CURRENT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Limits the block in time.
///
/// [`within`](Deadline::within) counts from the beginning of the block; [`until`](Deadline::until) is a time of the
/// clock.
///
/// # Contract
///
/// - The block is polled before the clock is read: a block that is ready in time counts as ready.
/// - When the time is up, the block is abandoned with [`Expired`]: its future is dropped at the await where it stands.
///   So the `cancelled` hooks run, in reverse order, for those of its nodes that were entered. A block that does not
///   suspend cannot be interrupted.
/// - **Inherited.** While a block is polled, [`Deadline::current`] is the soonest of the deadlines around it, in every
///   function that the block calls. An inner deadline can only be sooner: the outer deadline ends an inner one that
///   would be later. So a client of an upstream can ask how much time is left, and pass that on. Each deadline has a
///   timer of its own all the same: a future that was polled under a sooner deadline, and is then moved out from under
///   it, keeps its limit.
/// - If the time is up before the block begins, by the node's own deadline or an inherited one, the block is not polled
///   at all.
/// - Tasks that the block spawns are polled elsewhere, and inherit nothing.
/// - A timer is made only when the block has to wait, and is dropped with the block. The timer only wakes the task: the
///   clock itself is read in each poll in which the block is pending. So a block that was busy for too long is
///   abandoned where it suspends next.
/// - The limit ends when the block gives its reply. For an HTTP response, that is its **head**: the time to send the
///   body after that is not limited. `WholeDeadline` limits both.
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
/// // A later inner deadline does not extend the outer one.
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
pub struct Deadline<#[cfg(feature = "tokio")] T = TokioTimer, #[cfg(not(feature = "tokio"))] T = NoTimer> {
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
    /// A limit from the beginning of the block, which is the first poll of `around`.
    #[must_use]
    pub const fn within(limit: Duration) -> Self {
        Self::within_on(TokioTimer, limit)
    }

    /// A limit at this time. A node serves all requests, so this is for a limit that came with one request: make the
    /// deadline where the limit is known, and call `around` there.
    #[must_use]
    pub const fn until(at: Instant) -> Self {
        Self::until_on(TokioTimer, at)
    }
}

#[cfg(not(feature = "tokio"))]
impl<T: IsEnabled> Deadline<T> {
    #[doc(hidden)]
    #[must_use]
    pub fn within(_: Duration) -> Self {
        unreachable!("without the feature there is no such timer")
    }

    #[doc(hidden)]
    #[must_use]
    pub fn until(_: Instant) -> Self {
        unreachable!("without the feature there is no such timer")
    }
}

/// These items name no timer, so that `Deadline::current()` compiles whichever timers there are.
impl Deadline<()> {
    /// The time by which the block that is being polled has to be done: the soonest of all deadlines around it. `None`
    /// if there is none.
    ///
    /// It belongs to the poll: it is right in every function that the block calls, and not in the tasks that it
    /// spawned.
    #[must_use]
    pub fn current() -> Option<Instant> {
        CURRENT.get()
    }
}

impl<T> Deadline<T> {
    /// The same as [`within`](Deadline::within), with another timer.
    #[must_use]
    pub const fn within_on(timer: T, limit: Duration) -> Self {
        Self { limit: Limit::Within(limit), timer }
    }

    /// The same as [`until`](Deadline::until), with another timer.
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
    /// [`Expired`] if the time is up. The block must not be polled after that.
    pub async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> Result<B::Output, Expired> {
        let now = self.timer.now();
        let own = self.limit.after(now);
        if sooner(own, CURRENT.get()).is_some_and(|at| at <= now) {
            return Err(expired());
        }
        let mut sleep = pin!(None);
        poll_fn(|context| {
            // This is read in each poll, because the polling code may change: a future can be moved out from under an
            // outer deadline.
            let inherited = CURRENT.get();
            let restored = Restored(CURRENT.replace(sooner(own, inherited)));
            let polled = block.as_mut().poll(context);
            drop(restored);
            if let Poll::Ready(output) = polled {
                return Poll::Ready(Ok(output));
            }
            let Some(own) = own else { return Poll::Pending };
            // The block may have been busy. A timer that is made for a time in the past may still need a turn of its
            // driver; tokio's does.
            let mut is_up = own <= self.timer.now();
            if !is_up {
                if sleep.is_none() {
                    sleep.set(Some(self.timer.sleep_until(own)));
                }
                is_up = sleep.as_mut().as_pin_mut().is_some_and(|sleep| sleep.poll(context).is_ready());
            }
            if is_up && inherited.is_some_and(|at| at <= own) {
                // The outer deadline ends this block, too. If the block is then polled without the outer one, it has to
                // read the clock again: the wake makes sure that it is polled, even by an executor that polls only what
                // was woken.
                sleep.set(None);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            if is_up { Poll::Ready(Err(expired())) } else { Poll::Pending }
        })
        .await
    }
}

/// A block that was given up did not reply, as far as a limit around it is concerned.
fn expired() -> Expired {
    #[cfg(feature = "pressure")]
    crate::pressure::tell(crate::pressure::Verdict::TimedOut);
    Expired
}

impl Limit {
    /// The time at which it is up, if it begins now. A time that no clock will show is no limit.
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

/// The value from before the block was polled. It is restored after the poll, even if the poll panics.
struct Restored(Option<Instant>);

impl Drop for Restored {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// The time was up: [`Deadline`] gives up with this. As an `http::Response`, a 504.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired;

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl Error for Expired {}
