//! What the tests of the examples share: an example's process, clients over HTTP/1.1 and h2c, upstreams in this process, and nginx.
#![cfg(unix)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub mod binary;
pub mod client;
pub mod nginx;
pub mod running;
pub mod upstream;

/// How long any one thing may take. Nothing waits that long, unless it would wait forever.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Waits for what has to come.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come within {LIMIT:?}"),
    }
}

/// A directory that no other test has, beside the binaries.
pub fn directory() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let own = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let directory = binary::profile().with_file_name("tmp").join(own);
    std::fs::create_dir_all(&directory).expect("a directory for the test's files");
    directory
}
