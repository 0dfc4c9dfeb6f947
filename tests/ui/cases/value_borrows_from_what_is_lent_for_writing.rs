use chain_runtime::node;
use chain_ui::Request;

#[node]
fn path(request: &mut Request) -> &str {
    request.path.as_str()
}

fn main() {}
