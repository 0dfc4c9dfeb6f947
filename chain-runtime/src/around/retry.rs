//! A block that is run once more if its reply says that this may help.

mod backoff;
mod budget;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use std::time::Instant;

pub use backoff::Backoff;
pub use budget::Budget;
use budget::Withdrawal;
use chain_macros::node;

#[cfg(feature = "tokio")]
use super::TokioTimer;
use super::{Deadline, Timer};
#[cfg(not(feature = "tokio"))]
use super::{IsEnabled, NoTimer};

/// Decides whether a block is run once more, and pauses before that.
///
/// Unlike its siblings it is not given one block to poll, since it needs a new one for each try. The chain makes the
/// block, awaits it, asks [`again`](Retry::again), and drops the reply if there is one more try:
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use std::time::Duration;
///
/// use chain_runtime::around::{Backoff, Budget, Retry};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
/// # runtime.block_on(async {
/// # let mut replies = [503, 503, 200].into_iter();
/// # let mut ask_upstream = async || replies.next().unwrap();
/// let retry = Retry::new(|status: &u16| *status == 503)
///     .attempts(4)
///     .backoff(Backoff::exponential(Duration::from_millis(10), Duration::from_millis(500)))
///     .budget(Budget::default());
///
/// retry.enter();
/// let mut attempt = 1;
/// let reply = loop {
///     let reply = ask_upstream().await;
///     let Some(pause) = retry.again(attempt, &reply) else { break reply };
///     drop(reply);
///     pause.await;
///     attempt += 1;
/// };
/// assert_eq!((attempt, reply), (3, 200));
/// # });
/// # }
/// ```
///
/// # Contract
///
/// There is one more try if all of these conditions hold. They are checked in this order. Otherwise the present reply
/// stays.
///
/// 1. There were fewer tries than [`attempts`](Retry::attempts), counting the first one.
/// 2. The [`Policy`] says that the reply is worth another try.
/// 3. The pause before the try, by the [`Backoff`], ends before [`Deadline::current`]: nothing sleeps past a deadline.
/// 4. The [`Budget`] has a retry left, which is then taken. It is given back if the request is dropped during the
///    pause.
///
/// A reply that is not kept is dropped before the pause, so its connection and its permits are free during the pause.
///
/// If the block picks an upstream, [`Tried`](crate::upstream::Tried) makes each try pick another one.
///
/// A clone shares its budget with its original.
///
/// # In a program that is small or does not run for long
///
/// If no budget is given, there is [`Budget::default`]. It is made for a service of which few requests fail at a time.
/// If one member of two or three is dead, every second or third request has to be tried again, until the member is
/// ejected, and again each time that the member is probed. A program that sends its requests in a burst, such as a test
/// or a command, then runs out of retries, and its bad replies stay. If that is worse than more load for the remaining
/// members, give it a larger budget. Here each request may be tried again once:
///
/// ```
/// # #[cfg(feature = "tokio")] {
/// use std::time::Duration;
///
/// use chain_runtime::around::{Budget, Retry};
///
/// let retry = Retry::new(|status: &u16| *status == 503).budget(Budget::new(Duration::from_secs(10), 10, 1.0));
/// # let _ = retry;
/// # }
/// ```
///
/// In a chain's field the type is written out, `again: Retry<fn(&Reply) -> bool>`, and a function is cast to it:
/// `Retry::new(worth_retrying as fn(&Reply) -> bool)`.
#[derive(Clone)]
pub struct Retry<P, #[cfg(feature = "tokio")] T = TokioTimer, #[cfg(not(feature = "tokio"))] T = NoTimer> {
    policy: P,
    attempts: u32,
    backoff: Backoff,
    budget: Budget,
    timer: T,
}

/// Decides which replies are worth another try. A function or closure of the reply is one:
/// `|reply: &Response| reply.status == 503`.
///
/// A reply alone does not say whether the request was carried out, so only try a request again if it may be carried out
/// twice.
#[diagnostic::on_unimplemented(
    message = "chain[E804]: `{Self}` does not say which `{R}` is worth another try",
    note = "give `Retry::new` a `fn(&{R}) -> bool`, or implement `Policy<{R}>` for `{Self}`"
)]
pub trait Policy<R> {
    /// Whether another try may help.
    fn worth_retrying(&self, reply: &R) -> bool;
}

#[diagnostic::do_not_recommend]
impl<R, F: Fn(&R) -> bool> Policy<R> for F {
    fn worth_retrying(&self, reply: &R) -> bool {
        self(reply)
    }
}

#[cfg(feature = "tokio")]
impl<P> Retry<P> {
    /// Three tries in all, pauses of up to 25 ms and then 50 ms, and the default [`Budget`]. A program that sends few
    /// requests [runs out of](Retry#in-a-program-that-is-small-or-does-not-run-for-long) that budget.
    #[must_use]
    pub fn new(policy: P) -> Self {
        Self::new_on(TokioTimer, policy)
    }
}

#[cfg(not(feature = "tokio"))]
impl<P, T: IsEnabled> Retry<P, T> {
    #[doc(hidden)]
    #[must_use]
    pub fn new(_: P) -> Self {
        unreachable!("without the feature there is no such timer")
    }
}

impl<P, T> Retry<P, T> {
    /// The same as [`new`](Retry::new), with another timer.
    #[must_use]
    pub fn new_on(timer: T, policy: P) -> Self {
        Self { policy, attempts: 3, backoff: Backoff::default(), budget: Budget::default(), timer }
    }

    /// The largest number of tries, counting the first one. 0 and 1 both mean that nothing is tried again.
    #[must_use]
    pub fn attempts(self, at_most: u32) -> Self {
        Self { attempts: at_most, ..self }
    }

    /// Sets the pauses before retries.
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// Sets the budget that pays for retries. A clone of a budget is the same budget, so several nodes can share one.
    /// All nodes that retry the same upstream should share one.
    #[must_use]
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }
}

#[node(crate = crate)]
impl<P, T: Timer> Retry<P, T> {
    /// Counts the request: it deposits in the budget, whatever becomes of its first try.
    pub fn enter(&self) {
        self.budget.deposit(self.timer.now());
    }

    /// Polls the block, once. [`again`](Self::again) decides whether the chain runs it again.
    pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }

    /// Decides about one more try, after try number `attempt`, which counts from 1, gave `reply`. `None`: that reply
    /// stays. `Some`: the pause before the next try, which does not borrow the reply.
    ///
    /// It panics if the policy does.
    #[must_use = "the pause begins when it is awaited"]
    pub fn again<'a, R>(&'a self, attempt: u32, reply: &R) -> Option<impl Future<Output = ()> + use<'a, P, T, R>>
    where
        P: Policy<R>,
    {
        let Again { at, withdrawal } = self.decide(attempt, reply)?;
        Some(async move {
            if let Some(at) = at {
                self.timer.sleep_until(at).await;
            }
            withdrawal.spend();
        })
    }

    fn decide<R>(&self, attempt: u32, reply: &R) -> Option<Again<'_>>
    where
        P: Policy<R>,
    {
        let now = self.timer.now();
        if attempt >= self.attempts || !self.policy.worth_retrying(reply) {
            return None;
        }
        let pause = self.backoff.pause(attempt);
        let at = now.checked_add(pause)?;
        if Deadline::current().is_some_and(|deadline| deadline <= at) {
            return None;
        }
        let withdrawal = self.budget.begin_withdrawal(now)?;
        Some(Again { at: (!pause.is_zero()).then_some(at), withdrawal })
    }
}

/// When to try once more (now, if `None`), and the withdrawal that pays for it.
struct Again<'a> {
    at: Option<Instant>,
    withdrawal: Withdrawal<'a>,
}

impl<P, T> fmt::Debug for Retry<P, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("attempts", &self.attempts)
            .field("backoff", &self.backoff)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
