//! The memory of the control group that the process is in.

use core::fmt;
use std::boxed::Box;
use std::format;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::string::String;
use std::time::Instant;
use std::vec::Vec;

use super::file::{Kept, field};
use super::{Absent, Fault, Reading, Source};
use crate::pressure::Projection;

const NAME: &str = "memory";

/// Above this, a limit of version 1 is none: the kernel writes the largest number of whole pages.
const UNLIMITED: u64 = 1 << 62;

/// How many groups above the own one are looked at: limits of all of them hold.
const DEPTH: usize = 16;

/// `memory.stat` has some 60 lines.
const STAT: usize = 8 * 1024;

/// The memory of the process's control group, as a share of the limit that will be met first: its own or that of a group above it.
///
/// | | version 2 | version 1 |
/// | --- | --- | --- |
/// | all | `memory.current` | `memory.usage_in_bytes` |
/// | retained | `inactive_file` of `memory.stat` | `total_inactive_file` of `memory.stat` |
/// | limit | the lower of `memory.max` and `memory.high` | `memory.limit_in_bytes` |
///
/// *Used* is all that is not retained: files that are cached and were not touched lately go when memory is needed, and so do pages that an
/// allocator has freed lazily (`MADV_FREE`), which the kernel counts there too. What an allocator keeps for itself the kernel cannot
/// know: [`less`](Self::less) takes it off.
///
/// Limits are read each time, so they may change. `max` is no limit; where no group has one, the value is 0 and the report shows the bytes.
/// A limit of 0 is [`Fault::NoRoom`]: somebody has told the kernel to take all it can get back, and that says nothing of what is needed.
///
/// A process that is moved to another group goes on reading the one that it was in when this was made.
pub struct Cgroup {
    version: Version,
    /// The own one first.
    groups: Vec<Group>,
    less: Option<Box<dyn FnMut() -> u64 + Send>>,
}

/// Of the kernel's control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// One tree for each controller.
    One,
    /// One tree for all.
    Two,
}

/// The files of one group.
#[derive(Debug)]
struct Group {
    usage: Kept,
    stat: Kept,
    max: Kept,
    /// Version 2 only.
    high: Option<Kept>,
}

impl Cgroup {
    /// That of this process, by `/proc/self/cgroup`, under `/sys/fs/cgroup`.
    ///
    /// # Errors
    ///
    /// The process is in no group that has memory, or its files cannot be read. Where a program has to go on all the same:
    /// [`Builder::optional`](crate::pressure::Builder::optional).
    pub fn of_this_process() -> Result<Self, Absent> {
        Self::at("/sys/fs/cgroup", "/proc/self/cgroup")
    }

    /// That of a process whose groups stand in the file `membership`, which is like `/proc/self/cgroup`, under `root`.
    ///
    /// Version 2 is looked for first: in `root`, then in `root/unified`. Then version 1, in `root/memory`. A group that does not count memory is
    /// counted with the nearest one above it that does. In a container, where the path in `membership` may be that of the host, that is the root.
    ///
    /// # Errors
    ///
    /// As [`Cgroup::of_this_process`].
    pub fn at(root: impl AsRef<Path>, membership: impl AsRef<Path>) -> Result<Self, Absent> {
        let (root, membership) = (root.as_ref(), membership.as_ref());
        let groups = fs::read_to_string(membership)
            .map_err(|error| Absent::new(NAME, format!("`{}` cannot be read: {error}", membership.display())))?;
        let mut tried = Vec::new();
        for (version, tree) in [
            (Version::Two, root.to_path_buf()),
            (Version::Two, root.join("unified")),
            (Version::One, root.join("memory")),
        ] {
            let Some(path) = path_of(&groups, version) else { continue };
            match open(version, &tree, path) {
                Ok(groups) => return Ok(Self { version, groups, less: None }),
                Err(error) => tried.push(format!("`{}`: {error}", tree.display())),
            }
        }
        let tried = if tried.is_empty() { String::from("it names no group") } else { tried.join("; ") };
        Err(Absent::new(NAME, format!("no memory of a group of `{}` was found: {tried}", membership.display())))
    }

    /// Takes off what an allocator only retains, in bytes: asked with each reading.
    ///
    /// An allocator that keeps what was freed looks to the kernel like a process that uses it. A gateway that watched that sum went into
    /// overload once and never came back, because what it shed did not make the sum smaller (Envoy's issue 21923). With `jemalloc`,
    /// `Jemalloc::retained()` is what to give here. What is retained and not given back may still bring the kernel into need. Then somebody waits
    /// for memory, so watch [`Psi`](super::Psi) beside it.
    #[must_use]
    pub fn less(self, retained: impl FnMut() -> u64 + Send + 'static) -> Self {
        Self { less: Some(Box::new(retained)), ..self }
    }

    /// Which version's files are read.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The folder of the own group. In version 2 its `memory.pressure` is a file for [`Psi::memory_at`](super::Psi::memory_at).
    #[must_use]
    pub fn path(&self) -> &Path {
        self.groups.first().and_then(|group| group.usage.path().parent()).unwrap_or(Path::new(""))
    }

    /// How many groups are looked at: the own one and those above it.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }
}

/// The group of the memory controller: `0::/path` in version 2, `4:memory:/path` in version 1.
fn path_of(groups: &str, version: Version) -> Option<&str> {
    groups.lines().find_map(|line| {
        let (number, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let found = match version {
            Version::Two => number == "0" && controllers.is_empty(),
            Version::One => controllers.split(',').any(|controller| controller == "memory"),
        };
        found.then_some(path)
    })
}

/// The group at `path` in the `tree` and those above it, or what stands at the root where that path is the host's.
fn open(version: Version, tree: &Path, path: &str) -> io::Result<Vec<Group>> {
    let mut at = tree.to_path_buf();
    // A path from outside of a namespace begins with `/..`: it is nowhere in this tree.
    let names = Path::new(path).components().filter(|part| *part != Component::RootDir);
    let inside = names.clone().all(|part| matches!(part, Component::Normal(_)));
    if inside {
        at.extend(names);
    }
    // A group without the controller is counted with the one above it.
    while !Group::is_at(version, &at) && at != tree && at.pop() {}
    let mut groups = Vec::new();
    groups.push(Group::open(version, &at)?);
    while at != tree && at.pop() && groups.len() < DEPTH {
        // The root of version 2 has none of these files.
        if Group::is_at(version, &at) {
            groups.push(Group::open(version, &at)?);
        }
    }
    Ok(groups)
}

impl Version {
    const fn usage(self) -> &'static str {
        match self {
            Self::One => "memory.usage_in_bytes",
            Self::Two => "memory.current",
        }
    }

    const fn max(self) -> &'static str {
        match self {
            Self::One => "memory.limit_in_bytes",
            Self::Two => "memory.max",
        }
    }

    const fn inactive(self) -> &'static [u8] {
        match self {
            Self::One => b"total_inactive_file",
            Self::Two => b"inactive_file",
        }
    }
}

impl Group {
    fn is_at(version: Version, at: &Path) -> bool {
        at.join(version.usage()).is_file()
    }

    fn open(version: Version, at: &Path) -> io::Result<Self> {
        let kept = |name: &str| {
            let path: PathBuf = at.join(name);
            Kept::open(path).map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))
        };
        let high = match version {
            Version::One => None,
            // Kernels before 4.5 had version 2 without it.
            Version::Two => kept("memory.high").ok(),
        };
        Ok(Self { usage: kept(version.usage())?, stat: kept("memory.stat")?, max: kept(version.max())?, high })
    }

    fn limit(&mut self) -> Result<Option<u64>, Fault> {
        let max = self.max.limit()?.filter(|limit| *limit < UNLIMITED);
        let high = self.high.as_mut().map_or(Ok(None), Kept::limit)?;
        Ok([max, high].into_iter().flatten().min())
    }

    fn read(&mut self, version: Version, limit: Option<u64>, kept: u64) -> Result<Reading, Fault> {
        let all = self.usage.number()?;
        let mut buffer = [0; STAT];
        let inactive = field(self.stat.read(&mut buffer)?, version.inactive())?;
        // The two were not read at once, so what is retained may seem to be more than all.
        let retained = inactive.saturating_add(kept).min(all);
        Reading::memory(all - retained, retained, limit)
    }
}

impl Source for Cgroup {
    fn name(&self) -> &'static str {
        NAME
    }

    fn projection(&self) -> Option<Projection> {
        Some(Projection::DEFAULT)
    }

    fn read(&mut self, _: Instant) -> Result<Reading, Fault> {
        let kept = self.less.as_mut().map_or(0, |retained| retained());
        let mut tightest: Option<Reading> = None;
        for group in &mut self.groups {
            let limit = group.limit()?;
            // Of groups above that limit nothing, nothing is to be known. The own one's bytes are shown in any case.
            if limit.is_none() && tightest.is_some() {
                continue;
            }
            let reading = group.read(self.version, limit, kept)?;
            let unlimited = |of: &Reading| of.bytes.is_none_or(|bytes| bytes.limit.is_none());
            if tightest.is_none_or(|before| reading.value > before.value || unlimited(&before) && limit.is_some()) {
                tightest = Some(reading);
            }
        }
        tightest.ok_or(Fault::Unavailable)
    }
}

impl fmt::Debug for Cgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.groups.iter().map(|group| group.usage.path()).collect();
        f.debug_struct("Cgroup").field("version", &self.version).field("groups", &paths).finish_non_exhaustive()
    }
}
