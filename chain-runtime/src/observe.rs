//! Observers: they are told of every node that is entered and left, and of the owner of each moment of a run. They cost
//! nothing when unused.
//!
//! `#[observe(..)]` on a chain names its observers:
//!
//! - a **type** that implements [`Observer`]: `#[observe(Recorder)]`. One value of the type is made when a run begins,
//!   moves with the run's future from thread to thread, and is used up when the run ends.
//! - a **field** of the chain that implements [`Observes`]: `#[observe(meter)]`. It is lent to each run, and keeps what
//!   outlives the run.
//!
//! Several compose: `#[observe(Recorder, meter)]`, a tuple, or the attribute once more. A chain without `#[observe]`
//! contains no instruction for observers. Nor does one whose observer is `()`.
//!
//! # Stretches
//!
//! Each moment of a run belongs to exactly one [`Stretch`]: a node runs or waits, on its way in or out, or the moment
//! is the chain's own. An observer is told where one stretch ends and the next begins ([`Told::Stretch`]). So it can
//! read a clock once for each, and its readings add up to the whole:
//!
//! - A run begins in a stretch of the chain, and the end of the run closes the last stretch.
//! - A node's way in begins with `enter`. It lasts until the next thing begins: handing the node's value on, and
//!   matching on it, belong to the node.
//! - A node with an `exit` has a stretch for its way out. These are the chain's own: making a break the reply, dropping
//!   values between ways out, and tearing down a run that is cancelled.
//! - After a poll of a node has returned `Pending`, the node waits. All other stretches begin and end on one thread, so
//!   that counters kept by thread add up.
//! - A node around a block runs where its own code does, also between the polls of its block. It waits where it waits
//!   itself, as in a pause of [`Retry`](crate::around). While its block waits, the node in the block waits.
//!
//! # What is told
//!
//! Each `enter` is answered by exactly one of `broke`, `left`, `cancelled` and `panicked`. The answers come in the
//! reverse order of the `enter`s. A node that is [`cancelled`](Observer::cancelled) waited, or other nodes ran.
//!
//! A node around a block ([`Role::Around`](crate::describe::Role::Around)) is told `entered` when its block begins, and
//! `leave` when the block is over, with a reply or abandoned. If the block runs again, the node is told both again. If
//! the block never begins, the node is told neither. A node that gives up breaks, even after it was entered.

//!
//! # Who panicked
//!
//! A node is told [`panicked`](Observer::panicked) if the panic began in the node's own code: in one of its hooks, or,
//! for a node around a block, in its `around`, its `again` or the pause before the next run. Every other node that was
//! entered and not left was [`cancelled`](Observer::cancelled). So a panic belongs to one node at most, and a node
//! around a block does not answer for the panics in the block.
//!
//! - A `cancelled` hook runs only if the run is cut off, and the observer is told of that afterwards. If the hook
//!   panics, this is told as the node's way out: `leave`, or `resume` if an `exit` was cut off, and then `panicked`.
//! - A panic outside of the nodes' code is told of no node: a value may panic when it is dropped,
//!   [`IntoReply`](crate::IntoReply) when it makes a reply, the guard of a pattern, or the code that polls the run.
//! - A node around a block may catch a panic of its block. If it goes on with any panic in the same poll, it counts as
//!   having let the block's panic through.

use crate::describe::{ChainInfo, Ending, NodeInfo};

mod cancelling;
mod hears;
mod now;
mod polls;
#[cfg(feature = "std")]
mod recorder;
mod several;
mod tells;
mod watch;
mod within;

#[doc(hidden)]
pub use cancelling::{Cancelling, Watched};
#[doc(hidden)]
pub use hears::{Asked, ByType, ByTypeShared, Hears, HearsShared, Lent, Otherwise};
#[doc(hidden)]
pub use polls::Polls;
#[cfg(feature = "std")]
pub use recorder::{Event, Recorder, Recording};
#[doc(hidden)]
pub use tells::{Observed, Tells};
pub use watch::Watch;
#[doc(hidden)]
pub use within::{Block, Turn, Turns, Within};

/// Is told of every node of one run that is entered and left. All methods but [`begin`](Self::begin) do nothing by
/// default.
pub trait Observer: Sized {
    /// A run begins.
    fn begin(chain: &'static ChainInfo) -> Self;
    /// The node's way in begins.
    #[inline(always)]
    fn enter(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node was entered: its way in is over, and it did not break.
    #[inline(always)]
    fn entered(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node broke: its way in is over, and it was never entered. A node around a block gave up.
    #[inline(always)]
    fn broke(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node's way out begins.
    #[inline(always)]
    fn leave(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node was left: its way out is over.
    #[inline(always)]
    fn left(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// A poll of the node returned `Pending`: the thread does something else now.
    #[inline(always)]
    fn suspend(&mut self, node: &'static NodeInfo, way: Way) {
        let _ = (node, way);
    }
    /// The node is polled again, possibly on another thread.
    #[inline(always)]
    fn resume(&mut self, node: &'static NodeInfo, way: Way) {
        let _ = (node, way);
    }
    /// The request died while this node was suspended, or after it was entered and before it was left.
    #[inline(always)]
    fn cancelled(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// This node's own code panicked, a `cancelled` hook included. See [who panicked](self#who-panicked).
    #[inline(always)]
    fn panicked(&mut self, node: &'static NodeInfo, way: Way) {
        let _ = (node, way);
    }
    /// The node was not run: its toggle is off, it is shed, or the request is not in its share.
    #[inline(always)]
    fn skipped(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node took longer than its `#[timeout(..)]`; it is told `broke` next.
    #[inline(always)]
    fn late(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The run goes on without the node, by `#[open]`. The node was told `broke` just before.
    #[inline(always)]
    fn opened(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node's work goes on without the request, by `#[cancel(..)]`: for `detach` when the work begins, and for
    /// `finish` when the request dies.
    #[inline(always)]
    fn detached(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node or block with this index in [`ChainInfo::sheds`] is shed in this run. If it is a node, it is told
    /// `skipped` next. If its work goes on behind the request, it is told `detached` before that.
    #[inline(always)]
    fn shed(&mut self, index: usize) {
        let _ = index;
    }
    /// The row of a block begins: an arm, a branch, braces, or one more run of the block that a node wraps. The
    /// argument is an index in [`ChainInfo::blocks`].
    #[inline(always)]
    fn block(&mut self, block: usize) {
        let _ = block;
    }
    /// A stretch ends, and this one begins.
    #[inline(always)]
    fn stretch(&mut self, next: Stretch) {
        let _ = next;
    }
    /// The run is over: with a reply, or, if `ending` is `None`, cancelled or panicked.
    #[inline(always)]
    fn end(self, ending: Option<&'static Ending>) {
        let _ = ending;
    }
}

/// A value that observes the runs of the chain whose field it is: `#[observe(meter)]`.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
///
/// use chain_runtime::describe::{ChainInfo, Ending};
/// use chain_runtime::observe::{Observes, Told};
/// use chain_runtime::{chain, node};
///
/// #[derive(Default)]
/// struct Breaks(AtomicU64);
///
/// impl Observes for Breaks {
///     type Run = ();
///     fn begin(&self, _: &'static ChainInfo) {}
///     fn tell(&self, (): &(), told: Told) {
///         if let Told::Broke(_) = told {
///             self.0.fetch_add(1, Relaxed);
///         }
///     }
///     fn end(&self, (): &mut (), _: Option<&'static Ending>) {}
/// }
///
/// #[node]
/// fn checked(input: &u32) -> Result<(), u32> { if *input < 9 { Ok(()) } else { Err(0) } }
/// #[node]
/// fn answer(input: &u32) -> u32 { *input }
///
/// chain! {
///     #[observe(breaks)]
///     struct Small { breaks: Breaks }
///     fn(input: u32) -> u32 { checked => answer }
/// }
///
/// let small = Small { breaks: Breaks::default() };
/// assert_eq!((small.run(3), small.run(10)), (3, 0));
/// assert_eq!(small.breaks.0.load(Relaxed), 1);
/// ```
pub trait Observes {
    /// What the observer keeps of one run. It moves with the run's future. If the future is to be `Send` in a chain
    /// with a node around a block, this type has to be `Sync` as well.
    type Run;
    /// Whether it listens at all. If it does not, it is told nothing, and keeps nothing.
    const HEARS: bool = true;

    /// A run begins.
    fn begin(&self, chain: &'static ChainInfo) -> Self::Run;
    /// Something happened in the run.
    fn tell(&self, run: &Self::Run, told: Told);
    /// The run is over: with a reply, or, if `ending` is `None`, cancelled or panicked. Its `Run` is dropped next.
    fn end(&self, run: &mut Self::Run, ending: Option<&'static Ending>);
}

/// What happens in a run. Each variant means the same as the method of [`Observer`] with the same name.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is the method of `Observer` of the same name")]
pub enum Told {
    Enter(&'static NodeInfo),
    Entered(&'static NodeInfo),
    Broke(&'static NodeInfo),
    Leave(&'static NodeInfo),
    Left(&'static NodeInfo),
    Suspend(&'static NodeInfo, Way),
    Resume(&'static NodeInfo, Way),
    Cancelled(&'static NodeInfo),
    Panicked(&'static NodeInfo, Way),
    Skipped(&'static NodeInfo),
    Late(&'static NodeInfo),
    Opened(&'static NodeInfo),
    Detached(&'static NodeInfo),
    Shed(usize),
    Block(usize),
    Stretch(Stretch),
}

/// The owner of a moment of a run.
#[derive(Clone, Copy, Debug)]
pub enum Stretch {
    /// The chain itself.
    Chain,
    /// The node's own code runs.
    Running(&'static NodeInfo, Way),
    /// The node waits to be polled again.
    Waiting(&'static NodeInfo, Way),
}

/// A node's way in or its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// `enter`
    In,
    /// `exit`
    Out,
}

/// Hears nothing, and costs nothing.
impl Observes for () {
    type Run = ();
    const HEARS: bool = false;

    #[inline(always)]
    fn begin(&self, _: &'static ChainInfo) {}
    #[inline(always)]
    fn tell(&self, (): &(), _: Told) {}
    #[inline(always)]
    fn end(&self, (): &mut (), _: Option<&'static Ending>) {}
}

macro_rules! through {
    ($(#[$attribute:meta])* $pointer:ty) => {
        $(#[$attribute])*
        impl<T: Observes + ?Sized> Observes for $pointer {
            type Run = T::Run;
            const HEARS: bool = T::HEARS;

            #[inline(always)]
            fn begin(&self, chain: &'static ChainInfo) -> T::Run {
                T::begin(self, chain)
            }
            #[inline(always)]
            fn tell(&self, run: &T::Run, told: Told) {
                T::tell(self, run, told);
            }
            #[inline(always)]
            fn end(&self, run: &mut T::Run, ending: Option<&'static Ending>) {
                T::end(self, run, ending);
            }
        }
    };
}
through!(&T);
through! {
    /// One observer, for several chains.
    #[cfg(feature = "std")]
    std::sync::Arc<T>
}

/// `None` observes nothing. So the code that makes the chain's value decides what is observed.
impl<T: Observes> Observes for Option<T> {
    type Run = Option<T::Run>;
    const HEARS: bool = T::HEARS;

    #[inline(always)]
    fn begin(&self, chain: &'static ChainInfo) -> Option<T::Run> {
        self.as_ref().map(|this| this.begin(chain))
    }
    #[inline(always)]
    fn tell(&self, run: &Option<T::Run>, told: Told) {
        if let (Some(this), Some(run)) = (self, run) {
            this.tell(run, told);
        }
    }
    #[inline(always)]
    fn end(&self, run: &mut Option<T::Run>, ending: Option<&'static Ending>) {
        if let (Some(this), Some(run)) = (self, run) {
            this.end(run, ending);
        }
    }
}
