//! jemalloc's counters say what a stretch allocates, if jemalloc is the program's allocator.

use std::sync::Barrier;
use std::thread;

use chain_runtime::telemetry::{Allocations, Counted, Jemalloc};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[test]
fn what_is_installed_checks_out_and_what_is_not_does_not() {
    Jemalloc.check().unwrap();
    let error = Counted.check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "allocations are to be read from `Counted`, but `chain_runtime::telemetry::Counting` is not this program's `#[global_allocator]`: declare it"
    );
}

/// The sizes are jemalloc's own size classes, so that nothing is rounded.
#[test]
fn a_stretch_counts_what_its_own_thread_allocates() {
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8_usize {
            let barrier = &barrier;
            scope.spawn(move || {
                let size = [64, 128, 256, 512, 1024, 4096, 16384, 65536][number];
                barrier.wait();
                for round in 1..=200 {
                    let before = Jemalloc.now();
                    for _ in 0..round {
                        drop(std::hint::black_box(Vec::<u8>::with_capacity(size)));
                    }
                    let counted = Jemalloc.now() - before;
                    assert_eq!((counted.bytes, counted.calls), ((round * size) as u64, 0));
                }
            });
        }
    });
}

#[test]
fn what_is_resized_counts_with_its_whole_new_size() {
    let mut bytes = Vec::<u8>::with_capacity(64);
    let before = Jemalloc.now();
    bytes.reserve_exact(128);
    assert_eq!((Jemalloc.now() - before).bytes, 128);
}
