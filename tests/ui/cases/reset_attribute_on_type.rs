use chain_runtime::Reset;

#[derive(Reset)]
#[reset(keep)]
struct Visit {
    attempts: u8,
}

fn main() {}
