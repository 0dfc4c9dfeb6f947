use chain_runtime::Pool;

fn main() {
    let pool = Pool::new(String::new);
    let mut line = pool.get();
    drop(line);
    line.push('a');
}
