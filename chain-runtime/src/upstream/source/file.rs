//! [`File`]: members from a file that is watched.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;
use core::time::Duration;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::string::{String, ToString as _};
use std::vec::Vec;

use super::Source;
use super::text::{Mistakes, read_members};
use crate::upstream::member::Member;

/// Members from a file that is read again and again, in the format of [`read_members`].
///
/// - A list is validated as a whole before it is told. A file that is broken, empty, too long or not there is an error, told once, and the members stay.
/// - A change is told when two looks in a row have found the same, 50 ms apart, so that a file is not read while it is being written. Better still, write
///   another one beside it and rename that.
/// - A file that names nobody is an error as well: an editor that has just emptied the file looks the same.
///
/// The file is polled, and read each time. Notices of the kernel do not tell of files on a network, nor of the symbolic links by which Kubernetes exchanges what
/// it mounts. A time and a length do not tell of a second change within one tick of the file system's clock. To read some kilobytes each second costs
/// less than either mistake.
///
/// ```no_run
/// use std::net::SocketAddr;
///
/// use chain_runtime::upstream::{File, Registry};
///
/// # async fn example() {
/// let registry: Registry<SocketAddr> = Registry::new();
/// registry.follow(File::new("/etc/gateway/upstreams"), |told| eprintln!("{told}")).await;
/// # }
/// ```
///
/// # Panics
///
/// [`next`](Source::next) panics outside of a tokio runtime with its timer. The file is read on tokio's threads for what blocks.
#[derive(Debug)]
pub struct File<T> {
    path: PathBuf,
    interval: Duration,
    /// What was told last.
    told: Option<Look>,
    /// What the last look found, and is not told.
    found: Option<Look>,
    read: PhantomData<fn() -> T>,
}

/// What is found in the file, or why nothing is.
type Look = Result<String, String>;

/// Bytes of a file, at most.
const LONGEST: u64 = 4 << 20;

/// Between one look at the file and the next, unless it is said otherwise.
const INTERVAL: Duration = Duration::from_secs(1);

/// Between the two looks that have to find the same.
const SETTLED: Duration = Duration::from_millis(50);

impl<T> File<T> {
    /// The file at this path, looked at each second. It is at most 4 MiB long.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), interval: INTERVAL, told: None, found: None, read: PhantomData }
    }

    /// Sets how much time is between one look at the file and the next: at least 50 ms.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval.max(SETTLED);
        self
    }
}

impl<T> File<T>
where
    T: FromStr<Err: fmt::Display>,
{
    fn read(&self, look: &Look) -> Result<Vec<Member<T>>, FileError> {
        let error = |why| FileError { path: self.path.clone(), why };
        let text = look.as_ref().map_err(|why| error(Why::Unreadable(why.clone())))?;
        match read_members(text) {
            Ok(members) if members.is_empty() => Err(error(Why::Nobody)),
            Ok(members) => Ok(members),
            Err(mistakes) => Err(error(Why::Mistakes(mistakes))),
        }
    }
}

impl<T> Source<T> for File<T>
where
    T: FromStr<Err: fmt::Display> + Send,
{
    type Error = FileError;

    async fn next(&mut self) -> Option<Result<Vec<Member<T>>, FileError>> {
        loop {
            // The first look of all is taken as it is: whoever starts has nothing else.
            if self.told.is_some() {
                tokio::time::sleep(if self.found.is_some() { SETTLED } else { self.interval }).await;
            }
            let path = self.path.clone();
            let look = tokio::task::spawn_blocking(move || look(&path).map_err(|error| error.to_string())).await;
            // What was found last time is forgotten only now: the await may be the last of this future.
            let found = self.found.take();
            let look = look.unwrap_or_else(|error| Err(error.to_string()));
            if self.told.as_ref() == Some(&look) {
                continue;
            }
            if self.told.is_some() && found.as_ref() != Some(&look) {
                self.found = Some(look);
                continue;
            }
            let read = self.read(&look);
            self.told = Some(look);
            return Some(read);
        }
    }
}

fn look(path: &Path) -> io::Result<String> {
    let file = std::fs::File::open(path)?;
    // Reading a pipe or a device may wait for ever.
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut text = String::new();
    if file.take(LONGEST + 1).read_to_string(&mut text)? as u64 > LONGEST {
        return Err(io::Error::other(std::format!("it is longer than {LONGEST} bytes")));
    }
    Ok(text)
}

/// Why a file gives no members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    path: PathBuf,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Unreadable(String),
    Nobody,
    Mistakes(Mistakes),
}

impl FileError {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with its lines. `None` where it was not read, or names nobody.
    #[must_use]
    pub const fn mistakes(&self) -> Option<&Mistakes> {
        match &self.why {
            Why::Mistakes(mistakes) => Some(mistakes),
            Why::Unreadable(_) | Why::Nobody => None,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.why {
            Why::Unreadable(why) => write!(f, "{path}: {why}"),
            Why::Nobody => write!(f, "{path} names nobody"),
            Why::Mistakes(mistakes) => write!(f, "{path}\n{mistakes}"),
        }
    }
}

impl core::error::Error for FileError {}
