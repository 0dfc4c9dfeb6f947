//! The smallest proxy: `cargo run --release --example forward -- --listen 127.0.0.1:8080 --upstream http://127.0.0.1:9000`.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::chain;
use chain_runtime::proxy::server::Server;
use chain_runtime::proxy::{Body, Client, Forward, Rotation, Settings, Tunnels};
use http::{Response, request::Parts};
use hyper::body::Incoming;
use tokio::signal::unix::{SignalKind, signal};

chain! {
    struct Proxy { forward: Forward<Rotation, Incoming> }

    async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> { forward }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags: Vec<String> = std::env::args().collect();
    let flag = |name| flags.iter().skip_while(|flag| *flag != name).nth(1).ok_or(format!("{name} is missing"));
    let listener = tokio::net::TcpListener::bind(flag("--listen")?).await?;
    let tunnels = Tunnels::new(1_024, Duration::from_secs(300));
    let settings = Settings::default().keeps_host().tunnels(&tunnels);
    let proxy = Arc::new(Proxy { forward: Forward::new(Rotation::new([flag("--upstream")?.parse()?]), settings) });
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    println!("listening on http://{}", listener.local_addr()?);
    let answer = move |request: http::Request<Incoming>, client| {
        let (proxy, (head, body)) = (Arc::clone(&proxy), request.into_parts());
        async move { proxy.run(head, body, client).await }
    };
    let stop = async {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    };
    println!("{}", Server::default().tunnels(&tunnels).serve(listener, answer, stop).await);
    Ok(())
}
