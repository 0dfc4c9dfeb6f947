//! Limits whose permits are held to the end of a reply's body.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use std::sync::Arc;

use chain_macros::node;

use super::gate::Gate;
use super::priority::By;
use super::shares::Shares;
use super::{Adaptive, AdaptiveStatus, Anyone, Asked, ByPriority, Fair, Gradient2, Limit, Priority, TurnedAway};
use crate::around::{Timer, TokioTimer};
use crate::nodes::Key;
use crate::tailed::{Holds, Tail};

/// An [`Adaptive`] whose permits are held to the end of a reply's body. It is made from one:
/// `Adaptive::default().into()`.
///
/// # Contract
///
/// - The permit is taken before the block's first poll, and follows the body of its reply `R`, as the body's tail. It
///   is given back when the body comes to its end, breaks off or is dropped.
/// - If there is no reply, it is given back as by [`Adaptive`].
/// - A sample is the time to the reply's head. The speed at which a client takes the body does not count.
///
/// `R` is the chain's reply, a `Response<Tailed<B, T>>` with a tail that [`Holds`] an [`Admitted`]. In axum it may be
/// any reply.
///
/// ```
/// use bytes::Bytes;
/// use chain_runtime::pressure::{Adaptive, Admitted, Anyone, Fixed, WholeAdaptive};
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
/// type Reply = Response<Tailed<Full<Bytes>, Option<Admitted<Fixed>>>>;
///
/// chain! {
///     struct Gateway { room: WholeAdaptive<Reply, Anyone, Fixed> }
///     async fn(request: Request<()>) -> Reply { room { answer } }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let gateway = Gateway { room: Adaptive::fixed(1).queue(0).into() };
/// let reply = gateway.run(Request::new(())).await;
/// assert_eq!(gateway.room.status().in_flight, 1);
/// assert_eq!(gateway.run(Request::new(())).await.status(), 503);
/// drop(reply);
/// assert_eq!(gateway.room.status().in_flight, 0);
/// # });
/// ```
pub struct WholeAdaptive<R, Q = Anyone, L: Limit = Gradient2, T: Timer = TokioTimer> {
    gate: Arc<Gate<L, T>>,
    shares: Shares,
    form: PhantomData<fn(Q) -> R>,
}

impl<R, Q, L: Limit, T: Timer> From<Adaptive<Q, L, T>> for WholeAdaptive<R, Q, L, T> {
    fn from(limit: Adaptive<Q, L, T>) -> Self {
        Self { gate: Arc::new(limit.gate), shares: limit.shares, form: PhantomData }
    }
}

impl<R, Q, L: Limit, T: Timer> WholeAdaptive<R, Q, L, T> {
    /// What it does now, and how many requests it has turned away.
    #[must_use]
    pub fn status(&self) -> AdaptiveStatus {
        self.gate.status()
    }

    async fn run<B: Future<Output = R>>(&self, by: By, block: Pin<&mut B>) -> Result<R, TurnedAway>
    where
        R: Holds<Admitted<L, T>>,
    {
        let mut permit = match self.gate.try_enter(by)? {
            Some(permit) => permit,
            None => self.gate.enter(by).await?,
        };
        let mut reply = permit.run(block).await;
        let admitted = Admitted(Arc::clone(&self.gate));
        permit.keep();
        reply.hold(admitted);
        Ok(reply)
    }
}

#[node(crate = crate, rejects)]
impl<R: Holds<Admitted<L, T>>, At, L: Limit, T: Timer> WholeAdaptive<R, Anyone<At>, L, T> {
    /// Polls the block under a permit, which goes with its reply.
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future<Output = R>>(&self, block: Pin<&mut B>) -> Result<R, TurnedAway> {
        self.run(By::default(), block).await
    }
}

#[node(crate = crate, rejects)]
impl<R: Holds<Admitted<L, T>>, At, L: Limit, T: Timer> WholeAdaptive<R, ByPriority<At>, L, T> {
    /// Notes how much the request matters.
    pub fn enter(&self, priority: &Priority) -> Asked<ByPriority<At>> {
        Asked::new(*priority, 0)
    }

    /// Polls the block under a permit, which goes with its reply.
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future<Output = R>>(
        &self,
        asked: &Asked<ByPriority<At>>,
        block: Pin<&mut B>,
    ) -> Result<R, TurnedAway> {
        self.run(asked.by, block).await
    }
}

#[node(crate = crate, rejects)]
impl<R: Holds<Admitted<L, T>>, K: Key, At, L: Limit, T: Timer> WholeAdaptive<R, Fair<K, Anyone<At>>, L, T> {
    /// Notes whose request it is.
    pub fn enter(&self, key: &K) -> Asked<Fair<K, Anyone<At>>> {
        Asked::new(Priority::Default, self.shares.of(key))
    }

    /// Polls the block under a permit, which goes with its reply.
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future<Output = R>>(
        &self,
        asked: &Asked<Fair<K, Anyone<At>>>,
        block: Pin<&mut B>,
    ) -> Result<R, TurnedAway> {
        self.run(asked.by, block).await
    }
}

#[node(crate = crate, rejects)]
impl<R: Holds<Admitted<L, T>>, K: Key, At, L: Limit, T: Timer> WholeAdaptive<R, Fair<K, ByPriority<At>>, L, T> {
    /// Notes how much the request matters, and whose it is.
    pub fn enter(&self, priority: &Priority, key: &K) -> Asked<Fair<K, ByPriority<At>>> {
        Asked::new(*priority, self.shares.of(key))
    }

    /// Polls the block under a permit, which goes with its reply.
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future<Output = R>>(
        &self,
        asked: &Asked<Fair<K, ByPriority<At>>>,
        block: Pin<&mut B>,
    ) -> Result<R, TurnedAway> {
        self.run(asked.by, block).await
    }
}

impl<R, Q, L: Limit, T: Timer> fmt::Debug for WholeAdaptive<R, Q, L, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WholeAdaptive").field("status", &self.status()).finish_non_exhaustive()
    }
}

/// A permit of a [`WholeAdaptive`], as a tail. Dropping it gives it back.
#[must_use = "it is given back where it is dropped"]
pub struct Admitted<L: Limit = Gradient2, T: Timer = TokioTimer>(Arc<Gate<L, T>>);

impl<L: Limit, T: Timer> Tail for Admitted<L, T> {}

impl<L: Limit, T: Timer> Drop for Admitted<L, T> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<L: Limit, T: Timer> fmt::Debug for Admitted<L, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admitted").finish_non_exhaustive()
    }
}
