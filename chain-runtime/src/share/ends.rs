//! Tests of shares that no random draw and no hash would ever hit.

use super::Share;

#[test]
fn none_and_all_hold_at_the_ends() {
    assert!(!Share::NONE.contains(0));
    assert!(Share::ALL.contains(u64::MAX));
    assert!(!Share::of(u64::MAX - 1, u64::MAX).contains(u64::MAX - 1));
    assert!(Share::of(1, u64::MAX).contains(0) && !Share::of(1, u64::MAX).contains(1));
    assert!(Share::of(1, 2).contains(u64::MAX / 2) && !Share::of(1, 2).contains(u64::MAX / 2 + 1));
}
