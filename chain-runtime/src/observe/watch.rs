//! What watches over one run, so that its observer is told of everything, even if the run is cut off.
//!
//! In a chain without nodes around blocks, one place in the code reaches the [`Watch`]. In a chain with such nodes, the
//! block and the code around it both reach it, in turn. So the watch is shared there, and its state is in atomics that
//! plain moves read and write. [`Tells`] is what both can do.

use core::marker::PhantomData;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::now::{Now, Whose};
use super::tells::{Observed, Tells};
use super::{Cancelling, Hears, HearsShared, Told};
use crate::describe::Ending;

/// `chain!` keeps one in the body of `run`. It is declared before everything else, and so dropped after everything
/// else.
pub struct Watch<'w, W: Hears, C: Observed, const WORDS: usize = 0> {
    observer: W,
    cancelling: &'w Cancelling,
    run: W::Run,
    now: AtomicU32,
    /// Used if a node wraps a block; otherwise `now` says it.
    whose: AtomicU32,
    /// A bit for each node that was skipped; empty if no node can be skipped.
    skipped: [AtomicU32; WORDS],
    chain: PhantomData<fn() -> C>,
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

/// The values that are read and written here belong to one run. One thread polls the run at a time, and handing the run
/// to another thread orders the accesses.
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
