//! Members from DNS, with a server that shows every behaviour of servers.

mod aliases;
mod cancelled;
mod failures;
mod isolated;
mod members;
mod nobody;
mod server;
mod services;
mod support;
