//! [`Hedge`]: a second try if the first one takes long.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::task::{Context, Poll};
use core::time::Duration;
use std::time::Instant;

#[cfg(feature = "tokio")]
use super::TokioTimer;
use super::{Budget, Timer};
#[cfg(not(feature = "tokio"))]
use super::{IsEnabled, NoTimer};

/// A second try if the first one takes long. The first reply wins, and the other try is dropped (hedged requests, Dean
/// and Barroso 2013).
///
/// A node of your own calls it, with a function that makes a try. With an upstream's [`Tried`](crate::upstream::Tried)
/// the two tries go to different members, if there is another one. The lease of the try that is dropped ends as
/// `Cancelled`, which does not count against its member:
///
#[cfg_attr(all(feature = "tokio", feature = "upstream"), doc = "```")]
#[cfg_attr(not(all(feature = "tokio", feature = "upstream")), doc = "```ignore")]
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chain_runtime::around::Hedge;
/// use chain_runtime::upstream::{Member, NoUpstream, Pick, Registry, RoundRobin, Tried};
/// use chain_runtime::{chain, node};
///
/// /// The member on port 1 hangs.
/// async fn ask(port: u16) -> u16 {
///     if port == 1 { std::future::pending().await } else { port }
/// }
///
/// type Ports = Pick<u16, RoundRobin>;
///
/// #[node]
/// async fn forward(pick: &Ports, hedge: &Hedge, is_idempotent: &bool) -> Result<u16, NoUpstream> {
///     let tried = Tried::new();
///     hedge
///         .race(*is_idempotent, || async {
///             let lease = pick.lease_beside(&tried)?;
///             let reply = ask(*lease.endpoint()).await;
///             lease.replied(true);
///             Ok(reply)
///         })
///         .await
/// }
///
/// chain! {
///     struct Gateway { pick: Ports, hedge: Hedge }
///     async fn(is_idempotent: bool) -> Result<u16, NoUpstream> { forward }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let registry = Arc::new(Registry::new());
/// for port in 1..=2 {
///     registry.register(Member::new(format!("port-{port}"), port), Duration::MAX)?;
/// }
/// let pick = Pick::new(registry, RoundRobin::new());
/// let gateway = Gateway { pick, hedge: Hedge::after(Duration::from_millis(50)) };
/// for _ in 0..10 {
///     assert_eq!(gateway.run(true).await, Ok(2));
/// }
/// # Ok::<(), chain_runtime::upstream::Refused>(())
/// # }).unwrap();
/// ```
///
/// # Contract
///
/// There is a second try if all of these conditions hold, and never a third one:
///
/// 1. The caller says that the request may be sent twice. Both may be carried out, whichever reply is kept.
/// 2. The first try has not ended after the [delay](Self::delay).
/// 3. The [`Budget`] has a try left, which is then taken.
///
/// The losing try is dropped where it stands, at whichever await that is, before the call returns. The calling task polls
/// both tries, one after the other, and not on two threads.
///
/// # When it helps
///
/// It helps if single requests are slow, on any member. In a simulation of ten members that take 20 to 40 ms, with two
/// requests of a hundred taking ten times as long, the p99 falls from 310 to 75 ms, for 5 % more requests.
///
/// If one *member* is slow, [`PeakEwma`](crate::upstream::PeakEwma) sees that and asks it less: the p99 is 40 ms with one
/// member of ten slowed tenfold. A second try hides that from it, since of a dropped try only the time until then is known:
/// the p99 is 75 ms. With balancers that do not look at latencies, such as [`RoundRobin`](crate::upstream::RoundRobin) and
/// a [`Ring`](crate::upstream::Ring), a second try helps: the p99 is 390 ms without, and 85 ms with one after the p85.
///
/// # Cost
///
/// It allocates nothing. A timer is made only when the first try has to wait. The future has room for two tries.
///
/// # Why it wraps no block
///
/// A chain's `around` node is lent *one* block. Two blocks at once, of which one is dropped, would have to borrow the same
/// scope. The scope is lent for writing, because the macro does not know whether a node in the block writes:
///
/// ```compile_fail,E0499
/// # use std::future::Future;
/// async fn write(scope: &mut u32) { *scope += 1; }
/// async fn race(first: impl Future<Output = ()>, second: impl Future<Output = ()>) {}
///
/// # async fn run() {
/// let mut scope = 0;
/// race(async { write(&mut scope).await }, async { write(&mut scope).await }).await;
/// # }
/// ```
pub struct Hedge<#[cfg(feature = "tokio")] T = TokioTimer, #[cfg(not(feature = "tokio"))] T = NoTimer> {
    delay: Delay,
    budget: Budget,
    timer: T,
}

enum Delay {
    Fixed(Duration),
    /// The nanoseconds within which the wanted share of first tries has ended, as the bits of an `f64`; and the factor
    /// by which a first try that takes no longer lowers them.
    Seen {
        nanos: AtomicU64,
        lower: f64,
    },
}

/// A first try that takes longer than the delay raises it by this factor.
const RAISE: f64 = 1.1;

/// The bounds of the delay, in nanoseconds.
const LEAST: f64 = 100e3;
const MOST: f64 = 60e9;

#[cfg(feature = "tokio")]
impl Hedge {
    /// The second try begins at this delay after the first one.
    #[must_use]
    pub fn after(delay: Duration) -> Self {
        Self::after_on(TokioTimer, delay)
    }

    /// The second try begins if the first one takes longer than 95 of 100 do: [`after_quantile`](Self::after_quantile)
    /// of 0.95.
    #[must_use]
    pub fn after_p95(begins: Duration) -> Self {
        Self::after_quantile(0.95, begins)
    }

    /// The second try begins if the first one takes longer than this share of all first tries. The delay is found out
    /// while the program runs. `begins` is the delay until then.
    ///
    /// Each first try that takes longer than the delay raises it by a tenth, and each other one lowers it by less, so
    /// that the wanted share takes longer, whatever the latencies are (a stochastic approximation, Robbins and Monro
    /// 1951). The delay stays between 100 µs and 60 s. A first try that ends before it and does not win changes
    /// nothing, and neither does a request that may not be sent twice.
    ///
    /// If one member of ten is slow, and gets its part of the requests, the p95 is one of the slow requests, and the
    /// second try comes too late. Take a quantile below that share.
    ///
    /// # Panics
    ///
    /// Unless it is from 0.5 to 0.999.
    #[must_use]
    pub fn after_quantile(quantile: f64, begins: Duration) -> Self {
        Self::after_quantile_on(TokioTimer, quantile, begins)
    }
}

#[cfg(not(feature = "tokio"))]
impl<T: IsEnabled> Hedge<T> {
    #[doc(hidden)]
    #[must_use]
    pub fn after(_: Duration) -> Self {
        unreachable!("without the feature there is no such timer")
    }

    #[doc(hidden)]
    #[must_use]
    pub fn after_p95(_: Duration) -> Self {
        unreachable!("without the feature there is no such timer")
    }

    #[doc(hidden)]
    #[must_use]
    pub fn after_quantile(_: f64, _: Duration) -> Self {
        unreachable!("without the feature there is no such timer")
    }
}

impl<T> Hedge<T> {
    /// The same as [`after`](Hedge::after), with another timer.
    #[must_use]
    pub fn after_on(timer: T, delay: Duration) -> Self {
        Self { delay: Delay::Fixed(delay), budget: Budget::default(), timer }
    }

    /// The same as [`after_quantile`](Hedge::after_quantile), with another timer.
    ///
    /// # Panics
    ///
    /// Unless the quantile is from 0.5 to 0.999.
    #[must_use]
    pub fn after_quantile_on(timer: T, quantile: f64, begins: Duration) -> Self {
        assert!((0.5..=0.999).contains(&quantile), "a quantile from 0.5 to 0.999, and not {quantile}");
        let nanos = AtomicU64::new((begins.as_secs_f64() * 1e9).clamp(LEAST, MOST).to_bits());
        // With this factor, all the others together lower the delay by as much as the late ones raise it.
        let lower = RAISE.powf(-(1.0 - quantile) / quantile);
        Self { delay: Delay::Seen { nanos, lower }, budget: Budget::default(), timer }
    }

    /// Sets the budget that pays for second tries. By default it is one for five requests of the last 10 s, and 10 for
    /// each second. A clone of a budget is the same budget, so retries of the same upstream can be paid from it as
    /// well.
    #[must_use]
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// The present delay between the first try and the second one.
    #[must_use]
    pub fn delay(&self) -> Duration {
        match &self.delay {
            Delay::Fixed(delay) => *delay,
            Delay::Seen { nanos, .. } => Duration::from_nanos(f64::from_bits(nanos.load(Relaxed)) as u64),
        }
    }

    /// Records whether a first try took longer than the delay.
    fn saw(&self, is_late: bool) {
        if let Delay::Seen { nanos, lower } = &self.delay {
            let factor = if is_late { RAISE } else { *lower };
            let next = |bits| Some((f64::from_bits(bits) * factor).clamp(LEAST, MOST).to_bits());
            _ = nanos.fetch_update(Relaxed, Relaxed, next);
        }
    }
}

impl<T: Timer> Hedge<T> {
    /// Makes a try, and a second one if the first takes long. It returns what comes first.
    ///
    /// `may_repeat` says whether the request may be sent twice; if it may not, `ask` is called once. `ask` is called
    /// once or twice. Each call makes a try, which does nothing before it is polled.
    pub async fn race<F: Future>(&self, may_repeat: bool, ask: impl Fn() -> F) -> F::Output {
        self.race_for(may_repeat, ask, |_| true).await
    }

    /// The same, if not every result of a try ends the race. A result that does not win is returned only if the other
    /// try does not win either; then the later result is returned. A first try that ends before the delay is returned
    /// whatever it gives: to try again is the business of a [`Retry`](super::Retry).
    pub async fn race_for<F: Future>(
        &self,
        may_repeat: bool,
        ask: impl Fn() -> F,
        wins: impl Fn(&F::Output) -> bool,
    ) -> F::Output {
        let mut first = pin!(ask());
        if !may_repeat {
            return first.await;
        }
        let began = self.timer.now();
        self.budget.deposit(began);
        if let Some(output) = self.in_time(began, first.as_mut()).await {
            if wins(&output) {
                self.saw(false);
            }
            return output;
        }
        self.saw(true);
        if !self.budget.withdraw(self.timer.now()) {
            return first.await;
        }
        let mut second = pin!(ask());
        // Which of the two has ended and not won.
        let mut lost = None;
        poll_fn(|context| {
            for (number, block) in [(0, first.as_mut()), (1, second.as_mut())] {
                if lost != Some(number)
                    && let Poll::Ready(output) = block.poll(context)
                {
                    if lost.is_some() || wins(&output) {
                        return Poll::Ready(output);
                    }
                    lost = Some(number);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// The result of the first try, if it ends before the delay is over.
    async fn in_time<F: Future>(&self, began: Instant, mut first: Pin<&mut F>) -> Option<F::Output> {
        // A try that is ready at once makes no timer.
        let mut at_once = |context: &mut Context<'_>| Poll::Ready(first.as_mut().poll(context));
        if let Poll::Ready(output) = poll_fn(&mut at_once).await {
            return Some(output);
        }
        // A delay that no clock can show does not end.
        let Some(at) = began.checked_add(self.delay()) else { return Some(first.await) };
        let mut sleep = pin!(self.timer.sleep_until(at));
        poll_fn(|context| match first.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
        })
        .await
    }
}

impl<T> fmt::Debug for Hedge<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedge").field("delay", &self.delay()).field("budget", &self.budget).finish_non_exhaustive()
    }
}
