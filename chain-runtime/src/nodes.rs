//! Ready nodes: what most services have in front of what is their own, each on the crate that knows the trade.

#[cfg(feature = "access-log")]
pub mod access_log;
#[cfg(any(feature = "jsonwebtoken", feature = "subtle"))]
pub mod auth;
#[cfg(feature = "idempotency")]
pub mod idempotency;
#[cfg(feature = "serde_json")]
pub mod json;
mod key;
mod peer;
#[cfg(feature = "governor")]
pub mod rate_limit;
mod reply;
#[cfg(feature = "request-id")]
pub mod request_id;
mod user;
mod whole;
#[cfg(feature = "whole-body")]
pub mod whole_body;

pub use key::Key;
pub use peer::Peer;
pub use reply::Reply;
pub use user::{BadName, MAX_NAME, User};
pub use whole::Whole;
