//! A Redis server of a test's own, on a port of its own, and one that misbehaves.

mod hostile;
mod server;

pub use hostile::{Hostile, array};
pub use server::Server;
