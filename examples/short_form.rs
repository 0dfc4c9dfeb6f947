//! The short form: `chain!(a => b => c)` is an expression whose value is a chain over one `&mut Context`.
//!
//! Nodes ask for the context whole, or for its parts by type. A break is written into the context's response (through
//! `Respond`), and `run` says how the chain ended. The context is reset between requests and keeps its memory.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use chain_runtime::{Request, Reset, Response, chain, node};
use http::{HeaderValue, StatusCode};

struct User(HeaderValue);

/// Without a `User` this is a 401: a `StatusCode` can be written into a response.
#[node]
fn auth(request: &Request) -> Result<User, StatusCode> {
    request.headers.get("x-user").cloned().map(User).ok_or(StatusCode::UNAUTHORIZED)
}

/// A node with state: named together with its type and its value where the chain is written.
struct Quota {
    left: AtomicU32,
}

#[node]
impl Quota {
    fn enter(&self) -> Result<(), (StatusCode, &'static str)> {
        let taken = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| (StatusCode::TOO_MANY_REQUESTS, "come back tomorrow"))
    }
}

#[node]
fn greet(user: &User, response: &mut Response) {
    response.body.extend_from_slice(b"hello, ");
    response.body.extend_from_slice(user.0.as_bytes());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let chain = chain!(auth => quota: Quota = Quota { left: AtomicU32::new(1) } => greet);

    let mut context = chain_runtime::Context::new();
    for user in [Some("Ada"), None, Some("Charles")] {
        let mut request = http::Request::get("/");
        if let Some(user) = user {
            request = request.header("x-user", user);
        }
        let (parts, ()) = request.body(()).expect("a valid request").into_parts();
        context.load(parts);

        let ending = chain.run(&mut context).await;

        let response = context.take_response();
        let body = String::from_utf8_lossy(response.body());
        println!("{:>7}: {} `{body}` ({ending})", user.unwrap_or("nobody"), response.status());
        context.reset();
    }
}
