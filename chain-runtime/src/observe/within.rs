//! A node around a block: finds out whether the node's own code runs or its block.
//!
//! The node's future polls its block's future when it wants to, so the two run by turns. [`Turns`] sees the node's own
//! future being polled, [`Block`] sees it poll its block, and [`Within`] stands in the block and sees it being dropped.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use core::task::{Context, Poll};

use super::now::{Now, Whose};
use super::{HearsShared, Observed, Tells, Told, Watch, Way};

/// What is known of a node around a block while it wraps the block. It lies outside of both futures, since both write
/// it.
///
/// Only one run reads and writes it. It is atomic, so that the run's future can move to another thread.
#[derive(Debug, Default)]
pub struct Turn {
    /// The node's own future is being polled. A panic that unwinds through that future leaves this set. Then the panic
    /// is the node's own, or one of its block that it let through, and not one that happened elsewhere while the node
    /// waited.
    runs: AtomicBool,
    block: AtomicU8,
}

/// The block was not polled yet.
const UNBEGUN: u8 = 0;
/// The block's last poll was `Pending`.
const WAITS: u8 = 1;
/// The block is being polled.
const RUNS: u8 = 2;
/// The block gave its value.
const OVER: u8 = 3;
/// The block panicked.
const UNWOUND: u8 = 4;

impl Turn {
    /// Nothing runs yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { runs: AtomicBool::new(false), block: AtomicU8::new(UNBEGUN) }
    }

    /// Awaits the node's own future.
    #[inline]
    pub fn polls<'a, F: Future, W: HearsShared, C: Observed, const WORDS: usize>(
        &'a self,
        watch: &'a Watch<'a, W, C, WORDS>,
        position: usize,
        future: Pin<&'a mut F>,
    ) -> Turns<'a, F, W, C, WORDS> {
        Turns { turn: self, watch, position, future, waits: false }
    }

    /// The future that the node is given as its block.
    #[inline]
    pub fn block<'a, F: Future, W: HearsShared, C: Observed, const WORDS: usize>(
        &'a self,
        watch: &'a Watch<'a, W, C, WORDS>,
        position: usize,
        future: Pin<&'a mut F>,
    ) -> Block<'a, F, W, C, WORDS> {
        Block { turn: self, watch, position, future }
    }

    /// The node is done, and the rest of its block is gone: the node's own code follows.
    #[inline]
    pub fn done<W: HearsShared, C: Observed, const WORDS: usize>(
        &self,
        mut watch: &Watch<'_, W, C, WORDS>,
        position: usize,
    ) {
        if W::HEARS && self.block_is(WAITS) {
            watch.stretch(Whose::Running(position, Way::Out));
            watch.tell(Told::Leave(<&Watch<'_, W, C, WORDS>>::node(position)));
        }
        watch.wrapped(position);
    }

    /// The way, in or out, that the node is on.
    fn way(&self) -> Way {
        match self.block.load(Relaxed) {
            OVER => Way::Out,
            _ => Way::In,
        }
    }

    fn block_is(&self, state: u8) -> bool {
        self.block.load(Relaxed) == state
    }
}

/// See [`Turn::polls`].
#[derive(Debug)]
pub struct Turns<'a, F, W: HearsShared, C: Observed, const WORDS: usize> {
    turn: &'a Turn,
    watch: &'a Watch<'a, W, C, WORDS>,
    position: usize,
    future: Pin<&'a mut F>,
    /// The node itself waits, and not its block.
    waits: bool,
}

impl<F: Future, W: HearsShared, C: Observed, const WORDS: usize> Future for Turns<'_, F, W, C, WORDS> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if !W::HEARS {
            return self.future.as_mut().poll(context);
        }
        let Self { turn, watch, position, future, waits } = &mut *self;
        let position = *position;
        if *waits {
            *waits = false;
            watch.resume(position, turn.way());
        } else if turn.block_is(WAITS) {
            watch.stretch(Whose::Running(position, Way::In));
        }
        turn.runs.store(true, Relaxed);
        let poll = future.as_mut().poll(context);
        turn.runs.store(false, Relaxed);
        if turn.block_is(UNWOUND) {
            // The node has caught that panic.
            turn.block.store(OVER, Relaxed);
            watch.tell(Told::Leave(<&Watch<'_, W, C, WORDS>>::node(position)));
        }
        if poll.is_ready() {
            return poll;
        }
        if turn.block_is(WAITS) {
            let now = Now::unpacked(watch.now());
            watch.stretch(now.whose());
        } else {
            *waits = true;
            watch.suspend(position, turn.way());
        }
        poll
    }
}

impl<F, W: HearsShared, C: Observed, const WORDS: usize> Drop for Turns<'_, F, W, C, WORDS> {
    #[inline]
    fn drop(&mut self) {
        if W::HEARS && self.waits {
            self.watch.stretch(Whose::Chain);
        }
    }
}

/// See [`Turn::block`].
#[derive(Debug)]
pub struct Block<'a, F, W: HearsShared, C: Observed, const WORDS: usize> {
    turn: &'a Turn,
    watch: &'a Watch<'a, W, C, WORDS>,
    position: usize,
    future: Pin<&'a mut F>,
}

impl<F: Future, W: HearsShared, C: Observed, const WORDS: usize> Future for Block<'_, F, W, C, WORDS> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if !W::HEARS {
            return self.future.as_mut().poll(context);
        }
        let Self { turn, watch, position, future } = &mut *self;
        let position = *position;
        if turn.block_is(UNBEGUN) {
            watch.entered(position);
        }
        turn.block.store(RUNS, Relaxed);
        let poll = future.as_mut().poll(context);
        if poll.is_pending() {
            turn.block.store(WAITS, Relaxed);
            watch.stretch(Whose::Running(position, Way::In));
        } else {
            turn.block.store(OVER, Relaxed);
            watch.set_now(Now::Out(position).packed());
            watch.stretch(Whose::Running(position, Way::Out));
            watch.tell(Told::Leave(<&Watch<'_, W, C, WORDS>>::node(position)));
        }
        poll
    }
}

/// Stands in a block. If the block is dropped midway, the observer is told of the nodes that died in it before the node
/// around it goes on.
#[derive(Debug)]
pub struct Within<'a, W: HearsShared, C: Observed, const WORDS: usize> {
    watch: &'a Watch<'a, W, C, WORDS>,
    turn: &'a Turn,
    position: usize,
    is_over: bool,
}

impl<'a, W: HearsShared, C: Observed, const WORDS: usize> Within<'a, W, C, WORDS> {
    /// The block begins.
    #[inline(always)]
    pub fn begin(watch: &'a Watch<'a, W, C, WORDS>, turn: &'a Turn, position: usize) -> Self {
        Self { watch, turn, position, is_over: false }
    }

    /// The block is over.
    #[inline(always)]
    pub fn over(mut self) {
        self.is_over = true;
    }
}

impl<W: HearsShared, C: Observed, const WORDS: usize> Drop for Within<'_, W, C, WORDS> {
    #[inline]
    fn drop(&mut self) {
        if !W::HEARS || self.is_over {
            return;
        }
        let Self { watch, turn, position, .. } = self;
        let position = *position;
        watch.died(Some(position));
        // A panic of the node's own code leaves its turn so. Otherwise the node is done without its block, or the run
        // is dropped.
        let panicked = turn.block_is(WAITS) && turn.runs.load(Relaxed);
        watch.set_now(if panicked { Now::Unwinding(position) } else { Now::Entered(position) }.packed());
        if turn.block_is(RUNS) {
            // A panic that began in the block is not the node's, which may still catch it.
            turn.block.store(UNWOUND, Relaxed);
            watch.stretch(Whose::Running(position, Way::Out));
        }
    }
}
