use chain_runtime::{Lease, Pool};

fn lend<'a>() -> Lease<'a, String> {
    let pool = Pool::new(String::new);
    pool.get()
}

fn main() {}
