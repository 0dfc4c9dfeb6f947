//! What kept a run waiting without being a wait of a node: its thread was off the core, a poll blocked or computed,
//! memory was missing, or the runtime polled late.
//!
//! ```text
//!   a poll begins         a stretch over the threshold ends          an export, a kept run
//!      │ began(ticks)          │ ended(began, now)                      │ during(thread, start, end)
//!   ┌─ Watch, one a thread ────▼──────────────────────────────┐         │
//!   │ the kernel's figures ─►  verdict  ─► ring of pauses ────┼─────────▼──────── Ledger
//!   │ of this thread, every 10 ms                             │         ▲
//!   └─────────────────────────────────────────────────────────┘         │ machine(start, end)
//!                   pressure, for the whole machine, every 20 ms ───────┘
//! ```
//!
//! | [`Cause`] | found by | seen or inferred |
//! | --- | --- | --- |
//! | `Preempted` | the kernel's run queue delay of the thread (`/proc/thread-self/schedstat`); without it, involuntary switches | seen; inferred |
//! | `Blocked` | wall time that is neither processor time nor run queue delay, and voluntary switches | seen; inferred without the delay |
//! | `Stolen` | the same, without a switch: a hypervisor or an interrupt | inferred |
//! | `Busy` | the thread's processor time | seen |
//! | `Faults` | page faults, times the price of one, within the thread's system time; blocked time with major faults | inferred |
//! | `Pressure` | the kernel's pressure stall information | seen; inferred if the readings were further apart |
//! | `Late` | time between a wake and the poll ([`Woken`]); a probe that sleeps ([`lag`]) | seen; inferred |
//!
//! On systems other than Linux, only `Busy` (inferred) and `Late` are found.
//!
//! # What is known, and how exactly
//!
//! Under the threshold (1 ms) a stretch costs one comparison. Over it, the kernel is asked once, and the difference to
//! its earlier answer, the *baseline*, is divided among the causes. A baseline is renewed when a poll begins, if it is
//! over 10 ms old, or if no poll has begun on the thread for 1 ms. So the sleep of an idle thread is not counted as
//! part of a stretch. So a baseline may be up to 10 ms older than the stretch, and what happened in between may belong
//! to the time before the stretch. That is why each pause has **bounds**: [`least`](Pause::least) is the time that must
//! have been in the stretch, and [`most`](Pause::most) the time that can have been. A pause that may have been over
//! before the stretch began (`least` is 0) is inferred. If the baseline was taken at the stretch's beginning, both
//! bounds are the same.
//!
//! A run inside of a node of another run takes baselines in the middle of the outer run's stretch. Eight baselines are
//! kept, so that the longer stretch can still be examined from its beginning. But if the inner run itself had a stretch
//! over the threshold, that is reported, and what came before it is not.
//!
//! The causes of one stretch do not overlap: their [`likely`](Pause::likely) lengths add up to no more than the
//! stretch, and may be summed. It is not known where in the stretch a pause was, so its start and end are those of the
//! stretch. The main cause of a stretch over the threshold is always reported as a pause. Other causes are reported if
//! they are likely over the threshold themselves.
//!
//! The kernel does not count for each thread how long page faults took. They are taken to be the thread's system time,
//! but at least 100 ns and at most 10 µs for each fault. So huge pages are underestimated, and the rest counts as
//! `Busy`; [`counts`](Pause::counts) has the number of faults.
//!
//! # Cost
//!
//! Under the threshold it costs less than a nanosecond for a stretch and for a poll that begins. A baseline takes about
//! 2 µs: 0.02 % of the time of a thread that works, up to 0.2 % for one that idles. A stretch over the threshold costs
//! the same. `Pressure` takes 6 µs every 20 ms, on a thread of its own. The bench `boundary` measures it.
//!
//! # Memory
//!
//! There is a ring of fixed size for each thread and each resource of the machine. The oldest pause makes way for the
//! newest. Locks are taken only when a pause is found or asked for.

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

/// A time in which a run, or the machine, made no progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// The thread's [number](Watch::number). `None` for the whole machine.
    pub thread: Option<u32>,
    /// In ticks of the ledger's clock: the pause did not begin before this.
    pub start: u64,
    /// In ticks of the ledger's clock: the pause did not end after this.
    pub end: u64,
    /// Its cause.
    pub cause: Cause,
    /// The least number of nanoseconds of the pause between `start` and `end`.
    pub least: u64,
    /// The largest number of nanoseconds of the pause between `start` and `end`.
    pub most: u64,
    /// The likely number of nanoseconds there: within the bounds, and such that all causes of a stretch add up to it.
    pub likely: u64,
    /// How it is known.
    pub evidence: Evidence,
    /// What the kernel counted for the thread since the baseline. Zeros if nothing was counted.
    pub counts: Counts,
}

/// The cause of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The thread was ready to run, but had no core.
    Preempted,
    /// The thread gave up its core: a sleep, a lock or a read in a node.
    Blocked,
    /// The thread was stopped without a switch: by a hypervisor or an interrupt.
    Stolen,
    /// The thread computed.
    Busy,
    /// Pages that the thread touched were not in memory: they were new, or had been given back or swapped out.
    Faults,
    /// Tasks on the machine waited for this.
    Pressure(Resource),
    /// The runtime polled late.
    Late,
    /// It took long, and the kernel did not report why.
    Unexplained,
}

impl Cause {
    /// The name for labels and attributes: `preempted`, `pressure_memory`.
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

/// The same as [`Cause::name`].
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A resource of which a machine can be short.
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
    /// It was measured, and at least a part of it lies between `start` and `end`.
    Seen,
    /// It is the remainder, or the counts make it likely, or it may lie before `start`.
    Inferred,
}

/// What the kernel counted for a thread between a baseline and the end of a stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Switches away from the thread for which it asked, by waiting.
    pub voluntary: u64,
    /// Switches away from the thread for which it did not ask.
    pub involuntary: u64,
    /// Page faults that needed no device.
    pub minor_faults: u64,
    /// Page faults that waited for a device.
    pub major_faults: u64,
}
