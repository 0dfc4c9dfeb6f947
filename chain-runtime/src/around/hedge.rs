//! [`Hedge`]: a second try where the first one takes long.

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

/// A second try where the first one takes long. The first reply wins, and the other try is dropped (hedged requests, Dean and Barroso 2013).
///
/// A node of your own calls it, with what makes a try. With an upstream's [`Tried`](crate::upstream::Tried) the two go to different members while there is another one, and the lease of the one that is dropped ends as
/// `Cancelled`, which says nothing against its member:
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
/// There is a second try where all of these hold, and never a third one:
///
/// 1. The caller says that the request may be sent twice. Both may be carried out, whichever reply is kept.
/// 2. The first try has not ended after the [delay](Self::delay).
/// 3. The [`Budget`] has a try left, which is then taken.
///
/// What is dropped is dropped where it stands, at whichever await that is, before the call returns. Both are polled by the task that calls, one after the other, and not beside each other on two threads.
///
/// # When it helps
///
/// It cuts off what is slow here and there, whoever is asked. Ten members that take 20 to 40 ms, simulated, where two of a hundred requests take ten times as long: the p99 falls from 310 to 75 ms, for
/// 5 % more requests.
///
/// Where one *member* is slow, [`PeakEwma`](crate::upstream::PeakEwma) sees it and asks it less: p99 of 40 ms with one of ten slowed tenfold. A second try hides that from it, as of a try that is dropped it is only
/// known that it took so long: 75 ms. With balancers that do not look at latencies, as [`RoundRobin`](crate::upstream::RoundRobin) and a [`Ring`](crate::upstream::Ring), it helps: 390 ms without, and 85 ms with a
/// second try after the p85.
///
/// # What it costs
///
/// It allocates nothing. A timer is asked for only once the first try has to wait. The future has room for two tries.
///
/// # Why it wraps no block
///
/// A chain's `around` node is lent *one* block. Two at once, of which one is dropped, would have to borrow the same scope, which is lent for writing, as whether a node in the block writes is not known
/// to the macro:
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
pub struct Hedge<#[cfg(feature = "tokio")] T = TokioTimer, #[cfg(not(feature = "tokio"))] T> {
    delay: Delay,
    budget: Budget,
    timer: T,
}

enum Delay {
    Fixed(Duration),
    /// The nanoseconds by which so many first tries have ended, as the bits of an `f64`; and by which factor one that does not take longer lowers them.
    Seen {
        nanos: AtomicU64,
        lower: f64,
    },
}

/// One first try that takes longer than the delay raises it by this factor.
const RAISE: f64 = 1.1;

/// Where the delay stays, in nanoseconds.
const LEAST: f64 = 100e3;
const MOST: f64 = 60e9;

#[cfg(feature = "tokio")]
impl Hedge {
    /// The second try begins so long after the first one.
    #[must_use]
    pub fn after(delay: Duration) -> Self {
        Self::after_on(TokioTimer, delay)
    }

    /// The second try begins where the first one takes longer than 95 of 100 do: [`after_quantile`](Self::after_quantile) of 0.95.
    #[must_use]
    pub fn after_p95(begins: Duration) -> Self {
        Self::after_quantile(0.95, begins)
    }

    /// The second try begins where the first one takes longer than this share of all, which is found out. `begins` is what is taken for that until then.
    ///
    /// Each first try that takes longer than the delay raises it by a tenth, and each other one lowers it by so much less that it stays where just as many take longer as should, whatever
    /// the latencies are (a stochastic approximation, Robbins and Monro 1951). It stays between 100 µs and 60 s. First tries that end before it and do not win change nothing, and neither do requests that may not be
    /// sent twice.
    ///
    /// Where one member of ten is slow, and gets its part of the requests, then the p95 is one of the slow ones, and a second try comes too late: take a quantile below that.
    ///
    /// # Panics
    ///
    /// Unless it is from 0.5 to 0.999.
    #[must_use]
    pub fn after_quantile(quantile: f64, begins: Duration) -> Self {
        Self::after_quantile_on(TokioTimer, quantile, begins)
    }
}

impl<T> Hedge<T> {
    /// [`after`](Hedge::after), by another timer.
    #[must_use]
    pub fn after_on(timer: T, delay: Duration) -> Self {
        Self { delay: Delay::Fixed(delay), budget: Budget::default(), timer }
    }

    /// [`after_quantile`](Hedge::after_quantile), by another timer.
    ///
    /// # Panics
    ///
    /// Unless the quantile is from 0.5 to 0.999.
    #[must_use]
    pub fn after_quantile_on(timer: T, quantile: f64, begins: Duration) -> Self {
        assert!((0.5..=0.999).contains(&quantile), "a quantile from 0.5 to 0.999, and not {quantile}");
        let nanos = AtomicU64::new((begins.as_secs_f64() * 1e9).clamp(LEAST, MOST).to_bits());
        // So that all the others together lower it by as much as the late ones raise it.
        let lower = RAISE.powf(-(1.0 - quantile) / quantile);
        Self { delay: Delay::Seen { nanos, lower }, budget: Budget::default(), timer }
    }

    /// Sets what second tries are paid from: one for five requests of the last 10 s and 10 for each second, where nothing is said. A clone of a budget is the same one, so that retries of the same upstream can
    /// be paid from it as well.
    #[must_use]
    pub fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// How long after the first try the second one begins, as it is now.
    #[must_use]
    pub fn delay(&self) -> Duration {
        match &self.delay {
            Delay::Fixed(delay) => *delay,
            Delay::Seen { nanos, .. } => Duration::from_nanos(f64::from_bits(nanos.load(Relaxed)) as u64),
        }
    }

    /// A first try took longer than the delay, or it did not.
    fn saw(&self, is_late: bool) {
        if let Delay::Seen { nanos, lower } = &self.delay {
            let factor = if is_late { RAISE } else { *lower };
            let next = |bits| Some((f64::from_bits(bits) * factor).clamp(LEAST, MOST).to_bits());
            _ = nanos.fetch_update(Relaxed, Relaxed, next);
        }
    }
}

impl<T: Timer> Hedge<T> {
    /// Tries, and once more where that takes long: what comes first is what this gives.
    ///
    /// `may_repeat` is whether the request may be sent twice; without it, `ask` is called once. It is called once or twice, and each time it makes a try that does nothing before it is polled.
    pub async fn race<F: Future>(&self, may_repeat: bool, ask: impl Fn() -> F) -> F::Output {
        self.race_for(may_repeat, ask, |_| true).await
    }

    /// The same, where not all that comes ends the race: what does not win is kept only where the other try does not win either, and then the later one is. A first try that ends before the delay is kept whatever it
    /// gives: to try again is a [`Retry`](super::Retry)'s business.
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
        // Which of them has ended and not won.
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

    /// What the first try gives before the delay is over.
    async fn in_time<F: Future>(&self, began: Instant, mut first: Pin<&mut F>) -> Option<F::Output> {
        // Nothing that is ready at once makes a timer.
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
