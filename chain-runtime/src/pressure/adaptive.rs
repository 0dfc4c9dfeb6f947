//! [`Adaptive`]: as many blocks at once as can be served well, found out while running.

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

/// Lets as many blocks run at once as can be served well: a concurrency limit that is found out while running.
///
/// A [`Limit`] watches how long the blocks take, and moves the number. Who finds no room waits in a short queue, in the order of priorities,
/// and is turned away after a few milliseconds. Turning away costs next to nothing, so it is done before there is any work: put the node first.
///
/// The form says what is known of a request:
///
/// | the field's type | asks the scope for | |
/// | --- | --- | --- |
/// | `Adaptive` | nothing | all are the same |
/// | `Adaptive<ByPriority>` | a [`Priority`] | critical first, then default, then sheddable |
/// | `Adaptive<Fair<User>>` | a `User`, or another [`Key`] | the users take turns |
/// | `Adaptive<Fair<User, ByPriority>>` | both | the users take turns inside of each priority |
///
/// The second parameter is the [`Limit`]: [`Gradient2`] unless another is named, [`Vegas`], [`Aimd`], [`Fixed`], `Box<dyn Limit + Send>`, or
/// one of your own. The third is the [`Timer`].
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
/// // One at once, and one that waits.
/// let shop = Shop { admission: Adaptive::fixed(1).queue(1) };
/// let ask = |path| shop.run(Request::get(path).body(()).unwrap());
/// let (first, second, third) = tokio::join!(ask("/"), ask("/"), ask("/pay"));
/// // What is critical takes the place in the queue.
/// assert_eq!((first.status().as_u16(), second.status().as_u16(), third.status().as_u16()), (200, 503, 200));
/// assert!(second.headers().contains_key("retry-after"));
/// assert_eq!(shop.admission.status().in_flight, 0);
/// # });
/// # }
/// ```
///
/// # Where to put it
///
/// In front of all that costs something. Before `auth` it counts every request, and knows nobody; after `auth` it can share by user, and `auth` itself is not
/// protected. Both may stand in one chain: each form provides an [`Asked`] of its own.
/// A block that it wraps has to be whole: what was begun before it, such as reading a body, is lost where it turns away. So a chain in which a node before it has
/// taken an input by value does not compile:
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
/// - A permit is held from before the block is first polled to when it is ready. It is given back as well where the block panics, and where the
///   request is dropped midway. A request that is dropped while it waits gives up its place; where it was just given a permit, that goes on to
///   the next.
/// - Who is turned away is given [`TurnedAway`]. Its block is not polled.
/// - **Who is next**: the priority first. Inside of a priority the shares take turns. Inside of a share it is who came first; under overload it is who came last,
///   since those who came first have waited too long already.
/// - **Nobody is let in for having waited long**: where critical requests alone fill the limit, no other is served. A critical path needs a
///   bound of its own, a rate limit or an inner limit.
/// - **Overload** is where, for [`patience`](Self::patience), somebody always waited of that priority or of one that matters more. So there may be overload
///   of what can be shed, and none of what is critical. It ends where, for as long, nobody had to wait.
/// - **How long one waits**: as long as `patience`, and under overload only as long as [`target`](Self::target).
/// - **Who has to go** where the queue is full: one of a lower priority; otherwise one of the share that has the most, if that is two more than one's own;
///   otherwise who comes. Who goes because of its share is given a 429 rather than a 503.
/// - The block is over when it gives its reply. Of an HTTP response that is its head. `WholeAdaptive` holds the permit until the body was sent.
///
/// # What is a sample
///
/// A block that replied, by the time from its permit to its reply, without what it waited for [elsewhere](super::Elsewhere). These are not:
///
/// - one that was cancelled, or panicked;
/// - one in which another `Adaptive` turned away.
///
/// Lost is what took as long as [`timeout`](Self::timeout), whether it replied or was cancelled; what a [`Deadline`](crate::around::Deadline) ended, inside of the
/// block or around the limit, unless most of the time went by elsewhere; and of what a [`Judge`](super::Judge) says so.
///
/// # Cost
///
/// Where there is room: one compare-and-swap to get in, one subtraction to get out, two looks at the clock, and a lock that nobody waits for, to add up
/// the sample. Nothing is allocated, for no request: the queue's places are there from the beginning.
/// Some 700 instructions to be let in, 300 to 1,800 to be turned away (the bench `admission`). The future takes 656 bytes beside the block's own, most of
/// them for the timer of one who waits.
pub struct Adaptive<Q = Anyone, L = Gradient2, T = TokioTimer> {
    gate: Gate<L, T>,
    shares: Shares,
    form: PhantomData<fn(Q)>,
}

impl<Q, L: Limit> Adaptive<Q, L> {
    /// By this limit; at most 128 wait.
    #[must_use]
    pub fn new(limit: L) -> Self {
        Self::new_on(TokioTimer, limit)
    }
}

impl<Q> Adaptive<Q, Fixed> {
    /// At most so many at once, for good. It still has priorities, shares and the queue.
    #[must_use]
    pub fn fixed(limit: usize) -> Self {
        Self::new(Fixed(limit))
    }
}

/// By [`Gradient2::new`].
impl<Q> Default for Adaptive<Q> {
    fn default() -> Self {
        Self::new(Gradient2::new())
    }
}

impl<Q, L: Limit, T: Timer> Adaptive<Q, L, T> {
    /// [`new`](Adaptive::new), by another timer. No runtime is needed then.
    #[must_use]
    pub fn new_on(timer: T, limit: L) -> Self {
        Self { gate: Gate::new(limit, timer), shares: Shares::default(), form: PhantomData }
    }

    /// Lets at most so many wait. With 0, who finds no room is turned away at once. 128 unless it is said; at most 16 million.
    ///
    /// It takes 96 bytes for each that may wait, and 9 kB for the shares.
    #[must_use]
    pub fn queue(mut self, at_most: usize) -> Self {
        self.gate.places = at_most.min(queue::MOST);
        self.gate = self.gate.remade();
        self
    }

    /// How long one may wait where the queue was empty a moment ago. Where somebody always waited for as long, it is overload. 100 ms unless it is said.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.gate.patience.calm = time;
        self.gate = self.gate.remade();
        self
    }

    /// How long one may wait under overload. 5 ms unless it is said.
    #[must_use]
    pub fn target(mut self, time: Duration) -> Self {
        self.gate.patience.target = time;
        self.gate = self.gate.remade();
        self
    }

    /// How long a window is at least, after which the limit is asked anew: 100 ms unless it is said. It is longer where a round trip takes longer than half of it, and where
    /// fewer blocks ended in it than [`at_least`](Self::at_least); ten times as long at most.
    #[must_use]
    pub fn window(mut self, time: Duration) -> Self {
        self.window_mut().lasts = time;
        self
    }

    /// How many blocks have to end in a window before it says something: 10 unless it is said.
    #[must_use]
    pub fn at_least(mut self, samples: u64) -> Self {
        self.window_mut().at_least = samples;
        self
    }

    /// A block that took as long as this counts as lost, whether it replied or was cancelled. No time is, unless it is said.
    #[must_use]
    pub fn timeout(mut self, time: Duration) -> Self {
        self.gate.timeout = Some(time);
        self
    }

    /// Goes by a level of pressure, too:
    ///
    /// | level | of the limit | | |
    /// | --- | --- | --- | --- |
    /// | calm, elevated | all | | |
    /// | high | three quarters | sheddable requests do not wait | |
    /// | critical | half | sheddable requests are turned away at once | default requests do not wait |
    ///
    /// Nobody is woken where the level changes. Who waits goes in when the next one leaves or comes, and at the latest at the end of its patience.
    #[must_use]
    pub fn under(mut self, level: Arc<LevelCell>) -> Self {
        self.gate.level = Some(level);
        self
    }

    fn window_mut(&mut self) -> &mut window::Window<L> {
        self.gate.window.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What it does now, and what it has turned away.
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
    /// [`TurnedAway`] where there is no room, and none in time.
    pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, TurnedAway> {
        self.run(By::default(), block).await
    }
}

#[node(crate = crate, rejects)]
impl<At, L: Limit, T: Timer> Adaptive<ByPriority<At>, L, T> {
    /// Takes down how much the request matters.
    pub fn enter(&self, priority: &Priority) -> Asked<ByPriority<At>> {
        Asked::new(*priority, 0)
    }

    /// Polls the block under a permit. See [`Adaptive`].
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] where there is no room, and none in time.
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
    /// Takes down whose request it is.
    pub fn enter(&self, key: &K) -> Asked<Fair<K, Anyone<At>>> {
        Asked::new(Priority::Default, self.shares.of(key))
    }

    /// Polls the block under a permit. See [`Adaptive`].
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] where there is no room, and none in time.
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
    /// Takes down how much the request matters, and whose it is.
    pub fn enter(&self, priority: &Priority, key: &K) -> Asked<Fair<K, ByPriority<At>>> {
        Asked::new(*priority, self.shares.of(key))
    }

    /// Polls the block under a permit. See [`Adaptive`].
    ///
    /// # Errors
    ///
    /// [`TurnedAway`] where there is no room, and none in time.
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
