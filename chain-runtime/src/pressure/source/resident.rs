//! The resident size of the process.

use core::fmt;
use std::boxed::Box;
use std::path::Path;
use std::time::Instant;

use nix::unistd::{SysconfVar, sysconf};

use super::file::{Kept, number};
use super::{Absent, Fault, Reading, Source};
use crate::pressure::Projection;

const NAME: &str = "resident";

/// The resident memory of the process, as a share of a limit that you set: `/proc/self/statm`.
///
/// Memory that an allocator has not given back is resident as well: [`less`](Self::less) subtracts it.
pub struct Resident {
    file: Kept,
    page: u64,
    limit: u64,
    less: Option<Box<dyn FnMut() -> u64 + Send>>,
}

impl Resident {
    /// The memory of this process, as a share of `limit` bytes.
    ///
    /// # Errors
    ///
    /// There is no `/proc/self/statm`.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    pub fn of_this_process(limit: u64) -> Result<Self, Absent> {
        let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|page| u64::try_from(page).ok());
        Self::at("/proc/self/statm", page.unwrap_or(4096), limit)
    }

    /// By a file like `/proc/self/statm`, in pages of `page` bytes.
    ///
    /// # Errors
    ///
    /// The file cannot be opened.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    pub fn at(file: impl AsRef<Path>, page: u64, limit: u64) -> Result<Self, Absent> {
        assert!(limit > 0, "of a limit of 0 bytes there is no share");
        Ok(Self { file: Kept::of(NAME, file.as_ref())?, page, limit, less: None })
    }

    /// Subtracts the bytes that an allocator only retains. The function is called with each reading. See
    /// [`Cgroup::less`](super::Cgroup::less).
    #[must_use]
    pub fn less(self, retained: impl FnMut() -> u64 + Send + 'static) -> Self {
        Self { less: Some(Box::new(retained)), ..self }
    }
}

impl Source for Resident {
    fn name(&self) -> &'static str {
        NAME
    }

    fn projection(&self) -> Option<Projection> {
        Some(Projection::DEFAULT)
    }

    fn read(&mut self, _: Instant) -> Result<Reading, Fault> {
        let mut buffer = [0; 160];
        let text = self.file.read(&mut buffer)?;
        let pages = number(text.split(|byte| *byte == b' ').nth(1).ok_or(Fault::Malformed)?)?;
        let resident = pages.checked_mul(self.page).ok_or(Fault::TooLarge)?;
        let retained = self.less.as_mut().map_or(0, |retained| retained()).min(resident);
        Reading::memory(resident - retained, retained, Some(self.limit))
    }
}

impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resident").field("file", &self.file).field("limit", &self.limit).finish_non_exhaustive()
    }
}
