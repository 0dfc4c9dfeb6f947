//! `key-value-store`: state shared by routes, a layer for one method, a guard for some routes, and errors of middleware.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete_service, get_service};
use chain_runtime::around::{Concurrency, Deadline, Expired, Overloaded};
use chain_runtime::axum::{Layered, Next, Reply, Request, extract, handler, layer, next, service};
use chain_runtime::{IntoReply, chain, node};
use http::request::Parts;
use tower_http::compression::CompressionLayer;

use crate::served::{Served, told};
use crate::within;

/// In the original an `Extension`, and then a `State`.
#[derive(Clone, Default)]
struct Store(Arc<RwLock<HashMap<String, Bytes>>>);

impl Store {
    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Bytes>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Bytes>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[node]
fn found(key: &Path<String>, store: &Store) -> Result<Bytes, StatusCode> {
    store.read().get(&key.0).cloned().ok_or(StatusCode::NOT_FOUND)
}

chain! {
    /// Only what is read is compressed.
    struct Get { store: Store, compressed: Layered }
    async fn(request: Request) -> Reply { key => compressed { found } }
}

/// The key in the path, for a chain over the whole request.
#[node]
async fn key(request: &mut Request) -> Result<Path<String>, Response> {
    use axum::RequestExt as _;
    request.extract_parts::<Path<String>>().await.map_err(IntoResponse::into_response)
}

struct Value(Bytes);

/// Breaks where it is more than about 5 MB.
#[node]
async fn value(body: Body) -> Result<Value, StatusCode> {
    axum::body::to_bytes(body, 1024 * 5_000).await.map(Value).map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
}

#[node]
fn insert(key: &Path<String>, value: &Value, store: &Store) -> StatusCode {
    store.write().insert(key.0.clone(), value.0.clone());
    StatusCode::OK
}

chain! {
    struct Set { store: Store }
    async fn(head: Parts, body: Body) -> Reply { extract::<Path<String>> => value => insert }
}

#[node]
fn list(store: &Store) -> String {
    store.read().keys().cloned().collect::<Vec<_>>().join("\n")
}

chain! {
    struct Keys { store: Store }
    async fn(request: Request) -> Reply { list }
}

#[node]
fn clear(store: &Store) -> StatusCode {
    store.write().clear();
    StatusCode::OK
}

chain! {
    struct Clear { store: Store }
    async fn(request: Request) -> Reply { clear }
}

#[node]
fn remove(key: &Path<String>, store: &Store) -> StatusCode {
    store.write().remove(&key.0);
    StatusCode::OK
}

chain! {
    struct Remove { store: Store }
    async fn(key: Path<String>) -> Reply { remove }
}

#[node]
fn bearer(request: &Request) -> Result<(), StatusCode> {
    let is_known = request.headers().get("authorization").is_some_and(|field| field == "Bearer secret-token");
    if is_known { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
}

chain! {
    struct Admin;
    async fn(request: Request, inner: Next) -> Reply { bearer => next }
}

/// A reply of its own, for it says other words than a `Reply` does.
struct Answer(Response);

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        answer.0
    }
}

impl IntoReply<Answer> for Response {
    fn into_reply(self) -> Answer {
        Answer(self)
    }
}

impl IntoReply<Answer> for std::convert::Infallible {
    fn into_reply(self) -> Answer {
        match self {}
    }
}

impl IntoReply<Answer> for Expired {
    fn into_reply(self) -> Answer {
        Answer((StatusCode::REQUEST_TIMEOUT, "request timed out").into_response())
    }
}

impl IntoReply<Answer> for Overloaded {
    fn into_reply(self) -> Answer {
        Answer((StatusCode::SERVICE_UNAVAILABLE, "service is overloaded, try again later").into_response())
    }
}

chain! {
    /// What the original says of the errors of its middleware by a downcast, it says by their types.
    struct Front { room: Concurrency, deadline: Deadline }
    async fn(request: Request, inner: Next) -> Answer { room { deadline { next } } }
}

fn app(room: usize, limit: Duration) -> Router {
    let store = Store::default();
    let compressed = Layered::new(CompressionLayer::new());
    let get = Arc::new(Get { store: store.clone(), compressed });
    let set = Arc::new(Set { store: store.clone() });
    let admin = Router::new()
        .route("/keys", delete_service(service(Arc::new(Clear { store: store.clone() }))))
        .route("/key/{key}", delete_service(handler(Arc::new(Remove { store: store.clone() }))))
        .layer(layer(Arc::new(Admin)));
    Router::new()
        .route("/{key}", get_service(service(get)).post_service(service(set)))
        .route("/keys", get_service(service(Arc::new(Keys { store }))))
        .nest("/admin", admin)
        .route("/slow/never", axum::routing::get(std::future::pending::<()>))
        .layer(layer(Arc::new(Front { room: Concurrency::shed(room), deadline: Deadline::within(limit) })))
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_is_set_is_found_and_listed() {
    let served = Served::new(app(1024, MINUTE)).await;
    assert_eq!(served.get("/foo").await.0, 404);
    assert_eq!(served.get("/keys").await, told(200, ""));
    assert_eq!(served.ask(Method::POST, "/foo", &[], "some value").await, told(200, ""));
    assert_eq!(served.get("/foo").await, told(200, "some value"));
    assert_eq!(served.ask(Method::POST, "/bar", &[], "another").await.0, 200);
    let (_, keys) = served.get("/keys").await;
    let mut keys: Vec<_> = keys.lines().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["bar", "foo"]);
}

#[tokio::test]
async fn what_is_read_is_compressed_for_who_takes_it_and_what_is_written_is_not() {
    let served = Served::new(app(1024, MINUTE)).await;
    let long = "x".repeat(10_000);
    let gzip = &[("accept-encoding", "gzip")];
    let set = served.send(Method::POST, "/foo", gzip, long.clone()).await;
    assert_eq!((set.status().as_u16(), set.headers().get("content-encoding")), (200, None));
    let compressed = served.send(Method::GET, "/foo", gzip, "").await;
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert!(compressed.body().len() < 1_000);
    assert_eq!(served.get("/foo").await, told(200, &long));
}

#[tokio::test]
async fn a_value_that_is_too_large_is_refused() {
    let served = Served::new(app(1024, MINUTE)).await;
    assert_eq!(served.ask(Method::POST, "/foo", &[], vec![0; 5_120_001]).await.0, 413);
    assert_eq!(served.ask(Method::POST, "/foo", &[], vec![b'x'; 5_120_000]).await.0, 200);
    assert_eq!(served.get("/foo").await.1.len(), 5_120_000);
}

#[tokio::test]
async fn only_the_administrator_deletes() {
    let served = Served::new(app(1024, MINUTE)).await;
    let secret = &[("authorization", "Bearer secret-token")];
    for key in ["/a", "/b", "/c"] {
        served.ask(Method::POST, key, &[], "x").await;
    }
    for headers in [&[][..], &[("authorization", "Bearer wrong")]] {
        assert_eq!(served.ask(Method::DELETE, "/admin/keys", headers, "").await.0, 401);
    }
    assert_eq!(served.ask(Method::DELETE, "/admin/key/a", secret, "").await, told(200, ""));
    assert_eq!((served.get("/a").await.0, served.get("/b").await.0), (404, 200));
    assert_eq!(served.ask(Method::DELETE, "/admin/keys", secret, "").await, told(200, ""));
    assert_eq!(served.get("/keys").await, told(200, ""));
}

#[tokio::test]
async fn what_takes_too_long_and_what_is_too_much_is_said_in_the_originals_words() {
    let served = Served::new(app(1024, Duration::from_millis(20))).await;
    assert_eq!(served.get("/slow/never").await, told(408, "request timed out"));

    let served = Arc::new(Served::new(app(1, MINUTE)).await);
    let first = Arc::clone(&served);
    let first = tokio::spawn(async move { first.get("/slow/never").await });
    // Until the first one is there, the second finds a place, and leaves it again.
    let shed = within("the first request", async {
        loop {
            match served.get("/keys").await {
                (200, _) => tokio::task::yield_now().await,
                shed => break shed,
            }
        }
    });
    assert_eq!(shed.await, told(503, "service is overloaded, try again later"));
    first.abort();
}
