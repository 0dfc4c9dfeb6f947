//! The counts are what was asked for: by each method, at each size and alignment, on each thread, to the thread's end.

use std::alloc::{GlobalAlloc, Layout, System, alloc, alloc_zeroed, dealloc, realloc};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;

use chain_counting::{Allocated, Counting, allocated, installed};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

/// What this thread asks for in `work`.
fn asked<T>(work: impl FnOnce() -> T) -> (Allocated, T) {
    let before = allocated();
    let value = work();
    (allocated() - before, value)
}

fn once(bytes: usize) -> Allocated {
    Allocated { bytes: bytes as u64, calls: 1 }
}

#[test]
fn it_is_installed() {
    assert!(installed());
}

#[test]
fn every_method_counts_at_every_size_and_alignment() {
    for align in (0..=12).map(|power| 1_usize << power) {
        for size in (1..=130).chain([255, 256, 257, 4095, 4096, 4097, 1 << 16, (1 << 20) + 1]) {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: the sizes are not zero; what is freed or resized came from here with its layout.
            unsafe {
                let (counted, memory) = asked(|| alloc(layout));
                assert_eq!(counted, once(size));
                assert_eq!(memory.addr() % align, 0);
                memory.write_bytes(7, size);

                for new in [size * 2 + 1, size.div_ceil(2), size] {
                    let held = Layout::from_size_align(new, align).unwrap();
                    let (counted, memory) = asked(|| realloc(alloc(layout), layout, new));
                    assert_eq!(counted, once(size) + once(new));
                    assert_eq!(memory.addr() % align, 0);
                    assert_eq!(asked(|| dealloc(memory, held)).0, Allocated::NOTHING);
                }
                assert_eq!(asked(|| dealloc(memory, layout)).0, Allocated::NOTHING);

                let (counted, memory) = asked(|| alloc_zeroed(layout));
                assert_eq!(counted, once(size));
                assert!(std::slice::from_raw_parts(memory, size).iter().all(|byte| *byte == 0));
                dealloc(memory, layout);
            }
        }
    }
}

#[test]
fn what_is_resized_keeps_its_content() {
    let mut bytes = vec![1_u8, 2, 3];
    bytes.reserve_exact(1 << 20);
    bytes.shrink_to_fit();
    assert_eq!(bytes, [1, 2, 3]);
}

#[test]
fn what_fails_is_not_counted() {
    let (counted, result) = asked(|| Vec::<u8>::new().try_reserve_exact(isize::MAX as usize - 4096));
    result.unwrap_err();
    assert_eq!(counted, Allocated::NOTHING);
}

/// Gives null, and remembers which methods were asked.
struct Refuses<'a>(&'a Cell<[u32; 4]>);

impl Refuses<'_> {
    fn asked(&self, method: usize) -> *mut u8 {
        let mut asked = self.0.get();
        asked[method] += 1;
        self.0.set(asked);
        null_mut()
    }
}

// SAFETY: null is always a permitted answer, and none of the methods unwinds.
unsafe impl GlobalAlloc for Refuses<'_> {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        self.asked(0)
    }
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        self.asked(1);
    }
    unsafe fn alloc_zeroed(&self, _: Layout) -> *mut u8 {
        self.asked(2)
    }
    unsafe fn realloc(&self, _: *mut u8, _: Layout, _: usize) -> *mut u8 {
        self.asked(3)
    }
}

#[test]
fn each_method_is_handed_on_as_itself_and_null_comes_back_uncounted() {
    let methods = Cell::default();
    let counting = Counting::new(Refuses(&methods));
    let layout = Layout::new::<u64>();
    let mut value = 0_u64;
    let memory = (&raw mut value).cast();
    // SAFETY: `Refuses` touches no memory.
    let (counted, nulls) = asked(|| unsafe {
        let nulls = [counting.alloc(layout), counting.alloc_zeroed(layout), counting.realloc(memory, layout, 16)];
        counting.dealloc(memory, layout);
        nulls
    });
    assert_eq!(nulls, [null_mut(); 3]);
    assert_eq!(methods.get(), [1; 4]);
    assert_eq!(counted, Allocated::NOTHING);
}

/// Sixteen threads allocate at once, each another amount; memory changes hands, and is freed where it did not come from.
#[test]
fn each_thread_is_counted_for_itself() {
    const THREADS: usize = 16;
    const ROUNDS: usize = 2_000;
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        let (to, from): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| channel::<Vec<u8>>()).unzip();
        for (number, from) in from.into_iter().enumerate() {
            let (barrier, next) = (&barrier, to[(number + 1) % THREADS].clone());
            scope.spawn(move || {
                barrier.wait();
                let mut own = Allocated::NOTHING;
                for round in 0..ROUNDS {
                    let size = 1 + (number * 31 + round) % 500;
                    let (counted, memory) = asked(|| {
                        let mut memory = Vec::<u8>::with_capacity(size);
                        memory.reserve_exact(size + 1);
                        memory
                    });
                    assert_eq!(counted, once(size) + once(size + 1));
                    own += counted;
                    // The channel itself allocates blocks, which is why sending stands outside of what is counted.
                    next.send(memory).unwrap();
                    // What others allocated is freed here, and counts nothing.
                    while let Ok(theirs) = from.try_recv() {
                        assert_eq!(asked(|| drop(theirs)).0, Allocated::NOTHING);
                    }
                }
                assert_eq!(own.calls, 2 * ROUNDS as u64);
                // The neighbour may still send.
                barrier.wait();
            });
        }
    });
}

/// A thread-local's destructor runs while the thread is taken down, in either order beside others.
#[test]
fn a_thread_that_ends_may_still_allocate_and_is_counted() {
    struct Last(Option<std::sync::mpsc::Sender<Allocated>>);
    impl Drop for Last {
        fn drop(&mut self) {
            let (counted, bytes) = asked(|| vec![0_u8; 321]);
            drop(bytes);
            if let Some(found) = self.0.take() {
                found.send(counted).unwrap();
            }
        }
    }
    thread_local! {
        static FIRST: std::cell::RefCell<Last> = const { std::cell::RefCell::new(Last(None)) };
        static SECOND: std::cell::RefCell<Last> = const { std::cell::RefCell::new(Last(None)) };
    }
    let (found, founds) = channel();
    thread::spawn(move || {
        FIRST.with(|last| last.borrow_mut().0 = Some(found.clone()));
        SECOND.with(|last| last.borrow_mut().0 = Some(found));
    })
    .join()
    .unwrap();
    assert_eq!(founds.iter().collect::<Vec<_>>(), [once(321); 2]);
}

#[test]
fn a_difference_is_right_over_the_counters_edge() {
    let before = Allocated { bytes: u64::MAX - 1, calls: u64::MAX };
    assert_eq!(before + once(10), Allocated { bytes: 8, calls: 0 });
    assert_eq!(before + once(10) - before, once(10));
}
