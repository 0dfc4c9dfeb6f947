use chain_runtime::Reset;

#[derive(Reset)]
enum Progress {
    Waiting,
    Running(u32),
}

fn main() {
    Progress::Waiting.reset();
}
