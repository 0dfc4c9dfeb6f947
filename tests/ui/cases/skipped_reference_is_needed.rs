use chain_ui::composed::*;

#[node]
fn path<'r>(request: &'r Request) -> &'r str {
    &request.path
}

#[node]
fn length(path: &str) -> Reply {
    Reply(path.len() as u16)
}

chain! {
    struct Gateway;

    async fn(request: &Request) -> Reply {
        #[when(is_local)] path => length
    }
}

fn main() {}
