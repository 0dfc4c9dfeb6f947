use chain_runtime::tasks::Tasks;
use chain_ui::composed::*;

chain! {
    struct Gateway { tasks: Tasks }

    async fn(request: Request) -> Reply {
        tasks => last
    }
}

fn main() {}
