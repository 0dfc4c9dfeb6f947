//! A program with another allocator is told so, and counts nothing.

use chain_counting::{Allocated, allocated, installed};

#[test]
fn it_is_not_installed() {
    assert!(!installed());
    drop(std::hint::black_box(vec![0_u8; 100]));
    assert_eq!(allocated(), Allocated::NOTHING);
}
