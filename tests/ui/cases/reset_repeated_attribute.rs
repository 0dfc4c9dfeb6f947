use chain_runtime::Reset;

#[derive(Reset)]
struct Visit {
    #[reset(value = 1)]
    #[reset(value = 2)]
    attempts: u8,
}

fn main() {}
