//! [`Sampled`]: observes one run in so many.

use core::num::NonZeroU32;

use super::{Allocations, Clock, Meter, Snapshot};
use crate::describe::{ChainInfo, Ending};
use crate::observe::{Observes, Told};

/// Observes one run in so many, chosen at random, so that all others cost next to nothing.
///
/// The observer counts only the observed runs: rates have to be multiplied. Slow and failed runs are kept only if they
/// are among these.
///
/// ```
/// use core::num::NonZeroU32;
///
/// use chain_runtime::telemetry::{Meter, Sampled};
/// use chain_runtime::{chain, node};
///
/// #[node]
/// fn answer(input: &u32) -> u32 { *input }
///
/// chain! {
///     #[observe(meter)]
///     struct Small { meter: Sampled<Meter> }
///     fn(input: u32) -> u32 { answer }
/// }
///
/// let meter = Sampled::new(NonZeroU32::new(100).unwrap(), Meter::of(Small::CHAIN));
/// let small = Small { meter };
/// for input in 0..10_000 {
///     small.run(input);
/// }
/// let measured = small.meter.snapshot().ended;
/// assert!((1..1_000).contains(&measured));
/// ```
#[derive(Clone, Debug)]
pub struct Sampled<O> {
    one_in: NonZeroU32,
    observer: O,
}

impl<O> Sampled<O> {
    /// This observer observes one run in so many.
    pub const fn new(one_in: NonZeroU32, observer: O) -> Self {
        Self { one_in, observer }
    }

    /// One run in this many is observed.
    pub const fn one_in(&self) -> NonZeroU32 {
        self.one_in
    }

    /// The observer.
    pub const fn observer(&self) -> &O {
        &self.observer
    }
}

impl<C: Clock, A: Allocations> Sampled<Meter<C, A>> {
    /// The same as [`Meter::snapshot`]. It says that [one run in so many](Snapshot::one_in) was measured.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.observer.snapshot();
        snapshot.one_in = self.one_in.get();
        snapshot
    }
}

impl<O: Observes> Observes for Sampled<O> {
    type Run = Option<O::Run>;
    const HEARS: bool = O::HEARS;

    #[inline(always)]
    fn begin(&self, chain: &'static ChainInfo) -> Option<O::Run> {
        (fastrand::u32(..self.one_in.get()) == 0).then(|| self.observer.begin(chain))
    }
    #[inline(always)]
    fn tell(&self, run: &Option<O::Run>, told: Told) {
        if let Some(run) = run {
            self.observer.tell(run, told);
        }
    }
    #[inline(always)]
    fn end(&self, run: &mut Option<O::Run>, ending: Option<&'static Ending>) {
        if let Some(run) = run {
            self.observer.end(run, ending);
        }
    }
}
