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
//! A node around a block ([`Role::Around`](crate::describe::Role::Around)) has no stretches: between its `enter` and its `left` or `broke` its own code and its
//! block take turns, or both wait, on whatever threads.
//!
//! Each `enter` is answered by exactly one of `broke`, `left`, `cancelled` and `panicked`, and these come in reverse order of
//! the `enter`s.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::task::{Context, Poll};

use crate::describe::{ChainInfo, Ending, NodeInfo};

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
    /// The request died while this node was suspended, or entered and not left. So it is also for a node whose `cancelled` hook panics then.
    #[inline(always)]
    fn cancelled(&mut self, node: &'static NodeInfo) {
        let _ = node;
    }
    /// This node's own code panicked. A node around a block in which another panicked was cancelled.
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

/// Tells an observer what happens in one run, also when it is cut off: `chain!` keeps one in the body of `run`, declared
/// before everything else and so dropped after all of it.
#[derive(Debug)]
pub struct Watch<O: Observer, const WORDS: usize = 0> {
    /// `None` once the run has ended.
    observer: Option<O>,
    chain: &'static ChainInfo,
    /// The node that was entered last and not left; those before it, [`NodeInfo::after`] says.
    entered: Option<usize>,
    /// A bit for each node that was skipped; none where no node can be.
    skipped: [u64; WORDS],
    now: Now,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Now {
    /// Nothing that is a node's.
    Between,
    /// Unwinding, from the code of a node around a block.
    Unwinding(usize),
    /// Unwinding, from a node that was told so.
    Told,
    /// A node's own code.
    Running(usize, Way),
    /// Waiting to be polled, in a node.
    Suspended(usize),
}

impl<O: Observer, const WORDS: usize> Watch<O, WORDS> {
    /// A run begins.
    #[inline]
    pub fn begin(chain: &'static ChainInfo) -> Self {
        Self { observer: Some(O::begin(chain)), chain, entered: None, skipped: [0; WORDS], now: Now::Between }
    }

    #[inline]
    fn tell(&mut self, position: usize, tell: impl FnOnce(&mut O, &'static NodeInfo)) {
        if let Some(observer) = &mut self.observer {
            tell(observer, &self.chain.nodes[position]);
        }
    }

    /// The way in of the node at this position begins.
    #[inline]
    pub fn enter(&mut self, position: usize) {
        self.tell(position, O::enter);
        self.now = Now::Running(position, Way::In);
    }

    /// It was entered.
    #[inline]
    pub fn entered(&mut self, position: usize) {
        self.now = Now::Between;
        self.entered = Some(position);
        self.tell(position, O::entered);
    }

    /// It wraps a block, which begins.
    #[inline]
    pub fn wraps(&mut self, position: usize) {
        self.now = Now::Between;
        self.entered = Some(position);
    }

    /// The block that it wraps is over: its own code runs.
    #[inline]
    pub fn wrapped(&mut self, position: usize) {
        self.now = Now::Running(position, Way::In);
    }

    /// It is skipped, or it is not.
    #[inline]
    pub fn skips(&mut self, position: usize, is_skipped: bool) {
        if let Some(word) = self.skipped.get_mut(position / 64) {
            let bit = 1 << (position % 64);
            *word = if is_skipped { *word | bit } else { *word & !bit };
        }
    }

    /// The node before this one that was entered last and not left.
    #[inline]
    fn before(&self, position: usize) -> Option<usize> {
        let mut before = self.chain.nodes[position].after;
        let is_skipped = |at: &usize| self.skipped.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0);
        while let Some(at) = before.filter(is_skipped) {
            before = self.chain.nodes[at].after;
        }
        before
    }

    /// What happens in the block of the node at this position.
    #[inline]
    pub fn within<'a>(&'a mut self, position: usize, turn: &'a Turn) -> Within<'a, O, WORDS> {
        self.now = Now::Between;
        Within { watch: self, position, turn }
    }

    /// It broke.
    #[inline]
    pub fn broke(&mut self, position: usize) {
        self.now = Now::Between;
        self.entered = self.before(position);
        self.tell(position, O::broke);
    }

    /// Its way out begins.
    #[inline]
    pub fn leave(&mut self, position: usize) {
        self.tell(position, O::leave);
        self.now = Now::Running(position, Way::Out);
    }

    /// It was left.
    #[inline]
    pub fn left(&mut self, position: usize) {
        self.now = Now::Between;
        self.entered = self.before(position);
        self.tell(position, O::left);
    }

    /// The run is over.
    #[inline]
    pub fn end(mut self, ending: &'static Ending) {
        if let Some(observer) = self.observer.take() {
            observer.end(Some(ending));
        }
    }

    /// Awaits the future of the node at this position, and tells of each time it suspends.
    #[inline]
    pub fn polls<'a, F: Future>(
        &'a mut self,
        future: Pin<&'a mut F>,
        position: usize,
        way: Way,
    ) -> Polls<'a, F, O, WORDS> {
        Polls { watch: self, future, position, way }
    }
}

impl<O: Observer, const WORDS: usize> Watch<O, WORDS> {
    /// Tells of the nodes that were entered and not left, back to this one, which is not told.
    fn died(&mut self, back_to: Option<usize>) {
        let at = match self.now {
            Now::Between | Now::Told => None,
            Now::Running(position, way) => {
                self.tell(position, |observer, node| observer.panicked(node, way));
                Some(position)
            }
            Now::Unwinding(position) => {
                self.tell(position, |observer, node| observer.panicked(node, Way::In));
                Some(position)
            }
            Now::Suspended(position) => {
                self.tell(position, O::cancelled);
                Some(position)
            }
        };
        while let Some(position) = self.entered.filter(|position| Some(*position) != back_to) {
            if Some(position) != at {
                self.tell(position, O::cancelled);
            }
            self.entered = self.before(position);
        }
    }
}

impl<O: Observer, const WORDS: usize> Drop for Watch<O, WORDS> {
    fn drop(&mut self) {
        if self.observer.is_some() {
            self.died(None);
        }
        if let Some(observer) = self.observer.take() {
            observer.end(None);
        }
    }
}

/// Whether the code of a node around a block runs. Who unwinds through it leaves it so: it is its own panic then, or one of its block that it let
/// through, and not one of somebody else while it waits.
#[derive(Debug, Default)]
pub struct Turn {
    runs: AtomicBool,
}

impl Turn {
    /// It does not run yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { runs: AtomicBool::new(false) }
    }

    /// Awaits the node's own future.
    #[inline]
    pub fn polls<'a, F: Future>(&'a self, future: Pin<&'a mut F>) -> Turns<'a, F> {
        Turns { turn: self, future }
    }
}

/// See [`Turn::polls`].
#[derive(Debug)]
pub struct Turns<'a, F> {
    turn: &'a Turn,
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Turns<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // Read in the same run alone; atomic, so that the run's future can move to another thread.
        self.turn.runs.store(true, Relaxed);
        let poll = self.future.as_mut().poll(context);
        self.turn.runs.store(false, Relaxed);
        poll
    }
}

/// See [`Watch::within`]. When the block is dropped midway, what died in it is told before the node around it goes on.
#[derive(Debug)]
pub struct Within<'a, O: Observer, const WORDS: usize = 0> {
    watch: &'a mut Watch<O, WORDS>,
    position: usize,
    turn: &'a Turn,
}

impl<O: Observer, const WORDS: usize> core::ops::Deref for Within<'_, O, WORDS> {
    type Target = Watch<O, WORDS>;

    #[inline]
    fn deref(&self) -> &Watch<O, WORDS> {
        self.watch
    }
}

impl<O: Observer, const WORDS: usize> core::ops::DerefMut for Within<'_, O, WORDS> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Watch<O, WORDS> {
        self.watch
    }
}

impl<O: Observer, const WORDS: usize> Drop for Within<'_, O, WORDS> {
    #[inline]
    fn drop(&mut self) {
        // A panic that began in here is not of the node around it, which may still catch it.
        let began_in_here = matches!(self.watch.now, Now::Running(..) | Now::Unwinding(_) | Now::Told);
        self.watch.died(Some(self.position));
        self.watch.now = match (self.turn.runs.load(Relaxed), began_in_here) {
            (false, _) => Now::Between,
            (true, false) => Now::Unwinding(self.position),
            (true, true) => Now::Told,
        };
    }
}

/// See [`Watch::polls`].
#[derive(Debug)]
pub struct Polls<'a, F, O: Observer, const WORDS: usize = 0> {
    watch: &'a mut Watch<O, WORDS>,
    future: Pin<&'a mut F>,
    position: usize,
    way: Way,
}

impl<F: Future, O: Observer, const WORDS: usize> Future for Polls<'_, F, O, WORDS> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { watch, future, position, way } = &mut *self;
        if matches!(watch.now, Now::Suspended(_)) {
            watch.tell(*position, |observer, node| observer.resume(node, *way));
            watch.now = Now::Running(*position, *way);
        }
        let poll = future.as_mut().poll(context);
        if poll.is_pending() {
            watch.now = Now::Suspended(*position);
            watch.tell(*position, |observer, node| observer.suspend(node, *way));
        }
        poll
    }
}

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
