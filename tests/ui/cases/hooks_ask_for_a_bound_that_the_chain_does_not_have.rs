use chain_runtime::{chain, node};

trait Store {
    fn get(&self) -> u16;
}

#[node]
fn answer(number: &u16) -> u16 {
    *number
}

struct Shared<S>(S);

#[node]
impl<S: Store> Shared<S> {
    fn enter(&self) -> u16 {
        self.0.get()
    }
}

chain! {
    struct Gateway<S> { shared: Shared<S> }

    fn() -> u16 { shared => answer }
}

fn main() {}
