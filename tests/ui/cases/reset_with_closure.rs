use chain_runtime::Reset;

#[derive(Reset)]
struct Visit {
    #[reset(with = |attempts| *attempts = 3)]
    attempts: u8,
}

fn main() {}
