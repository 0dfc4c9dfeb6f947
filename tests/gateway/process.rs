//! The gateway's process: found or built, started, read line by line, stopped.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::within;

/// The secret that `Gateway::start` lets tokens be signed with.
pub(crate) const SECRET: &[u8] = b"a secret that has thirty-two bytes";
/// A key of the user `alice`, and one of `bob`.
pub(crate) const ALICE: &str = "alice-0123456789";
pub(crate) const BOB: &str = "bob-0123456789abc";

/// A running gateway. Dropped, it is killed.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Gateway {
    /// Starts it in front of these upstreams, with quotas that no test meets by accident.
    pub(crate) async fn start(upstreams: &[SocketAddr], flags: &[&str]) -> Self {
        let secret = file("secret", SECRET);
        let keys = file("keys", format!("alice {ALICE}\nbob {BOB} # not alice's\n").as_bytes());
        let mut all = vec!["--jwt-secret-file".to_owned(), secret, "--api-keys-file".to_owned(), keys];
        if !flags.contains(&"--burst") {
            all.extend(["--rate", "1000000", "--burst", "1000000"].map(str::to_owned));
        }
        for upstream in upstreams {
            all.extend(["--upstream".to_owned(), format!("http://{upstream}")]);
        }
        all.extend(flags.iter().map(|&flag| flag.to_owned()));
        Self::start_with(&all).await
    }

    /// Starts it with these flags, and on a free port.
    pub(crate) async fn start_with(flags: &[impl AsRef<OsStr>]) -> Self {
        let mut command = command(flags);
        let mut child = command.args(["--listen", "127.0.0.1:0"]).spawn().expect("the gateway starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let (tell, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = stdout.next_line().await {
                let _ = tell.send(line);
            }
        });
        let mut gateway = Self { child, address: ([127, 0, 0, 1], 0).into(), lines, seen: Vec::new() };
        let line = gateway.line(&["listening on http://"]).await;
        let at = line.trim_start_matches("listening on http://").split_whitespace().next();
        gateway.address = at.and_then(|at| at.parse().ok()).expect("the address is printed");
        gateway
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

    /// All lines so far.
    pub(crate) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// Sends a signal by its short name.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("the gateway runs").to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await;
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        within("the gateway's end", self.child.wait()).await.expect("the gateway ended")
    }
}

/// Runs the gateway with flags that do not let it start.
pub(crate) async fn fails_with(flags: &[impl AsRef<OsStr>]) -> (Option<i32>, String) {
    fails(command(flags)).await
}

/// Runs the gateway with an environment that does not let it start.
pub(crate) async fn fails_in(name: &str, value: &str) -> (Option<i32>, String) {
    let mut command = command(&[] as &[&str]);
    command.env(name, value);
    fails(command).await
}

async fn fails(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = within("an end", command.output()).await.expect("the gateway runs");
    (status.code(), String::from_utf8(stderr).expect("stderr is text"))
}

fn command(flags: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GATEWAY_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command.args(flags).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Writes a file of this name, and this test's own.
pub(crate) fn file(name: &str, contents: &[u8]) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gateway-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the test's files");
    let file = directory.join(format!("{name}-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&file, contents).expect("the test's file is written");
    file.to_str().expect("the path is text").to_owned()
}

/// The example's binary, which stands beside the directory of this test's.
///
/// `cargo test` builds it along. `cargo test --test gateway` does not, so what is missing or old is built here.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let this = std::env::current_exe().expect("this test's path");
        let profile = this.parent().and_then(Path::parent).expect("target/<profile>/deps");
        let binary = profile.join("examples").join("gateway");
        if !is_fresh(&binary) {
            let target = profile.parent().expect("target/<profile>");
            let profile = match profile.file_name().and_then(OsStr::to_str) {
                Some("debug") | None => "dev",
                Some(profile) => profile,
            };
            let mut build = std::process::Command::new(env!("CARGO"));
            build.args(["build", "--quiet", "--example", "gateway", "--profile", profile, "--target-dir"]).arg(target);
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
