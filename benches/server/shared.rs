//! The gateway's data: its keys, its routes, its quotas. `main.go` has the same.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use chain_benches::poll::{Suspend, suspend};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// FNV-1a.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64's finish.
pub(crate) fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Numbers for requests.
#[derive(Default)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    pub(crate) fn next(&self) -> u64 {
        mixed(self.0.fetch_add(1, Relaxed) + 1)
    }
}

/// Clients that are not served, sorted.
pub(crate) struct Denied(Vec<u64>);

impl Denied {
    pub(crate) fn new() -> Self {
        let mut denied: Vec<_> = (0..100).map(|last| fnv(format!("203.0.113.{last}").as_bytes())).collect();
        denied.sort_unstable();
        Self(denied)
    }
    pub(crate) fn has(&self, client: u64) -> bool {
        self.0.binary_search(&client).is_ok()
    }
}

/// Users by their keys.
pub(crate) struct Users(HashMap<String, u64>);

impl Users {
    pub(crate) fn new() -> Self {
        Self((0..1_000).map(|user| (format!("key-{user:04}-0123456789abcdef"), user)).collect())
    }
    pub(crate) fn of(&self, key: &str) -> Option<u64> {
        self.0.get(key).copied()
    }
}

/// A quota for each tenant, which no load of the bench exceeds.
pub(crate) struct Limiter(DefaultKeyedRateLimiter<u64>);

impl Limiter {
    pub(crate) fn new() -> Self {
        let rate = NonZeroU32::new(50_000_000).expect("not zero");
        Self(RateLimiter::keyed(Quota::per_second(rate)))
    }
    pub(crate) fn allows(&self, tenant: u64) -> bool {
        self.0.check_key(&tenant).is_ok()
    }
}

/// Prefixes of paths, the longest first, and which tenants may go there, as bits.
pub(crate) struct Routes(Vec<(&'static str, u64)>);

impl Routes {
    pub(crate) fn new() -> Self {
        Self(vec![
            ("/api/orders/archive/", 0xffff),
            ("/api/customers/", 0xffff),
            ("/api/invoices/", 0x00ff),
            ("/api/orders/", 0xffff),
            ("/static/", 0xffff),
            ("/health", 0xffff),
            ("/admin/", 0x0001),
        ])
    }
    pub(crate) fn of(&self, path: &str) -> Option<u64> {
        self.0.iter().position(|(prefix, _)| path.starts_with(prefix)).map(|index| index as u64)
    }
    pub(crate) fn allow(&self, route: u64, tenant: u64) -> bool {
        self.0[route as usize].1 >> tenant & 1 == 1
    }
}

/// Which features are on, by tenant.
pub(crate) struct Flags([u64; 6]);

impl Flags {
    pub(crate) fn new() -> Self {
        Self([0xf0f0, 0xff00, 0x3c3c, 0xaaaa, 0x1234, 0xffff])
    }
    pub(crate) fn first(&self, tenant: u64) -> u64 {
        self.0[0] >> tenant & 1
    }
    pub(crate) fn next(&self, index: usize, before: u64) -> u64 {
        before << 1 | (self.0[index] >> (before & 15) & 1)
    }
}

/// What answers after a while: five nodes ask it.
pub(crate) struct Store {
    pauses: usize,
    cached: [u64; 64],
}

impl Store {
    pub(crate) fn new(pauses: usize) -> Self {
        Self { pauses, cached: std::array::from_fn(|index| mixed(index as u64)) }
    }
    pub(crate) fn asked(&self) -> Suspend {
        suspend(self.pauses)
    }
    pub(crate) fn has(&self, key: u64) -> bool {
        self.cached[(key >> 6 & 63) as usize] >> (key & 63) & 1 == 1
    }
}

/// Failures in a row of each upstream; none is asked after a hundred.
#[derive(Default)]
pub(crate) struct Breaker([AtomicU32; 8]);

impl Breaker {
    pub(crate) fn is_closed(&self, upstream: u64) -> bool {
        self.0[upstream as usize].load(Relaxed) < 100
    }
    pub(crate) fn note(&self, upstream: u64, fine: bool) {
        let failures = &self.0[upstream as usize];
        if !fine {
            failures.fetch_add(1, Relaxed);
        } else if failures.load(Relaxed) != 0 {
            failures.store(0, Relaxed);
        }
    }
}
