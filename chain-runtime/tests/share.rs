//! Shares: as large as they say, always the same keys, and a larger share only adds keys.
#![cfg(all(feature = "split", feature = "sample"))]

mod support;

use std::hint::black_box;

use chain_runtime::share::{Share, StickyKey};
use proptest::prelude::*;
use support::ALLOCATIONS;

/// How many of `trials` may be taken at a share of `p`: within five standard deviations of the mean. A test that draws at random
/// fails by chance once in two million runs.
fn bounds(p: f64, trials: u64) -> std::ops::RangeInclusive<f64> {
    let mean = p * trials as f64;
    let deviation = (mean * (1.0 - p)).sqrt();
    mean - 5.0 * deviation..=mean + 5.0 * deviation
}

const SHARES: [(Share, f64); 6] = [
    (Share::of(0, 1000), 0.0),
    (Share::of(1, 1000), 0.001),
    (Share::percent(5), 0.05),
    (Share::of(1, 2), 0.5),
    (Share::percent(95), 0.95),
    (Share::of(7, 7), 1.0),
];

#[test]
fn a_split_takes_its_share_of_the_keys() {
    const KEYS: u64 = 200_000;
    for (share, p) in SHARES {
        let numbers = (0..KEYS).filter(|&key| share.takes(&StickyKey::from_u64(key), "canary")).count() as f64;
        assert!(bounds(p, KEYS).contains(&numbers), "{numbers} of {KEYS} numbers at {share:?}");
        let names =
            (0..KEYS).filter(|key| share.takes(&StickyKey::of(&format!("user-{key}")), "canary")).count() as f64;
        assert!(bounds(p, KEYS).contains(&names), "{names} of {KEYS} names at {share:?}");
    }
}

#[test]
fn a_sample_is_its_share_of_the_requests() {
    const DRAWN: u64 = 200_000;
    for (share, p) in SHARES {
        let taken = (0..DRAWN).filter(|_| share.sample()).count() as f64;
        assert!(bounds(p, DRAWN).contains(&taken), "{taken} of {DRAWN} at {share:?}");
    }
}

/// The four combinations of being in two splits are as frequent as chance makes them: chi-square with one degree of freedom.
#[test]
fn splits_of_different_salts_are_independent() {
    const KEYS: u64 = 100_000;
    for (one, p) in SHARES {
        for (other, q) in SHARES {
            if [p, q].iter().any(|p| p * (1.0 - p) < 0.01) {
                continue; // Too few in a cell for the test to say anything.
            }
            let mut cells = [[0.0; 2]; 2];
            for key in (0..KEYS).map(StickyKey::from_u64) {
                cells[usize::from(one.takes(&key, "canary"))][usize::from(other.takes(&key, "beta"))] += 1.0;
            }
            let row = |row: usize| cells[row][0] + cells[row][1];
            let column = |column: usize| cells[0][column] + cells[1][column];
            let chi_square: f64 = (0..4)
                .map(|cell| (cell / 2, cell % 2))
                .map(|(r, c)| {
                    let expected = row(r) * column(c) / KEYS as f64;
                    (cells[r][c] - expected).powi(2) / expected
                })
                .sum();
            // Exceeded by chance once in a million; nothing here is drawn, so it is once and for all.
            assert!(chi_square < 24.0, "{chi_square} at {one:?} and {other:?}");
        }
    }
}

/// What a release, a machine or a restart must not change: who is in a split would be somebody else.
#[test]
fn keys_are_the_same_for_good() {
    let keys = [
        StickyKey::of("ada"),
        StickyKey::of(&String::from("ada")),
        StickyKey::of(&7_u64),
        StickyKey::of(&7_usize),
        StickyKey::of(&-7_isize),
        StickyKey::of(&(1_u8, 2_u16, 3_u32, 4_u128, 'c', true)),
        StickyKey::of(&["a", "b"]),
        StickyKey::of_bytes(b"ada"),
    ];
    assert_eq!(keys.map(|key| format!("{key:?}")), PINNED);
    assert_eq!(StickyKey::of("ada"), StickyKey::of_bytes(b"ada\xff"));
    assert_eq!(StickyKey::of(&7_u64), StickyKey::of_bytes(&[7, 0, 0, 0, 0, 0, 0, 0]));
    let ada = StickyKey::of_bytes(b"ada");
    let taken = (0..100).filter(|percent| Share::percent(*percent).takes(&ada, "canary")).count();
    assert_eq!(taken, PINNED_PERCENT);
}

/// Computed by another implementation, in another language, from the bytes that `Hash` is known to feed.
const PINNED: [&str; 8] = [
    "StickyKey(5441291022624826500)",
    "StickyKey(5441291022624826500)",
    "StickyKey(13342448263425309676)",
    "StickyKey(13342448263425309676)",
    "StickyKey(17133792630226504546)",
    "StickyKey(15242494053611916667)",
    "StickyKey(16282518044841210199)",
    "StickyKey(13578316405033442864)",
];
const PINNED_PERCENT: usize = 88;

#[test]
fn nothing_allocates() {
    let before = ALLOCATIONS.get();
    black_box(Share::percent(5).takes(&StickyKey::of("ada"), "canary"));
    black_box(Share::percent(5).sample());
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
fn the_least_share_is_more_than_none_and_the_greatest_less_than_all() {
    assert!(Share::NONE < Share::of(1, u64::MAX));
    assert!(Share::of(u64::MAX - 1, u64::MAX) < Share::ALL);
    assert_eq!((Share::of(0, 1), Share::of(1, 1)), (Share::NONE, Share::ALL));
    assert_eq!(
        format!("{:?} {:?} {:?}", Share::NONE, Share::of(1, 20), Share::ALL),
        "Share(0.0) Share(0.05) Share(1.0)"
    );
}

#[test]
#[should_panic(expected = "the whole has to be 1 or more")]
fn a_share_of_nothing_is_refused() {
    let _ = Share::of(0, 0);
}

#[test]
#[should_panic(expected = "a share is at most the whole")]
fn more_than_the_whole_is_refused() {
    let _ = Share::of(2, 1);
}

#[test]
#[should_panic(expected = "a share is at most 100 percent")]
fn more_than_a_hundred_percent_is_refused() {
    let _ = Share::percent(101);
}

proptest! {
    #[test]
    fn to_raise_a_share_only_adds(key: u64, salt: String, whole in 1..=u64::MAX, parts: (u64, u64)) {
        let key = StickyKey::from_u64(key);
        let (less, more) = (parts.0.min(parts.1) % whole, parts.0.max(parts.1) % whole);
        let (less, more) = (less.min(more), less.max(more));
        let (less, more) = (Share::of(less, whole), Share::of(more, whole));
        prop_assert!(less <= more);
        prop_assert!(!less.takes(&key, &salt) || more.takes(&key, &salt));
        prop_assert!(!Share::NONE.takes(&key, &salt) && Share::ALL.takes(&key, &salt));
    }

    /// By steps so small that a key changes sides at some of them.
    #[test]
    fn a_key_changes_sides_once(key: String, salt: String) {
        let key = StickyKey::of(&key);
        let taken: Vec<bool> = (0..=100).map(|percent| Share::percent(percent).takes(&key, &salt)).collect();
        prop_assert!(taken.is_sorted() && !taken[0] && taken[100]);
    }

    #[test]
    fn a_split_is_sticky(key: String, salt: String, part in 0..=100_u64) {
        let share = Share::of(part, 100);
        let first = share.takes(&StickyKey::of(key.as_str()), &salt);
        prop_assert!((0..10).all(|_| share.takes(&StickyKey::of(key.as_str()), &salt) == first));
    }
}
