use chain_runtime::{chain, node};

#[node]
fn answer(request: u8) -> String {
    request.to_string()
}

pub struct Gateway {
    pub limit: usize,
}

chain! {
    pub struct Gateway { limit: usize }

    fn(request: u8) -> String { answer }
}

fn main() {
    Gateway { limit: 1 }.run(1);
}
