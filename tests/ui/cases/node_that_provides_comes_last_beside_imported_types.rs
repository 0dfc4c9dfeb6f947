use chain_runtime::{chain, node};
use http::{Request, Response};

struct Account(String);

#[node]
fn account(request: &Request<String>) -> Account {
    Account(request.body().clone())
}

#[node]
fn hello(account: &Account) -> Response<String> {
    Response::new(account.0.clone())
}

chain! {
    struct Site;

    fn(request: Request<String>) -> Response<String> {
        hello => account
    }
}

fn main() {}
