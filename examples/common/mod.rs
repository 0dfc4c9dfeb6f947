//! What the examples that are servers of their own share.
//!
//! They take it by `#[path = "../common/mod.rs"]`. It is no example itself: cargo takes `examples/*.rs` for one, and `examples/*/main.rs`, and nothing
//! else. Whatever stands here is used by all of them.

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

/// Runs a program on tokio. Why it fails is one line, after the program's name.
pub(crate) fn run(name: &str, program: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::failed);
    match runtime.and_then(|runtime| runtime.block_on(program)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{name}: {failure}");
            failure.code()
        }
    }
}

/// Prints a line, unless nobody reads it any more, which is no reason to stop.
pub(crate) fn say(line: Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// A name for `Via` that no other process has.
pub(crate) fn name(kind: &str) -> String {
    format!("{kind}-{:08x}", RandomState::new().build_hasher().finish() as u32)
}
