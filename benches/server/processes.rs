//! Starts servers, and asks what they used.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The core that servers are kept on, and the one for who asks them.
pub(crate) const SERVERS: usize = 0;
pub(crate) const CLIENTS: usize = 1;

/// Whether processes can be kept on cores of their own.
pub(crate) fn pins() -> bool {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores > 1 && has("taskset", "--version")
}

/// Whether a tool is installed.
pub(crate) fn has(tool: &str, argument: &str) -> bool {
    Command::new(tool).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A command, kept on a core where that is possible.
pub(crate) fn on_core(core: usize, program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !pins() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

/// This program, once more, in another role.
pub(crate) fn itself(core: usize, role: &str) -> Command {
    let mut command = on_core(core, std::env::current_exe().expect("a program knows its path"));
    command.env(crate::ROLE, role);
    command
}

/// A server on loopback; it ends with this value, and also if this process is killed: its input closes.
pub(crate) struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    child: Child,
    _input: Option<ChildStdin>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// # Errors
    /// If it does not start, or does not say where it listens.
    pub(crate) fn start(name: &'static str, mut command: Command) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("`{name}` does not start: {error}"))?;
        let input = child.stdin.take();
        let said = Arc::new(Mutex::new(Vec::new()));
        let errors = BufReader::new(child.stderr.take().expect("piped"));
        let lines = Arc::clone(&said);
        thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                lines.lock().expect("nobody panics with it").push(line);
            }
        });
        let mut line = String::new();
        let read = BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line);
        let address = line.trim().strip_prefix("listening ").and_then(|address| address.parse().ok());
        let mut server = Self { name, address: ([127, 0, 0, 1], 0).into(), child, _input: input, said };
        match (read, address) {
            (Ok(_), Some(address)) => {
                server.address = address;
                Ok(server)
            }
            _ => Err(server.ended("did not say where it listens")),
        }
    }

    /// # Errors
    /// If it has ended.
    pub(crate) fn lives(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.ended(&format!("ended while it was measured ({status})"))),
            Err(error) => Err(format!("`{}` cannot be asked after: {error}", self.name)),
        }
    }

    fn ended(&mut self, how: &str) -> String {
        // What it said last arrives with its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        thread::sleep(Duration::from_millis(50));
        let said = self.said.lock().expect("nobody panics with it");
        format!(
            "the server `{}` {how}; it said: {}",
            self.name,
            if said.is_empty() { "nothing".into() } else { said.join("\n") }
        )
    }

    /// Microseconds of processor time so far, of all its threads; a hundredth of a second is the kernel's grain.
    pub(crate) fn processor_micros(&self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name, in parentheses, may have spaces: utime and stime are the 12th and 13th field after it.
        let ticks = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
        Some(ticks.sum::<Result<f64, _>>().ok()? * 10_000.0)
    }

    /// How many lines it wrote to its standard error.
    pub(crate) fn lines(&self) -> usize {
        self.said.lock().expect("nobody panics with it").len()
    }

    /// Garbage collections since so many lines, and the milliseconds for which each stopped the world.
    pub(crate) fn collections_since(&self, lines: usize) -> Vec<f64> {
        self.said.lock().expect("nobody panics with it")[lines..].iter().filter_map(|line| pauses(line)).collect()
    }

    /// The reply to a request on a connection of its own, as sorted lines, without what differs by clock and server.
    ///
    /// # Errors
    /// If it does not reply.
    pub(crate) fn asked(&self, request: &str) -> Result<Vec<String>, String> {
        let reply = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(request.as_bytes())?;
            let mut reply = Vec::new();
            // Who refuses a body that it did not read may reset the connection behind its reply.
            match stream.read_to_end(&mut reply) {
                Err(error) if reply.is_empty() => Err(error),
                _ => Ok(String::from_utf8_lossy(&reply).into_owned()),
            }
        };
        let reply = reply().map_err(|error| format!("`{}` does not reply: {error}", self.name))?;
        let mut lines: Vec<_> = reply
            .lines()
            .enumerate()
            .map(|(index, line)| if index == 0 { line.chars().take(12).collect() } else { line.to_lowercase() })
            .filter(|line| !["date:", "connection:"].iter().any(|name| line.starts_with(name)))
            .collect();
        lines.sort();
        Ok(lines)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `gc 7 @0.5s 1%: 0.018+1.2+0.003 ms clock, ..`: the first and the last stop the world.
fn pauses(line: &str) -> Option<f64> {
    let clock = line.strip_prefix("gc ")?.split_once(": ")?.1.split_once(" ms clock")?.0;
    let mut parts = clock.split('+').map(|part| part.parse::<f64>().ok());
    Some(parts.next()?? + parts.next_back()??)
}

/// Builds the server in Go.
///
/// # Errors
/// If it does not build.
pub(crate) fn build_go(program: &Path) -> Result<(), String> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/server/main.go");
    let output = Command::new("go")
        .args(["build", "-o"])
        .arg(program)
        .arg(source)
        .output()
        .map_err(|error| format!("`go` does not run: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("go build:\n{}", String::from_utf8_lossy(&output.stderr)))
    }
}
