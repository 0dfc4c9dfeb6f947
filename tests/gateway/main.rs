//! The gateway, as its users meet it: a process of its own, real sockets, a real client.
#![cfg(unix)]

mod admin;
mod auth;
mod cancel;
mod connections;
mod fields;
mod flags;
mod groups;
mod limits;
mod load;
mod pressure;
mod process;
mod reload;
mod shared;
mod stop;
mod stream;

// The examples' units have their tests beside what they test; cargo runs none of an example that it also has to build as a program.
#[allow(dead_code, reason = "only the tests in it are wanted here")]
#[path = "../../examples/gateway/units.rs"]
mod gateway_units;
#[path = "../../examples/common/units.rs"]
mod units;
mod common {
    pub(crate) use super::units;
}
