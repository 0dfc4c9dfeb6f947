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

/// A limit of version 1 above this means that there is none: the kernel then writes the largest number of whole pages.
const UNLIMITED: u64 = 1 << 62;

/// How many groups above the process's own are read: the limits of all of them apply.
const DEPTH: usize = 16;

/// `memory.stat` has some 60 lines.
const STAT: usize = 8 * 1024;

/// The memory of the process's control group, as a share of the limit that will be reached first: that of its own group
/// or of a group above it.
///
/// | | version 2 | version 1 |
/// | --- | --- | --- |
/// | all | `memory.current` | `memory.usage_in_bytes` |
/// | retained | `inactive_file` of `memory.stat` | `total_inactive_file` of `memory.stat` |
/// | limit | the lower of `memory.max` and `memory.high` | `memory.limit_in_bytes` |
///
/// *Used* is everything that is not retained. Cached files that were not touched lately are dropped when memory is
/// needed, and so are pages that an allocator has freed lazily (`MADV_FREE`), which the kernel counts there, too. The
/// kernel cannot know what an allocator keeps for itself: [`less`](Self::less) subtracts it.
///
/// Limits are read each time, so they may change. `max` is no limit. If no group has a limit, the value is 0, and the
/// report shows the bytes. A limit of 0 is [`Fault::NoRoom`]: it tells the kernel to reclaim all it can, and says
/// nothing about what is needed.
///
/// If the process is moved to another group, this goes on reading the group that the process was in when this was made.
pub struct Cgroup {
    version: Version,
    /// The process's own group first.
    groups: Vec<Group>,
    less: Option<Box<dyn FnMut() -> u64 + Send>>,
}

/// The version of the kernel's control groups.
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
    /// The group of this process, by `/proc/self/cgroup`, under `/sys/fs/cgroup`.
    ///
    /// # Errors
    ///
    /// The process is in no group that counts memory, or the group's files cannot be read. For a program that has to go
    /// on all the same: [`Builder::optional`](crate::pressure::Builder::optional).
    pub fn of_this_process() -> Result<Self, Absent> {
        Self::at("/sys/fs/cgroup", "/proc/self/cgroup")
    }

    /// The group of a process whose groups are in the file `membership`, which is like `/proc/self/cgroup`, under
    /// `root`.
    ///
    /// Version 2 is looked for first: in `root`, then in `root/unified`. Then version 1, in `root/memory`. A group that
    /// does not count memory is counted with the nearest group above it that does. In a container, where the path in
    /// `membership` may be that of the host, this is the root.
    ///
    /// # Errors
    ///
    /// The same as for [`Cgroup::of_this_process`].
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

    /// Subtracts the bytes that an allocator only retains. The function is called with each reading.
    ///
    /// To the kernel, memory that an allocator keeps after it was freed looks like memory that the process uses. A
    /// gateway that watched that sum once went into overload and never recovered, because shedding did not make the sum
    /// smaller (Envoy's issue 21923). With `jemalloc`, pass `Jemalloc::retained()` here. Retained memory that is not
    /// given back may still bring the kernel into need. Tasks then wait for memory, so watch [`Psi`](super::Psi) as
    /// well.
    #[must_use]
    pub fn less(self, retained: impl FnMut() -> u64 + Send + 'static) -> Self {
        Self { less: Some(Box::new(retained)), ..self }
    }

    /// The version whose files are read.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The folder of the process's own group. In version 2 its `memory.pressure` is a file for
    /// [`Psi::memory_at`](super::Psi::memory_at).
    #[must_use]
    pub fn path(&self) -> &Path {
        self.groups.first().and_then(|group| group.usage.path().parent()).unwrap_or(Path::new(""))
    }

    /// How many groups are read: the process's own and those above it.
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

/// The group at `path` in the `tree` and those above it, or the group at the root if the path is the host's.
fn open(version: Version, tree: &Path, path: &str) -> io::Result<Vec<Group>> {
    let mut at = tree.to_path_buf();
    // A path from outside of a namespace begins with `/..`: it does not exist in this tree.
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
            // In kernels before 4.5, version 2 did not have it.
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
        // The two files were not read at the same moment, so the retained bytes may seem to be more than all.
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
            // Groups above that set no limit are of no interest. The bytes of the process's own group are shown in any
            // case.
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
