//! axum: handlers, services, layers, and the types that become a response.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequestParts, Json, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, get_service, post_service};
use axum::{Extension, Router};
use chain_runtime::around::{CatchPanic, Concurrency, Deadline, WholeConcurrency, WholeDeadline};
use chain_runtime::axum::{Next, Reply, Request, extract, handler, handler_with, layer, next, service};
use chain_runtime::{chain, node};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::served::{Served, told};
use crate::within;

#[allow(dead_code, reason = "its main")]
#[path = "../../../../examples/embedding/axum.rs"]
mod example;

#[tokio::test]
async fn the_example_does_what_it_says() {
    let served = Served::new(example::app()).await;
    let key = &[("x-key", "lovelace")];
    let ask = async |path, headers| served.ask(Method::GET, path, headers, Body::empty()).await;
    assert_eq!(ask("/hello/2", key).await, told(200, "hello hello (0 before)\n"));
    assert_eq!(ask("/hello/1", key).await, told(200, "hello (1 before)\n"));
    assert_eq!(ask("/hello/two", key).await.0, 400, "the extractor's rejection");
    assert_eq!(ask("/hello/2", &[]).await, told(401, "who is there?\n"));
    assert_eq!(ask("/elsewhere", key).await.0, 404, "the router's own");
    assert_eq!(ask("/elsewhere", &[]).await.0, 401, "a layer of a router is around that as well");
}

#[derive(Deserialize, Serialize)]
struct Order {
    what: String,
    count: u32,
}

#[node]
fn order(customer: &Path<String>, page: &Query<Page>, order: &Json<Order>) -> (StatusCode, Json<Order>) {
    let what = format!("{} for {} on page {}", order.what, customer.0, page.number);
    (StatusCode::CREATED, Json(Order { what, count: order.count + 1 }))
}

#[derive(Deserialize)]
struct Page {
    number: u32,
}

chain! {
    struct Ordering;
    async fn(customer: Path<String>, page: Query<Page>, order: Json<Order>) -> Reply { order }
}

#[tokio::test]
async fn a_handlers_inputs_are_extractors() {
    let app = Router::new().route("/orders/{customer}", post_service(handler(Arc::new(Ordering))));
    let served = Served::new(app).await;
    let json = &[("content-type", "application/json")];
    let ask = async |path, headers, body: &'static str| served.ask(Method::POST, path, headers, body).await;
    let good = r#"{"what":"pizza","count":2}"#;
    assert_eq!(
        ask("/orders/ada?number=7", json, good).await,
        told(201, r#"{"what":"pizza for ada on page 7","count":3}"#)
    );
    assert_eq!(ask("/orders/ada", json, good).await.0, 400, "no query");
    assert_eq!(ask("/orders/ada?number=7", &[], good).await.0, 415, "no content type");
    assert_eq!(ask("/orders/ada?number=7", json, "{").await.0, 400, "no JSON");
    assert_eq!(ask("/orders/ada?number=7", json, "{}").await.0, 422, "another JSON");
    assert_eq!(served.get("/orders/ada?number=7").await.0, 405, "the method is the router's business");
}

#[derive(Clone)]
struct Settings {
    name: &'static str,
}

#[derive(Clone)]
struct AppState {
    settings: Settings,
}

impl FromRef<AppState> for Settings {
    fn from_ref(state: &AppState) -> Self {
        state.settings.clone()
    }
}

#[node]
fn name(settings: &State<Settings>) -> &'static str {
    settings.name
}

chain! {
    struct Naming;
    async fn(settings: State<Settings>) -> Reply { name }
}

#[tokio::test]
async fn extractors_that_want_a_state_are_given_it() {
    let state = AppState { settings: Settings { name: "ada" } };
    let app: Router = Router::new().route("/", get_service(handler_with(Arc::new(Naming), state)));
    assert_eq!(Served::new(app).await.get("/").await, told(200, "ada"));
}

#[node]
async fn read(request: Request) -> Result<String, (StatusCode, String)> {
    let body = axum::body::to_bytes(request.into_body(), 10).await;
    let body: Bytes = body.map_err(|error| (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
    Ok(format!("{} bytes", body.len()))
}

chain! {
    struct Reading;
    async fn(request: Request) -> Reply { read }
}

#[node]
fn shown(head: &Parts, page: &Query<Page>) -> Html<String> {
    Html(format!("<p>{} {}", head.uri.path(), page.number))
}

chain! {
    struct Showing;
    async fn(head: Parts, body: Body) -> Reply { extract::<Query<Page>> => shown }
}

#[tokio::test]
async fn a_chain_is_a_routes_service_and_a_fallback() {
    let app =
        Router::new().route_service("/read", service(Arc::new(Reading))).fallback_service(service(Arc::new(Showing)));
    let served = Served::new(app).await;
    assert_eq!(served.ask(Method::POST, "/read", &[], "four").await, told(200, "4 bytes"));
    assert_eq!(served.ask(Method::POST, "/read", &[], "more than ten bytes").await.0, 413);
    assert_eq!(served.get("/other?number=3").await, told(200, "<p>/other 3"));
    assert_eq!(served.get("/other?number=x").await.0, 400, "an extractor as a node breaks with its rejection");
}

/// What a layer finds out, a route may need: the chain hands it over where axum's own extractors look.
#[derive(Clone)]
struct User(String);

/// An extractor of one's own, in a chain.
struct Token(String);

impl<S: Sync> FromRequestParts<S> for Token {
    type Rejection = StatusCode;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let token = head.headers.remove("x-token").ok_or(StatusCode::UNAUTHORIZED)?;
        token.to_str().map(|token| Self(token.to_owned())).map_err(|_| StatusCode::BAD_REQUEST)
    }
}

#[node]
async fn known(request: &mut Request) -> Result<(), StatusCode> {
    let mut head = std::mem::take(request).into_parts();
    let Token(token) = Token::from_request_parts(&mut head.0, &()).await?;
    head.0.extensions.insert(User(token));
    *request = Request::from_parts(head.0, head.1);
    Ok(())
}

#[derive(Default)]
struct Counted {
    ended: AtomicUsize,
    cancelled: AtomicUsize,
    told: Notify,
}

#[node]
impl Counted {
    fn exit(&self, reply: &mut Reply) {
        let ended = self.ended.fetch_add(1, Relaxed) + 1;
        reply.0.headers_mut().insert("x-ended", ended.into());
    }
    fn cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
        self.told.notify_one();
    }
}

chain! {
    #[derive(Default)]
    struct Guard { counted: Counted }
    async fn(request: Request, inner: Next) -> Reply { counted => known => next }
}

#[tokio::test]
async fn a_layer_stands_before_all_routes_and_is_cancelled_with_its_client() {
    let guard = Arc::new(Guard::default());
    let entered = Arc::new(Notify::new());
    let inside = Arc::clone(&entered);
    let app = Router::new()
        .route("/who", get(async |Extension(user): Extension<User>| user.0))
        .route(
            "/hang",
            get(async move || {
                inside.notify_one();
                std::future::pending::<Infallible>().await
            }),
        )
        .layer(layer(Arc::clone(&guard)));
    let served = Served::new(app).await;
    let token = &[("x-token", "ada")];
    assert_eq!(served.ask(Method::GET, "/who", token, Body::empty()).await, told(200, "ada"));
    assert_eq!(served.get("/who").await.0, 401);
    assert_eq!(guard.counted.ended.load(Relaxed), 2);
    let base = served.base().to_owned();
    let hanging = tokio::spawn(async move {
        let request = Request::get(format!("{base}/hang")).header("x-token", "ada").body(Body::empty());
        Client::builder(TokioExecutor::new()).build_http().request(request.expect("a request")).await
    });
    within("the route", entered.notified()).await;
    hanging.abort();
    within("`cancelled`", guard.counted.told.notified()).await;
    assert_eq!(guard.counted.cancelled.load(Relaxed), 1);
}

#[node]
async fn act(head: &Parts) -> &'static str {
    match head.uri.path() {
        "/slow" => tokio::time::sleep(Duration::from_secs(3600)).await,
        "/panic" => panic!("as it was asked"),
        _ => {}
    }
    "done"
}

struct Traced;

#[node]
impl Traced {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
}

chain! {
    struct Limited { traced: Traced, deadline: Deadline, panics: CatchPanic, room: Concurrency }
    async fn(head: Parts, body: Body) -> Reply { traced { deadline { panics { room { act } } } } }
}

#[tokio::test]
async fn what_the_nodes_around_a_block_give_up_with_is_a_response() {
    let limited = |room| Limited {
        traced: Traced,
        deadline: Deadline::within(Duration::from_millis(50)),
        panics: CatchPanic,
        room: Concurrency::shed(room),
    };
    let served = Served::new(Router::new().fallback_service(service(Arc::new(limited(1))))).await;
    assert_eq!(served.get("/").await, told(200, "done"));
    assert_eq!(served.get("/slow").await.0, 504);
    assert_eq!(served.get("/panic").await.0, 500);
    assert_eq!(served.get("/").await, told(200, "done"), "the only place was given back each time");
    let served = Served::new(Router::new().fallback_service(service(Arc::new(limited(0))))).await;
    assert_eq!(served.get("/").await.0, 503);
}

#[tokio::test]
async fn a_reply_that_is_axums_own_response_will_do() {
    #[node]
    fn plain() -> Response {
        "plain".into_response()
    }
    chain! {
        struct Plain;
        async fn(request: Request) -> Response { plain }
    }
    let served = Served::new(Router::new().route_service("/", service(Arc::new(Plain)))).await;
    assert_eq!(served.get("/").await, told(200, "plain"));
}

/// One part at once, and then nothing more.
#[node]
fn stream(_request: &Request) -> Response {
    let first = futures_util::stream::iter([Ok::<_, Infallible>("first")]);
    Body::from_stream(futures_util::StreamExt::chain(first, futures_util::stream::pending())).into_response()
}

chain! {
    struct Streaming { room: WholeConcurrency<Reply>, whole: WholeDeadline<Reply> }
    async fn(request: Request) -> Reply { room { whole { stream } } }
}

fn streaming(limit: Duration) -> Arc<Streaming> {
    Arc::new(Streaming { room: WholeConcurrency::shed(1), whole: WholeDeadline::within(limit) })
}

async fn has_room(chain: &Streaming) {
    within("the permit", async {
        while chain.room.available() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_late_breaks_off_and_gives_its_permit_back() {
    let chain = streaming(Duration::from_millis(300));
    let served = Served::new(Router::new().route_service("/", service(Arc::clone(&chain)))).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let response = client.get(format!("{}/", served.base()).parse().unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let whole = within("the end", axum::body::to_bytes(Body::new(response.into_body()), 99)).await;
    assert!(whole.is_err(), "the client sees that it is not whole");
    has_room(&chain).await;
}

#[tokio::test]
async fn a_permit_is_held_while_the_body_is_sent_and_comes_back_from_a_client_that_is_gone() {
    let chain = streaming(Duration::from_secs(3_600));
    let served = Served::new(Router::new().route_service("/", service(Arc::clone(&chain)))).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let response = client.get(format!("{}/", served.base()).parse().unwrap()).await.unwrap();
    assert_eq!(chain.room.available(), 0);
    assert_eq!(served.get("/").await.0, 503);
    drop((response, client));
    has_room(&chain).await;
}
