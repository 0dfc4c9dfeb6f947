//! jemalloc as a source of pressure, if it is the program's allocator.

use std::hint::black_box;
use std::time::Instant;

use chain_runtime::pressure::Source;
use chain_runtime::pressure::source::Jemalloc;
use chain_runtime::telemetry::{Allocations, Jemalloc as Counts};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const MIB: u64 = 1 << 20;

/// One test, since the figures are those of the whole process.
#[test]
fn what_is_freed_is_not_used_any_more_and_a_reading_allocates_nothing() {
    let mut source = Jemalloc::of(1_000 * MIB).unwrap();
    let mut retained = Jemalloc::retained().unwrap();
    let now = Instant::now();
    let before = source.read(now).unwrap().bytes.unwrap();
    assert_eq!(before.limit, Some(1_000 * MIB));
    // Pieces that are touched, so that they are resident.
    let pieces: Vec<_> = (0..4_000).map(|_| vec![1_u8; 16 * 1024]).collect();
    black_box(&pieces);
    let full = source.read(now).unwrap();
    let used = full.bytes.unwrap().used;
    assert!((before.used + 60 * MIB..before.used + 80 * MIB).contains(&used), "{used} after {before:?}");
    assert!((0.06..0.2).contains(&full.value), "{full:?}");
    drop(pieces);
    let after = source.read(now).unwrap().bytes.unwrap();
    assert!(after.used < before.used + 2 * MIB, "{after:?} after {before:?}");
    let figures = source.figures().unwrap();
    assert!(figures.allocated <= figures.active && figures.active <= figures.resident, "{figures:?}");
    let allocated = Counts.now();
    for _ in 0..100 {
        source.read(now).unwrap();
        black_box(retained());
    }
    assert_eq!(Counts.now(), allocated);
}
