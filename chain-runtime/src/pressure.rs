//! How hard it is for the process to serve what it is asked for, measured, and what is done about it.

#[doc(inline)]
pub use crate::shed::{Level, LevelCell, UnknownLevel};
