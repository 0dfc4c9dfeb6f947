//! A limit on the blocks that run at once.

#[cfg(feature = "http-body")]
mod for_good;

use core::error::Error;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use chain_macros::node;
#[cfg(feature = "tokio")]
use {
    super::{Deadline, Timer, TokioTimer},
    core::future::poll_fn,
    core::mem,
    core::pin::pin,
    core::task::Poll,
    std::time::Duration,
    tokio::sync::{Semaphore, SemaphorePermit},
};

#[cfg(feature = "http-body")]
pub use for_good::Patience;

/// Lets at most a number of blocks run at once, each under a permit.
///
/// [`Concurrency::shed`] gives up at once if no permit is free. `Concurrency::wait` (with the feature `tokio`) waits
/// for one first. The type says which of the two it is, so that a node that does not wait does not pay for waiting:
/// `Concurrency` sheds, `Concurrency<Wait>` waits.
///
/// # Contract
///
/// - The permit is held from before the block's first poll until the block is ready. It is also given back if the block
///   panics, and if the request is dropped midway. If the request is dropped, this happens before the chain drops the
///   block, so `cancelled` hooks run without the permit.
/// - Without a permit the block is not polled at all, and [`Overloaded`] is given.
/// - A block sees what the block that had its permit before has done.
/// - A limit of 0 lets no block run.
/// - The block is over when it gives its reply. For an HTTP response, that is its **head**: the body is sent after
///   that, without a permit. `WholeConcurrency` holds the permit until the body was sent.
///
/// ```
/// use std::pin::pin;
///
/// use chain_runtime::around::{Concurrency, Overloaded};
///
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = std::pin::pin!(future);
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     loop {
/// #         if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) { return output }
/// #     }
/// # }
/// # block_on(async {
/// let one_at_once = Concurrency::shed(1);
/// let first = pin!(async {
///     let second = pin!(async { 200 });
///     (one_at_once.available(), one_at_once.around(second).await)
/// });
/// assert_eq!(one_at_once.around(first).await, Ok((0, Err(Overloaded))));
/// assert_eq!(one_at_once.available(), 1);
/// # });
/// ```
pub struct Concurrency<W = Shed> {
    way: W,
}

/// Gives up at once if no permit is free.
#[derive(Debug)]
pub struct Shed {
    permits: Places,
}

#[node(crate = crate)]
impl Concurrency {
    /// Lets at most `limit` blocks run at once, and gives up at once if so many do.
    #[must_use]
    pub const fn shed(limit: usize) -> Self {
        Self { way: Shed { permits: Places::new(limit) } }
    }

    /// How many permits are free right now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.way.permits.free()
    }

    /// How many permits there are.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.way.permits.limit
    }

    /// Polls the block under a permit. See [`Concurrency`].
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if no permit is free.
    pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Overloaded> {
        let _permit = self.way.permits.take()?;
        Ok(block.await)
    }
}

/// Waits if no permit is free, first come, first served, and gives up after a time.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct Wait<T = TokioTimer> {
    permits: Semaphore,
    limit: usize,
    waiting: Places,
    patience: Duration,
    timer: T,
}

#[cfg(feature = "tokio")]
impl Concurrency<Wait> {
    /// Lets at most `limit` blocks run at once. If so many do, it waits for as long as `patience`, and then gives up.
    ///
    /// A request that is dropped while it waits leaves its place to the next one: no permit is lost. A request that
    /// waits under a sooner [`Deadline`] ends with that deadline, even if the deadline has passed when the waiting
    /// begins.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use chain_runtime::around::{Concurrency, Wait};
    ///
    /// /// 64 requests at once, and at most 256 more, which wait for up to 100 ms.
    /// let limit: Concurrency<Wait> = Concurrency::wait(64, Duration::from_millis(100)).queue(256);
    /// assert_eq!((limit.available(), limit.waiting()), (64, 0));
    /// ```
    #[must_use]
    pub const fn wait(limit: usize, patience: Duration) -> Self {
        Self::wait_on(TokioTimer, limit, patience)
    }
}

/// A stand-in for what the feature `tokio` brings, so that the error names the feature.
///
/// ```compile_fail,E0277
/// use std::time::Duration;
///
/// let limit: chain_runtime::around::Concurrency = chain_runtime::around::Concurrency::wait(64, Duration::ZERO);
/// ```
#[cfg(not(feature = "tokio"))]
impl<W: CanWait> Concurrency<W> {
    #[doc(hidden)]
    #[must_use]
    pub fn wait(_limit: usize, _patience: core::time::Duration) -> Self {
        W::never()
    }

    #[doc(hidden)]
    #[must_use]
    pub fn wait_on<T>(_timer: T, _limit: usize, _patience: core::time::Duration) -> Self {
        W::never()
    }
}

/// Nothing implements it.
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "chain[E512]: a `Concurrency` that waits needs the feature `tokio` of chain-runtime",
    label = "waits for a permit",
    note = "enable the feature in Cargo.toml, or give up at once: `Concurrency::shed(limit)`"
)]
pub trait CanWait: Sized {
    #[doc(hidden)]
    fn never() -> Concurrency<Self>;
}

#[cfg(feature = "tokio")]
impl<T> Concurrency<Wait<T>> {
    /// The same as [`wait`](Concurrency::wait), with another timer. No runtime is needed then: tokio's semaphore works
    /// under any.
    #[must_use]
    pub const fn wait_on(timer: T, limit: usize, patience: Duration) -> Self {
        let limit = if limit < Semaphore::MAX_PERMITS { limit } else { Semaphore::MAX_PERMITS };
        Self {
            way: Wait {
                permits: Semaphore::const_new(limit),
                limit,
                waiting: Places::new(usize::MAX),
                patience,
                timer,
            },
        }
    }

    /// Lets at most so many requests wait at once. A further request is given [`Overloaded`] at once. By default, there
    /// is no limit.
    ///
    /// A request that was handed a permit counts as waiting until it is polled.
    #[must_use]
    pub fn queue(self, at_most: usize) -> Self {
        Self { way: Wait { waiting: Places::new(at_most), ..self.way } }
    }

    /// How many permits are free right now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.way.permits.available_permits()
    }

    /// How many permits there are.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.way.limit
    }

    /// How many requests wait for a permit right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.way.waiting.taken.load(Relaxed)
    }
}

#[cfg(feature = "tokio")]
#[node(crate = crate)]
impl<T: Timer> Concurrency<Wait<T>> {
    /// Waits for a permit, and polls the block under it. See [`Concurrency`].
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if no permit became free in time, or if too many requests wait already.
    pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Overloaded> {
        let _permit = match self.way.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => self.way.acquire().await?,
        };
        Ok(block.await)
    }
}

#[cfg(feature = "tokio")]
impl<T: Timer> Wait<T> {
    async fn acquire(&self) -> Result<SemaphorePermit<'_>, Overloaded> {
        let _place = self.waiting.take()?;
        // If an outer deadline has passed meanwhile, that deadline ends this request, and not the patience. The outer
        // deadline reads the clock after this future has returned pending.
        let mut is_asked = Deadline::current().is_none_or(|at| at > self.timer.now());
        poll_fn(|context| {
            if mem::replace(&mut is_asked, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let permit = pin!(self.permits.acquire());
        match Deadline::within_on(&self.timer, self.patience).around(permit).await {
            Ok(Ok(permit)) => Ok(permit),
            // The semaphore is never closed, so this error means that the time was up.
            Ok(Err(_)) | Err(_) => Err(Overloaded),
        }
    }
}

impl<W> fmt::Debug for Concurrency<W>
where
    W: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Concurrency").field(&self.way).finish()
    }
}

/// Places that are taken and given back, without a queue.
#[derive(Debug)]
struct Places {
    taken: AtomicUsize,
    limit: usize,
}

impl Places {
    const fn new(limit: usize) -> Self {
        Self { taken: AtomicUsize::new(0), limit }
    }

    fn free(&self) -> usize {
        self.limit.saturating_sub(self.taken.load(Relaxed))
    }

    #[inline]
    fn take(&self) -> Result<Place<'_>, Overloaded> {
        // Acquire pairs with the release in `Place`'s drop: a block that has a place sees what was done in it before.
        match self.taken.fetch_update(Acquire, Relaxed, |taken| (taken < self.limit).then(|| taken + 1)) {
            Ok(_) => Ok(Place(self)),
            Err(_) => Err(Overloaded),
        }
    }
}

struct Place<'a>(&'a Places);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Release);
    }
}

/// There was no permit: [`Concurrency`] gives up with this. As an `http::Response`, a 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overloaded;

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many requests at once")
    }
}

impl Error for Overloaded {}
