//! Members that machines share, on a real Redis.

mod dropped;
mod registered;
mod source;
mod support;
mod three_machines;
