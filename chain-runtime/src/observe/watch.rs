//! What keeps watch over one run, so that its observer is told of everything, also when the run is cut off.
//!
//! A chain without nodes around blocks reaches its [`Watch`] alone. In one with such nodes, the block and the code around it both reach it, in turn; so it is
//! shared, and its state stands in atomics that are read and written by plain moves. [`Tells`] is what either can do.

use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::now::{Now, Whose};
use super::{Cancelling, Hears, HearsShared, Polls, Stretch, Told, Way};
use crate::describe::{ChainInfo, Ending, NodeInfo};

/// A chain that is observed.
pub trait Observed {
    /// Its description.
    const CHAIN: &'static ChainInfo;
}

/// `chain!` keeps one in the body of `run`, declared before everything else and so dropped after all of it.
pub struct Watch<'w, W: Hears, C: Observed, const WORDS: usize = 0> {
    observer: W,
    cancelling: &'w Cancelling,
    run: W::Run,
    now: AtomicU32,
    /// Where a node wraps a block; elsewhere `now` says it.
    whose: AtomicU32,
    /// A bit for each node that was skipped; none where no node can be.
    skipped: [AtomicU32; WORDS],
    chain: PhantomData<fn() -> C>,
}

/// What can be told of a run, by whoever reaches its watch. Numbers are positions.
pub trait Tells: Sized {
    /// The chain.
    type Chain: Observed;
    /// Whether anybody hears it.
    const HEARS: bool;

    #[doc(hidden)]
    fn tell(&mut self, told: Told);
    #[doc(hidden)]
    fn cancelling(&self) -> &Cancelling;
    #[doc(hidden)]
    fn now(&mut self) -> u32;
    #[doc(hidden)]
    fn set_now(&mut self, now: u32);
    #[doc(hidden)]
    fn whose(&mut self) -> u32;
    #[doc(hidden)]
    fn set_whose(&mut self, whose: u32);
    #[doc(hidden)]
    fn skipped(&mut self, word: usize) -> u32;
    #[doc(hidden)]
    fn set_skipped(&mut self, word: usize, bits: u32);

    /// The node at this position.
    #[inline(always)]
    fn node(position: usize) -> &'static NodeInfo {
        &Self::Chain::CHAIN.nodes[position]
    }

    /// A stretch ends, and this one begins.
    #[inline(always)]
    fn stretch(&mut self, next: Whose) {
        if !Self::HEARS || self.whose() == next.packed() {
            return;
        }
        self.set_whose(next.packed());
        self.tell(Told::Stretch(match next {
            Whose::Chain => Stretch::Chain,
            Whose::Running(position, way) => Stretch::Running(Self::node(position), way),
            Whose::Waiting(position, way) => Stretch::Waiting(Self::node(position), way),
        }));
    }

    /// The way in of the node at this position begins.
    #[inline(always)]
    fn enter(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Running(position, Way::In));
            self.set_now(Now::In(position).packed());
            self.tell(Told::Enter(Self::node(position)));
        }
    }

    /// It was entered.
    #[inline(always)]
    fn entered(&mut self, position: usize) {
        if Self::HEARS {
            self.set_now(Now::Entered(position).packed());
            self.tell(Told::Entered(Self::node(position)));
        }
    }

    /// It was late; it breaks next.
    #[inline(always)]
    fn late(&mut self, position: usize) {
        if Self::HEARS {
            self.tell(Told::Late(Self::node(position)));
        }
    }

    /// Its work goes on without the request.
    #[inline(always)]
    fn detached(&mut self, position: usize) {
        if Self::HEARS {
            self.tell(Told::Detached(Self::node(position)));
        }
    }

    /// It broke.
    #[inline(always)]
    fn broke(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Chain);
            self.set_now(Now::Gone(position).packed());
            self.tell(Told::Broke(Self::node(position)));
        }
    }

    /// Its way out begins.
    #[inline(always)]
    fn leave(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Running(position, Way::Out));
            self.set_now(Now::Out(position).packed());
            self.tell(Told::Leave(Self::node(position)));
        }
    }

    /// It was left.
    #[inline(always)]
    fn left(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Chain);
            self.set_now(Now::Gone(position).packed());
            self.tell(Told::Left(Self::node(position)));
        }
    }

    /// It is left, and has no way out.
    #[inline(always)]
    fn passed(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Chain);
            self.set_now(Now::Gone(position).packed());
            self.tell(Told::Leave(Self::node(position)));
            self.tell(Told::Left(Self::node(position)));
        }
    }

    /// The row of this block begins.
    #[inline(always)]
    fn block(&mut self, block: usize) {
        if Self::HEARS {
            self.tell(Told::Block(block));
        }
    }

    /// It is skipped, or it is not.
    #[inline(always)]
    fn skips(&mut self, position: usize, is_skipped: bool) {
        if Self::HEARS {
            let (word, bit) = (position / 32, 1 << (position % 32));
            let bits = self.skipped(word);
            self.set_skipped(word, if is_skipped { bits | bit } else { bits & !bit });
            if is_skipped {
                self.tell(Told::Skipped(Self::node(position)));
            }
        }
    }

    /// What has this index among the sheds is shed.
    #[inline(always)]
    fn sheds(&mut self, index: usize) {
        if Self::HEARS {
            self.tell(Told::Shed(index));
        }
    }

    /// The node around a block begins to run it, for the first time or again.
    #[inline(always)]
    fn wraps(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Running(position, Way::In));
            self.set_now(Now::In(position).packed());
        }
    }

    /// It is done with it: what comes is its own code, on the way that it was on.
    #[inline(always)]
    fn wrapped(&mut self, position: usize) {
        if Self::HEARS {
            let is_out = self.whose() == Whose::Running(position, Way::Out).packed();
            self.set_now(if is_out { Now::Out(position) } else { Now::In(position) }.packed());
        }
    }

    /// Awaits the future of the node at this position, and tells of each time it suspends.
    #[inline(always)]
    fn polls<'a, F: Future>(&'a mut self, future: Pin<&'a mut F>, position: usize, way: Way) -> Polls<'a, F, Self> {
        Polls::new(self, future, position, way)
    }

    /// It suspends.
    #[inline(always)]
    fn suspend(&mut self, position: usize, way: Way) {
        self.tell(Told::Suspend(Self::node(position), way));
        self.stretch(Whose::Waiting(position, way));
        self.set_now(Now::waits(position, way).packed());
    }

    /// It goes on.
    #[inline(always)]
    fn resume(&mut self, position: usize, way: Way) {
        self.stretch(Whose::Running(position, way));
        self.set_now(Now::runs(position, way).packed());
        self.tell(Told::Resume(Self::node(position), way));
    }

    /// The node before this one that was entered last and not left.
    fn before(&mut self, position: usize) -> Option<usize> {
        let mut before = Self::node(position).after;
        while let Some(at) = before {
            let may_be_skipped = Self::node(at).may_be_skipped;
            if !may_be_skipped || self.skipped(at / 32) & (1 << (at % 32)) == 0 {
                break;
            }
            before = Self::node(at).after;
        }
        before
    }

    /// What it got from its block is dropped: a panic in that is nobody's.
    #[inline(always)]
    fn drops(&mut self, position: usize) {
        if Self::HEARS {
            self.set_now(Now::Entered(position).packed());
        }
    }

    /// Tells of the nodes that were entered and not left, back to this one, which is not told.
    fn died(&mut self, back_to: Option<usize>) {
        let panicked_in_hook = self.cancelling().panicked();
        let mut entered = match Now::unpacked(self.now()) {
            Now::Begun | Now::Ended => None,
            Now::Entered(position) => Some(position),
            Now::Gone(position) => self.before(position),
            at @ (Now::In(position) | Now::Out(position) | Now::Unwinding(position)) => {
                let way = if matches!(at, Now::Out(_)) { Way::Out } else { Way::In };
                self.tell(Told::Panicked(Self::node(position), way));
                self.before(position)
            }
            at @ (Now::InWaits(position) | Now::OutWaits(position)) => {
                let node = Self::node(position);
                if panicked_in_hook == Some(position) {
                    // In its `exit`: before that, it has no hook that could run.
                    self.tell(Told::Resume(node, Way::Out));
                    self.tell(Told::Panicked(node, Way::Out));
                } else {
                    if node.finishes && matches!(at, Now::InWaits(_)) {
                        self.tell(Told::Detached(node));
                    }
                    self.tell(Told::Cancelled(node));
                }
                self.before(position)
            }
        };
        while let Some(position) = entered.filter(|position| Some(*position) != back_to) {
            let node = Self::node(position);
            if panicked_in_hook == Some(position) {
                self.tell(Told::Leave(node));
                self.tell(Told::Panicked(node, Way::Out));
            } else {
                self.tell(Told::Cancelled(node));
            }
            entered = self.before(position);
        }
    }
}

impl<W: Hears, C: Observed, const WORDS: usize> core::fmt::Debug for Watch<'_, W, C, WORDS> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl<'w, W: Hears, C: Observed, const WORDS: usize> Watch<'w, W, C, WORDS> {
    /// A run begins.
    #[inline(always)]
    pub fn begin(observer: W, cancelling: &'w Cancelling) -> Self {
        let run = observer.begin(C::CHAIN);
        Self {
            observer,
            cancelling,
            run,
            now: AtomicU32::new(Now::Begun.packed()),
            whose: AtomicU32::new(Whose::Chain.packed()),
            skipped: [const { AtomicU32::new(0) }; WORDS],
            chain: PhantomData,
        }
    }

    /// The run is over.
    #[inline(always)]
    pub fn end(mut self, ending: &'static Ending) {
        if W::HEARS {
            *self.now.get_mut() = Now::Ended.packed();
            self.observer.end(&mut self.run, Some(ending));
        }
    }
}

impl<W: Hears, C: Observed, const WORDS: usize> Drop for Watch<'_, W, C, WORDS> {
    #[inline]
    fn drop(&mut self) {
        if W::HEARS && *self.now.get_mut() != Now::Ended.packed() {
            self.died(None);
            self.observer.end(&mut self.run, None);
        }
    }
}

impl<W: Hears, C: Observed, const WORDS: usize> Tells for Watch<'_, W, C, WORDS> {
    type Chain = C;
    const HEARS: bool = W::HEARS;

    #[inline(always)]
    fn cancelling(&self) -> &Cancelling {
        self.cancelling
    }
    #[inline(always)]
    fn tell(&mut self, told: Told) {
        self.observer.tell(&mut self.run, told);
    }
    #[inline(always)]
    fn now(&mut self) -> u32 {
        *self.now.get_mut()
    }
    #[inline(always)]
    fn set_now(&mut self, now: u32) {
        *self.now.get_mut() = now;
    }
    #[inline(always)]
    fn whose(&mut self) -> u32 {
        Now::unpacked(self.now()).whose().packed()
    }
    #[inline(always)]
    fn set_whose(&mut self, _: u32) {}
    #[inline(always)]
    fn skipped(&mut self, word: usize) -> u32 {
        self.skipped.get_mut(word).map_or(0, |word| *word.get_mut())
    }
    #[inline(always)]
    fn set_skipped(&mut self, word: usize, bits: u32) {
        if let Some(word) = self.skipped.get_mut(word) {
            *word.get_mut() = bits;
        }
    }
}

/// What is read and written here is one run's, which one thread polls at a time; whoever hands it on to the next orders it.
impl<W: HearsShared, C: Observed, const WORDS: usize> Tells for &Watch<'_, W, C, WORDS> {
    type Chain = C;
    const HEARS: bool = W::HEARS;

    #[inline(always)]
    fn cancelling(&self) -> &Cancelling {
        self.cancelling
    }
    #[inline(always)]
    fn tell(&mut self, told: Told) {
        self.observer.tell_shared(&self.run, told);
    }
    #[inline(always)]
    fn now(&mut self) -> u32 {
        self.now.load(Relaxed)
    }
    #[inline(always)]
    fn set_now(&mut self, now: u32) {
        self.now.store(now, Relaxed);
    }
    #[inline(always)]
    fn whose(&mut self) -> u32 {
        self.whose.load(Relaxed)
    }
    #[inline(always)]
    fn set_whose(&mut self, whose: u32) {
        self.whose.store(whose, Relaxed);
    }
    #[inline(always)]
    fn skipped(&mut self, word: usize) -> u32 {
        self.skipped.get(word).map_or(0, |word| word.load(Relaxed))
    }
    #[inline(always)]
    fn set_skipped(&mut self, word: usize, bits: u32) {
        if let Some(word) = self.skipped.get(word) {
            word.store(bits, Relaxed);
        }
    }
}
