//! One chain of 37 nodes, declared once for each observer.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use chain_runtime::describe::ChainInfo;
use chain_runtime::observe::Observer;
use chain_runtime::telemetry::{Counted, Meter, NoClock, NotCounted, Sampled, Tsc};
use chain_runtime::{IntoReply, chain, node};

/// Nodes of the chain.
pub(crate) const NODES: u32 = 37;

/// What the nodes work on.
pub(crate) struct State(pub u64);

pub(crate) struct Refused;

impl IntoReply<u64> for Refused {
    #[inline]
    fn into_reply(self) -> u64 {
        403
    }
}

/// What a node does: an addition, and a break that it could take.
#[inline(always)]
pub(crate) fn work(state: &mut State, index: usize) -> Result<(), Refused> {
    let sum = black_box(state.0).wrapping_add(index as u64);
    state.0 = sum;
    if sum == u64::MAX { Err(Refused) } else { Ok(()) }
}

#[node]
pub(crate) fn step<const I: usize>(state: &mut State) -> Result<(), Refused> {
    work(state, I)
}
#[node]
pub(crate) fn last(state: &State) -> u64 {
    black_box(state.0)
}

/// Told everything, does nothing.
pub(crate) struct Idle;
impl Observer for Idle {
    #[inline(always)]
    fn begin(_: &'static ChainInfo) -> Self {
        Self
    }
}

/// The chain, of these nodes and with what observes it.
#[macro_export]
macro_rules! chains {
    ($($(#[$observe:meta])? $name:ident $({ $meter:ident: $ty:ty })? of $step:ident;)+) => {$(
        chain! {
            $(#[$observe])?
            pub(crate) struct $name { $($meter: $ty)? }
            fn<'r>(state: &'r mut State) -> u64 {
                $step::<0> => $step::<1> => $step::<2> => $step::<3> => $step::<4> => $step::<5> => $step::<6> => $step::<7> => $step::<8> =>
                $step::<9> => $step::<10> => $step::<11> => $step::<12> => $step::<13> => $step::<14> => $step::<15> => $step::<16> =>
                $step::<17> => $step::<18> => $step::<19> => $step::<20> => $step::<21> => $step::<22> => $step::<23> => $step::<24> =>
                $step::<25> => $step::<26> => $step::<27> => $step::<28> => $step::<29> => $step::<30> => $step::<31> => $step::<32> =>
                $step::<33> => $step::<34> => $step::<35> => last
            }
        }
    )+};
}
chains! {
    Plain of step;
    #[observe(())] Nothing of step;
    #[observe(Idle)] Told of step;
    #[observe(meter)] Counts { meter: Meter<NoClock> } of step;
    #[observe(meter)] Times { meter: Meter } of step;
    #[observe(meter)] Allocates { meter: Meter<Tsc, Counted> } of step;
    #[observe(meter)] Samples { meter: Sampled<Meter<Tsc, Counted>> } of step;
}

pub(crate) static COUNTS: LazyLock<Counts> =
    LazyLock::new(|| Counts { meter: Meter::builder(Counts::CHAIN).clock(NoClock).build() });
pub(crate) static TIMES: LazyLock<Times> =
    LazyLock::new(|| Times { meter: Meter::builder(Times::CHAIN).keep(0, 0).build() });
pub(crate) static KEEPS: LazyLock<Times> = LazyLock::new(|| Times { meter: Meter::of(Times::CHAIN) });
pub(crate) static ALLOCATES: LazyLock<Allocates> = LazyLock::new(|| Allocates { meter: everything(Allocates::CHAIN) });
pub(crate) static SAMPLES: LazyLock<Samples> = LazyLock::new(|| {
    let one_in = NonZeroU32::new(100).expect("it is not 0");
    Samples { meter: Sampled::new(one_in, everything(Samples::CHAIN)) }
});

pub(crate) type Everything = Meter<Tsc, Counted>;

pub(crate) fn everything(chain: &'static ChainInfo) -> Everything {
    let builder = Meter::<Tsc, NotCounted>::builder(chain);
    builder.allocations(Counted).expect("this program has the counting allocator").build()
}

/// The clock is measured where the first meter is made.
pub(crate) fn prepare() {
    let (_, _, _) = (LazyLock::force(&COUNTS), LazyLock::force(&TIMES), LazyLock::force(&KEEPS));
    let (_, _) = (LazyLock::force(&ALLOCATES), LazyLock::force(&SAMPLES));
}
