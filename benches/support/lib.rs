//! What the benches share: a table that is printed and kept as JSON, instructions counted by callgrind, and an open loop over HTTP.

pub mod callgrind;
pub mod open_loop;
pub mod table;

pub use chain::{allocations, poll};
