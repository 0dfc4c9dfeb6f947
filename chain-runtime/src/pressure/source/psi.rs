//! Pressure stall information: for how long tasks waited.

use std::format;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::Vec;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::file::{Kept, hundredths, number};
use super::{Absent, Fault, Reading, Source};
use crate::pressure::Thresholds;

/// Readings that follow sooner than this count as one: in such a short time, a single wait would be most of it.
const LEAST: Duration = Duration::from_millis(50);

/// The default triggers for which the kernel is asked to wake: so much waiting, in so much time. The second one is for
/// processes without privilege.
const TRIGGERS: [(Duration, Duration); 2] =
    [(Duration::from_millis(50), Duration::from_millis(500)), (Duration::from_millis(200), Duration::from_secs(2))];

/// Which tasks have to wait for the time to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stalled {
    /// Some task, while others may run.
    Some,
    /// All tasks that could run: nothing makes progress.
    Full,
}

/// The share of the time in which tasks waited for memory, a core or a device, by the kernel (4.20 and later).
///
/// The value is the growth of `total`, divided by the time since the previous sample: it describes the present.
/// [`averaged`](Self::averaged) uses the kernel's average over 10 s.
///
/// The thresholds are a starting point, by resource: `memory` 10, 25, 50 %; `io` 40, 70, 90 %; `cpu` 60, 80, 95 %. A
/// machine that is well used always has some tasks that wait for a core.
#[derive(Debug)]
pub struct Psi {
    name: &'static str,
    file: Kept,
    who: Stalled,
    averaged: bool,
    thresholds: Thresholds,
    /// When `total` was this many microseconds.
    last: Option<(Instant, u64)>,
    value: f64,
    triggers: Vec<(Duration, Duration)>,
}

impl Psi {
    /// Tasks of the machine that waited for memory.
    ///
    /// # Errors
    ///
    /// The kernel does not report this: it is older than 4.20, or was started without it.
    pub fn memory() -> Result<Self, Absent> {
        Self::memory_at("/proc/pressure/memory").map(Self::woken)
    }

    /// Tasks of the machine that waited for a core.
    ///
    /// # Errors
    ///
    /// The same as for [`Psi::memory`].
    pub fn cpu() -> Result<Self, Absent> {
        Self::cpu_at("/proc/pressure/cpu").map(Self::woken)
    }

    /// Tasks of the machine that waited for a device.
    ///
    /// # Errors
    ///
    /// The same as for [`Psi::memory`].
    pub fn io() -> Result<Self, Absent> {
        Self::io_at("/proc/pressure/io").map(Self::woken)
    }

    /// By a file like `/proc/pressure/memory`, such as a control group's `memory.pressure`. The kernel is not asked to
    /// wake for it.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn memory_at(file: impl AsRef<Path>) -> Result<Self, Absent> {
        Self::open("memory stall", file.as_ref(), Thresholds::new([0.10, 0.25, 0.50], [0.05, 0.15, 0.35]))
    }

    /// The same as [`Psi::memory_at`], for `cpu`.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn cpu_at(file: impl AsRef<Path>) -> Result<Self, Absent> {
        Self::open("cpu stall", file.as_ref(), Thresholds::new([0.60, 0.80, 0.95], [0.50, 0.70, 0.90]))
    }

    /// The same as [`Psi::memory_at`], for `io`.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    pub fn io_at(file: impl AsRef<Path>) -> Result<Self, Absent> {
        Self::open("io stall", file.as_ref(), Thresholds::new([0.40, 0.70, 0.90], [0.30, 0.60, 0.80]))
    }

    fn open(name: &'static str, path: &Path, thresholds: Thresholds) -> Result<Self, Absent> {
        Ok(Self {
            name,
            file: Kept::of(name, path)?,
            who: Stalled::Some,
            averaged: false,
            thresholds,
            last: None,
            value: 0.0,
            triggers: Vec::new(),
        })
    }

    fn woken(self) -> Self {
        Self { triggers: Vec::from(TRIGGERS), ..self }
    }

    /// Sets which tasks have to wait for the time to count. The default is [`Stalled::Some`].
    #[must_use]
    pub fn stalled(self, who: Stalled) -> Self {
        Self { who, ..self }
    }

    /// Uses the kernel's average over the last 10 s, which is steadier and later.
    #[must_use]
    pub fn averaged(self) -> Self {
        Self { averaged: true, ..self }
    }

    /// Asks the kernel to wake the sampler after `stall` of waiting within `window`, which has to be between 500 ms and
    /// 10 s. Without privilege (`CAP_SYS_RESOURCE`) the window has to be a multiple of 2 s, in kernels since 6.4.
    /// Earlier kernels have no trigger without it.
    ///
    /// For [`Psi::memory`], [`Psi::cpu`] and [`Psi::io`] this is done in any case, with 50 ms in 500 ms, or else 200 ms
    /// in 2 s. If the kernel refuses, there is only sampling; the report says so.
    #[must_use]
    pub fn waking(self, stall: Duration, window: Duration) -> Self {
        Self { triggers: Vec::from([(stall, window)]), ..self }
    }
}

/// One line of the file: the average over 10 s as a share, and the total in microseconds.
fn line(text: &[u8], who: Stalled) -> Result<(f64, u64), Fault> {
    let key: &[u8] = match who {
        Stalled::Some => b"some ",
        Stalled::Full => b"full ",
    };
    let mut lines = text.split(|byte| *byte == b'\n');
    let line = lines.find_map(|line| line.strip_prefix(key)).ok_or(Fault::Malformed)?;
    let mut average = Err(Fault::Malformed);
    let mut total = Err(Fault::Malformed);
    for word in line.split(|byte| *byte == b' ') {
        if let Some(value) = word.strip_prefix(b"avg10=") {
            average = hundredths(value);
        } else if let Some(value) = word.strip_prefix(b"total=") {
            total = number(value);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "it is a percentage with two decimals")]
    Ok((average? as f64 / 10_000.0, total?))
}

impl Source for Psi {
    fn name(&self) -> &'static str {
        self.name
    }

    fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    fn read(&mut self, now: Instant) -> Result<Reading, Fault> {
        let mut buffer = [0; 256];
        let (average, total) = line(self.file.read(&mut buffer)?, self.who)?;
        if self.averaged {
            return Ok(Reading::of(average));
        }
        match self.last {
            None => self.last = Some((now, total)),
            Some((then, before)) => {
                let passed = now.saturating_duration_since(then);
                if passed >= LEAST {
                    // A lower total belongs to a file that was made anew.
                    let waited = total.saturating_sub(before);
                    #[expect(clippy::cast_precision_loss, reason = "a share is not exact to a microsecond")]
                    let share = waited as f64 / passed.as_micros() as f64;
                    self.value = share.min(1.0);
                    self.last = Some((now, total));
                }
            }
        }
        Ok(Reading::of(self.value))
    }

    fn trigger(&self) -> Option<io::Result<OwnedFd>> {
        let mut failed = None;
        for asked in &self.triggers {
            match ask(self.file.path().to_path_buf(), self.who, *asked) {
                Ok(file) => return Some(Ok(file)),
                Err(error) => failed = Some(Err(error)),
            }
        }
        failed
    }
}

/// Asks the kernel to raise `POLLPRI`. That ends when the file is closed.
fn ask(path: PathBuf, who: Stalled, (stall, window): (Duration, Duration)) -> io::Result<OwnedFd> {
    let who = match who {
        Stalled::Some => "some",
        Stalled::Full => "full",
    };
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    // The kernel takes one call of `write` as a whole, with the zero at its end.
    file.write_all(format!("{who} {} {}\0", stall.as_micros(), window.as_micros()).as_bytes())?;
    Ok(file.into())
}

/// The files on which the kernel raises `POLLPRI`.
#[derive(Debug, Default)]
pub(in crate::pressure) struct Triggers(Vec<OwnedFd>);

impl Triggers {
    pub(in crate::pressure) fn push(&mut self, file: OwnedFd) {
        self.0.push(file);
    }

    pub(in crate::pressure) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits until the kernel wakes, which returns true, or for `at_most`.
    pub(in crate::pressure) fn wait(&mut self, at_most: Duration) -> bool {
        if self.0.is_empty() {
            thread::park_timeout(at_most);
            return false;
        }
        let mut files: Vec<_> = self.0.iter().map(|file| PollFd::new(file.as_fd(), PollFlags::POLLPRI)).collect();
        let timeout = PollTimeout::try_from(at_most).unwrap_or(PollTimeout::MAX);
        let flags = match poll(&mut files, timeout) {
            Ok(0) | Err(Errno::EINTR) => return false,
            Ok(_) => files.iter().map(|file| file.revents().unwrap_or(PollFlags::empty())).collect(),
            Err(_) => Vec::new(),
        };
        // A trigger that fails is gone, together with its group. Without it, samples come at their time.
        let mut all = flags.iter();
        let lost = PollFlags::POLLERR | PollFlags::POLLNVAL | PollFlags::POLLHUP;
        self.0.retain(|_| all.next().is_some_and(|flags| !flags.intersects(lost)));
        flags.iter().any(|flags| flags.contains(PollFlags::POLLPRI))
    }
}
