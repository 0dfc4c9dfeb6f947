//! Who is well: [`Health`] says when a member is ejected for how its requests end, and [`Checks`] ask members how they are.

mod ejection;
mod noticed;
mod settings;
mod share;
mod window;

pub(super) use ejection::Ejections;
pub(super) use noticed::{Care, Noticed};
pub use settings::Health;
