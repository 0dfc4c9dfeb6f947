use chain_runtime::Reset;

#[derive(Reset)]
struct Visit {
    #[reset(keep, value = 2)]
    attempts: u8,
}

fn main() {}
