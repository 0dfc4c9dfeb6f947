//! Observers: told of every node being entered and left, at no cost when unused.
//!
//! `#[observe(T)]` on a chain names a type that implements [`Observer`]. One value of it is made when a run begins, moves
//! with the run's future from thread to thread, and is used up when the run ends. A chain without `#[observe]`
//! has not one instruction of this.
//!
//! Time and allocations belong to the node itself if they are sampled where its own code begins and ends to run:
//! a stretch begins at [`enter`](Observer::enter), [`leave`](Observer::leave) or [`resume`](Observer::resume), and ends at
//! [`entered`](Observer::entered), [`broke`](Observer::broke), [`left`](Observer::left), [`suspend`](Observer::suspend) or
//! [`panicked`](Observer::panicked). Within one stretch the thread stays the same,
//! so counters kept by thread add up; what happens between two stretches is not the node's. Where a node is
//! [`cancelled`](Observer::cancelled) none of its stretches is open: it waited, or others ran.
//!
//! A node around a block ([`Role::Around`](crate::describe::Role::Around)) is told `suspend` when its block begins and `resume` when that is over. In between
//! its own code and its block take turns, or both wait, on whatever threads: what its `around` uses then is nobody's.
//!
//! Each `enter` is answered by exactly one of `broke`, `left`, `cancelled` and `panicked`, and these come in reverse order of
//! the `enter`s.
//!
//! # Who panicked
//!
//! A node is told [`panicked`](Observer::panicked) where the panic began in its own code: in one of its hooks, or, of a node around a block, in its
//! `around`, its `again` or the pause before the next run. Every other node that was entered and not left was
//! [`cancelled`](Observer::cancelled): so a panic has one node at most, and a node around a block does not answer for what happens in it.
//!
//! - A `cancelled` hook runs only where the run is cut off, which is told afterwards. The hook that panics then is told as a stretch of its node's way out, of
//!   no length: `leave`, or `resume` where an `exit` was cut off, and `panicked`. So is a node around a block: `resume` and `panicked`.
//! - Where no node's code panics, no node is told so: where a value panics when it is dropped, [`IntoReply`](crate::IntoReply) when it makes a reply, the
//!   guard of a pattern, or whoever polls the run.
//! - A node around a block that catches a panic of its block, and goes on with any panic in the same poll, has let it through.

use crate::describe::{ChainInfo, Ending, NodeInfo};

mod watch;

pub use watch::{Block, Cancelling, Pauses, Polls, Turn, Turns, Watch, Watched, Within};

/// Sees every node being entered and left. All methods but [`begin`](Self::begin) do nothing by default.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an observer",
    label = "not an observer",
    note = "implement `chain_runtime::observe::Observer` for `{Self}`"
)]
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
    /// The node broke: its way in is over, and it was never entered.
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
    /// A poll of the node returned `Pending`, or the block begins that it is around: the thread does something else now.
    #[inline(always)]
    fn suspend(&mut self, node: &'static NodeInfo, way: Way) {
        let _ = (node, way);
    }
    /// The node is polled again, or the block is over that it is around, perhaps on another thread.
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
    /// The run is over: with a reply, or, where `ending` is `None`, cancelled or panicked.
    #[inline(always)]
    fn end(self, ending: Option<&'static Ending>) {
        let _ = ending;
    }
}

/// A node's way in or its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// `enter`
    In,
    /// `exit`
    Out,
}

macro_rules! compose {
    ($($name:ident $index:tt),+) => {
        /// Told one after the other, from the first to the last.
        impl<$($name: Observer),+> Observer for ($($name,)+) {
            #[inline(always)]
            fn begin(chain: &'static ChainInfo) -> Self { ($($name::begin(chain),)+) }
            #[inline(always)]
            fn enter(&mut self, node: &'static NodeInfo) { $(self.$index.enter(node);)+ }
            #[inline(always)]
            fn entered(&mut self, node: &'static NodeInfo) { $(self.$index.entered(node);)+ }
            #[inline(always)]
            fn broke(&mut self, node: &'static NodeInfo) { $(self.$index.broke(node);)+ }
            #[inline(always)]
            fn leave(&mut self, node: &'static NodeInfo) { $(self.$index.leave(node);)+ }
            #[inline(always)]
            fn left(&mut self, node: &'static NodeInfo) { $(self.$index.left(node);)+ }
            #[inline(always)]
            fn suspend(&mut self, node: &'static NodeInfo, way: Way) { $(self.$index.suspend(node, way);)+ }
            #[inline(always)]
            fn resume(&mut self, node: &'static NodeInfo, way: Way) { $(self.$index.resume(node, way);)+ }
            #[inline(always)]
            fn cancelled(&mut self, node: &'static NodeInfo) { $(self.$index.cancelled(node);)+ }
            #[inline(always)]
            fn panicked(&mut self, node: &'static NodeInfo, way: Way) { $(self.$index.panicked(node, way);)+ }
            #[inline(always)]
            fn end(self, ending: Option<&'static Ending>) { $(self.$index.end(ending);)+ }
        }
    };
}
compose!(A 0);
compose!(A 0, B 1);
compose!(A 0, B 1, C 2);
compose!(A 0, B 1, C 2, D 3);
compose!(A 0, B 1, C 2, D 3, E 4);
compose!(A 0, B 1, C 2, D 3, E 4, F 5);

#[cfg(feature = "std")]
pub use recorder::{Event, Recorder, Recording};

#[cfg(feature = "std")]
mod recorder {
    //! An observer for tests.

    use std::cell::RefCell;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::vec::Vec;

    use super::{Observer, Way};
    use crate::describe::{ChainInfo, Ending, NodeInfo};

    /// One thing that an observer was told, with the node's name in the chain.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[allow(missing_docs, reason = "each is the method of `Observer` of the same name")]
    pub enum Event {
        Begin(&'static str),
        Enter(&'static str),
        Entered(&'static str),
        Broke(&'static str),
        Leave(&'static str),
        Left(&'static str),
        Suspend(&'static str, Way),
        Resume(&'static str, Way),
        Cancelled(&'static str),
        Panicked(&'static str, Way),
        /// `None` where there was no reply.
        End(Option<Ending>),
    }

    type Events = Arc<Mutex<Vec<Event>>>;

    std::thread_local! {
        static CURRENT: RefCell<Option<Events>> = const { RefCell::new(None) };
    }

    /// Records what happens in the runs that begin on this thread while it lives, wherever they go on.
    ///
    /// ```
    /// use chain_runtime::observe::{Event, Recorder, Recording};
    /// use chain_runtime::{chain, node};
    ///
    /// #[node]
    /// fn double(input: &u32) -> u64 { u64::from(*input) * 2 }
    ///
    /// chain! {
    ///     #[observe(Recorder)]
    ///     struct Doubling;
    ///     fn(input: u32) -> u64 { double }
    /// }
    ///
    /// let recording = Recording::start();
    /// assert_eq!(Doubling.run(21), 42);
    /// assert_eq!(recording.events()[..3], [Event::Begin("Doubling"), Event::Enter("double"), Event::Entered("double")]);
    /// ```
    #[derive(Debug)]
    pub struct Recording {
        events: Events,
        before: Option<Events>,
    }

    impl Recording {
        /// Begins to record. Another recording of this thread rests until this one is dropped.
        #[must_use]
        pub fn start() -> Self {
            let events = Events::default();
            let before = CURRENT.replace(Some(events.clone()));
            Self { events, before }
        }

        /// What was recorded so far, in order.
        #[must_use]
        pub fn events(&self) -> Vec<Event> {
            lock(&self.events).clone()
        }
    }

    impl Drop for Recording {
        fn drop(&mut self) {
            CURRENT.set(self.before.take());
        }
    }

    // A panic in a node poisons nothing here: each event is pushed whole.
    fn lock(events: &Events) -> MutexGuard<'_, Vec<Event>> {
        events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The observer that writes into the [`Recording`] of the thread on which the run began; without one, it
    /// does nothing.
    #[derive(Debug)]
    pub struct Recorder {
        events: Option<Events>,
    }

    impl Recorder {
        fn record(&self, event: Event) {
            if let Some(events) = &self.events {
                lock(events).push(event);
            }
        }
    }

    impl Observer for Recorder {
        fn begin(chain: &'static ChainInfo) -> Self {
            let this = Self { events: CURRENT.with_borrow(Clone::clone) };
            this.record(Event::Begin(chain.name));
            this
        }
        fn enter(&mut self, node: &'static NodeInfo) {
            self.record(Event::Enter(node.name));
        }
        fn entered(&mut self, node: &'static NodeInfo) {
            self.record(Event::Entered(node.name));
        }
        fn broke(&mut self, node: &'static NodeInfo) {
            self.record(Event::Broke(node.name));
        }
        fn leave(&mut self, node: &'static NodeInfo) {
            self.record(Event::Leave(node.name));
        }
        fn left(&mut self, node: &'static NodeInfo) {
            self.record(Event::Left(node.name));
        }
        fn suspend(&mut self, node: &'static NodeInfo, way: Way) {
            self.record(Event::Suspend(node.name, way));
        }
        fn resume(&mut self, node: &'static NodeInfo, way: Way) {
            self.record(Event::Resume(node.name, way));
        }
        fn cancelled(&mut self, node: &'static NodeInfo) {
            self.record(Event::Cancelled(node.name));
        }
        fn panicked(&mut self, node: &'static NodeInfo, way: Way) {
            self.record(Event::Panicked(node.name, way));
        }
        fn end(self, ending: Option<&'static Ending>) {
            self.record(Event::End(ending.copied()));
        }
    }
}
