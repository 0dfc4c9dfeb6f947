use chain_runtime::Reset;

#[derive(Reset)]
struct Visit {
    #[reset(skip)]
    path: String,
}

fn main() {}
