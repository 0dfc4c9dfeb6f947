//! A global allocator around another one. It counts, by thread, the memory for which it is asked.
//!
//! ```
//! use std::alloc::System;
//!
//! use chain_counting::{Allocated, Counting, allocated, installed};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting<System> = Counting::new(System);
//!
//! assert!(installed());
//! let before = allocated();
//! let line = String::with_capacity(80);
//! assert_eq!(allocated() - before, Allocated { bytes: 80, calls: 1 });
//! drop(line);
//! assert_eq!(allocated() - before, Allocated { bytes: 80, calls: 1 });
//! ```
//!
//! # What is counted
//!
//! | asked of the allocator | bytes | calls |
//! | --- | --- | --- |
//! | `alloc`, `alloc_zeroed` | the layout's size | 1 |
//! | `realloc`, even if the memory stays in its place or shrinks | the whole new size | 1 |
//! | anything that fails (gives null) | 0 | 0 |
//! | `dealloc` | 0 | 0 |
//!
//! The counters never fall. Memory that is given back is not counted: it is often given back on another thread, or long
//! after. The bytes are those that were asked for, before the allocator rounds them up. `realloc` counts the whole new
//! size because jemalloc's `thread.allocated` does so too.
//!
//! # Cost
//!
//! A comparison with null and two additions to thread-local cells for each allocation: no atomic, no lock. If the
//! target has no native thread-locals, the standard library looks them up by a key of the operating system. Before Rust
//! 1.93 it asks the global allocator for their memory, so such a target needs Rust 1.93.

#![warn(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::ops::{Add, AddAssign, Sub};

/// What one thread has asked an allocator for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// How many bytes.
    pub bytes: u64,
    /// How often. A source that does not count calls leaves it at 0.
    pub calls: u64,
}

impl Allocated {
    /// Nothing.
    pub const NOTHING: Self = Self { bytes: 0, calls: 0 };
}

/// Counters wrap around, and a difference is right even if one of them did.
impl Sub for Allocated {
    type Output = Self;

    #[inline]
    fn sub(self, before: Self) -> Self {
        Self { bytes: self.bytes.wrapping_sub(before.bytes), calls: self.calls.wrapping_sub(before.calls) }
    }
}

impl Add for Allocated {
    type Output = Self;

    #[inline]
    fn add(self, more: Self) -> Self {
        Self { bytes: self.bytes.wrapping_add(more.bytes), calls: self.calls.wrapping_add(more.calls) }
    }
}

impl AddAssign for Allocated {
    #[inline]
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

/// The counters of a thread: two cells, so that each is one addition in place.
struct Counters {
    bytes: Cell<u64>,
    calls: Cell<u64>,
}

thread_local! {
    // It is constant and has no destructor: touching it allocates nothing, registers nothing and works until the
    // thread's last instruction, also in the destructors of other thread-locals.
    static COUNTERS: Counters = const { Counters { bytes: Cell::new(0), calls: Cell::new(0) } };
}

/// What this thread has asked the [`Counting`] allocator for since it began.
///
/// It is [`Allocated::NOTHING`] if no such allocator is [installed].
#[inline]
pub fn allocated() -> Allocated {
    COUNTERS
        .try_with(|counters| Allocated { bytes: counters.bytes.get(), calls: counters.calls.get() })
        .unwrap_or(Allocated::NOTHING)
}

/// Whether the program's global allocator counts: whether a [`Counting`] of *this* version of this crate is the
/// `#[global_allocator]`, or is inside of that one.
///
/// It allocates one byte to find out. Call it when the program starts.
pub fn installed() -> bool {
    let before = allocated();
    // The box must not be optimized away, so its address is passed to `black_box`.
    drop(black_box(Box::new(black_box(0_u8))));
    allocated() != before
}

/// Counts a call that succeeded, and returns its result.
#[inline]
fn counted(memory: *mut u8, bytes: usize) -> *mut u8 {
    if !memory.is_null() {
        // If the thread-local cannot be reached any more, the allocation is not counted; the allocator does not panic.
        let _ = COUNTERS.try_with(|counters| {
            counters.bytes.set(counters.bytes.get().wrapping_add(bytes as u64));
            counters.calls.set(counters.calls.get().wrapping_add(1));
        });
    }
    memory
}

/// An allocator that passes every call on to `A`, and counts by thread.
///
/// A program declares it, around the allocator of its choice:
///
/// ```
/// use std::alloc::System;
///
/// use chain_counting::Counting;
///
/// #[global_allocator]
/// static ALLOCATOR: Counting<System> = Counting::new(System);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting<A = System>(A);

impl<A> Counting<A> {
    /// Counts the calls to `allocator`.
    pub const fn new(allocator: A) -> Self {
        Self(allocator)
    }
}

// SAFETY: `GlobalAlloc` asks for three things.
// 1. What is returned is memory of the layout, and null on failure. Each method returns what the same method of `A` gave for the
//    same arguments, unchanged, and `A` keeps that contract. All methods are handed on, so memory comes from and goes back to `A` alone.
// 2. No method unwinds. `A`'s do not, and `counted` cannot: `try_with` reports what it cannot do, the closure has no panic in
//    it, and the additions wrap.
// 3. No method depends on its allocation happening; and none asks the global allocator again: `counted` touches two cells of a constant
//    thread-local without a destructor, which takes no memory and registers nothing.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises that the layout's size is not zero, as `A` asks.
        counted(unsafe { self.0.alloc(layout) }, layout.size())
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that `memory` came from this allocator with this layout. All that this allocator gives came from
        // `A` with the same layout.
        unsafe { self.0.dealloc(memory, layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        counted(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc` for `memory` and its layout. The caller promises that `size` is not zero and fits the alignment.
        counted(unsafe { self.0.realloc(memory, layout, size) }, size)
    }
}
