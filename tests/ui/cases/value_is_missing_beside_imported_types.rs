use chain_runtime::{chain, node};
use http::{Request, Response};

struct Account(String);

#[node]
fn read(request: &Request<String>) -> usize {
    request.body().len()
}

#[node]
fn hello(account: &Account) -> Response<String> {
    Response::new(account.0.clone())
}

chain! {
    struct Site;

    fn(request: Request<String>) -> Response<String> {
        read => hello
    }
}

fn main() {}
