use chain_runtime::node;
use chain_ui::Request;

struct Log;

#[node]
impl Log {
    fn exit(&self, request: Request) {
        drop(request);
    }
}

fn main() {}
