use chain_ui::composed::*;

#[node]
fn look<T: Default>() -> Vec<T> {
    Vec::new()
}

chain! {
    segment front<T: Default> { auth => look::<T> }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply { ..front => greet }
}

fn main() {}
