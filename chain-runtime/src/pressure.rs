//! How hard it is for the process to serve what it is asked for, measured, and what is done about it.

mod adaptive;

pub(crate) use adaptive::tell;
pub use adaptive::{
    Adaptive, Aimd, Anyone, Asked, ByPriority, Elsewhere, Fair, Fixed, Gradient2, Judge, Limit, Priority, Reason,
    Sample, Status, TurnedAway, UnknownPriority, Vegas, Verdict,
};
#[cfg(feature = "http-body")]
pub use adaptive::{Admitted, WholeAdaptive};

#[doc(inline)]
pub use crate::shed::{Level, LevelCell, UnknownLevel};
