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
/// - A list is validated as a whole before it is reported. A file that is broken, empty, too long or missing is an
///   error, which is reported once, and the members stay.
/// - A change is reported after two reads in a row, 50 ms apart, have found the same, so that a half-written file is
///   not taken. It is better to write another file beside it, and to rename that one.
/// - A file without members is an error as well: a file that an editor has just emptied looks the same.
///
/// The file is polled, and read each time. Notifications of the kernel do not cover files on a network, nor the
/// symbolic links by which Kubernetes exchanges what it mounts. A time and a length do not show a second change within
/// one tick of the file system's clock. Reading some kilobytes each second costs less than either mistake.
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
/// [`next`](Source::next) panics outside of a tokio runtime with its timer. The file is read on tokio's threads for
/// blocking work.
#[derive(Debug)]
pub struct File<T> {
    path: PathBuf,
    interval: Duration,
    /// What was last reported.
    told: Option<Look>,
    /// What the last read found, if it was not reported.
    found: Option<Look>,
    read: PhantomData<fn() -> T>,
}

/// The content of the file, or why there is none.
type Look = Result<String, String>;

/// The most bytes of a file.
const LONGEST: u64 = 4 << 20;

/// The default time between two reads of the file.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time between the two reads that have to find the same.
const SETTLED: Duration = Duration::from_millis(50);

impl<T> File<T> {
    /// The file at this path, read each second. It may be at most 4 MiB long.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), interval: INTERVAL, told: None, found: None, read: PhantomData }
    }

    /// Sets the time between two reads of the file: at least 50 ms.
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
            // The first read of all is taken at once: a program that starts has no other list.
            if self.told.is_some() {
                tokio::time::sleep(if self.found.is_some() { SETTLED } else { self.interval }).await;
            }
            let path = self.path.clone();
            let look = tokio::task::spawn_blocking(move || look(&path).map_err(|error| error.to_string())).await;
            // The last find is dropped only now, because the future may be dropped at the await.
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

    /// The mistakes in its lines. `None` if it was not read, or has no members.
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
