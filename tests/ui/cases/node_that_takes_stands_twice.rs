use chain_runtime::{chain, node};

struct Order;
struct Invoice;

#[node]
fn order() -> Order {
    Order
}

#[node]
fn bill(_order: Order) -> Invoice {
    Invoice
}

#[node]
fn send(_invoice: &Invoice) -> u16 {
    200
}

chain! {
    struct Shop;

    fn() -> u16 {
        order => bill => bill => send
    }
}

fn main() {}
