//! jemalloc's own counter.

use std::cell::Cell;
use std::hint::black_box;
use std::vec::Vec;

use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp};

use super::{Allocated, Allocations, NotInstalled};

std::thread_local! {
    /// The place where jemalloc counts this thread's bytes. It is asked for once; after that, reading it is one load.
    static PLACE: Cell<Option<ThreadLocal<u64>>> = const { Cell::new(None) };
}

/// What jemalloc counts: `tikv_jemallocator::Jemalloc` is the program's `#[global_allocator]`.
///
/// Bytes only, rounded up to jemalloc's size classes. jemalloc's counter is for each thread; a thread asks for its
/// place once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jemalloc;

impl Allocations for Jemalloc {
    const BYTES: bool = true;
    const CALLS: bool = false;

    #[inline]
    fn now(&self) -> Allocated {
        let bytes = match PLACE.get() {
            Some(bytes) => bytes.get(),
            None => first(),
        };
        Allocated { bytes, calls: 0 }
    }

    fn check(&self) -> Result<(), NotInstalled> {
        let before = self.now();
        // It is larger than jemalloc's smallest size class, and passed to `black_box` so that it is not optimized away.
        drop(black_box(Vec::<u8>::with_capacity(black_box(64))));
        let installed = self.now() != before;
        installed.then_some(()).ok_or(NotInstalled { source: "Jemalloc", allocator: "tikv_jemallocator::Jemalloc" })
    }
}

/// Asks jemalloc for the place of its count. If jemalloc does not answer, it counts nothing, which [`Jemalloc::check`]
/// finds out.
#[cold]
fn first() -> u64 {
    let Ok(bytes) = allocatedp::read() else { return 0 };
    PLACE.set(Some(bytes));
    bytes.get()
}
