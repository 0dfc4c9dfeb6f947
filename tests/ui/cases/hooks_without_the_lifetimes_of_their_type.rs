use chain_runtime::{chain, node};

struct Reply;
struct Named<'a>(&'a str);

#[node]
impl Named {
    fn enter(&self) -> usize {
        self.0.len()
    }
}

#[node]
fn answer(_length: &usize) -> Reply {
    Reply
}

chain! {
    struct Gateway<'a> { named: Named<'a> }
    fn() -> Reply { named => answer }
}

fn main() {}
