use chain_runtime::Reset;

#[derive(Reset)]
struct Visit {
    #[reset]
    path: String,
    #[reset(value)]
    attempts: u8,
    #[reset(keep = true)]
    peer: String,
}

fn main() {}
