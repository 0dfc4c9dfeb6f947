use chain_runtime::Reset;

#[derive(Reset)]
struct Visit {
    #[reset(value = "three")]
    attempts: u8,
}

fn main() {}
