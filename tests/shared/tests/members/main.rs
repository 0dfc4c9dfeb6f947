//! Members that machines share, on a real Redis.

mod registered;
mod source;
mod support;
mod three_machines;
