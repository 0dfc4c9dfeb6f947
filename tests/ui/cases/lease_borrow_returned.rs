use chain_runtime::{Context, Pool};

fn path(pool: &Pool<Context>) -> &str {
    let context = pool.get();
    context.request.uri.path()
}

fn main() {}
