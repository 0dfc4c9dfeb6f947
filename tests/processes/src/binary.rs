//! The binaries of examples: found, or built.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

/// The directory of this test's profile: `target/debug`, say.
pub fn profile() -> PathBuf {
    let this = std::env::current_exe().expect("this test's path");
    this.parent().and_then(Path::parent).expect("target/<profile>/deps").to_owned()
}

/// The binary of an example, which stands beside the directory of this test's.
///
/// `cargo test` builds it along. `cargo test --test ..` does not, so what is missing or old is built here, with the
/// crates that `cargo test` has built.
pub fn binary(example: &str) -> PathBuf {
    static BUILT: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(example.to_owned()).or_insert_with(|| find(example)).clone()
}

fn find(example: &str) -> PathBuf {
    let profile = profile();
    let binary = profile.join("examples").join(example);
    if !is_fresh(&binary) {
        let target = profile.parent().expect("target/<profile>");
        let profile = match profile.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--example", example, "--profile", profile]);
        build.arg("--target-dir").arg(target).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let built = build.status().expect("cargo runs");
        assert!(built.success() && binary.exists(), "{build:?} did not make {}", binary.display());
    }
    binary
}

/// Whether it is there and none of its sources, which cargo lists beside it, is newer.
fn is_fresh(binary: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let sources = std::fs::read_to_string(binary.with_extension("d")).unwrap_or_default();
    let Some((_, sources)) = sources.split_once(": ") else {
        return false;
    };
    let sources = sources.trim_end().replace("\\ ", "\0");
    let built = changed(binary);
    sources.split(' ').all(|source| changed(Path::new(&source.replace('\0', " "))) <= built)
}
