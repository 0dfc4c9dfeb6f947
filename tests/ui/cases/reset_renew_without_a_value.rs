use chain_runtime::Reset;
use std::time::Instant;

#[derive(Reset)]
struct Visit {
    #[reset(renew)]
    began: Instant,
}

fn main() {}
