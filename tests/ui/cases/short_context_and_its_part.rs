use chain_runtime::{Context, Response, chain, node};

#[node]
fn hello(context: &Context, response: &mut Response) {
    response.body.extend_from_slice(context.request.uri.path().as_bytes());
}

fn main() {
    let _chain = chain!(hello);
}
