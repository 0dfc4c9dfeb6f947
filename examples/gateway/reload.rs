//! A new configuration, while requests run: it is read and checked as a whole first, and changes nothing if anything in
//! it is wrong.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::proxy::Tunnels;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use super::cli::Flags;
use super::common::failure::Failure;
use super::common::logging;
use super::gateway::Gateway;
use super::next::{Lasting, Next};
use super::serving::{self, Serving};

/// Settings that are read only once.
const FIXED: [&str; 14] = [
    "admin",
    "admin-token-file",
    "check",
    "config",
    "failures",
    "log",
    "max-concurrent",
    "memory-limit",
    "name",
    "otlp",
    "pressure-cgroup",
    "redis",
    "spans",
    "workers",
];

/// The settings of the server. If one of these changes, there is another server.
const SERVER: [&str; 9] = [
    "grace",
    "head-timeout",
    "idle-timeout",
    "listen",
    "max-connections",
    "max-tunnels",
    "min-rate",
    "timeout",
    "tunnel-timeout",
];

/// The running gateway, and its configuration.
pub(crate) struct Running {
    pub(crate) gateway: &'static Gateway,
    pub(crate) serving: Serving,
    pub(crate) flags: Flags,
    pub(crate) lasting: Lasting,
    pub(crate) tunnels: Arc<Tunnels>,
}

impl Running {
    /// Reads the configuration and applies it, or says why not. One line of the log.
    pub(crate) async fn reload(&mut self) {
        let changed = self.change().await;
        let lines = &self.lasting.lines;
        match changed {
            Ok(changes) if changes.is_empty() => logging::info(lines, "reloaded: nothing is another than before"),
            Ok(changes) => logging::info(lines, format_args!("reloaded: {}", changes.join("; "))),
            Err(failure) => logging::warn(lines, format_args!("not reloaded, all stays as it is: {failure}")),
        }
    }

    async fn change(&mut self) -> Result<Vec<String>, Failure> {
        let flags = Flags::read()?;
        let changed = flags.said.differs(&self.flags.said);
        if let Some(fixed) = changed.iter().find(|change| FIXED.contains(&&*change.flag)) {
            return Err(Failure::usage(format_args!("{fixed}: this takes another start")));
        }
        let is_another_server = changed.iter().any(|change| SERVER.contains(&&*change.flag));
        // A server ends its own tunnels, and no others.
        let tunnels = if is_another_server { flags.tunnels(Some(&self.tunnels)) } else { Arc::clone(&self.tunnels) };
        let next = Next::new(&flags, &self.lasting, &tunnels, Some(&self.gateway.rules.load())).await?;
        let listeners = match changed.iter().any(|change| change.flag == "listen") {
            true => Some(serving::listen(&flags)?),
            false => None,
        };
        let mut listens = None;
        if is_another_server {
            self.serving.replace(listeners, &flags, &tunnels).map_err(Failure::failed)?;
            listens = self.serving.at().ok().map(|at| format!("listening on http://{at}"));
        }
        // From here on, nothing is wrong any more.
        let mut changes: Vec<String> = changed.iter().map(ToString::to_string).collect();
        let (rules, told) = next.apply();
        changes.extend(told);
        self.gateway.rules.store(rules);
        changes.extend(listens);
        (self.flags, self.tunnels) = (flags, tunnels);
        Ok(changes)
    }
}

/// Tells when there is something to read: the file has changed, or the process got SIGHUP.
pub(crate) struct Watch {
    file: Option<PathBuf>,
    seen: Option<String>,
    hangup: Signal,
}

/// The time between two looks at the file.
const INTERVAL: Duration = Duration::from_millis(500);
/// The time between the two looks that have to find the same, so that a half-written file is not read.
const SETTLED: Duration = Duration::from_millis(50);

impl Watch {
    pub(crate) fn new(file: Option<&Path>) -> Result<Self, Failure> {
        let hangup = signal(SignalKind::hangup())
            .map_err(|error| Failure::failed(format_args!("cannot listen to signals: {error}")))?;
        Ok(Self { file: file.map(Path::to_owned), seen: file.and_then(look), hangup })
    }

    /// Completes when there is. The file is polled and read: neither the kernel's notifications nor the times of files
    /// report all changes on all file systems.
    pub(crate) async fn changed(&mut self) {
        let Self { file, seen, hangup } = self;
        let Some(file) = file else {
            hangup.recv().await;
            return;
        };
        let mut found = None;
        loop {
            let interval = if found.is_some() { SETTLED } else { INTERVAL };
            let asked = tokio::select! {
                _ = hangup.recv() => true,
                () = sleep(interval) => false,
            };
            let look = look(file);
            if asked || (look != *seen && found.as_ref() == Some(&look)) {
                *seen = look;
                return;
            }
            found = (look != *seen).then_some(look);
        }
    }
}

/// What is in the file, if it can be read.
fn look(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok()
}
