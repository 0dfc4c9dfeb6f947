use chain_runtime::Pool;

fn main() {
    let pool = Pool::new(String::new);
    let mut line = pool.get();
    std::thread::spawn(move || line.push('a'));
}
