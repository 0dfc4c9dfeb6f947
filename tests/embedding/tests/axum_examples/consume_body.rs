//! `consume-body-in-extractor-or-middleware`: the body is read twice, by middleware and by the handler.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use axum::routing::post_service;
use chain_runtime::axum::{Next, Reply, Request, handler, layer, next};
use chain_runtime::{chain, node};

use crate::served::{Served, told};

/// What was done with bodies, for a test to read.
#[derive(Clone, Default)]
struct Done(Arc<Mutex<Vec<(&'static str, Bytes)>>>);

impl Done {
    fn with(&self, who: &'static str, body: &Bytes) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((who, body.clone()));
    }
}

struct Buffered(Bytes);

/// Reads the body, and puts it back.
#[node]
async fn buffer(request: &mut Request) -> Result<Buffered, (StatusCode, String)> {
    let bytes = axum::body::to_bytes(mem::take(request.body_mut()), usize::MAX).await;
    let bytes = bytes.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    *request.body_mut() = Body::from(bytes.clone());
    Ok(Buffered(bytes))
}

/// Any node after it may have the body, and nobody has to put anything back.
#[node]
fn look(buffered: &Buffered, done: &Done) {
    done.with("middleware", &buffered.0);
}

chain! {
    struct Looking { done: Done }
    async fn(request: Request, inner: Next) -> Reply { buffer => look => next }
}

#[node]
fn receive(body: &Bytes, done: &Done) -> StatusCode {
    done.with("handler", body);
    StatusCode::OK
}

chain! {
    struct Receiving { done: Done }
    async fn(body: Bytes) -> Reply { receive }
}

fn app(done: &Done) -> Router {
    Router::new()
        .route("/", post_service(handler(Arc::new(Receiving { done: done.clone() }))))
        .layer(layer(Arc::new(Looking { done: done.clone() })))
}

#[tokio::test]
async fn middleware_and_handler_have_the_same_body() {
    let done = Done::default();
    let served = Served::new(app(&done)).await;
    assert_eq!(served.ask(Method::POST, "/", &[], "hi").await, told(200, ""));
    let body = Bytes::from("hi");
    assert_eq!(*done.0.lock().expect("nobody panicked"), [("middleware", body.clone()), ("handler", body)]);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_500_and_reaches_nobody() {
    let done = Done::default();
    let pieces = [Ok(Bytes::from("half")), Err(std::io::Error::other("of it"))];
    let mut request = Request::new(Body::from_stream(futures_util::stream::iter(pieces)));
    *request.method_mut() = Method::POST;
    let reply = tower::ServiceExt::oneshot(app(&done), request).await.expect("it never fails");
    let status = reply.status().as_u16();
    let text = axum::body::to_bytes(reply.into_body(), usize::MAX).await.expect("it is whole");
    assert_eq!((status, &text[..]), (500, &b"of it"[..]));
    assert_eq!(*done.0.lock().expect("nobody panicked"), []);
}
