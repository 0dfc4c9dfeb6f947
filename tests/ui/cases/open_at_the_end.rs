use chain_ui::composed::*;

#[node]
fn checked(user: &User) -> Result<Reply, Unauthorized> {
    if user.0.is_empty() { Err(Unauthorized) } else { Ok(Reply(200)) }
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        auth => #[open] checked
    }
}

fn main() {}
