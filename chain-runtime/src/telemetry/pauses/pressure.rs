//! Finds out what the machine is short of, by the kernel's pressure stall information.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::str;
use std::string::String;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::vec::Vec;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{Cause, Counts, Evidence, Ledger, Pause, Resource};
use crate::telemetry::Clock;

/// The inaccuracy in time of a pause of the machine.
const EVERY: Duration = Duration::from_millis(20);

/// How often readings are taken while no poll has begun for [`CALM`].
const IDLE: Duration = Duration::from_millis(100);
const CALM: Duration = Duration::from_secs(1);

/// The triggers for which the kernel is asked to wake: a millisecond of stalls in half a second, or, without privilege,
/// in two seconds.
const TRIGGERS: [&[u8]; 2] = [b"some 1000 500000\0", b"some 1000 2000000\0"];

/// The files in which the kernel says how long, in all, tasks have waited for a resource.
///
/// Each reading tells the [`Ledger`] of the resources for which tasks waited for over a tenth of the time since the
/// previous reading. Consecutive readings with such a finding are one pause, from the first to the last: in the ledger
/// it grows. It is [`Seen`](Evidence::Seen) if each of its readings was within 40 ms of the previous one, which is then
/// the inaccuracy.
#[derive(Debug)]
pub struct Pressure {
    resources: Vec<Total>,
    triggers: Vec<File>,
    /// When it was last read, in ticks.
    read: Option<u64>,
}

#[derive(Debug)]
struct Total {
    resource: Resource,
    /// It is kept open, since opening costs more than reading.
    file: File,
    /// In microseconds.
    total: Option<u64>,
}

impl Pressure {
    /// The files of this machine. If the kernel supports triggers, it also reports shortages by itself.
    ///
    /// # Errors
    ///
    /// The error of opening the files, if there are none: the kernel is older than 4.20, or was told not to provide
    /// them.
    pub fn of_the_machine() -> io::Result<Self> {
        let root = Path::new("/proc/pressure");
        let mut pressure = Self::at(root)?;
        pressure.triggers = ["cpu", "memory", "io"].iter().filter_map(|name| trigger(&root.join(name))).collect();
        Ok(pressure)
    }

    /// The files `cpu`, `memory` and `io` of a folder, for a container or for a test. Missing ones are left out.
    ///
    /// # Errors
    ///
    /// The error of opening the files, if there are none.
    pub fn at(root: impl AsRef<Path>) -> io::Result<Self> {
        let mut resources = Vec::with_capacity(3);
        let mut failure = None;
        for (resource, name) in [(Resource::Cpu, "cpu"), (Resource::Memory, "memory"), (Resource::Io, "io")] {
            match File::open(root.as_ref().join(name)) {
                Ok(file) => resources.push(Total { resource, file, total: None }),
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) if resources.is_empty() => Err(error),
            _ => Ok(Self { resources, triggers: Vec::new(), read: None }),
        }
    }

    /// How many of the resources the kernel reports by itself.
    pub fn triggers(&self) -> usize {
        self.triggers.len()
    }

    /// Reads the files with three system calls, and tells the ledger. The first reading finds nothing: the next one is
    /// compared with it.
    pub fn read<C: Clock>(&mut self, ledger: &Ledger<C>) {
        let now = ledger.clock().now();
        let before = self.read.replace(now);
        for total in &mut self.resources {
            let read = some(&total.file);
            let grown = read.zip(total.total).map(|(now, before)| now.saturating_sub(before) * 1_000);
            total.total = read;
            let (Some(before), Some(grown)) = (before, grown) else { continue };
            let passed = ledger.clock().nanos(now.saturating_sub(before));
            if grown > passed / 10 {
                tell(ledger, total.resource, before, now, grown.min(passed), passed);
            }
        }
    }

    /// Waits until the kernel reports something, or for `at_most`.
    fn wait(&mut self, at_most: Duration) {
        if self.triggers.is_empty() {
            return thread::sleep(at_most);
        }
        let mut files: Vec<_> =
            self.triggers.iter().map(|file| PollFd::new(file.as_fd(), PollFlags::POLLPRI)).collect();
        let timeout = PollTimeout::try_from(at_most).unwrap_or(PollTimeout::ZERO);
        let failed = match poll(&mut files, timeout) {
            Ok(_) => files.iter().any(|file| file.revents().is_some_and(|flags| flags.contains(PollFlags::POLLERR))),
            Err(error) => error != Errno::EINTR,
        };
        if failed {
            // A trigger is gone. Without triggers, only the kernel's own reports are lost.
            self.triggers.clear();
            thread::sleep(at_most);
        }
    }

    /// Reads on a thread of its own, every 20 ms while polls begin, until the guard is dropped. If none has begun for a
    /// second, the thread waits for the kernel's own report, and reads every 100 ms.
    ///
    /// So a shortage is known 20 ms after it began at the latest, and one of less than 2 ms may not be found. The kernel's
    /// own report of a millisecond in half a second, or two, comes at once.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn listen<C: Clock>(mut self, ledger: Arc<Ledger<C>>) -> io::Result<Listening> {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        let thread = thread::Builder::new().name(String::from("chain-pauses")).spawn(move || {
            let calm = ledger.clock().ticks(CALM);
            while !stop.load(Relaxed) {
                self.read(&ledger);
                let idle = ledger.clock().now().saturating_sub(ledger.active()) > calm;
                self.wait(if idle { IDLE } else { EVERY });
            }
        })?;
        Ok(Listening { stopped, thread: Some(thread) })
    }
}

/// Reads pressure until it is dropped. Dropping it waits for the thread: up to 100 ms.
#[derive(Debug)]
#[must_use = "pressure is read until this is dropped"]
pub struct Listening {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stopped.store(true, Relaxed);
        // A thread that panicked has reported that.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Asks the kernel to report; `None` if it does not.
fn trigger(path: &Path) -> Option<File> {
    TRIGGERS.iter().find_map(|asked| {
        let mut file = OpenOptions::new().read(true).write(true).open(path).ok()?;
        file.write_all(asked).ok().map(|()| file)
    })
}

/// The time in which some task waited, in microseconds: `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`.
fn some(file: &File) -> Option<u64> {
    let mut bytes = [0; 256];
    let read = file.read_at(&mut bytes, 0).ok()?;
    let text = str::from_utf8(bytes.get(..read)?).ok()?;
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.rsplit_once("total=")?.1.trim().parse().ok()
}

fn tell<C: Clock>(ledger: &Ledger<C>, resource: Resource, start: u64, end: u64, waited: u64, passed: u64) {
    let evidence = if Duration::from_nanos(passed) <= 2 * EVERY { Evidence::Seen } else { Evidence::Inferred };
    let mut ring = ledger.ring_of(resource);
    // The pause that the last reading found goes on.
    if let Some(pause) = ring.goes_on(start, end) {
        pause.least += waited;
        pause.most += waited;
        pause.likely += waited;
        if evidence == Evidence::Inferred {
            pause.evidence = evidence;
        }
        return;
    }
    let (cause, counts) = (Cause::Pressure(resource), Counts::default());
    ring.push(Pause { thread: None, start, end, cause, least: waited, most: waited, likely: waited, evidence, counts });
}
