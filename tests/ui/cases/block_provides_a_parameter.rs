use chain_ui::composed::*;

#[node]
fn made<T: Default>() -> T {
    T::default()
}

chain! {
    struct Gateway<T: Default> { of: std::marker::PhantomData<T> }

    async fn(request: Request) -> Reply {
        { made::<T> } -> T => last
    }
}

fn main() {}
