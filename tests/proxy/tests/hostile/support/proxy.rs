//! The three proxies: how each is started, and what a request needs to pass it.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::process::{self, Process};

/// Which proxy, and by which of its routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Gateway,
    /// The edge's API, to where bodies are sent on.
    Api,
    /// The edge's files, to where none is.
    Files,
    Forward,
}

/// All of them.
pub(crate) const ALL: &[Which] = &[Which::Gateway, Which::Api, Which::Files, Which::Forward];

const ALICE: &str = "alice-0123456789";

/// Those of them that `CHAIN_PROXY_ONLY` does not leave out.
pub(crate) fn chosen(proxies: &[Which]) -> Vec<Which> {
    let only = std::env::var("CHAIN_PROXY_ONLY").ok();
    let wanted = |which: &Which| only.as_ref().is_none_or(|only| format!("{which:?}").eq_ignore_ascii_case(only));
    proxies.iter().copied().filter(wanted).collect()
}

impl Which {
    /// What the paths that it forwards begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Gateway | Self::Forward => "",
            Self::Api => "/api/v1",
            Self::Files => "/static",
        }
    }

    /// The field that lets a request pass, as a line.
    pub(crate) fn key_line(self) -> String {
        if self == Self::Gateway { format!("X-Api-Key: {ALICE}\r\n") } else { String::new() }
    }

    /// The same, for HTTP/2.
    pub(crate) fn key(self) -> Option<(&'static str, &'static str)> {
        (self == Self::Gateway).then_some(("x-api-key", ALICE))
    }

    /// Puts its paths' beginning for `{p}` and its key's line for `{k}`.
    pub(crate) fn fill(self, template: &[u8]) -> Vec<u8> {
        let filled = replace(template, b"{p}", self.prefix().as_bytes());
        replace(&filled, b"{k}", self.key_line().as_bytes())
    }
}

pub(crate) fn replace(text: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|part| part == what) {
        replaced.extend_from_slice(&rest[..at]);
        replaced.extend_from_slice(by);
        rest = &rest[at + what.len()..];
    }
    replaced.extend_from_slice(rest);
    replaced
}

/// A running proxy. Dropped, it is killed.
pub(crate) struct Proxy {
    process: Process,
    pub(crate) which: Which,
    pub(crate) at: SocketAddr,
}

impl Deref for Proxy {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl DerefMut for Proxy {
    fn deref_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Proxy {
    /// Starts it in front of this upstream. Flags that it does not know are the caller's mistake.
    pub(crate) fn start(which: Which, upstream: SocketAddr, flags: &[&str]) -> Self {
        let process = Process::start(Self::command(which, upstream, flags));
        let at = process::address(&process.line("listening on http://"), "listening on http://");
        Self { process, which, at }
    }

    /// Starts the edge with an upstream for its API and another one for its files.
    pub(crate) fn edge(stable: SocketAddr, files: SocketAddr, flags: &[&str]) -> Self {
        Self::edge_of(&[stable], files, flags)
    }

    /// Starts the edge with several upstreams for its API.
    pub(crate) fn edge_of(stable: &[SocketAddr], files: SocketAddr, flags: &[&str]) -> Self {
        let mut command = process::example("edge");
        command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        for at in stable {
            command.args(["--stable", &format!("http://{at}"), "--canary", &format!("http://{at}")]);
        }
        command.args(["--files", &format!("http://{files}")]).args(flags);
        let process = Process::start(command);
        let at = process::address(&process.line("listening on http://"), "listening on http://");
        Self { process, which: Which::Api, at }
    }

    /// Starts it with an output that nobody reads once it listens.
    pub(crate) fn start_unread(which: Which, upstream: SocketAddr, flags: &[&str]) -> Self {
        let mark = "listening on http://";
        let (process, line) = Process::start_and_read_to(Self::command(which, upstream, flags), mark);
        Self { process, which, at: process::address(&line, mark) }
    }

    fn command(which: Which, upstream: SocketAddr, flags: &[&str]) -> Command {
        let upstream = format!("http://{upstream}");
        let mut command = match which {
            Which::Gateway => {
                let mut command = process::example("gateway");
                command.args(["--listen", "127.0.0.1:0"]);
                command.args([
                    "--upstream",
                    &upstream,
                    "--api-keys-file",
                    keys(),
                    "--rate",
                    "1000000",
                    "--burst",
                    "1000000",
                ]);
                command
            }
            Which::Api | Which::Files => {
                let mut command = process::example("edge");
                command.args(["--listen", "127.0.0.1:0"]);
                command.args([
                    "--admin",
                    "127.0.0.1:0",
                    "--stable",
                    &upstream,
                    "--canary",
                    &upstream,
                    "--files",
                    &upstream,
                ]);
                command.args(["--rate", "1000000", "--burst", "1000000"]);
                // Time is not what most tests are about, and a busy machine may take its own.
                if !flags.contains(&"--deadline") {
                    command.args(["--deadline", "20s", "--attempt", "10s"]);
                }
                command
            }
            Which::Forward => {
                let mut command = process::example("forward");
                command.args(["--listen", "127.0.0.1:0", "--upstream", &upstream]);
                command
            }
        };
        command.args(flags);
        command
    }
}

/// The file with alice's key.
fn keys() -> &'static str {
    static FILE: OnceLock<String> = OnceLock::new();
    FILE.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-keys-{}", std::process::id()));
        std::fs::write(&file, format!("alice {ALICE}\n")).expect("the file of keys is written");
        file.to_str().expect("the path is text").to_owned()
    })
}
