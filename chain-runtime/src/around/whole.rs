//! Limits that last to the end of a reply's body.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chain_macros::node;

use super::concurrency::{Concurrency, Overloaded, Patience, Shed};
use super::{Deadline, Expired, Timer};
#[cfg(not(feature = "tokio"))]
use super::{IsEnabled, NoTimer};
use crate::tailed::{Holds, Tail};
use crate::timed::Until;
#[cfg(feature = "tokio")]
use {super::TokioTimer, super::concurrency::Wait};

/// A [`Deadline`] for a whole reply: for the block, and then for the body of the reply `R` that it gives.
///
/// # Contract
///
/// - Up to the head it works as a [`Deadline`], which inner ones inherit: when the time is up, the block is abandoned
///   with [`Expired`].
/// - After that, the body breaks off when the time is up, with [`Expired`] as its error. The client sees an incomplete
///   reply: over HTTP/1 the connection ends, over HTTP/2 the stream is reset.
/// - A reply that does not come from the block, such as that of another limit around the block, has no time limit.
///
/// `R` is the chain's reply, a `Response<Timed<B>>`: see [`timed`](crate::timed), which has an example. In axum it may
/// be any reply.
pub struct WholeDeadline<R, #[cfg(feature = "tokio")] T = TokioTimer, #[cfg(not(feature = "tokio"))] T = NoTimer> {
    limit: Duration,
    timer: T,
    replies: PhantomData<fn() -> R>,
}

#[cfg(feature = "tokio")]
impl<R> WholeDeadline<R> {
    /// A limit from the beginning of the block.
    #[must_use]
    pub const fn within(limit: Duration) -> Self {
        Self::within_on(TokioTimer, limit)
    }
}

#[cfg(not(feature = "tokio"))]
impl<R, T: IsEnabled> WholeDeadline<R, T> {
    #[doc(hidden)]
    #[must_use]
    pub fn within(_: Duration) -> Self {
        unreachable!("without the feature there is no such timer")
    }
}

impl<R, T> WholeDeadline<R, T> {
    /// The same as `within`, with another timer.
    #[must_use]
    pub const fn within_on(timer: T, limit: Duration) -> Self {
        Self { limit, timer, replies: PhantomData }
    }
}

#[node(crate = crate)]
impl<R: Until<T>, T: Timer + Clone> WholeDeadline<R, T> {
    /// Polls the block until it is ready or the time is up, and gives its reply the rest of the time.
    ///
    /// # Errors
    ///
    /// [`Expired`] if the time is up before there is a reply.
    pub async fn around<B: Future<Output = R>>(&self, block: Pin<&mut B>) -> Result<R, Expired> {
        // A time that no clock will show is no limit.
        let Some(at) = self.timer.now().checked_add(self.limit) else { return Ok(block.await) };
        let mut reply = Deadline::until_on(&self.timer, at).around(block).await?;
        reply.until(at, self.timer.clone());
        Ok(reply)
    }
}

impl<R, T> fmt::Debug for WholeDeadline<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeDeadline").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// A [`Concurrency`] whose permits are held to the end of a reply's body.
///
/// # Contract
///
/// - The permit is taken before the block's first poll, and follows the body of its reply `R`, as the body's tail. It
///   is given back when the body comes to its end, breaks off or is dropped: because the client is gone, for example,
///   or because no body is sent, as for `HEAD`.
/// - If there is no reply, it is given back as by [`Concurrency`].
///
/// `R` is the chain's reply, a `Response<Tailed<B, T>>` with a tail that [`Holds`] a [`Permit`]. In axum it may be any
/// reply.
///
/// ```
/// use bytes::Bytes;
/// use chain_runtime::around::{Permit, WholeConcurrency};
/// use chain_runtime::tailed::Tailed;
/// use chain_runtime::{chain, node};
/// use http::{Request, Response};
/// use http_body_util::Full;
///
/// #[node]
/// fn answer(_request: &Request<()>) -> Response<Full<Bytes>> {
///     Response::new(Full::from("hello"))
/// }
///
/// type Reply = Response<Tailed<Full<Bytes>, Option<Permit>>>;
///
/// chain! {
///     struct Gateway { room: WholeConcurrency<Reply> }
///     async fn(request: Request<()>) -> Reply { room { answer } }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let gateway = Gateway { room: WholeConcurrency::shed(1) };
/// let reply = gateway.run(Request::new(())).await;
/// assert_eq!(gateway.room.available(), 0);
/// assert_eq!(gateway.run(Request::new(())).await.status(), 503);
/// drop(reply);
/// assert_eq!(gateway.room.available(), 1);
/// # });
/// ```
pub struct WholeConcurrency<R, W: Patience = Shed> {
    permits: Arc<Concurrency<W>>,
    replies: PhantomData<fn() -> R>,
}

impl<R, W: Patience> WholeConcurrency<R, W> {
    /// Takes over these permits: `Concurrency::wait(64, patience).queue(256).into()`.
    fn of(permits: Concurrency<W>) -> Self {
        Self { permits: Arc::new(permits), replies: PhantomData }
    }
}

impl<R, W: Patience> From<Concurrency<W>> for WholeConcurrency<R, W> {
    fn from(permits: Concurrency<W>) -> Self {
        Self::of(permits)
    }
}

#[node(crate = crate)]
impl<R: Holds<Permit>> WholeConcurrency<R> {
    /// Lets at most `limit` replies be under way at once, from the beginning of their blocks to the end of their
    /// bodies. It gives up at once if so many are.
    #[must_use]
    pub fn shed(limit: usize) -> Self {
        Self::of(Concurrency::shed(limit))
    }

    /// How many permits are free right now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.permits.available()
    }

    /// How many permits there are.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.permits.limit()
    }

    /// Polls the block under a permit, which goes with the block's reply.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if no permit is free.
    pub async fn around<B: Future<Output = R>>(&self, block: Pin<&mut B>) -> Result<R, Overloaded> {
        self.permits.take_for_good()?;
        let permit = Permit(Arc::clone(&self.permits));
        let mut reply = block.await;
        reply.hold(permit);
        Ok(reply)
    }
}

#[cfg(feature = "tokio")]
impl<R> WholeConcurrency<R, Wait> {
    /// The same, but if so many replies are under way it waits for as long as `patience`, and then gives up. See
    /// [`Concurrency::wait`].
    #[must_use]
    pub fn wait(limit: usize, patience: Duration) -> Self {
        Self::of(Concurrency::wait(limit, patience))
    }
}

#[cfg(feature = "tokio")]
#[node(crate = crate)]
impl<R: Holds<Permit<Wait<T>>>, T: Timer> WholeConcurrency<R, Wait<T>> {
    /// How many permits are free right now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.permits.available()
    }

    /// How many permits there are.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.permits.limit()
    }

    /// How many requests wait for a permit right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.permits.waiting()
    }

    /// Waits for a permit, and polls the block under it. The permit goes with the reply.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if no permit became free in time, or if too many requests wait already.
    pub async fn around<B: Future<Output = R>>(&self, block: Pin<&mut B>) -> Result<R, Overloaded> {
        self.permits.wait_for_good().await?;
        let permit = Permit(Arc::clone(&self.permits));
        let mut reply = block.await;
        reply.hold(permit);
        Ok(reply)
    }
}

impl<R, W: Patience + fmt::Debug> fmt::Debug for WholeConcurrency<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WholeConcurrency").field(&self.permits).finish()
    }
}

/// A permit of a [`WholeConcurrency`], as a tail. Dropping it gives it back.
#[must_use = "it is given back where it is dropped"]
pub struct Permit<W: Patience = Shed>(Arc<Concurrency<W>>);

impl<W: Patience> Tail for Permit<W> {}

impl<W: Patience> Drop for Permit<W> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

impl<W: Patience> fmt::Debug for Permit<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
