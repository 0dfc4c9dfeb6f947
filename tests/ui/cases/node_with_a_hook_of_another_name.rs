use chain_runtime::node;

struct Log;

#[node]
impl Log {
    fn enter(&self) {}

    fn on_leave(&self) {}

    #[allow(non_snake_case)]
    fn onCancel(&self) {}

    fn _exit(&self) {}
}

fn main() {}
