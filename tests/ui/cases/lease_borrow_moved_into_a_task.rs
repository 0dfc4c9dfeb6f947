use std::sync::Arc;

use chain_runtime::{Context, Pool};

async fn handle(pool: Arc<Pool<Context>>) {
    let context = pool.get_owned();
    let headers = &context.request.headers;
    chain_ui::spawn(async move { println!("{}", headers.len()) });
}

fn main() {}
