use chain_runtime::Reset;
use std::time::Instant;

#[derive(Reset)]
struct Visit {
    #[reset(keep, renew = Instant::now())]
    began: Instant,
}

fn main() {}
