//! Observers: told of every node being entered and left, and of whom each moment of a run belongs to, at no cost when unused.
//!
//! `#[observe(..)]` on a chain names what observes it:
//!
//! - a **type** that implements [`Observer`]: `#[observe(Recorder)]`. One value of it is made when a run begins, moves with the run's future from
//!   thread to thread, and is used up when the run ends.
//! - a **field** of the chain that implements [`Observes`]: `#[observe(meter)]`. It is lent when a run begins, and keeps what outlives the run.
//!
//! Several compose: `#[observe(Recorder, meter)]`, a tuple, or the attribute once more. A chain without `#[observe]` has not one
//! instruction of this, nor has one whose observer is `()`.
//!
//! # Stretches
//!
//! Each moment of a run belongs to exactly one [`Stretch`]: a node runs or waits, on its way in or out, or it is the chain's own. An observer is told where one ends and the next begins
//! ([`Told::Stretch`]), so one reading of a clock there is enough, and what was read adds up to the whole:
//!
//! - A run begins in a stretch of the chain, and its end closes the last one.
//! - A node's way in begins with `enter`. It lasts until the next thing begins: to hand a value on, and to match on it, belongs to the node that gave it.
//! - A node with an `exit` has a stretch for its way out. The chain's own are: a break being made the reply, values being dropped between ways out, and what is
//!   torn down of a run that is cancelled.
//! - While a poll of a node has returned `Pending`, the node waits. All other stretches begin and end on one thread, so that counters kept by thread add up.
//! - A node around a block runs where its own code does, between the polls of its block as well; it waits where it waits itself, as in a pause of
//!   [`Retry`](crate::around), and while its block waits, the node in the block does.
//!
//! # What is told
//!
//! Each `enter` is answered by exactly one of `broke`, `left`, `cancelled` and `panicked`, and these come in reverse order of
//! the `enter`s. Where a node is [`cancelled`](Observer::cancelled), it waited, or others ran.
//!
//! A node around a block ([`Role::Around`](crate::describe::Role::Around)) is `entered` when its block begins, and it is told `leave` when that is over, with a reply or abandoned. Where the block
//! runs again, both are told again. One that never begins its block is told neither, and one that gives up breaks even when it was entered.

//!
//! # Who panicked
//!
//! A node is told [`panicked`](Observer::panicked) where the panic began in its own code: in one of its hooks, or, of a node around a block, in its
//! `around`, its `again` or the pause before the next run. Every other node that was entered and not left was
//! [`cancelled`](Observer::cancelled): so a panic has one node at most, and a node around a block does not answer for what happens in it.
//!
//! - A `cancelled` hook runs only where the run is cut off, which is told afterwards. The hook that panics then is told as its node's way out:
//!   `leave`, or `resume` where an `exit` was cut off, and `panicked`.
//! - Where no node's code panics, no node is told so: where a value panics when it is dropped, [`IntoReply`](crate::IntoReply) when it makes a reply, the
//!   guard of a pattern, or whoever polls the run.
//! - A node around a block that catches a panic of its block, and goes on with any panic in the same poll, has let it through.

use crate::describe::{ChainInfo, Ending, NodeInfo};

mod cancelling;
mod hears;
mod now;
mod polls;
#[cfg(feature = "std")]
mod recorder;
mod several;
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
pub use watch::{Observed, Tells, Watch};
#[doc(hidden)]
pub use within::{Block, Turn, Turns, Within};

/// Sees every node of one run being entered and left. All methods but [`begin`](Self::begin) do nothing by default.
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
    /// The node is polled again, perhaps on another thread.
    #[inline(always)]
    fn resume(&mut self, node: &'static NodeInfo, way: Way) {
        let _ = (node, way);
    }
    /// The request died while this node was suspended, or entered and not left.
    #[inline(always)]
    fn cancelled(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// This node's own code panicked, a `cancelled` hook included. See [who panicked](self#who-panicked).
    #[inline(always)]
    fn panicked(&mut self, node: &'static NodeInfo, way: Way) {
        let _ = (node, way);
    }
    /// The node was not run: a toggle is off, it is shed, or the request is not one of those for which it is.
    #[inline(always)]
    fn skipped(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node took longer than its `#[timeout(..)]`; it is told `broke` next.
    #[inline(always)]
    fn late(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// The node's work goes on without the request, by `#[cancel(..)]`: with `detach` once it is begun, and with `finish` where the request dies.
    #[inline(always)]
    fn detached(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// What has this index in [`ChainInfo::sheds`] is shed in this run. Where it is a node, that is told `skipped` next; and `detached` before, if its work goes on behind
    /// the request.
    #[inline(always)]
    fn shed(&mut self, index: usize) {
        let _ = index;
    }
    /// The row of a block begins: an arm, a branch, braces, or once more what a node wraps. An index in [`ChainInfo::blocks`].
    #[inline(always)]
    fn block(&mut self, block: usize) {
        let _ = block;
    }
    /// A stretch ends here, and this one begins.
    #[inline(always)]
    fn stretch(&mut self, next: Stretch) {
        let _ = next;
    }
    /// The run is over: with a reply, or, where `ending` is `None`, cancelled or panicked.
    #[inline(always)]
    fn end(self, ending: Option<&'static Ending>) {
        let _ = ending;
    }
}

/// A value that observes the runs of a chain whose field it is: `#[observe(meter)]`.
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
    /// What is kept of one run. It moves with the run's future. Where the future is to be `Send` in a chain with a node around a block, it has to be `Sync` as well.
    type Run;
    /// Whether it hears anything. Where it does not, nothing is told, and nothing is kept.
    const HEARS: bool = true;

    /// A run begins.
    fn begin(&self, chain: &'static ChainInfo) -> Self::Run;
    /// Something happened in it.
    fn tell(&self, run: &Self::Run, told: Told);
    /// The run is over: with a reply, or, where `ending` is `None`, cancelled or panicked. What was kept of it is dropped next.
    fn end(&self, run: &mut Self::Run, ending: Option<&'static Ending>);
}

/// What happens in a run, each as the method of [`Observer`] of the same name says.
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
    Detached(&'static NodeInfo),
    Shed(usize),
    Block(usize),
    Stretch(Stretch),
}

/// Whom a moment of a run belongs to.
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

/// `None` observes nothing; what is observed is decided where the chain's value is made.
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
