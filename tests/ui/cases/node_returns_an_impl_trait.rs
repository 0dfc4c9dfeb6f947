use chain_runtime::node;
use chain_ui::Request;

#[node]
fn letters(request: &Request) -> impl Iterator<Item = char> {
    request.path.chars()
}

fn main() {}
