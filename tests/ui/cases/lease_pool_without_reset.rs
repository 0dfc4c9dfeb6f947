use chain_runtime::Pool;

struct Session;

fn main() {
    let _pool = Pool::new(|| Session);
}
