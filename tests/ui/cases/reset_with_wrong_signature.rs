use chain_runtime::Reset;

fn refill(attempts: u8) -> u8 {
    attempts + 3
}

#[derive(Reset)]
struct Visit {
    #[reset(with = refill)]
    attempts: u8,
}

fn main() {}
