//! A chain with a type parameter: the client is chosen where the chain is built, and costs no `dyn`.

use std::future::Future;

use chain_runtime::{chain, node};

struct Request(&'static str);
struct Response(String);

/// Whatever can send a request on.
trait Client: Send + Sync {
    fn send(&self, request: Request) -> impl Future<Output = Response> + Send;
}

/// Sends over no network at all, for tests.
struct Canned(&'static str);

impl Client for Canned {
    async fn send(&self, _: Request) -> Response {
        Response(self.0.to_owned())
    }
}

struct Echo;

impl Client for Echo {
    async fn send(&self, request: Request) -> Response {
        tokio::task::yield_now().await;
        Response(format!("you asked for {}", request.0))
    }
}

/// A generic node is a struct with the parameter, used as a field.
struct Proxy<C> {
    client: C,
}

#[node]
impl<C: Client> Proxy<C> {
    async fn enter(&self, request: Request) -> Response {
        self.client.send(request).await
    }
}

#[node]
fn log(request: &Request) {
    println!("{}", request.0);
}

chain! {
    struct Gateway<C: Client> {
        proxy: Proxy<C>,
    }

    async fn(request: Request) -> Response {
        log => proxy
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let canned = Gateway { proxy: Proxy { client: Canned("a canned reply") } };
    let echo = Gateway { proxy: Proxy { client: Echo } };
    println!("  {}", canned.run(Request("/first")).await.0);
    println!("  {}", echo.run(Request("/second")).await.0);
    println!("futures: {} bytes and {} bytes", Gateway::<Canned>::future_size(), Gateway::<Echo>::future_size());
}
