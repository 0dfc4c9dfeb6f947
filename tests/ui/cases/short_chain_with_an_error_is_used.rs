use chain_runtime::{Context, Request, chain, node};

#[node]
fn log(request: &Request) {
    println!("{}", request.uri);
}

async fn serve(context: &mut Context) {
    let chain = chain!(log => => log);
    println!("{}", chain.run(context).await);
}

fn main() {}
