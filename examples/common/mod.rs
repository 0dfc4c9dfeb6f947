//! What the examples that are servers of their own share.
//!
//! They include it with `#[path = "../common/mod.rs"]`. It is no example itself: cargo takes only `examples/*.rs` and
//! `examples/*/main.rs` as examples. Everything here is used by all of them.

use std::fmt::Arguments;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) mod embedded;
pub(crate) mod failure;
pub(crate) mod flags;
pub(crate) mod group;
pub(crate) mod listen;
pub(crate) mod logging;
pub(crate) mod serve;
pub(crate) mod signals;
pub(crate) mod target;
pub(crate) mod units;

use failure::Failure;
use tokio::runtime::Builder;

/// Runs a program on this runtime of tokio. A failure is one line, after the program's name.
pub(crate) fn run(name: &str, on: &mut Builder, program: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = on.enable_all().build().map_err(Failure::failed);
    match runtime.and_then(|runtime| runtime.block_on(program)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{name}: {failure}");
            failure.code()
        }
    }
}

/// Prints a line. If stdout is closed, that is no reason to stop.
pub(crate) fn say(line: Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A name for `Via` that no other process has.
pub(crate) fn name(kind: &str) -> String {
    format!("{kind}-{:08x}", RandomState::new().build_hasher().finish() as u32)
}
