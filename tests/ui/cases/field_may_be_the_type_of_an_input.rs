use chain_runtime::{chain, node};
use chain_ui::{Reply, Request};

pub struct Buffer<const N: usize>([u8; N]);

#[node]
fn answer(request: &Request, buffer: &Buffer<4>) -> Reply {
    let _ = (request, buffer.0);
    Reply(200)
}

chain! {
    struct Gateway<const N: usize> {
        own: Buffer<N>,
    }

    fn(request: Request, buffer: Buffer<4>) -> Reply { answer }
}

fn main() {}
