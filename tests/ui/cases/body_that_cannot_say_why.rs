use chain_runtime::{Failure, Render};
use http::Response;

struct Page(&'static str);

fn why<B: Render>(failure: &Failure<'_>) -> Response<B> {
    B::render(failure)
}

fn main() {
    let failure = Failure::new(http::StatusCode::GATEWAY_TIMEOUT, "expired", "");
    let reply = why::<Page>(&failure);
    println!("{}", reply.body().0);
}
