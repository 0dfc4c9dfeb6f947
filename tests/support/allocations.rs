//! Counts allocations, by thread, so that tests that run beside each other do not count each other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Sub;

thread_local! {
    // Without a destructor and made without allocating, so that the allocator itself may touch it at any time.
    static ASKED: Cell<Asked> = const { Cell::new(Asked { times: 0, bytes: 0 }) };
}

/// What was asked of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How often.
    pub times: u64,
    /// For how many bytes; what grows is asked for as a whole.
    pub bytes: u64,
}

impl Asked {
    /// By this thread, since it began.
    pub fn so_far() -> Self {
        ASKED.get()
    }

    fn once_more(bytes: usize) {
        let asked = ASKED.get();
        ASKED.set(Self { times: asked.times + 1, bytes: asked.bytes + bytes as u64 });
    }
}

impl Sub for Asked {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { times: self.times - before.times, bytes: self.bytes - before.bytes }
    }
}

/// The system's allocator, with a count. A test declares it:
/// `#[global_allocator] static COUNTING: Counting = Counting;`
#[derive(Debug)]
pub struct Counting;

// SAFETY: every call is handed to the system's allocator as it is; counting touches a `Cell` and nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Asked::once_more(layout.size());
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Asked::once_more(size);
        // SAFETY: the caller's contract is ours.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// How often this thread asks for memory in `work`.
pub fn counted(work: impl FnOnce()) -> u64 {
    let before = Asked::so_far();
    work();
    (Asked::so_far() - before).times
}
