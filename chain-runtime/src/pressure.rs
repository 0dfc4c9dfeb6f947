//! How hard it is for the process to serve what it is asked for, measured, and what is done about it.

mod adaptive;
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

pub(crate) use adaptive::tell;
pub use adaptive::{
    Adaptive, Aimd, Anyone, Asked, ByPriority, Elsewhere, Fair, Fixed, Gradient2, Judge, Limit, Priority, Reason,
    Sample, Status as AdaptiveStatus, TurnedAway, UnknownPriority, Vegas, Verdict,
};
#[cfg(feature = "http-body")]
pub use adaptive::{Admitted, WholeAdaptive};

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
