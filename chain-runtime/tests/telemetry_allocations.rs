//! A source of allocations counts what a stretch of a thread allocates, and says where it is not installed.

#![cfg(feature = "telemetry")]

use std::alloc::System;
use std::sync::Barrier;
use std::thread;

use chain_runtime::telemetry::{Allocated, Allocations, Counted, Counting, NotCounted};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

#[test]
fn what_is_installed_checks_out() {
    Counted.check().unwrap();
    NotCounted.check().unwrap();
}

#[test]
fn nothing_is_counted_where_nothing_is_asked_for() {
    let before = NotCounted.now();
    drop(std::hint::black_box(vec![0_u8; 64]));
    assert_eq!(NotCounted.now() - before, Allocated::NOTHING);
    assert_eq!(size_of::<NotCounted>(), 0);
}

#[test]
fn a_stretch_counts_what_its_own_thread_allocates() {
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        for number in 1..=8_usize {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                for round in 1..=1_000 {
                    let before = Counted.now();
                    let memory: Vec<Vec<u8>> = (0..number).map(|_| Vec::with_capacity(round)).collect();
                    let counted = Counted.now() - before;
                    let bytes = number * (round + size_of::<Vec<u8>>());
                    assert_eq!(counted, Allocated { bytes: bytes as u64, calls: number as u64 + 1 });
                    drop(memory);
                    assert_eq!(Counted.now() - before, counted, "what is given back is not counted");
                }
            });
        }
    });
}

#[cfg(feature = "jemalloc")]
#[test]
fn a_source_that_is_not_installed_is_an_error() {
    let error = chain_runtime::telemetry::Jemalloc.check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "allocations are to be read from `Jemalloc`, but `tikv_jemallocator::Jemalloc` is not this program's `#[global_allocator]`: declare it"
    );
}
