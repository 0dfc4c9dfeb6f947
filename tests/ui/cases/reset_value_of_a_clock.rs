use chain_runtime::Reset;
use std::time::Instant;

#[derive(Reset)]
struct Visit {
    #[reset(value = Some(Instant::now()))]
    began: Option<Instant>,
}

fn main() {}
