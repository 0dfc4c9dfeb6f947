//! Pressure on the process: a measure of how hard it is to serve the requests, and what is done about it.
//!
//! A [`Sampler`] reads [sources](source) some times a second. Each source has [`Thresholds`], which turn its reading
//! into a [`Level`]. A [`Policy`](policy::Policy) makes one level of these. The default is the highest one. That level
//! is in one atomic, the [`LevelCell`], which each run reads once.
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use chain_runtime::pressure::source::{InFlight, Queue};
//! use chain_runtime::pressure::{Level, Pressure, Thresholds, Watched};
//!
//! let in_flight = InFlight::new(100);
//! let (pressure, mut sampler) = Pressure::builder()
//!     .source(Watched::of(in_flight.clone()).thresholds(Thresholds::new([0.50, 0.80, 1.00], [0.40, 0.70, 0.90])))
//!     .source(Queue::new("log lines", 4_096, || 12))
//!     .dwell(Duration::from_millis(500))
//!     .build()?;
//!
//! // A program writes `tokio::spawn(sampler.run())`. A test has a clock of its own.
//! let now = Instant::now();
//! let requests: Vec<_> = (0..80).map(|_| in_flight.enter()).collect();
//! let change = sampler.sample(now).expect("it rises at once");
//! assert_eq!(change.to_string(), "calm -> high: in flight is at 80.0 %, high from 80.0 % on");
//! assert_eq!(pressure.level(), Level::High);
//!
//! drop(requests);
//! let mut after = |millis| {
//!     sampler.sample(now + Duration::from_millis(millis));
//!     pressure.level()
//! };
//! assert_eq!([after(400), after(500), after(1_000)], [Level::High, Level::Elevated, Level::Calm]);
//! # Ok::<(), chain_runtime::pressure::Unbuildable>(())
//! ```
//!
//! On Linux, memory and stalls are read from the kernel. Sources that a machine does not have are left out and noted:
//!
//! ```no_run
//! # #[cfg(target_os = "linux")]
//! # async fn begins() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//!
//! use chain_runtime::pressure::Pressure;
//! use chain_runtime::pressure::source::{Cgroup, Lag, Psi};
//!
//! let (lag, probe) = Lag::new();
//! let (pressure, sampler) = Pressure::builder()
//!     .optional(Cgroup::of_this_process())
//!     .optional(Psi::memory())
//!     .source(lag)
//!     .on_change(|change| eprintln!("{change}"))
//!     .build()?;
//! tokio::spawn(probe.run(Duration::from_millis(20)));
//! tokio::spawn(sampler.run());
//! # Ok(()) }
//! ```
//!
//! # Sources
//!
//! | source | its value | read from | cost |
//! | --- | --- | --- | --- |
//! | `Cgroup` | memory used, of the limit | `memory.current`, `.max`, `.high`, `.stat`; in version 1 `memory.usage_in_bytes`, `.limit_in_bytes`, `.stat` | 2.2 µs, of version 1 9.9 µs |
//! | `Resident` | the process's resident memory, of a limit | `/proc/self/statm` | 1.0 µs |
//! | `Jemalloc` (feature `jemalloc`) | memory allocated, of a limit | jemalloc's statistics | 6.2 µs |
//! | `Psi` | the share of time in which tasks waited for memory, a core, a device | `/proc/pressure/*`, a group's `*.pressure` | 1.8 µs |
//! | [`Lag`](source::Lag) | seconds from a wake to the poll | a probe on the runtime | 2 ns |
//! | [`InFlight`](source::InFlight) | requests under way, of a limit | an atomic that a node counts | 2 ns |
//! | [`Queue`](source::Queue) | places taken | a closure | 2 ns and the closure |
//! | [`own`](source::own), [`Source`] | any value | a closure, a type |  |
//!
//! The cost is that of one reading, measured by the bench `sources`. Files are kept open and read at offset 0 into a
//! buffer on the stack; no reading allocates. If the kernel supports triggers, it wakes the sampler early for a stall.
//!
//! # How a level changes
//!
//! - **It rises at once**, to the level whose `enter` the reading has reached.
//! - **It falls by one step** after no reading was at or above its `leave` for a whole [dwell](Builder::dwell). So a
//!   level lasts at least a dwell, and after three dwells and as many samples of low readings the level is calm.
//! - **What will be full soon counts as high now**: a source of memory is projected by its smoothed slope
//!   ([`Projection`]). Memory that will be full within 5 s is high.
//! - **A source that fails** keeps its level for the time of [`Builder::hold`], then counts as calm, and the [`Report`]
//!   says so. Files that vanish, lines in another form, numbers over 64 bits, a limit of 0, values that are no numbers
//!   and sources that panic are counted, each as a [`Fault`](source::Fault).
//! - **A clock that stands still** lets no level fall, and is counted.
//! - **If nothing measures**, the level is calm. This is so when the sampler's task is gone.
//! - **The level can be forced** with [`Pressure::force`], for a drill.
//!
//! # Used and retained
//!
//! Memory that is *used* has to be told apart from memory that is only *retained*: files that the kernel caches, and
//! pages that an allocator has not given back. Envoy judged by their sum for years. Its gateways went into overload and
//! stayed there, because the memory that they freed went back to the allocator, not to the kernel (its issue 21923).
//! Since then it can judge by the allocated memory. Here, `Cgroup` subtracts inactive files by itself, and the memory
//! that the allocator retains if it is told to (`Cgroup::less`). If the retained memory of a process does bring the
//! kernel into need, `Psi` sees that.
//!
//! # Following it
//!
//! [`Pressure::watch`] gives each [`Change`] with its source and the source's reading, and [`Builder::on_change`] calls
//! a closure with it. With the feature `tracing` each is an event. [`Pressure::status`] is everything that is known, as
//! plain data.

mod adaptive;
mod builder;
mod change;
mod held;
mod level;
pub mod policy;
mod report;
mod sampler;
mod slope;
pub mod source;
mod thresholds;

pub(crate) use adaptive::tell;
pub use adaptive::{
    Adaptive, AdaptiveStatus, Aimd, Anyone, Asked, ByPriority, Elsewhere, Fair, Fixed, Gradient2, Judge, Limit,
    Priority, Reason, Sample, TurnedAway, UnknownPriority, Vegas, Verdict,
};
#[cfg(feature = "http-body")]
pub use adaptive::{Admitted, WholeAdaptive};

#[doc(inline)]
pub use crate::shed::{Level, LevelCell, UnknownLevel};
pub use builder::{Builder, Unbuildable, Watched};
pub use change::{Because, Cause, Change, Changes};
pub use level::Pressure;
pub use report::{Report, Seen};
pub use sampler::{Sampler, Sampling};
pub use slope::Projection;
pub use source::Source;
pub use thresholds::{BadThresholds, Thresholds};
