//! The gateway, as users see it: a process of its own, real sockets, a real client.
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
mod spans;
mod stop;
mod stream;
