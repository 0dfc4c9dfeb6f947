use chain_ui::composed::*;

#[node]
fn look<T: Default>() -> Vec<T> {
    Vec::new()
}

chain! {
    pub segment front<T> { auth => look::<T> }
}

fn main() {}
