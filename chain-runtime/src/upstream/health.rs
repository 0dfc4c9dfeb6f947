//! The health of members: [`Health`] says when a member is ejected for how its requests end, and [`Checks`] ask members
//! how they are.

mod active;
mod checks;
mod connect;
mod ejection;
#[cfg(feature = "proxy")]
mod http;
mod noticed;
mod settings;
mod share;
mod standing;
mod window;

pub use checks::{Check, Checks, Found, Ill};
pub use connect::Connect;
pub(super) use ejection::Ejections;
#[cfg(feature = "proxy")]
pub use http::{HttpCheck, HttpIll};
pub(super) use noticed::{Care, Noticed};
pub use settings::Health;
