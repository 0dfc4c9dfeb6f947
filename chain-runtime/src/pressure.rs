//! How hard it is for the process to serve what it is asked for, measured, and what is done about it.
//!
//! A [`Sampler`] reads [sources](source) some times a second. Each source has [`Thresholds`], which make a [`Level`] of its reading. A
//! [`Policy`](policy::Policy) makes one level of them: the highest, where no other is given. That one stands in one atomic, the [`LevelCell`], which each
//! run reads once.
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
//! On Linux, memory and stalls are read from the kernel. What a machine does not have is left out and noted:
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
//! | source | its value | read from | price |
//! | --- | --- | --- | --- |
//! | `Cgroup` | memory used, of the limit | `memory.current`, `.max`, `.high`, `.stat`; in version 1 `memory.usage_in_bytes`, `.limit_in_bytes`, `.stat` | 2.2 µs, of version 1 9.9 µs |
//! | `Resident` | the process's resident memory, of a limit | `/proc/self/statm` | 1.0 µs |
//! | `Jemalloc` (feature `jemalloc`) | memory allocated, of a limit | jemalloc's statistics | 6.2 µs |
//! | `Psi` | the share of time in which tasks waited for memory, a core, a device | `/proc/pressure/*`, a group's `*.pressure` | 1.8 µs |
//! | [`Lag`](source::Lag) | seconds from a wake to the poll | a probe on the runtime | 2 ns |
//! | [`InFlight`](source::InFlight) | requests under way, of a limit | an atomic that a node counts | 2 ns |
//! | [`Queue`](source::Queue) | places taken | a closure | 2 ns and the closure |
//! | [`own`](source::own), [`Source`] | anything | a closure, a type | |
//!
//! The price is that of one reading, measured by the bench `sources`. Files are kept open and read at offset 0 into a buffer on the stack; no
//! reading allocates. Where the kernel takes triggers, it wakes the sampler for a stall before its time.
//!
//! # How a level moves
//!
//! - **It rises at once**, to where the reading is at or above `enter`.
//! - **It falls by one step** where no reading was at or above its `leave` for a whole [dwell](Builder::dwell). So no level is left sooner than a dwell after it
//!   was entered, and after three dwells and as many samples of low readings it is calm.
//! - **What will be full soon is high now**: a source of memory is projected by its smoothed slope ([`Projection`]). What is full within 5 s is high.
//! - **A source that fails** keeps its level for the time of [`Builder::hold`], counts as calm then, and says so in the [`Report`]. Files that vanish,
//!   lines that say something else, numbers over 64 bits, a limit of 0, values that are no numbers and sources that panic are counted, each as a
//!   [`Fault`](source::Fault).
//! - **A clock that stands still** makes nothing fall, and is counted.
//! - **Where nobody measures**, it is calm: also when the sampler's task is gone.
//! - **It can be forced**: [`Pressure::force`], for a drill.
//!
//! # Used and retained
//!
//! What is *used* has to be told apart from what is only *retained*: files that the kernel caches, and pages that an allocator has not given back. Envoy judged
//! by their sum for years. Its gateways went into overload and stayed there: what they shed was given back to the allocator, not to the
//! kernel (its issue 21923). Since then it can judge by what is allocated. Here, `Cgroup` takes inactive files off by itself, and what the allocator says it
//! retains where it is told to (`Cgroup::less`). A process whose retained memory brings the kernel into need all the same is seen by `Psi`.
//!
//! # Follow it
//!
//! [`Pressure::watch`] gives each [`Change`] with the source that caused it and its reading, [`Builder::on_change`] calls a closure with it. With the feature `tracing` each
//! is an event. [`Pressure::status`] is all that is known, as plain data.

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
