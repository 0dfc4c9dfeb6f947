use chain_runtime::Reset;

#[derive(Reset)]
enum Progress {
    Waiting,
    #[reset(to)]
    Running(u32),
}

fn main() {}
