//! Counts what is asked of the allocator, by thread, so that tests that run beside each other do not count each other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    // Without a destructor and made without allocating, so that the allocator itself may touch it at any time.
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with a count. A test declares it:
/// `#[global_allocator] static COUNTING: Counting = Counting;`
#[derive(Debug)]
pub struct Counting;

// SAFETY: every call is handed to the system's allocator as it is; counting touches a `Cell` and nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's contract is ours.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// How often this thread asks for memory in `work`.
pub fn counted(work: impl FnOnce()) -> u64 {
    let before = ASKED.get();
    work();
    ASKED.get() - before
}
