//! Work that belongs to a request, and work that outlives one: counted, bounded, and told to stop.
//!
//! [`Tasks`] is a field of a chain. Used as a node, under its field's name, it provides [`Work`] to the nodes after it,
//! which spawn children through it:
//!
//! ```
//! use chain_runtime::tasks::{ChildFailed, ChildPanicked, Tasks, Work};
//! use chain_runtime::{IntoReply, chain, node};
//!
//! struct Id(u32);
//! struct Reply(String);
//!
//! /// Asks for the price and the stock at once.
//! #[node]
//! async fn item(id: &Id, work: &Work) -> Result<Reply, ChildFailed> {
//!     let id = id.0;
//!     let price = work.spawn("price", async move { id * 10 }).await;
//!     let stock = work.spawn("stock", async move { id + 1 }).await;
//!     Ok(Reply(format!("{} for {}", stock.await?, price.await?)))
//! }
//!
//! /// The reply if `item` breaks.
//! impl IntoReply<Reply> for ChildFailed {
//!     fn into_reply(self) -> Reply { Reply(self.to_string()) }
//! }
//! /// The reply if a child panicked that no node awaited.
//! impl IntoReply<Reply> for ChildPanicked {
//!     fn into_reply(self) -> Reply { Reply(self.to_string()) }
//! }
//!
//! chain! {
//!     struct Shop { tasks: Tasks }
//!     async fn(id: Id) -> Reply { tasks => item }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! # runtime.block_on(async {
//! let shop = Shop { tasks: Tasks::new(64) };
//! assert_eq!(shop.run(Id(7)).await.0, "8 for 70");
//! // At the end of the program, when there are no more requests:
//! let left = shop.tasks.stop(std::time::Duration::from_secs(5)).await;
//! assert_eq!(left.to_string(), "nothing");
//! assert_eq!(Tasks::leaked(), 0);
//! # });
//! ```
//!
//! # What happens to a child
//!
//! | the run | its children |
//! | --- | --- |
//! | is **replied**, or **cut short** | the way out of the node `tasks` waits for them, up to [`Builder::join_within`]; then they are dropped where they stand; with [`Builder::tells_at_reply`] they are told first |
//! | is **cancelled**, or **panics** | they are dropped where they stand |
//!
//! - A child is a tokio task, so it owns its data: `'static`, and `Send`. It is dropped as tokio drops an aborted task:
//!   at the await where it stands, when its runtime comes to it. Code that never awaits cannot be ended from outside.
//!   Until it is gone it counts in [`Tasks::leaked`].
//! - A **child's panic** is given to the code that awaits the child, as [`ChildFailed::Panicked`]. With `?` it is a
//!   break of that node. If no code awaits the child, the panic takes the reply's place on the way out of `tasks`,
//!   through [`IntoReply`](crate::IntoReply), or `From` if the reply is a `Result`. If there are several, the first one
//!   does. The nodes before `tasks` see it as the reply; [`Ending`](crate::Ending) still names the node that replied.
//! - `tasks` sees the reply, so it cannot stand in a block that goes on.
//!
//! # What outlives its request
//!
//! The work of `#[cancel(finish)]`, `#[cancel(detach)]` and `#[shed(.., detach)]` belongs to the chain's `Tasks`,
//! whether or not it is used as a node. That is the field of the type `Tasks`, or of another name for that type. A
//! chain without one uses [`Tasks::of_process`]. A chain with two does not compile, nor does one in which a field only
//! holds a `Tasks`, in an `Arc` or an `Option`.
//!
//! |  | waits for a place | if there is none | is dropped |
//! | --- | --- | --- | --- |
//! | [`Work::spawn`] | yes | | with its run |
//! | [`Work::try_spawn`] | no | [`Refused`] | with its run |
//! | `#[cancel(finish)]`, [`Tasks::finish`] | yes | | after the limit of a stop |
//! | `#[cancel(detach)]`, [`Tasks::detach`] | yes | | after the limit of a stop |
//! | `#[shed(.., detach)]`, [`Tasks::behind`] | in a queue | dropped and counted | after the limit of a stop |
//!
//! Work that waits for a place has not begun: a run that is cancelled meanwhile drops it unpolled. A task **inherits
//! nothing** of what a request has because it is polled: deadlines, tokio's task-locals, the entered span.
//!
//! # Refused: `#[deny(spawn)]`
//!
//! A chain with `#[deny(spawn)]` refuses nodes that spawn without a `Tasks`. The error is at the token, and names the
//! way out:
//!
//! ```compile_fail
//! # use chain_runtime::{chain, node};
//! # struct Path(String);
//! #[node]
//! async fn answer(path: &Path) -> String {
//!     let path = path.0.clone();
//!     tokio::spawn(async move { println!("{path}") }); // nothing waits for it
//!     "done".to_owned()
//! }
//!
//! chain! {
//!     #[deny(spawn)]
//!     struct Site;
//!     async fn(path: Path) -> String { answer }
//! }
//! ```
//!
//! - These calls are **seen**, in the tokens of all hooks, including closures, blocks and calls of macros, in nodes of
//!   segments and of other crates, and whatever a `#[cfg(..)]` in them says:
//! - `spawn`, `spawn_local` and `spawn_blocking` with a path of `tokio`, `task`, `rt`, `thread`, `smol`, `async_std`,
//!   `actix_rt`, `async_global_executor` or `rayon`, whether called, given to another function or imported;
//! - calls of the same functions without any path;
//! - `Handle::current().spawn(..)`.
//! - These are **not seen**:
//! - what a function does that the node calls;
//! - a function that is imported outside of the hook under another name (`use tokio::spawn as go`);
//! - methods: those of a `JoinSet`, which drops its tasks when it is dropped, and of `std::thread::scope`, but also
//!   those of a `Handle` that is kept somewhere, and of `std::thread::Builder`.
//! - To call a function of your own with the name `spawn`, declare it in the hook, or call it by its path:
//!   `pool::spawn(..)`, `crate::task::spawn(..)`.
//! - Work that has to block is for [`Work::spawn_blocking`]. Work that has to outlive its request is a node of its own,
//!   with `#[cancel(detach)]` before it.
//!
//! # Cost
//!
//! A run that spawns nothing pays one reference count. The first child of a run costs five allocations, each later
//! child two. Work that outlives its request costs one, for the task. Each task takes a lock of the `Tasks` when it
//! begins and when it ends.

use core::error::Error;
use core::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

pub use tokio_util::sync::CancellationToken;

pub use child::{Cancelled, Child, ChildFailed, ChildPanicked, MadeOfAPanic};
pub use left::Left;
pub use run::Work;
use shared::{LEAKED, Shared};

mod child;
mod left;
mod outliving;
mod run;
mod shared;
mod task;

/// The work of a chain's requests, bounded in number. See the [module](self).
///
/// It is a handle: a clone is the same `Tasks`, so that several chains can share one. When the last clone is dropped
/// without a [`stop`](Tasks::stop), work that outlives its request goes on to its end, and counts in [`Tasks::leaked`]
/// until then.
#[derive(Clone)]
pub struct Tasks {
    owner: Arc<Owner>,
}

/// What the tasks belong to that belong to no run.
struct Owner {
    shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.shared.end());
    }
}

impl Tasks {
    /// At most so many tasks at once, and as many behind the requests. The other settings are the defaults of
    /// [`Builder`].
    ///
    /// With 0 nothing ever begins, and code that waits for a place waits for ever.
    #[must_use]
    pub fn new(at_most: usize) -> Self {
        Builder { at_most, queue: at_most, ..Builder::default() }.build()
    }

    /// Makes one with settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The `Tasks` of all chains that have none of their own. It is [`Tasks::default`]: at most 1,024 tasks at once,
    /// and as many behind the requests.
    ///
    /// It is stopped only if some code calls [`stop`](Tasks::stop) on it.
    #[must_use]
    pub fn of_process() -> &'static Self {
        static OF_PROCESS: LazyLock<Tasks> = LazyLock::new(Tasks::default);
        &OF_PROCESS
    }

    /// How many tasks of the process are alive although their run, or their `Tasks`, is gone: children of a run that is
    /// over, and work whose `Tasks` was stopped or dropped. A task that is dropped where it stands counts until its
    /// runtime has dropped it. So this is 0 once all runtimes are idle, unless some task blocks its thread.
    #[must_use]
    pub fn leaked() -> usize {
        LEAKED.load(Relaxed)
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared().counts()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.owner.shared
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Builder::default().build()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// Settings of a [`Tasks`].
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::tasks::Tasks;
///
/// let tasks = Tasks::builder().at_most(256).queue(1_000).at_once(2).join_within(Duration::from_millis(500)).build();
/// assert_eq!(tasks.counts().alive, 0);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "`build()` makes the `Tasks`"]
pub struct Builder {
    at_most: usize,
    queue: usize,
    at_once: usize,
    join_within: Duration,
    tells_at_reply: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self { at_most: 1_024, queue: 1_024, at_once: 4, join_within: Duration::from_secs(5), tells_at_reply: false }
    }
}

impl Builder {
    /// How many tasks may be alive at once: children, and the work of `#[cancel(..)]`. The default is 1,024.
    pub const fn at_most(mut self, tasks: usize) -> Self {
        self.at_most = tasks;
        self
    }

    /// How much work may wait or run behind the requests. The default is 1,024.
    pub const fn queue(mut self, places: usize) -> Self {
        self.queue = places;
        self
    }

    /// How much of that work runs at once, at least 1. The default is 4.
    pub const fn at_once(mut self, tasks: usize) -> Self {
        self.at_once = tasks;
        self
    }

    /// How long a run that has its reply waits for its children, and holds the reply back. The default is 5 s.
    pub const fn join_within(mut self, limit: Duration) -> Self {
        self.join_within = limit;
        self
    }

    /// Makes a run that has its reply tell its children to stop before it waits for them: [`Work::stopping`].
    pub const fn tells_at_reply(mut self) -> Self {
        self.tells_at_reply = true;
        self
    }

    /// Makes the `Tasks`.
    #[must_use]
    pub fn build(self) -> Tasks {
        Tasks { owner: Arc::new(Owner { shared: Arc::new(Shared::new(self)) }) }
    }
}

/// What has happened in a [`Tasks`] so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// How many tasks are alive now, including those behind the requests.
    pub alive: usize,
    /// How many tasks have begun, or were put on the queue behind the requests.
    pub begun: u64,
    /// How many were not begun, since there was no place at once or the `Tasks` was stopped, apart from those for the
    /// queue behind the requests.
    pub refused: u64,
    /// How much work found no place behind the requests, or no runtime, or came after the stop.
    pub dropped: u64,
    /// How many panicked.
    pub panicked: u64,
    /// How many were dropped where they stood.
    pub aborted: u64,
}

/// Why work was not begun. As an `http::Response`, a 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// As many tasks are alive as are allowed.
    Full,
    /// The `Tasks` was stopped.
    Stopped,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "as many tasks are alive as may be",
            Self::Stopped => "the tasks were stopped",
        })
    }
}

impl Error for Refused {}
