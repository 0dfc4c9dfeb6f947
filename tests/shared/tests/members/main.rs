//! Members that machines share, on a real Redis.

mod clocks;
mod dropped;
mod registered;
mod source;
mod support;
mod three_machines;
