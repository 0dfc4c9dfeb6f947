use chain_runtime::Pool;

fn main() {
    let pool = Pool::new(String::new);
    let line = pool.get();
    let text = line.as_str();
    drop(line);
    println!("{text}");
}
