//! A process of an example: started, read line by line, stopped.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::binary::binary;
use crate::within;

/// A running process. Dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Starts it.
    pub fn start(mut command: Command) -> Self {
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
    pub async fn address(&mut self, behind: &str) -> SocketAddr {
        let line = self.line(&[behind]).await;
        let at = line.trim_start_matches(behind).split_whitespace().next();
        at.and_then(|at| at.parse().ok()).expect("the address is printed")
    }

    /// The next line that has all of these in it.
    pub async fn line(&mut self, parts: &[&str]) -> String {
        within(&format!("a line with {parts:?}"), async {
            while let Some(line) = self.lines.recv().await {
                self.seen.push(line.clone());
                if has(&line, parts) {
                    return line;
                }
            }
            panic!("no line has {parts:?}: {:#?}", self.seen)
        })
        .await
    }

    /// A line that has all of these in it, whether it was read already or is still to come.
    ///
    /// A line of the log is written by a thread of its own, so nothing says whether it comes before a line that the
    /// process prints itself.
    pub async fn said(&mut self, parts: &[&str]) -> String {
        match self.seen.iter().find(|line| has(line, parts)) {
            Some(line) => line.clone(),
            None => self.line(parts).await,
        }
    }

    /// All lines that were read so far.
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Sends a signal by its short name.
    pub async fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().await;
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for it to end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        within("the end of the process", self.child.wait()).await.expect("the process ended")
    }
}

fn has(line: &str, parts: &[&str]) -> bool {
    parts.iter().all(|part| line.contains(part))
}

/// The example with these flags, and nobody's environment.
pub fn command(example: &str, flags: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(binary(example));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GATEWAY_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command.args(flags).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
