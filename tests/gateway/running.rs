//! A process of an example: found or built, started, read line by line, stopped.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::within;

/// A running process. Dropped, it is killed.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the process starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let (tell, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.next_line().await {
                let _ = tell.send(line);
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// The address that it prints behind these words.
    pub(crate) async fn address(&mut self, behind: &str) -> SocketAddr {
        let line = self.line(&[behind]).await;
        let at = line.trim_start_matches(behind).split_whitespace().next();
        at.and_then(|at| at.parse().ok()).expect("the address is printed")
    }

    /// The next line that has all of these in it.
    pub(crate) async fn line(&mut self, parts: &[&str]) -> String {
        within(&format!("a line with {parts:?}"), async {
            while let Some(line) = self.lines.recv().await {
                self.seen.push(line.clone());
                if parts.iter().all(|part| line.contains(part)) {
                    return line;
                }
            }
            panic!("no line has {parts:?}: {:#?}", self.seen)
        })
        .await
    }

    /// All lines that were read so far.
    pub(crate) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Sends a signal by its short name.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await;
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        within("the end of the process", self.child.wait()).await.expect("the process ended")
    }
}

/// The example with these flags, and nobody's environment.
pub(crate) fn command(example: &str, flags: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(binary(example));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GATEWAY_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command.args(flags).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The binary of the one example that this test is about, which stands beside the directory of this test's.
///
/// `cargo test` builds it along. `cargo test --test ..` does not, so what is missing or old is built here.
fn binary(example: &str) -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let this = std::env::current_exe().expect("this test's path");
        let profile = this.parent().and_then(Path::parent).expect("target/<profile>/deps");
        let binary = profile.join("examples").join(example);
        if !is_fresh(&binary) {
            let target = profile.parent().expect("target/<profile>");
            let profile = match profile.file_name().and_then(OsStr::to_str) {
                Some("debug") | None => "dev",
                Some(profile) => profile,
            };
            let mut build = std::process::Command::new(env!("CARGO"));
            build
                .args([
                    "build",
                    "--quiet",
                    "--package",
                    "chain",
                    "--example",
                    example,
                    "--profile",
                    profile,
                    "--target-dir",
                ])
                .arg(target);
            let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
            assert!(built.success() && binary.exists(), "{build:?} did not make {}", binary.display());
        }
        binary
    })
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
