//! What a thread has allocated so far. It is read where a stretch begins and where the stretch ends; the difference
//! belongs to the stretch.
//!
//! | source | the program's `#[global_allocator]` is | bytes | calls |
//! | --- | --- | --- | --- |
//! | [`NotCounted`] | any | no | no |
//! | [`Counted`] | [`Counting`] around any | as requested | yes |
//! | `Jemalloc` (feature `jemalloc`) | `tikv_jemallocator::Jemalloc` | rounded up to jemalloc's size classes | no |
//!
//! Figures are exact and belong to one thread: they do not contain what other threads allocate meanwhile. They never
//! fall. Memory that is **given back is not counted**, since it is often given back on another thread or by another
//! node. Resized memory counts with its whole new size.
//!
//! ```
//! use std::alloc::System;
//!
//! use chain_runtime::telemetry::{Allocated, Allocations, Counted, Counting};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting<System> = Counting::new(System);
//!
//! let source = Counted;
//! source.check().expect("the allocator above");
//! let before = source.now();
//! let line = String::with_capacity(80);
//! assert_eq!(source.now() - before, Allocated { bytes: 80, calls: 1 });
//! ```

#[cfg(feature = "jemalloc")]
mod jemalloc;

use std::error::Error;
use std::fmt;

pub use chain_counting::{Allocated, Counting};
#[cfg(feature = "jemalloc")]
pub use jemalloc::Jemalloc;

/// A source that says what this thread has allocated.
///
/// It is a value without content, so that it costs nothing to keep where it is read.
pub trait Allocations: Copy + Default + Send + Sync + 'static {
    /// Whether [`Allocated::bytes`] is counted.
    const BYTES: bool;

    /// Whether [`Allocated::calls`] is counted. If it is not, it is always 0.
    const CALLS: bool;

    /// What this thread has allocated since it began. Only the difference of two readings on one thread has a meaning.
    fn now(&self) -> Allocated;

    /// Checks that this program has something to read. A meter calls it when it is made, so that a missing source is an
    /// error then, and not a row of zeros later.
    ///
    /// # Errors
    ///
    /// [`NotInstalled`] if the program's `#[global_allocator]` is not the one that this source reads.
    fn check(&self) -> Result<(), NotInstalled>;
}

/// Nothing is counted. It compiles to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NotCounted;

impl Allocations for NotCounted {
    const BYTES: bool = false;
    const CALLS: bool = false;

    #[inline(always)]
    fn now(&self) -> Allocated {
        Allocated::NOTHING
    }

    fn check(&self) -> Result<(), NotInstalled> {
        Ok(())
    }
}

/// What [`Counting`] counts, as the program's `#[global_allocator]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted;

impl Allocations for Counted {
    const BYTES: bool = true;
    const CALLS: bool = true;

    #[inline]
    fn now(&self) -> Allocated {
        chain_counting::allocated()
    }

    fn check(&self) -> Result<(), NotInstalled> {
        let installed = chain_counting::installed();
        installed
            .then_some(())
            .ok_or(NotInstalled { source: "Counted", allocator: "chain_runtime::telemetry::Counting" })
    }
}

/// The program's `#[global_allocator]` is not the one that a source of [`Allocations`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotInstalled {
    source: &'static str,
    allocator: &'static str,
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, allocator } = self;
        write!(
            f,
            "allocations are to be read from `{source}`, but `{allocator}` is not this program's `#[global_allocator]`: declare it"
        )
    }
}

impl Error for NotInstalled {}
