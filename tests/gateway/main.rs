//! The gateway, as its users meet it: a process of its own, real sockets, a real client.
#![cfg(unix)]

mod admin;
mod auth;
mod cancel;
mod client;
mod connections;
mod fields;
mod flags;
mod limits;
mod load;
mod pressure;
mod process;
mod running;
mod stop;
mod stream;
mod upstream;

/// Has its unit tests beside what they test; cargo runs none of an example that it also has to build as a program.
#[allow(dead_code, reason = "only the tests in it are wanted here")]
#[path = "../../examples/gateway/units.rs"]
mod units;

use std::time::Duration;

/// How long any one thing may take. Nothing waits that long, unless it would wait forever.
const LIMIT: Duration = Duration::from_secs(30);

/// Waits for what has to come.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come within {LIMIT:?}"),
    }
}
