//! What tells an observer of a run: generated code keeps a [`Watch`], and tells it where the run is.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use core::task::{Context, Poll};

use super::{Observer, Way};
use crate::describe::{ChainInfo, Ending, NodeInfo};
use crate::held::Held;

/// Tells an observer what happens in one run, also when it is cut off: `chain!` keeps one in the body of `run`, declared
/// before everything else and so dropped after all of it.
#[derive(Debug)]
pub struct Watch<'w, O: Observer, const WORDS: usize = 0> {
    /// `None` once the run has ended.
    observer: Option<O>,
    chain: &'static ChainInfo,
    cancelling: &'w Cancelling,
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
    /// The code of a node around a block that was told to wait; or unwinding, from there.
    Wrapping(usize),
    /// A node's own code.
    Running(usize, Way),
    /// Waiting to be polled, in a node.
    Suspended(usize),
}

impl<'w, O: Observer, const WORDS: usize> Watch<'w, O, WORDS> {
    /// A run begins.
    #[inline]
    pub fn begin(chain: &'static ChainInfo, cancelling: &'w Cancelling) -> Self {
        let observer = Some(O::begin(chain));
        Self { observer, chain, cancelling, entered: None, skipped: [0; WORDS], now: Now::Between }
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

    /// It wraps a block, which begins, or will begin again.
    #[inline]
    pub fn wraps(&mut self, position: usize) {
        self.now = Now::Between;
        self.entered = Some(position);
        self.tell(position, |observer, node| observer.suspend(node, Way::In));
    }

    /// The block that it wraps is over: nothing but its own code runs.
    #[inline]
    pub fn wrapped(&mut self, position: usize) {
        self.tell(position, |observer, node| observer.resume(node, Way::In));
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
    pub fn within<'a>(&'a mut self, position: usize, turn: &'a Turn) -> Within<'a, 'w, O, WORDS> {
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
    ) -> Polls<'a, 'w, F, O, WORDS> {
        Polls { watch: self, future, position, way }
    }

    /// Awaits the pause of the node around a block at this position, which was told to wait.
    #[inline]
    pub fn pauses<'a, F: Future>(&'a mut self, future: Pin<&'a mut F>, position: usize) -> Pauses<'a, 'w, F, O, WORDS> {
        Pauses { watch: self, future, position }
    }

    /// Tells of the nodes that were entered and not left, back to this one, which is not told.
    fn died(&mut self, back_to: Option<usize>) {
        let panicked_in_hook = self.cancelling.panicked();
        let at = match self.now {
            Now::Between => None,
            Now::Running(position, way) => {
                self.tell(position, |observer, node| observer.panicked(node, way));
                Some(position)
            }
            Now::Wrapping(position) => {
                self.tell(position, |observer, node| observer.resume(node, Way::In));
                self.tell(position, |observer, node| observer.panicked(node, Way::In));
                Some(position)
            }
            // In its `exit`: before that, it has no hook that could run.
            Now::Suspended(position) if Some(position) == panicked_in_hook => {
                self.tell(position, |observer, node| observer.resume(node, Way::Out));
                self.tell(position, |observer, node| observer.panicked(node, Way::Out));
                Some(position)
            }
            Now::Suspended(position) => {
                self.tell(position, O::cancelled);
                Some(position)
            }
        };
        while let Some(position) = self.entered.filter(|position| Some(*position) != back_to) {
            match Some(position) {
                told if told == at => {}
                in_hook if in_hook == panicked_in_hook => {
                    self.tell(position, O::leave);
                    self.tell(position, |observer, node| observer.panicked(node, Way::Out));
                }
                _ => self.tell(position, O::cancelled),
            }
            self.entered = self.before(position);
        }
    }
}

impl<O: Observer, const WORDS: usize> Drop for Watch<'_, O, WORDS> {
    fn drop(&mut self) {
        if self.observer.is_some() {
            self.died(None);
        }
        if let Some(observer) = self.observer.take() {
            observer.end(None);
        }
    }
}

/// Whose `cancelled` hook runs. A hook that panics leaves it so, until that is told.
///
/// It lies outside of the [`Watch`], which a block may have borrowed when the hooks run. It is used in one run alone; atomic, so that the
/// run's future can move to another thread.
#[derive(Debug)]
pub struct Cancelling {
    position: AtomicUsize,
}

const NOBODY: usize = usize::MAX;

impl Cancelling {
    /// Nobody's does.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self { position: AtomicUsize::new(NOBODY) }
    }

    /// What holds the value of the node at this position.
    #[inline]
    pub fn watches<H: Held>(&self, position: usize, held: H) -> Watched<'_, H> {
        Watched { held, position, cancelling: self }
    }

    /// Whose hook has panicked. It is answered once.
    #[inline]
    fn panicked(&self) -> Option<usize> {
        let position = self.position.load(Relaxed);
        self.position.store(NOBODY, Relaxed);
        Some(position).filter(|position| *position != NOBODY)
    }
}

impl Default for Cancelling {
    fn default() -> Self {
        Self::new()
    }
}

/// A holder whose `cancelled` hook is watched. See [`Cancelling`].
#[derive(Debug)]
pub struct Watched<'w, H: Held> {
    /// What holds the value.
    pub held: H,
    position: usize,
    cancelling: &'w Cancelling,
}

impl<H: Held> Drop for Watched<'_, H> {
    #[inline]
    fn drop(&mut self) {
        let Self { held, position, cancelling } = self;
        // Where one has panicked, the hooks of those before it run as well: it stays the one that panicked.
        let is_first = cancelling.position.load(Relaxed) == NOBODY;
        if is_first {
            cancelling.position.store(*position, Relaxed);
        }
        held.cancel();
        if is_first {
            cancelling.position.store(NOBODY, Relaxed);
        }
    }
}

/// Whose code runs where a node wraps a block: its own, the block's, or neither. Who unwinds leaves it so: a panic that came out of the block's
/// poll began there, and one that came out of the node's alone is the node's own.
#[derive(Debug, Default)]
pub struct Turn {
    own: AtomicBool,
    block: AtomicBool,
}

impl Turn {
    /// Neither does yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { own: AtomicBool::new(false), block: AtomicBool::new(false) }
    }

    /// Awaits the node's own future.
    #[inline]
    pub fn polls<'a, F: Future>(&'a self, future: Pin<&'a mut F>) -> Turns<'a, F> {
        Turns { turn: self, future }
    }

    /// The block, for the node to poll.
    #[inline]
    pub fn block<'a, F: Future>(&'a self, future: Pin<&'a mut F>) -> Block<'a, F> {
        Block { turn: self, future }
    }

    fn panicked(&self) -> bool {
        self.own.load(Relaxed) && !self.block.load(Relaxed)
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
        self.turn.own.store(true, Relaxed);
        let poll = self.future.as_mut().poll(context);
        self.turn.own.store(false, Relaxed);
        // Where the block has panicked, the node has caught it.
        self.turn.block.store(false, Relaxed);
        poll
    }
}

/// See [`Turn::block`].
#[derive(Debug)]
pub struct Block<'a, F> {
    turn: &'a Turn,
    future: Pin<&'a mut F>,
}

impl<F: Future> Future for Block<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.turn.block.store(true, Relaxed);
        let poll = self.future.as_mut().poll(context);
        self.turn.block.store(false, Relaxed);
        poll
    }
}

/// See [`Watch::within`]. When the block is dropped midway, what died in it is told before the node around it goes on.
#[derive(Debug)]
pub struct Within<'a, 'w, O: Observer, const WORDS: usize = 0> {
    watch: &'a mut Watch<'w, O, WORDS>,
    position: usize,
    turn: &'a Turn,
}

impl<'w, O: Observer, const WORDS: usize> core::ops::Deref for Within<'_, 'w, O, WORDS> {
    type Target = Watch<'w, O, WORDS>;

    #[inline]
    fn deref(&self) -> &Watch<'w, O, WORDS> {
        self.watch
    }
}

impl<'w, O: Observer, const WORDS: usize> core::ops::DerefMut for Within<'_, 'w, O, WORDS> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Watch<'w, O, WORDS> {
        self.watch
    }
}

impl<O: Observer, const WORDS: usize> Drop for Within<'_, '_, O, WORDS> {
    #[inline]
    fn drop(&mut self) {
        self.watch.died(Some(self.position));
        self.watch.now = match self.turn.panicked() {
            true => Now::Wrapping(self.position),
            false => Now::Between,
        };
    }
}

/// See [`Watch::polls`].
#[derive(Debug)]
pub struct Polls<'a, 'w, F, O: Observer, const WORDS: usize = 0> {
    watch: &'a mut Watch<'w, O, WORDS>,
    future: Pin<&'a mut F>,
    position: usize,
    way: Way,
}

impl<F: Future, O: Observer, const WORDS: usize> Future for Polls<'_, '_, F, O, WORDS> {
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

/// See [`Watch::pauses`].
#[derive(Debug)]
pub struct Pauses<'a, 'w, F, O: Observer, const WORDS: usize = 0> {
    watch: &'a mut Watch<'w, O, WORDS>,
    future: Pin<&'a mut F>,
    position: usize,
}

impl<F: Future, O: Observer, const WORDS: usize> Future for Pauses<'_, '_, F, O, WORDS> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { watch, future, position } = &mut *self;
        watch.now = Now::Wrapping(*position);
        let poll = future.as_mut().poll(context);
        watch.now = Now::Between;
        poll
    }
}
