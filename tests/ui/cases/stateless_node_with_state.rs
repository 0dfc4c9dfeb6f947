use chain_runtime::node;
use chain_ui::Request;

struct Limit(u32);

#[node(stateless)]
impl Limit {
    fn enter(&self, request: &Request) {
        println!("{} {}", self.0, request.path);
    }
}

fn main() {}
