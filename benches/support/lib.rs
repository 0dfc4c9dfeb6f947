//! What the benches share: a table that is printed and kept as JSON, and instructions counted by callgrind.

pub mod callgrind;
pub mod table;

pub use chain::{allocations, poll};
