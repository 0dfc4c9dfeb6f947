//! What the tests of this package share.

use proptest::test_runner::{Config, RngSeed};

/// So many cases, and the same ones each time. `PROPTEST_RNG_SEED=7 cargo test -p chain-property` tries others.
#[must_use]
pub fn cases(cases: u32) -> Config {
    let from_environment = Config::default();
    let rng_seed = match from_environment.rng_seed {
        RngSeed::Random => RngSeed::Fixed(14),
        given @ RngSeed::Fixed(_) => given,
    };
    Config { cases, rng_seed, failure_persistence: None, ..from_environment }
}
