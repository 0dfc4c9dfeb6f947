//! Members from DNS, beside a server that does all that a server can do.

mod members;
mod server;
mod support;
