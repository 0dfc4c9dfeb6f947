use chain_ui::composed::*;

type Outcome = Result<User, Unauthorized>;

#[node]
fn checked() -> Outcome {
    Err(Unauthorized)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        { checked } -> Outcome => last
    }
}

fn main() {}
