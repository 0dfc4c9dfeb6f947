use chain_runtime::Reset;

#[derive(Reset)]
enum Progress {
    #[reset(to)]
    Waiting,
    Running(#[reset(keep)] u32),
}

fn main() {}
