use chain_runtime::Pool;

fn main() {
    let pool = Pool::new(String::new);
    let mut line = pool.get();
    chain_ui::spawn_thread(move || line.push('a'));
}
