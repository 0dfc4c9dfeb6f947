//! Members from DNS, beside a server that does all that a server can do.

mod aliases;
mod cancelled;
mod failures;
mod isolated;
mod members;
mod nobody;
mod server;
mod services;
mod support;
