//! [`Builder`]: the settings of a meter.

use core::fmt;
use core::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use crossbeam_queue::ArrayQueue;
use thread_local::ThreadLocal;

use super::keeper::Keeper;
use super::{DEPOT, Meter};
use crate::describe::ChainInfo;
use crate::telemetry::pauses::Ledger;
use crate::telemetry::{Allocations, Clock, NotCounted, NotInstalled, Sink, Tsc};

impl Meter {
    /// For this chain: with the processor's counter, without allocations, and keeping the 8 slowest runs and the last 8
    /// failed ones.
    pub fn of(chain: &'static ChainInfo) -> Self {
        Self::builder(chain).build()
    }

    /// The same as [`of`](Self::of), with changes.
    pub fn builder(chain: &'static ChainInfo) -> Builder {
        let (clock, allocations) = (Tsc::new(), NotCounted);
        Builder { chain, clock, allocations, slowest: 8, failed: 8, pauses: Looks::Itself, sink: None }
    }
}

/// The settings of a [`Meter`].
#[derive(Clone)]
#[must_use = "nothing is made before `build`"]
pub struct Builder<C: Clock = Tsc, A: Allocations = NotCounted> {
    chain: &'static ChainInfo,
    clock: C,
    allocations: A,
    slowest: usize,
    failed: usize,
    pauses: Looks<C>,
    sink: Option<Arc<dyn Sink>>,
}

impl<C: Clock, A: Allocations> fmt::Debug for Builder<C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("chain", &self.chain.name).finish_non_exhaustive()
    }
}

/// How a meter finds pauses.
#[derive(Clone, Debug)]
enum Looks<C: Clock> {
    Itself,
    In(Arc<Ledger<C>>),
    Never,
}

impl<C: Clock, A: Allocations> Builder<C, A> {
    /// Sets the clock that measures times; [`NoClock`](crate::telemetry::NoClock) measures none.
    pub fn clock<D: Clock>(self, clock: D) -> Builder<D, A> {
        let Self { chain, clock: _, allocations, slowest, failed, pauses, sink } = self;
        // A ledger uses its own clock, which would not be this one.
        let pauses = if matches!(pauses, Looks::Never) { Looks::Never } else { Looks::Itself };
        Builder { chain, clock, allocations, slowest, failed, pauses, sink }
    }

    /// Sets the source of allocations.
    ///
    /// # Errors
    /// [`NotInstalled`] if the source has nothing to read in this program.
    pub fn allocations<B: Allocations>(self, allocations: B) -> Result<Builder<C, B>, NotInstalled> {
        allocations.check()?;
        let Self { chain, clock, allocations: _, slowest, failed, pauses, sink } = self;
        Ok(Builder { chain, clock, allocations, slowest, failed, pauses, sink })
    }

    /// Sets how many of the slowest runs are kept, and how many of the last runs that were cut short, cancelled or
    /// panicked. If both are 0, the stretches of runs are not listed, which saves a store at each boundary.
    pub fn keep(mut self, slowest: usize, failed: usize) -> Self {
        (self.slowest, self.failed) = (slowest, failed);
        self
    }

    /// Looks for pauses in this ledger, to which others may write as well: the code that watches the machine's
    /// pressure, and the futures that know when they were woken. The ledger needs the meter's clock. Without this, the
    /// meter has a ledger of its own, with the default settings.
    pub fn pauses(mut self, ledger: Arc<Ledger<C>>) -> Self {
        self.pauses = Looks::In(ledger);
        self
    }

    /// Does not look for pauses, which saves two comparisons at each poll.
    pub fn without_pauses(mut self) -> Self {
        self.pauses = Looks::Never;
        self
    }

    /// Offers each run to this sink when it is over. A meter without a clock does not do this.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Makes the meter.
    pub fn build(self) -> Meter<C, A> {
        let Self { chain, clock, allocations, slowest, failed, pauses, sink } = self;
        // Without a clock, there are no runs to keep.
        let (slowest, failed) = if C::STANDS_STILL { (0, 0) } else { (slowest, failed) };
        let sink = sink.filter(|_| !C::STANDS_STILL);
        let boundaries = if slowest + failed == 0 && sink.is_none() { 0 } else { 4 * chain.nodes.len() + 64 };
        let ledger = match pauses {
            _ if C::STANDS_STILL => None,
            Looks::Never => None,
            Looks::In(ledger) => Some(ledger),
            Looks::Itself => Some(Arc::new(Ledger::new(clock.clone()))),
        };
        Meter {
            long: ledger.as_ref().map_or(u64::MAX, |ledger| clock.ticks(ledger.threshold())),
            ledger,
            chain,
            clock,
            allocations,
            boundaries,
            locals: ThreadLocal::new(),
            shards: Mutex::default(),
            depot: ArrayQueue::new(DEPOT),
            keeper: Keeper::new(slowest, failed, boundaries),
            sink,
            foreign: AtomicU64::new(0),
        }
    }
}
