//! Layers of tower and tower-http as around nodes: in a chain they do what their documentation promises.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chain_runtime::axum::{Layered, Reply, Request, service};
use chain_runtime::tower::{Layered as Cut, Spare};
use chain_runtime::{chain, node};
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::retry::RetryLayer;
use tower::util::MapErrLayer;
use tower::{BoxError, Layer, Service};
use tower_http::classify::ServerErrorsFailureClass;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::map_request_body::MapRequestBodyLayer;
use tower_http::map_response_body::MapResponseBodyLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;

use crate::seen::Seen;
use crate::served::{Served, told};
use crate::within;

/// Says what it was sent, as the path wants it.
#[node]
async fn answer(request: &mut Request) -> Result<Response, (StatusCode, String)> {
    match request.uri().path() {
        "/hang" => std::future::pending::<()>().await,
        "/panic" => panic!("as it was asked"),
        "/fail" => return Err((StatusCode::INTERNAL_SERVER_ERROR, "as it was asked".to_owned())),
        "/encoded" => return Ok(([(CONTENT_ENCODING, "morse")], "...---...".repeat(100)).into_response()),
        "/id" => return Ok(request.headers()["x-request-id"].to_str().expect("it is text").to_owned().into_response()),
        "/sensitive" => return Ok(request.headers()[AUTHORIZATION].is_sensitive().to_string().into_response()),
        _ => {}
    }
    let body = axum::body::to_bytes(std::mem::take(request.body_mut()), usize::MAX).await;
    let body = body.map_err(|error| (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
    Ok(String::from_utf8_lossy(&body).into_owned().into_response())
}

chain! {
    /// A layer around everything.
    struct Wrapped { layer: Layered, seen: Seen }
    async fn(request: Request) -> Reply { layer { seen => answer } }
}

fn around(layer: Layered) -> Arc<Wrapped> {
    Arc::new(Wrapped { layer, seen: Seen::default() })
}

async fn serve(chain: &Arc<Wrapped>) -> Served {
    Served::new(Router::new().fallback_service(service(Arc::clone(chain)))).await
}

#[tokio::test]
async fn cors_answers_a_preflight_and_marks_what_it_lets_through() {
    let chain = around(Layered::new(
        CorsLayer::new().allow_origin(HeaderValue::from_static("http://a.example")).allow_methods([Method::PUT]),
    ));
    let served = serve(&chain).await;
    let asked = &[("origin", "http://a.example"), ("access-control-request-method", "PUT")];
    let preflight = served.send(Method::OPTIONS, "/", asked, Body::empty()).await;
    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(preflight.headers()["access-control-allow-methods"], "PUT");
    assert_eq!(chain.seen.counts(), [0, 0, 0], "a preflight is the layer's own business");
    let put = served.send(Method::PUT, "/", &asked[..1], "stored").await;
    assert_eq!(
        (put.body().as_ref(), &put.headers()["access-control-allow-origin"]),
        (&b"stored"[..], &HeaderValue::from_static("http://a.example"))
    );
    assert_eq!(chain.seen.counts(), [1, 1, 0]);
    let other = served.send(Method::PUT, "/", &[("origin", "http://b.example")], "stored").await;
    assert_eq!(
        other.headers()["access-control-allow-origin"],
        "http://a.example",
        "which is not the one that asked, so its browser hides the response"
    );
}

#[tokio::test]
async fn cors_names_no_origin_to_one_that_is_not_on_its_list() {
    let list = ["http://a.example", "http://c.example"].map(HeaderValue::from_static);
    let chain = around(Layered::new(CorsLayer::new().allow_origin(list).allow_methods([Method::PUT])));
    let served = serve(&chain).await;
    for (origin, allowed) in [("http://c.example", Some("http://c.example")), ("http://b.example", None)] {
        let asked = &[("origin", origin), ("access-control-request-method", "PUT")];
        for (method, headers) in [(Method::OPTIONS, &asked[..]), (Method::PUT, &asked[..1])] {
            let reply = served.send(method, "/", headers, Body::empty()).await;
            let named = reply.headers().get("access-control-allow-origin");
            assert_eq!(named.map(|named| named.to_str().expect("it is text")), allowed, "{origin}");
        }
    }
    assert_eq!(chain.seen.counts(), [2, 2, 0], "both were asked to PUT, and no preflight came so far");
}

#[tokio::test]
async fn compression_goes_out_and_decompression_comes_in() {
    chain! {
        struct Zipped { zip: Layered, unzip: Layered }
        async fn(request: Request) -> Reply { zip { unzip { answer } } }
    }
    let zipped = Zipped {
        zip: Layered::new(CompressionLayer::new()),
        unzip: Layered::new((RequestDecompressionLayer::new(), MapRequestBodyLayer::new(Body::new))),
    };
    let served = Served::new(Router::new().fallback_service(service(Arc::new(zipped)))).await;
    let text = "over and over again, ".repeat(100);
    let plain = served.send(Method::POST, "/", &[], text.clone()).await;
    assert_eq!(plain.body().as_ref(), text.as_bytes(), "nobody asked for it");
    let zipped = served.send(Method::POST, "/", &[(ACCEPT_ENCODING.as_str(), "gzip")], text.clone()).await;
    assert_eq!(zipped.headers()[CONTENT_ENCODING], "gzip");
    assert!(zipped.body().starts_with(&[0x1f, 0x8b]) && zipped.body().len() < text.len() / 5);
    for refused in ["gzip;q=0", "identity", "morse"] {
        let plain = served.send(Method::POST, "/", &[(ACCEPT_ENCODING.as_str(), refused)], text.clone()).await;
        assert_eq!(
            (plain.headers().get(CONTENT_ENCODING), plain.body().as_ref()),
            (None, text.as_bytes()),
            "{refused}"
        );
    }
    let encoded = served.send(Method::GET, "/encoded", &[(ACCEPT_ENCODING.as_str(), "gzip")], "").await;
    assert_eq!(
        (&encoded.headers()[CONTENT_ENCODING], encoded.body().as_ref()),
        (&HeaderValue::from_static("morse"), "...---...".repeat(100).as_bytes()),
        "what is encoded is left as it is"
    );
    let back = served.send(Method::POST, "/", &[(CONTENT_ENCODING.as_str(), "gzip")], zipped.into_body()).await;
    assert_eq!(back.body().as_ref(), text.as_bytes());
    let unknown = served.send(Method::POST, "/", &[(CONTENT_ENCODING.as_str(), "morse")], "...---...").await;
    assert_eq!(unknown.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_length_and_as_it_is_read() {
    let chain = around(Layered::new((RequestBodyLimitLayer::new(10), MapRequestBodyLayer::new(Body::new))));
    let served = serve(&chain).await;
    assert_eq!(served.ask(Method::POST, "/", &[], "just right").await, told(200, "just right"));
    assert_eq!(served.ask(Method::POST, "/", &[], "longer than that").await.0, 413);
    assert_eq!(chain.seen.counts(), [1, 1, 0], "it is not even read");
    let (mut sender, unknown) = http_body_util::channel::Channel::<_, Infallible>::new(3);
    for part in ["longer ", "than ", "that"] {
        sender.send_data(bytes::Bytes::from(part)).await.expect("there is room for three");
    }
    drop(sender);
    assert_eq!(served.ask(Method::POST, "/", &[], Body::new(unknown)).await.0, 413, "its length is not known before");
    assert_eq!(chain.seen.counts(), [2, 2, 0]);
}

#[tokio::test]
async fn a_time_limit_ends_the_block_and_cancels_its_nodes() {
    let limit = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_millis(50));
    let chain = around(Layered::new(limit));
    let served = serve(&chain).await;
    assert_eq!(served.get("/hang").await.0, 504);
    assert_eq!(chain.seen.counts(), [1, 0, 1]);
    assert_eq!(
        served.ask(Method::POST, "/", &[], "quick").await,
        told(200, "quick"),
        "nothing of the last request is left"
    );
}

#[tokio::test]
async fn a_request_has_an_id_on_its_way_in_and_out() {
    let ids = (SetRequestIdLayer::x_request_id(MakeRequestUuid), PropagateRequestIdLayer::x_request_id());
    let served = serve(&around(Layered::new(ids))).await;
    let made = served.send(Method::GET, "/id", &[], Body::empty()).await;
    assert_eq!(made.headers()["x-request-id"].as_bytes(), made.body().as_ref());
    let kept = served.send(Method::GET, "/id", &[("x-request-id", "7")], Body::empty()).await;
    assert_eq!((&kept.headers()["x-request-id"], kept.body().as_ref()), (&HeaderValue::from_static("7"), &b"7"[..]));
}

/// What a trace was told, in its order.
#[derive(Clone, Default)]
struct Told(Arc<std::sync::Mutex<Vec<String>>>);

impl Told {
    fn push(&self, line: String) {
        self.0.lock().expect("nobody panicked").push(line);
    }
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("nobody panicked"))
    }
}

#[tokio::test]
async fn a_trace_is_told_of_requests_responses_bodies_and_failures() {
    let told = Told::default();
    let [on_request, on_response, on_chunk, on_eos, on_failure] = [(); 5].map(|()| told.clone());
    let trace = TraceLayer::new_for_http()
        .on_request(move |request: &Request, _: &Span| on_request.push(format!("request {}", request.uri().path())))
        .on_response(move |response: &Response, _: Duration, _: &Span| {
            on_response.push(format!("response {}", response.status().as_u16()));
        })
        .on_body_chunk(move |chunk: &bytes::Bytes, _: Duration, _: &Span| {
            on_chunk.push(format!("{} bytes", chunk.len()))
        })
        .on_eos(move |_: Option<&axum::http::HeaderMap>, _: Duration, _: &Span| on_eos.push("end".to_owned()))
        .on_failure(move |failure: ServerErrorsFailureClass, _: Duration, _: &Span| {
            on_failure.push(format!("failure: {failure}"));
        });
    let chain = around(Layered::new((trace, MapResponseBodyLayer::new(Body::new))));
    let served = serve(&chain).await;
    assert_eq!(served.ask(Method::POST, "/", &[], "hi").await.0, 200);
    assert_eq!(told.taken(), ["request /", "response 200", "2 bytes", "end"]);
    assert_eq!(served.get("/fail").await.0, 500);
    assert_eq!(told.taken()[..3], ["request /fail", "response 500", "failure: Status code: 500 Internal Server Error"]);
    assert_eq!(chain.seen.counts(), [2, 2, 0]);
}

#[tokio::test]
async fn headers_are_set_and_hidden() {
    let served_by = HeaderValue::from_static("chain");
    let headers = (
        SetSensitiveRequestHeadersLayer::new([AUTHORIZATION]),
        SetResponseHeaderLayer::overriding(HeaderName::from_static("x-served-by"), served_by),
    );
    let served = serve(&around(Layered::new(headers))).await;
    let reply = served.send(Method::GET, "/sensitive", &[("authorization", "secret")], Body::empty()).await;
    assert_eq!(
        (reply.body().as_ref(), &reply.headers()["x-served-by"]),
        (&b"true"[..], &HeaderValue::from_static("chain"))
    );
}

#[tokio::test]
async fn a_limit_is_one_for_all_requests_and_sheds_what_is_above_it() {
    let shed = |_: BoxError| StatusCode::SERVICE_UNAVAILABLE;
    let chain = around(Layered::new((MapErrLayer::new(shed), LoadShedLayer::new(), ConcurrencyLimitLayer::new(2))));
    let served = Arc::new(serve(&chain).await);
    for round in 0..3 {
        let hanging: Vec<_> = (0..2)
            .map(|_| {
                let served = Arc::clone(&served);
                tokio::spawn(async move { served.get("/hang").await })
            })
            .collect();
        chain.seen.becomes(|[entered, ..]| entered >= (round + 1) * 3 - 1).await;
        assert_eq!(served.get("/").await.0, 503, "two are in it");
        hanging.iter().for_each(tokio::task::JoinHandle::abort);
        chain.seen.becomes(|[.., cancelled]| cancelled >= (round + 1) * 2).await;
        // Their places are free as soon as their runs are dropped, which is right behind the hook.
        within("a place", async { while served.get("/").await.0 != 200 {} }).await;
    }
}

/// Calls its inner service twice.
#[derive(Clone)]
struct Again;

impl<Q: Clone> tower::retry::Policy<Q, Response, Infallible> for Again {
    type Future = std::future::Ready<()>;
    fn retry(&mut self, _: &mut Q, result: &mut Result<Response, Infallible>) -> Option<Self::Future> {
        matches!(result, Ok(response) if response.status() == StatusCode::OK).then(|| std::future::ready(()))
    }
    fn clone_request(&mut self, request: &Q) -> Option<Q> {
        Some(request.clone())
    }
}

#[derive(Clone, Default)]
struct Plain(&'static str);

impl Spare for Plain {
    fn spare(&self) -> Self {
        self.clone()
    }
}

#[node]
async fn plain(request: &Plain) -> Response {
    tokio::task::yield_now().await;
    Response::new(Body::from(request.0))
}

chain! {
    struct Tried { again: Cut<Plain, Response> }
    async fn(request: Plain) -> Response { again { plain } }
}

#[tokio::test]
#[should_panic(expected = "a layer called its inner service a second time")]
async fn a_layer_that_calls_again_is_told_so() {
    Tried { again: Cut::new(RetryLayer::new(Again)) }.run(Plain("once")).await;
}

chain! {
    struct Buffered { buffer: Cut<Plain, Response> }
    async fn(request: Plain) -> Response { buffer { plain } }
}

#[tokio::test]
async fn a_layer_that_calls_from_another_task_fails_and_does_not_hang() {
    let failed = |error: BoxError| Response::new(Body::from(error.to_string()));
    let layer = (MapErrLayer::new(failed), tower::buffer::BufferLayer::new(4));
    let reply = within("the buffer", Buffered { buffer: Cut::new(layer) }.run(Plain("once"))).await;
    let text = axum::body::to_bytes(reply.into_body(), 1000).await.expect("the body is whole");
    assert_eq!(text.as_ref(), b"buffer's worker closed unexpectedly", "it panicked");
}

/// A layer that waits before and behind its inner service, and counts what it makes.
#[derive(Clone, Default)]
struct Slow(Arc<AtomicUsize>);

#[derive(Clone)]
struct SlowService<S>(S);

impl<S> Layer<S> for Slow {
    type Service = SlowService<S>;
    fn layer(&self, inner: S) -> SlowService<S> {
        self.0.fetch_add(1, Relaxed);
        SlowService(inner)
    }
}

impl<S> Service<Plain> for SlowService<S>
where
    S: Service<Plain, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }
    fn call(&mut self, request: Plain) -> Self::Future {
        // As tower's documentation has it: the one that is ready goes along.
        let next = self.0.clone();
        let mut ready = std::mem::replace(&mut self.0, next);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let response = ready.call(request).await;
            tokio::task::yield_now().await;
            response
        })
    }
}

chain! {
    struct Slowed { outer: Cut<Plain, Response>, inner: Cut<Plain, Response>, seen: Seen }
    async fn(request: Plain) -> Response { outer { inner { seen => plain } } }
}

#[tokio::test]
async fn layers_wait_on_both_sides_beside_each_other_and_are_made_once() {
    let (outer, inner) = (Slow::default(), Slow::default());
    let chain =
        Arc::new(Slowed { outer: Cut::new(outer.clone()), inner: Cut::new(inner.clone()), seen: Seen::default() });
    let requests: Vec<_> = (0..100)
        .map(|index| {
            let chain = Arc::clone(&chain);
            tokio::spawn(async move {
                let text: &'static str = ["a", "b", "c", "d"][index % 4];
                let reply = chain.run(Plain(text)).await;
                (text, axum::body::to_bytes(reply.into_body(), 10).await.expect("the body is whole"))
            })
        })
        .collect();
    for request in requests {
        let (asked, told) = request.await.expect("no panic");
        assert_eq!(asked.as_bytes(), told.as_ref(), "each request has its own reply");
    }
    assert_eq!((outer.0.load(Relaxed), inner.0.load(Relaxed)), (1, 1));
}

/// Dropped at every await, a request leaves nothing behind for the next one.
#[test]
fn a_request_may_be_dropped_at_every_await() {
    let chain = Slowed { outer: Cut::new(Slow::default()), inner: Cut::new(Slow::default()), seen: Seen::default() };
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut polls = 0;
    loop {
        let mut run = std::pin::pin!(chain.run(Plain("dropped")));
        let is_over = (0..polls).any(|_| run.as_mut().poll(&mut context).is_ready());
        if is_over {
            break;
        }
        let mut next = std::pin::pin!(chain.run(Plain("next")));
        let reply = loop {
            if let Poll::Ready(reply) = next.as_mut().poll(&mut context) {
                break reply;
            }
        };
        let body = chain::poll::block_on(axum::body::to_bytes(reply.into_body(), 10)).expect("the body is whole");
        assert_eq!(body.as_ref(), b"next", "after {polls} polls");
        polls += 1;
    }
    assert!(polls > 5, "{polls} polls");
    let [entered, left, cancelled] = chain.seen.counts();
    assert_eq!(entered, left + cancelled);
    assert!(cancelled > 0);
}
