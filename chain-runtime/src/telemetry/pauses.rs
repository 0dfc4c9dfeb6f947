//! What kept a run waiting that no node says: its thread was off the core, a poll blocked or computed, memory was not there, the runtime
//! polled late.
//!
//! ```text
//!   a poll begins         a stretch over the threshold ends          an export, a kept run
//!      │ began(ticks)          │ ended(began, now)                      │ during(thread, start, end)
//!   ┌─ Watch, one a thread ────▼──────────────────────────────┐         │
//!   │ the kernel's figures ─►  verdict  ─► ring of pauses ────┼─────────▼──────── Ledger
//!   │ of this thread, every 10 ms                             │         ▲
//!   └─────────────────────────────────────────────────────────┘         │ machine(start, end)
//!                   pressure, for the whole machine, every 5 ms ────────┘
//! ```
//!
//! | [`Cause`] | found by | seen or inferred |
//! | --- | --- | --- |
//! | `Preempted` | the kernel's run queue delay of the thread (`/proc/thread-self/schedstat`); without it, involuntary switches | seen; inferred |
//! | `Blocked` | wall time that is neither processor time nor run queue delay, and voluntary switches | seen; inferred without the delay |
//! | `Stolen` | the same, without any switch: a hypervisor or an interrupt | inferred |
//! | `Busy` | the thread's processor time | seen |
//! | `Faults` | page faults, times what one costs, within the thread's system time; blocked time with major faults | inferred |
//! | `Pressure` | the kernel's pressure stall information | seen; inferred where the readings were further apart |
//! | `Late` | time between a wake and the poll ([`Woken`]); a probe that sleeps ([`lag`]) | seen; inferred |
//!
//! On systems other than Linux, `Busy` (inferred) and `Late` are all that is found.
//!
//! # What is known, and how exactly
//!
//! Under the threshold (1 ms) a stretch costs one comparison. Over it, the kernel is asked once, and the difference to what it said
//! before, the *baseline*, is divided among the causes. A baseline is renewed where a poll begins: when it is over 10 ms old, or when no
//! poll has begun on the thread for 1 ms, so that what an idle thread slept is not taken for a stretch's. So a baseline may be up to
//! 10 ms older than the stretch, and what happened in between may be of the time before it. That is why each pause has **bounds**:
//! [`least`](Pause::least) is what must have been in the stretch, [`most`](Pause::most) what can have been. A pause that may have been
//! over before the stretch began (`least` is 0) is inferred. Where the baseline is the stretch's own beginning, both bounds are the same.
//!
//! A run in a node of another run takes baselines in the middle of that one's stretch. Eight are kept, so that the longer stretch is still looked
//! into from its beginning; unless the inner run had a stretch over the threshold itself, which is told, and what was before it is not.
//!
//! The causes of one stretch do not overlap: their [`likely`](Pause::likely) lengths add up to no more than the stretch, and may be
//! summed. Where in the stretch a pause was is not known, so its start and end are the stretch's. The main cause of a stretch over
//! the threshold is always a pause; others are where they are likely over the threshold themselves.
//!
//! How long page faults took, the kernel does not count for each thread: it is its system time, but no less than 100 ns and no more than
//! 10 µs for each fault. So huge pages are underestimated, and the rest is `Busy`; [`counts`](Pause::counts) has the faults.
//!
//! # What it costs
//!
//! Under the threshold less than a nanosecond for a stretch, and for a poll that begins. A baseline takes about 2 µs: 0.02 % of a thread that works,
//! up to 0.2 % of one that idles. So does a stretch over the threshold. `Pressure` takes 6 µs every 5 ms, on a thread of its own. The bench
//! `boundary` measures it.
//!
//! # Memory
//!
//! A ring of fixed size for each thread and each resource of the machine; the oldest pause makes way. Locks are taken only where a pause
//! is found or asked for.

mod late;
mod ledger;
#[cfg(target_os = "linux")]
mod pressure;
mod ring;
mod sample;
mod verdict;

use core::fmt;

pub use late::{Woken, lag};
pub use ledger::{Ledger, Settings, Watch};
#[cfg(target_os = "linux")]
pub use pressure::{Listening, Pressure};

/// A time in which a run, or the machine, did not get on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// The thread's [number](Watch::number). `None`: the whole machine.
    pub thread: Option<u32>,
    /// In ticks of the ledger's clock: not before this.
    pub start: u64,
    /// In ticks of the ledger's clock: not after this.
    pub end: u64,
    /// What it was.
    pub cause: Cause,
    /// How many nanoseconds of it must lie between `start` and `end`.
    pub least: u64,
    /// How many nanoseconds of it can lie between `start` and `end`.
    pub most: u64,
    /// How many nanoseconds of it probably lie there: within the bounds, and so that all causes of a stretch are together as long as it.
    pub likely: u64,
    /// How it is known.
    pub evidence: Evidence,
    /// What the kernel counted for the thread since the baseline. Zeros where nothing was counted.
    pub counts: Counts,
}

/// What a pause comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The thread could have run, and had no core.
    Preempted,
    /// The thread gave its core up: a sleep, a lock or a read in a node.
    Blocked,
    /// The thread was stopped without being switched: by a hypervisor or an interrupt.
    Stolen,
    /// The thread computed.
    Busy,
    /// Pages that the thread touched had to be brought: memory that is new, or was given back or swapped out.
    Faults,
    /// Somebody on the machine waited for this.
    Pressure(Resource),
    /// The runtime polled late.
    Late,
    /// It took long, and the kernel did not say why.
    Unexplained,
}

impl Cause {
    /// For labels and attributes: `preempted`, `pressure_memory`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preempted => "preempted",
            Self::Blocked => "blocked",
            Self::Stolen => "stolen",
            Self::Busy => "busy",
            Self::Faults => "page_faults",
            Self::Pressure(Resource::Cpu) => "pressure_cpu",
            Self::Pressure(Resource::Memory) => "pressure_memory",
            Self::Pressure(Resource::Io) => "pressure_io",
            Self::Late => "late_poll",
            Self::Unexplained => "unexplained",
        }
    }
}

/// As [`Cause::name`].
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a machine can be short of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Cores.
    Cpu,
    /// Memory.
    Memory,
    /// Block devices.
    Io,
}

/// How a pause is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// It was measured, and at least some of it lies between `start` and `end`.
    Seen,
    /// It is what remains, or what the counts make likely; or it may lie before `start`.
    Inferred,
}

/// What the kernel counted for a thread between a baseline and the end of a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Switches away from the thread that it asked for, by waiting.
    pub voluntary: u64,
    /// Switches away from the thread that it did not ask for.
    pub involuntary: u64,
    /// Page faults that needed no device.
    pub minor_faults: u64,
    /// Page faults that waited for a device.
    pub major_faults: u64,
}
