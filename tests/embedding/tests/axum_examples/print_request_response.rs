//! `print-request-response`: middleware that reads both bodies and puts them back.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use axum::routing::post;
use chain_runtime::axum::{Next, Reply, Request, layer, next};
use chain_runtime::{IntoReply, chain, node};

use crate::served::{Served, told};

/// What is printed, for a test to read.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

type Failed = (StatusCode, String);

impl Lines {
    /// Reads a body, prints it where it is text, and puts it back.
    async fn print(&self, direction: &str, body: &mut Body) -> Result<(), Failed> {
        let bytes = axum::body::to_bytes(mem::take(body), usize::MAX).await;
        let bytes =
            bytes.map_err(|error| (StatusCode::BAD_REQUEST, format!("failed to read {direction} body: {error}")))?;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{direction} body = {text:?}"));
        }
        *body = Body::from(bytes);
        Ok(())
    }

    fn taken(&self) -> Vec<String> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Printed;

#[node]
impl Lines {
    async fn enter(&self, request: &mut Request) -> Result<Printed, Failed> {
        self.print("request", request.body_mut()).await?;
        Ok(Printed)
    }
    async fn exit(&self, _printed: &Printed, reply: &mut Reply) {
        if let Err(failed) = self.print("response", reply.0.body_mut()).await {
            *reply = failed.into_reply();
        }
    }
}

chain! {
    struct Printing { lines: Lines }
    async fn(request: Request, inner: Next) -> Reply { lines => next }
}

/// A body that ends before its time.
fn half() -> Body {
    let pieces = [Ok(Bytes::from("half")), Err(std::io::Error::other("of it"))];
    Body::from_stream(futures_util::stream::iter(pieces))
}

fn app(lines: &Lines) -> Router {
    Router::new()
        .route("/", post(async || "Hello from `POST /`"))
        .route("/echo", post(async |body: Bytes| body))
        .route("/broken", post(async || half()))
        .layer(layer(Arc::new(Printing { lines: lines.clone() })))
}

#[tokio::test]
async fn both_bodies_are_printed_and_reach_whom_they_were_for() {
    let lines = Lines::default();
    let served = Served::new(app(&lines)).await;
    assert_eq!(served.ask(Method::POST, "/", &[], "hi").await, told(200, "Hello from `POST /`"));
    assert_eq!(lines.taken(), [r#"request body = "hi""#, r#"response body = "Hello from `POST /`""#]);
    assert_eq!(served.ask(Method::POST, "/echo", &[], "hi").await, told(200, "hi"));
    let echoed = served.send(Method::POST, "/echo", &[], &b"\xFF"[..]).await;
    assert_eq!(&echoed.body()[..], b"\xFF");
    assert_eq!(lines.taken(), [r#"request body = "hi""#, r#"response body = "hi""#], "what is no text is not printed");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_400() {
    let lines = Lines::default();
    let served = Served::new(app(&lines)).await;
    let answer = served.ask(Method::POST, "/broken", &[], "hi").await;
    assert_eq!(answer, told(400, "failed to read response body: of it"));
    assert_eq!(lines.taken(), [r#"request body = "hi""#]);

    let mut request = Request::new(half());
    *request.method_mut() = Method::POST;
    let reply = tower::ServiceExt::oneshot(app(&lines), request).await.expect("it never fails");
    let status = reply.status().as_u16();
    let text = axum::body::to_bytes(reply.into_body(), usize::MAX).await.expect("it is whole");
    assert_eq!((status, &text[..]), (400, &b"failed to read request body: of it"[..]));
    assert_eq!(lines.taken(), [] as [&str; 0]);
}
