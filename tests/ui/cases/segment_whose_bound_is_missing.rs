use chain_ui::composed::*;

struct Unlike;

#[node]
pub fn look<T: Default>() -> Vec<T> {
    Vec::new()
}

chain! {
    pub segment front<T> { auth => look::<T> }
}

chain! {
    struct Gateway;
    async fn(request: Request) -> Reply { ..front::<Unlike> => answer }
}

#[node]
fn answer(_: &Vec<Unlike>) -> Reply {
    unimplemented!()
}

fn main() {}
