use chain_runtime::Reset;

#[derive(Reset)]
enum Progress {
    #[reset(to)]
    Waiting,
    #[reset(to)]
    Running,
}

fn main() {}
