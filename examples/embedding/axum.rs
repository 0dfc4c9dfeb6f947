//! Chains in axum: as a layer around a router, and as the handler of a route. The application sends itself some
//! requests and stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get_service;
use chain_runtime::axum::{Next, Reply, Request, handler, layer, next};
use chain_runtime::{chain, node};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

struct User(&'static str);

/// A node may break with anything of which axum makes a response. A status belongs to it: of text alone axum makes a 200.
#[node]
fn auth(request: &Request, keys: &Keys) -> Result<User, (StatusCode, &'static str)> {
    let key = request.headers().get("x-key").and_then(|key| key.to_str().ok());
    key.filter(|key| *key == keys.ada).map(|_| User("ada")).ok_or((StatusCode::UNAUTHORIZED, "who is there?\n"))
}

struct Log;

#[node]
impl Log {
    fn enter(&self) -> Instant {
        Instant::now()
    }
    fn exit(&self, user: &User, started: &Instant, reply: &Reply) {
        println!("  {} for {} in {:?}", reply.0.status(), user.0, started.elapsed());
    }
}

struct Keys {
    ada: &'static str,
}

chain! {
    /// Stands before all routes. Fields hold what axum calls state.
    struct Guard { keys: Keys, log: Log }
    async fn(request: Request, inner: Next) -> Reply { auth => log => next }
}

#[node]
fn greet(times: &Path<usize>, greeted: &AtomicU32) -> String {
    let before = greeted.fetch_add(1, Relaxed);
    format!("{}({before} before)\n", "hello ".repeat(times.0))
}

chain! {
    /// The inputs of a handler are extractors.
    struct Greeting { greeted: AtomicU32 }
    async fn(times: Path<usize>) -> Reply { greet }
}

pub(crate) fn app() -> Router {
    let greeting = Arc::new(Greeting { greeted: AtomicU32::new(0) });
    let guard = Arc::new(Guard { keys: Keys { ada: "lovelace" }, log: Log });
    Router::new().route("/hello/{times}", get_service(handler(greeting))).layer(layer(guard))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, app()).await });
    for (target, key) in [("/hello/2", "lovelace"), ("/hello/two", "lovelace"), ("/hello/2", "?")] {
        println!("GET {target}");
        let mut client = TcpStream::connect(address).await?;
        client.write_all(format!("GET {target} HTTP/1.0\r\nx-key: {key}\r\n\r\n").as_bytes()).await?;
        tokio::io::copy(&mut client, &mut tokio::io::stdout()).await?;
    }
    Ok(())
}
