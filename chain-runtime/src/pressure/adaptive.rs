//! [`Adaptive`]: runs as many blocks at once as can be served well. It finds that number while it runs.

mod elsewhere;
mod gate;
mod judge;
mod limit;
mod overload;
mod own;
mod priority;
mod queue;
mod room;
mod shares;
mod status;
mod turned_away;
#[cfg(feature = "http-body")]
mod whole;
mod window;

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chain_macros::node;

use crate::around::{Timer, TokioTimer};
use crate::nodes::Key;
use crate::shed::LevelCell;
pub use elsewhere::Elsewhere;
use gate::Gate;
pub use judge::Judge;
pub use limit::{Aimd, Fixed, Gradient2, Limit, Sample, Vegas};
pub use own::Verdict;
pub(crate) use own::tell;
use priority::By;
pub use priority::{Anyone, Asked, ByPriority, Fair, Priority, UnknownPriority};
use shares::Shares;
pub use status::AdaptiveStatus;
pub use turned_away::{Reason, TurnedAway};
#[cfg(feature = "http-body")]
pub use whole::{Admitted, WholeAdaptive};

/// Runs as many blocks at once as can be served well: a concurrency limit that is found out at run time.
///
/// A [`Limit`] watches how long the blocks take, and changes the number. A request that finds no room waits in a short
/// queue, by priority, and is turned away after a few milliseconds. Turning away costs next to nothing if no work was
/// done before: put the node first.
///
/// The type says what is known of a request:
///
/// | the field's type | asks the scope for | |
/// | --- | --- | --- |
/// | `Adaptive` | nothing | all requests are the same |
/// | `Adaptive<ByPriority>` | a [`Priority`] | critical first, then default, then sheddable |
/// | `Adaptive<Fair<User>>` | a `User`, or another [`Key`] | the users take turns |
/// | `Adaptive<Fair<User, ByPriority>>` | both | the users take turns inside of each priority |
///
/// The second parameter is the [`Limit`]: [`Gradient2`] unless another is named, [`Vegas`], [`Aimd`], [`Fixed`],
/// `Box<dyn Limit + Send>`, or one of your own. The third is the [`Timer`].
///
/// ```
/// # #[cfg(feature = "http")] {
/// use chain_runtime::pressure::{Adaptive, ByPriority, Fixed, Priority};
/// use chain_runtime::{chain, node};
/// use http::{Request, Response};
///
/// #[node]
/// fn classify(request: &Request<()>) -> Priority {
///     if request.uri().path() == "/pay" { Priority::Critical } else { Priority::Default }
/// }
///
/// #[node]
/// async fn answer(_request: &Request<()>) -> Response<String> {
///     tokio::task::yield_now().await;
///     Response::new("paid".to_owned())
/// }
///
/// chain! {
///     struct Shop { admission: Adaptive<ByPriority, Fixed> }
///     async fn(request: Request<()>) -> Response<String> { classify => admission { answer } }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// // One request at once, and one that waits.
/// let shop = Shop { admission: Adaptive::fixed(1).queue(1) };
/// let ask = |path| shop.run(Request::get(path).body(()).unwrap());
/// let (first, second, third) = tokio::join!(ask("/"), ask("/"), ask("/pay"));
/// // A critical request takes the place in the queue.
/// assert_eq!((first.status().as_u16(), second.status().as_u16(), third.status().as_u16()), (200, 503, 200));
/// assert!(second.headers().contains_key("retry-after"));
/// assert_eq!(shop.admission.status().in_flight, 0);
/// # });
/// # }
/// ```
///
/// # Where to put it
///
/// Put it before all nodes that cost something. Before `auth` it counts every request, but knows no user. After `auth`
/// it can share by user, but `auth` itself is not protected. Both may stand in one chain: each form provides an
/// [`Asked`] of its own. The block should contain all of the work: work that an earlier node has begun, such as reading
/// a body, is lost when this node turns the request away. So a chain in which an earlier node has taken an input by
/// value does not compile:
///
/// ```compile_fail
/// # use chain_runtime::pressure::{Adaptive, Anyone, Fixed};
/// # use chain_runtime::{chain, node};
/// # use http::Response;
/// # struct Body;
/// #[node]
/// fn read_body(body: Body) { drop(body) }
/// #[node]
/// fn answer() -> Response<String> { Response::default() }
///
/// chain! {
///     struct Shop { admission: Adaptive<Anyone, Fixed> }
///     async fn(body: Body) -> Response<String> {
///         read_body => admission { answer } // `admission` turns requests away, but `read_body` before it has taken `Body`
///     }
/// }
/// ```
///
/// # Contract
///
/// - The permit is held from before the block's first poll until the block is ready. It is also given back if the block
///   panics, and if the request is dropped midway. A request that is dropped while it waits gives up its place. If it
///   was just given a permit, the permit goes to the next request.
/// - A request that is turned away is given [`TurnedAway`]. Its block is not polled.
/// - **The order**: the priority decides first. Inside of a priority the shares take turns. Inside of a share, the
///   request that came first is next. Under overload, the one that came last is next, since those that came first have
///   waited too long already.
/// - **A long wait alone lets no request in**: if critical requests fill the limit, no others are served. A critical
///   path needs a bound of its own: a rate limit or an inner limit.
/// - **Overload** of a priority begins when, for as long as [`patience`](Self::patience), some request of that priority
///   or a higher one was waiting at every moment. So sheddable requests may be in overload while critical ones are not.
///   It ends when, for as long, no request had to wait.
/// - **The wait** of a request lasts at most `patience`, and under overload at most [`target`](Self::target).
/// - **If the queue is full**, one request has to go. It is one of a lower priority; otherwise one of the largest
///   share, if that has at least two more than the new request's share; otherwise it is the new request. A request that
///   goes because of its share is given a 429, all others a 503.
/// - The block is over when it gives its reply. For an HTTP response that is its head. `WholeAdaptive` holds the permit
///   until the body was sent.
///
/// # Samples
///
/// A sample is a block that replied, with the time since its permit, less the time that it waited
/// [elsewhere](super::Elsewhere). These are no samples:
///
/// - a block that was cancelled, or panicked;
/// - a block in which another `Adaptive` turned the request away.
///
/// These count as lost: a block that took as long as [`timeout`](Self::timeout), whether it replied or was cancelled; a
/// block that a [`Deadline`](crate::around::Deadline) ended, inside of the block or around the limit, unless most of
/// the time went by elsewhere; and a block that a [`Judge`](super::Judge) calls lost.
///
/// # Cost
///
/// If there is room: one compare-and-swap to get in, one subtraction to get out, two readings of the clock, and a lock
/// that is never waited for, to add up the sample. No request allocates: the queue's places are there from the
/// beginning. Letting in takes some 700 instructions, and turning away 300 to 1,800 (the bench `admission`). The future
/// takes 656 bytes beside the block's own, most of them for the timer of a waiting request.
pub struct Adaptive<Q = Anyone, L = Gradient2, T = TokioTimer> {
    gate: Gate<L, T>,
    shares: Shares,
    form: PhantomData<fn(Q)>,
}

impl<Q, L: Limit> Adaptive<Q, L> {
    /// Uses this limit; at most 128 requests wait.
    #[must_use]
    pub fn new(limit: L) -> Self {
        Self::new_on(TokioTimer, limit)
    }
}

impl<Q> Adaptive<Q, Fixed> {
    /// Runs at most so many at once, for good. It still has priorities, shares and the queue.
    #[must_use]
    pub fn fixed(limit: usize) -> Self {
        Self::new(Fixed(limit))
    }
}

/// Uses [`Gradient2::new`].
impl<Q> Default for Adaptive<Q> {
    fn default() -> Self {
        Self::new(Gradient2::new())
    }
}

impl<Q, L: Limit, T: Timer> Adaptive<Q, L, T> {
    /// The same as [`new`](Adaptive::new), with another timer. No runtime is needed then.
    #[must_use]
    pub fn new_on(timer: T, limit: L) -> Self {
        Self { gate: Gate::new(limit, timer), shares: Shares::default(), form: PhantomData }
    }

    /// Sets how many requests may wait. With 0, a request that finds no room is turned away at once. The default is
    /// 128, the maximum 16 million.
    ///
    /// It takes 96 bytes for each request that may wait, and 9 kB for the shares.
    #[must_use]
    pub fn queue(mut self, at_most: usize) -> Self {
        self.gate.places = at_most.min(queue::MOST);
        self.gate = self.gate.remade();
        self
    }

    /// Sets how long a request may wait if the queue was empty a moment ago. If some request was waiting at every
    /// moment for as long, that is overload. The default is 100 ms.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.gate.patience.calm = time;
        self.gate = self.gate.remade();
        self
    }

    /// Sets how long a request may wait under overload. The default is 5 ms.
    #[must_use]
    pub fn target(mut self, time: Duration) -> Self {
        self.gate.patience.target = time;
        self.gate = self.gate.remade();
        self
    }

    /// Sets the least length of a window, after which the limit is updated. The default is 100 ms. A window is longer
    /// if a round trip takes longer than half of it, and if fewer blocks ended in it than [`at_least`](Self::at_least).
    /// It is at most ten times as long.
    #[must_use]
    pub fn window(mut self, time: Duration) -> Self {
        self.window_mut().lasts = time;
        self
    }

    /// Sets how many blocks have to end in a window before it counts. The default is 10.
    #[must_use]
    pub fn at_least(mut self, samples: u64) -> Self {
        self.window_mut().at_least = samples;
        self
    }

    /// Sets the time after which a block counts as lost, whether it replied or was cancelled. By default there is no
    /// such time.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Self {
        self.gate.timeout = Some(time);
        self
    }

    /// Makes the limit depend on a level of pressure:
    ///
    /// | level | of the limit | | |
    /// | --- | --- | --- | --- |
    /// | calm, elevated | all | | |
    /// | high | three quarters | sheddable requests do not wait | |
    /// | critical | half | sheddable requests are turned away at once | default requests do not wait |
    ///
    /// A change of the level wakes no request. A waiting request goes in when another one leaves or comes, and at the
    /// latest at the end of its patience.
    #[must_use]
    pub fn under(mut self, level: Arc<LevelCell>) -> Self {
        self.gate.level = Some(level);
        self
    }

    fn window_mut(&mut self) -> &mut window::Window<L> {
        self.gate.window.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What it does now, and how many requests it has turned away.
    #[must_use]
    pub fn status(&self) -> AdaptiveStatus {
        self.gate.status()
    }

    #[inline]
    async fn run<B: Future>(&self, by: By, block: Pin<&mut B>) -> Result<B::Output, TurnedAway> {
        let mut permit = match self.gate.try_enter(by)? {
            Some(permit) => permit,
            None => self.gate.enter(by).await?,
        };
        Ok(permit.run(block).await)
    }
}

#[node(crate = crate, rejects)]
impl<At, L: Limit, T: Timer> Adaptive<Anyone<At>, L, T> {
    /// Polls the block under a permit. See [`Adaptive`].
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, TurnedAway> {
        self.run(By::default(), block).await
    }
}

#[node(crate = crate, rejects)]
impl<At, L: Limit, T: Timer> Adaptive<ByPriority<At>, L, T> {
    /// Notes how much the request matters.
    pub fn enter(&self, priority: &Priority) -> Asked<ByPriority<At>> {
        Asked::new(*priority, 0)
    }

    /// Polls the block under a permit. See [`Adaptive`].
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future>(
        &self,
        asked: &Asked<ByPriority<At>>,
        block: Pin<&mut B>,
    ) -> Result<B::Output, TurnedAway> {
        self.run(asked.by, block).await
    }
}

#[node(crate = crate, rejects)]
impl<K: Key, At, L: Limit, T: Timer> Adaptive<Fair<K, Anyone<At>>, L, T> {
    /// Notes whose request it is.
    pub fn enter(&self, key: &K) -> Asked<Fair<K, Anyone<At>>> {
        Asked::new(Priority::Default, self.shares.of(key))
    }

    /// Polls the block under a permit. See [`Adaptive`].
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future>(
        &self,
        asked: &Asked<Fair<K, Anyone<At>>>,
        block: Pin<&mut B>,
    ) -> Result<B::Output, TurnedAway> {
        self.run(asked.by, block).await
    }
}

#[node(crate = crate, rejects)]
impl<K: Key, At, L: Limit, T: Timer> Adaptive<Fair<K, ByPriority<At>>, L, T> {
    /// Notes how much the request matters, and whose it is.
    pub fn enter(&self, priority: &Priority, key: &K) -> Asked<Fair<K, ByPriority<At>>> {
        Asked::new(*priority, self.shares.of(key))
    }

    /// Polls the block under a permit. See [`Adaptive`].
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] if there is no room, and none in time.
    pub async fn around<B: Future>(
        &self,
        asked: &Asked<Fair<K, ByPriority<At>>>,
        block: Pin<&mut B>,
    ) -> Result<B::Output, TurnedAway> {
        self.run(asked.by, block).await
    }
}

impl<Q, L: Limit, T: Timer> fmt::Debug for Adaptive<Q, L, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adaptive").field("status", &self.status()).finish_non_exhaustive()
    }
}
