//! A process of an example: found or built, started, watched, ended.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal};

use super::wire::PATIENCE;

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    came: Condvar,
}

/// A running process. Dropped, it is killed.
pub(crate) struct Process {
    child: Mutex<Child>,
    pid: Pid,
    log: Arc<Log>,
    /// Where it prints, if nobody reads it.
    unread: Option<BufReader<std::process::ChildStdout>>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut process = Self::start_unread(&mut command);
        let stdout = process.unread.take().expect("stdout is piped");
        process.follow(stdout);
        process
    }

    /// Starts it with an output that is read up to the line with this in it, and no further.
    pub(crate) fn start_and_read_to(mut command: Command, mark: &str) -> (Self, String) {
        let mut process = Self::start_unread(&mut command);
        let stdout = process.unread.as_mut().expect("stdout is piped");
        let mut line = String::new();
        while !line.contains(mark) {
            line.clear();
            assert!(stdout.read_line(&mut line).expect("text") > 0, "it ended before {mark:?}");
        }
        (process, line)
    }

    fn start_unread(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = child.stderr.take().expect("stderr is piped");
        let process =
            Self { pid: Pid::from_child(&child), child: Mutex::new(child), log: Arc::default(), unread: stdout };
        process.follow(BufReader::new(stderr));
        process
    }

    fn follow(&self, output: impl std::io::BufRead + Send + 'static) {
        let log = Arc::clone(&self.log);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                log.lines.lock().expect("no panic").push(line);
                log.came.notify_all();
            }
        });
    }

    /// Waits for a line with this in it.
    pub(crate) fn line(&self, part: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut lines = self.log.lines.lock().expect("no panic");
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            let ended = self.child.lock().expect("no panic").try_wait().ok().flatten();
            assert!(ended.is_none() && Instant::now() < until, "no line has {part:?}, {ended:?}: {lines:#?}");
            lines = self.log.came.wait_timeout(lines, Duration::from_millis(100)).expect("no panic").0;
        }
    }

    /// What it printed so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lines.lock().expect("no panic").clone()
    }

    pub(crate) fn terminate(&self) {
        rustix::process::kill_process(self.pid, Signal::TERM).expect("it runs");
    }

    /// How many descriptors it may have, from now on.
    pub(crate) fn limit_descriptors(&self, most: u64) {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        rustix::process::prlimit(Some(self.pid), Resource::Nofile, limit).expect("a lower limit");
    }

    /// Waits until it ends by itself, for so long.
    pub(crate) fn ended_within(&self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            match self.child.lock().expect("no panic").try_wait().expect("it was started") {
                Some(status) => return Some(status),
                None if Instant::now() >= until => return None,
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// A figure of `/proc/<pid>/status` in kilobytes: `VmHWM` is the most memory that it ever had.
    pub(crate) fn kilobytes(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid.as_raw_nonzero())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|figure| figure.parse().ok()).unwrap_or(0)
    }

    /// How many descriptors it has once it opens no more by itself: what measures memory and stalls opens its files after it listens.
    pub(crate) fn descriptors_at_rest(&self) -> usize {
        let (mut before, mut same) = (self.descriptors(), 0);
        while same < 10 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let now = self.descriptors();
            same = if now == before { same + 1 } else { 0 };
            before = now;
        }
        before
    }

    /// How many descriptors it has.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid.as_raw_nonzero())).map_or(0, Iterator::count)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads the address behind these words.
pub(crate) fn address(line: &str, behind: &str) -> SocketAddr {
    let rest = line.split_once(behind).map(|(_, rest)| rest).unwrap_or_default();
    let at = rest.split_whitespace().next().and_then(|at| at.trim_end_matches('/').parse().ok());
    at.unwrap_or_else(|| panic!("no address in {line:?}"))
}

/// The example, with nobody's environment.
pub(crate) fn example(name: &'static str) -> Command {
    let mut command = Command::new(binary(name));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GATEWAY_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command
}

/// The binary that `CHAIN_PROXY_GATEWAY` (or `_EDGE`, `_FORWARD`) names, or the one beside this test's, built if it is missing or old.
fn binary(name: &str) -> PathBuf {
    let named = std::env::var(format!("CHAIN_PROXY_{}", name.to_ascii_uppercase()));
    named.map_or_else(|_| processes::binary::binary(name), PathBuf::from)
}
