//! [`Tells`]: what a run says to its observer.

use core::future::Future;
use core::pin::Pin;

use super::now::{Now, Whose};
use super::{Cancelling, Polls, Stretch, Told, Way};
use crate::describe::{ChainInfo, NodeInfo};

/// A chain that is observed.
pub trait Observed {
    /// Its description.
    const CHAIN: &'static ChainInfo;
}

/// What can be told of a run, by the code that reaches its watch. Numbers are positions.
pub trait Tells: Sized {
    /// The chain.
    type Chain: Observed;
    /// Whether an observer listens.
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

    /// The node was entered.
    #[inline(always)]
    fn entered(&mut self, position: usize) {
        if Self::HEARS {
            self.set_now(Now::Entered(position).packed());
            self.tell(Told::Entered(Self::node(position)));
        }
    }

    /// The node was late; it breaks next.
    #[inline(always)]
    fn late(&mut self, position: usize) {
        if Self::HEARS {
            self.tell(Told::Late(Self::node(position)));
        }
    }

    /// The node's work goes on without the request.
    #[inline(always)]
    fn detached(&mut self, position: usize) {
        if Self::HEARS {
            self.tell(Told::Detached(Self::node(position)));
        }
    }

    /// The node broke.
    #[inline(always)]
    fn broke(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Chain);
            self.set_now(Now::Gone(position).packed());
            self.tell(Told::Broke(Self::node(position)));
        }
    }

    /// The node's way out begins.
    #[inline(always)]
    fn leave(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Running(position, Way::Out));
            self.set_now(Now::Out(position).packed());
            self.tell(Told::Leave(Self::node(position)));
        }
    }

    /// The node was left.
    #[inline(always)]
    fn left(&mut self, position: usize) {
        if Self::HEARS {
            self.stretch(Whose::Chain);
            self.set_now(Now::Gone(position).packed());
            self.tell(Told::Left(Self::node(position)));
        }
    }

    /// The node is left, and has no way out.
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

    /// The node is skipped, or it is not.
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

    /// It broke, and the run goes on without it. For the nodes after it, it was skipped.
    #[inline(always)]
    fn opens(&mut self, position: usize) {
        if Self::HEARS {
            let (word, bit) = (position / 32, 1 << (position % 32));
            let bits = self.skipped(word);
            self.set_skipped(word, bits | bit);
            self.tell(Told::Opened(Self::node(position)));
        }
    }

    /// The node or block with this index among the sheds is shed.
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

    /// The node around a block is done with the block: its own code follows, on the way that it was on.
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

    /// The node suspends.
    #[inline(always)]
    fn suspend(&mut self, position: usize, way: Way) {
        self.tell(Told::Suspend(Self::node(position), way));
        self.stretch(Whose::Waiting(position, way));
        self.set_now(Now::waits(position, way).packed());
    }

    /// The node goes on.
    #[inline(always)]
    fn resume(&mut self, position: usize, way: Way) {
        self.stretch(Whose::Running(position, way));
        self.set_now(Now::runs(position, way).packed());
        self.tell(Told::Resume(Self::node(position), way));
    }

    /// The last node before this one that was entered and not left.
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

    /// What the node got from its block is dropped: a panic in that drop belongs to no node.
    #[inline(always)]
    fn drops(&mut self, position: usize) {
        if Self::HEARS {
            self.set_now(Now::Entered(position).packed());
        }
    }

    /// Tells of the nodes that were entered and not left, back to this one, which itself is not told.
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
                    // The node is in its `exit`: before that, no hook of it could run.
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
