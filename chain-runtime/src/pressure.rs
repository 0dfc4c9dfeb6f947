//! How hard it is for the process to serve what it is asked for, measured, and what is done about it.

mod builder;
mod change;
mod held;
mod level;
pub mod policy;
mod sampler;
mod slope;
pub mod source;
mod status;
mod thresholds;

#[doc(inline)]
pub use crate::shed::{Level, LevelCell, UnknownLevel};
pub use builder::{Builder, Unbuildable, Watched};
pub use change::{Because, Cause, Change, Changes};
pub use level::Pressure;
pub use sampler::{Sampler, Sampling};
pub use slope::Projection;
pub use source::Source;
pub use status::{Seen, Status};
pub use thresholds::{BadThresholds, Thresholds};
