//! tower: readiness, clones, errors, and services as nodes.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use chain_runtime::tower::{Call, Permit, forward, layer, service, try_layer, try_service};
use chain_runtime::{IntoReply, chain, node};
use tower::limit::ConcurrencyLimit;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

#[allow(dead_code, reason = "its main")]
#[path = "../../../../examples/embedding/tower.rs"]
mod example;

#[derive(Debug)]
struct Request(&'static str);

/// A service that panics where it is called without having been asked first, as it may. A clone has not been asked.
#[derive(Debug, Default)]
struct Strict {
    is_ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { is_ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request> for Strict {
    type Response = String;
    type Error = BoxError;
    type Future = Ready<Result<String, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called without having been asked");
        self.calls.fetch_add(1, Relaxed);
        ready(if request.0 == "fail" { Err("failed".into()) } else { Ok(format!("did {}", request.0)) })
    }
}

#[node]
fn gate(request: &Request) -> Result<(), BoxError> {
    if request.0 == "no" { Err("refused".into()) } else { Ok(()) }
}

chain! {
    struct Guard<S: Service<Request, Response = String, Error = BoxError>> { around: std::marker::PhantomData<fn(S)> }
    async fn(request: Request, inner: Permit<S, Request>) -> Result<String, BoxError> {
        gate => forward::<S, Request>
    }
}

fn guard<S>() -> Arc<Guard<S>>
where
    S: Service<Request, Response = String, Error = BoxError>,
{
    Arc::new(Guard { around: std::marker::PhantomData })
}

#[tokio::test]
async fn a_chain_is_around_a_service_of_any_type() {
    let strict = Strict::default();
    let calls = Arc::clone(&strict.calls);
    let mut guarded = ServiceBuilder::new().layer(try_layer(guard())).service(strict);
    assert_eq!(guarded.ready().await.expect("it is ready").call(Request("work")).await.expect("it works"), "did work");
    for (asked, told) in [("no", "refused"), ("fail", "failed")] {
        let failed = guarded.ready().await.expect("it is ready").call(Request(asked)).await;
        assert_eq!(failed.expect_err("the chain says so").to_string(), told);
    }
    assert_eq!(calls.load(Relaxed), 2, "what the chain refuses does not reach the service");
}

#[tokio::test]
async fn what_was_reserved_is_given_back_where_the_chain_does_not_use_it() {
    let limited = ConcurrencyLimit::new(Strict::default(), 1);
    let mut guarded = ServiceBuilder::new().layer(try_layer(guard())).service(limited);
    for _ in 0..10 {
        let service = crate::within("the limit", guarded.ready()).await.expect("it is ready");
        assert!(service.call(Request("no")).await.is_err());
    }
    // Dropped midway, or before it was polled.
    for _ in 0..10 {
        let service = crate::within("the limit", guarded.ready()).await.expect("it is ready");
        drop(service.call(Request("work")));
    }
    assert!(crate::within("the limit", guarded.ready()).await.is_ok());
}

#[tokio::test]
async fn readiness_is_that_of_the_service_and_stays_with_the_request() {
    let limited = ConcurrencyLimit::new(Strict::default(), 1);
    let mut guarded = ServiceBuilder::new().layer(try_layer(guard())).service(limited);
    let first = guarded.ready().await.expect("it is ready").call(Request("work"));
    let mut second = Asked(guarded.clone());
    assert!(!second.is_ready_now().await, "the only place is the first request's");
    assert_eq!(first.await.expect("it works"), "did work");
    assert!(second.is_ready_now().await, "and is free again");
}

/// A service that is asked whether it is ready, without waiting for it.
struct Asked<S>(S);

impl<S: Service<Request>> Asked<S> {
    async fn is_ready_now(&mut self) -> bool {
        std::future::poll_fn(|context| Poll::Ready(self.0.poll_ready(context).is_ready())).await
    }
}

#[derive(Debug)]
struct Line(&'static str);

#[node]
async fn count(line: &Line) -> usize {
    line.0.len()
}

#[node]
async fn parse(line: &Line) -> Result<u32, std::num::ParseIntError> {
    line.0.parse()
}

chain! {
    struct Counting;
    async fn(line: Line) -> usize { count }
}

#[node]
fn sum(line: &Line) -> Result<u32, std::num::ParseIntError> {
    line.0.split('+').map(str::parse::<u32>).sum()
}

chain! {
    struct Adding;
    fn(line: Line) -> Result<u32, std::num::ParseIntError> { sum }
}

chain! {
    struct Parsing;
    async fn(line: Line) -> Result<u32, std::num::ParseIntError> { parse }
}

#[tokio::test]
async fn what_a_chain_replies_with_as_a_result_is_the_services_error() {
    assert_eq!(try_service(Arc::new(Parsing)).oneshot(Line("7")).await, Ok(7));
    assert!(try_service(Arc::new(Parsing)).oneshot(Line("seven")).await.is_err());
    assert_eq!(try_service(&Adding).oneshot(Line("3+4")).await, Ok(7), "a chain of the `fn` form");
}

#[test]
fn it_is_what_servers_ask_for() {
    fn served<S, R>(service: S) -> S
    where
        S: Service<R, Error = Infallible, Future: Send + 'static> + Clone + Send + Sync + 'static,
    {
        service
    }
    served::<_, Line>(service(Arc::new(Counting)));
    served::<_, Line>(service(&Counting));
    served::<_, Request>(tower::Layer::layer(&layer(Arc::new(Always)), service_fn(infallible as Inner)));
}

type Inner = fn(Request) -> Ready<Result<String, Infallible>>;

fn infallible(_: Request) -> Ready<Result<String, Infallible>> {
    ready(Ok("inner".to_owned()))
}

#[node]
async fn pass(request: Request, inner: Permit<tower::util::ServiceFn<Inner>, Request>) -> String {
    let Ok(reply) = inner.call(request).await;
    reply
}

chain! {
    struct Always;
    async fn(request: Request, inner: Permit<tower::util::ServiceFn<Inner>, Request>) -> String { pass }
}

#[tokio::test]
async fn a_chain_that_is_not_send_is_a_service_that_is_not() {
    struct Local(Rc<usize>);
    #[node]
    async fn add(line: &Line, local: &Local) -> usize {
        tokio::task::yield_now().await;
        line.0.len() + *local.0
    }
    chain! {
        struct Here { local: Local }
        async fn(line: Line) -> usize { add }
    }
    assert_eq!(service(Rc::new(Here { local: Local(Rc::new(2)) })).oneshot(Line("one")).await, Ok(5));
}

#[tokio::test]
async fn the_head_and_the_body_of_a_request_are_inputs_as_well() {
    #[node]
    fn answer(head: &http::request::Parts, body: &String) -> String {
        format!("{} {body}", head.uri)
    }
    chain! {
        struct Apart;
        async fn(head: http::request::Parts, body: String) -> String { answer }
    }
    let request = http::Request::get("/path").body("body".to_owned()).expect("a request");
    assert_eq!(service(Arc::new(Apart)).oneshot(request).await, Ok("/path body".to_owned()));
}

struct Failed(BoxError);

impl IntoReply<String> for Failed {
    fn into_reply(self) -> String {
        self.0.to_string()
    }
}

chain! {
    struct Calling<S: Service<Request, Response = String, Error = Failed> + Clone> { upstream: Call<S, Request> }
    async fn(request: Request) -> String { upstream }
}

#[tokio::test]
async fn a_service_is_a_node() {
    let calling = Calling { upstream: Call::new(ServiceBuilder::new().map_err(Failed).service(Strict::default())) };
    assert_eq!(calling.run(Request("work")).await, "did work");
    assert_eq!(calling.run(Request("fail")).await, "failed");
}

#[tokio::test(start_paused = true)]
async fn towers_middleware_keeps_its_promises_around_a_service_that_is_a_node() {
    let slow = |limit: usize| {
        let slow = service_fn(async |request: Request| {
            tokio::time::sleep(Duration::from_secs(request.0.len() as u64)).await;
            Ok::<_, BoxError>(request.0.to_owned())
        });
        ServiceBuilder::new()
            .map_err(Failed)
            .load_shed()
            .concurrency_limit(limit)
            .timeout(Duration::from_secs(5))
            .service(slow)
    };
    // The time limit.
    let calling = Calling { upstream: Call::new(slow(1)) };
    assert_eq!(calling.run(Request("four")).await, "four");
    assert_eq!(calling.run(Request("sixsix")).await, "request timed out");
    // The limit is one for all requests, though each calls a clone; what is above it is shed at once.
    let calling = Calling { upstream: Call::new(slow(2)) };
    let (one, two, three) =
        tokio::join!(calling.run(Request("a")), calling.run(Request("b")), calling.run(Request("c")));
    assert_eq!((one.as_str(), two.as_str(), three.as_str()), ("a", "b", "service overloaded"));
    // A request that is dropped midway gives its place back.
    for _ in 0..5 {
        let dropped = tokio::time::timeout(Duration::from_secs(1), calling.run(Request("four"))).await;
        assert!(dropped.is_err());
    }
    assert_eq!(calling.run(Request("d")).await, "d");
    // What has failed is tried again, so often.
    #[derive(Clone)]
    struct Twice(u32);
    impl<E> tower::retry::Policy<Request, String, E> for Twice {
        type Future = Ready<()>;
        fn retry(&mut self, _: &mut Request, result: &mut Result<String, E>) -> Option<Ready<()>> {
            self.0 = self.0.checked_sub(u32::from(result.is_err()))?;
            result.is_err().then(|| ready(()))
        }
        fn clone_request(&mut self, request: &Request) -> Option<Request> {
            Some(Request(request.0))
        }
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&calls);
    let failing = service_fn(move |request: Request| {
        let is_third = asked.fetch_add(1, Relaxed) == 2;
        ready(if is_third { Ok(request.0.to_owned()) } else { Err::<_, BoxError>("not yet".into()) })
    });
    let retried = |times| ServiceBuilder::new().map_err(Failed).retry(Twice(times)).service(failing.clone());
    assert_eq!(Calling { upstream: Call::new(retried(2)) }.run(Request("work")).await, "work");
    assert_eq!(calls.load(Relaxed), 3);
    assert_eq!(Calling { upstream: Call::new(retried(1)) }.run(Request("work")).await, "not yet");
    assert_eq!(calls.load(Relaxed), 5);
    // A service that is no `Clone` goes behind a buffer.
    struct NoClone(Strict);
    impl Service<Request> for NoClone {
        type Response = String;
        type Error = BoxError;
        type Future = Ready<Result<String, BoxError>>;
        fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            self.0.poll_ready(context)
        }
        fn call(&mut self, request: Request) -> Self::Future {
            self.0.call(request)
        }
    }
    let buffered = ServiceBuilder::new().map_err(Failed).buffer(4).service(NoClone(Strict::default()));
    let calling = Calling { upstream: Call::new(buffered) };
    assert_eq!(calling.run(Request("work")).await, "did work");
}

#[tokio::test(start_paused = true)]
async fn the_example_does_what_it_says() {
    let ask = async |user, seconds| {
        example::stack().oneshot(example::Request { user, seconds }).await.map_err(|error| error.to_string())
    };
    assert_eq!(ask("ada", 1).await, Ok("ada: served".to_owned()));
    assert_eq!(ask("ada", 60).await, Ok("ada: the upstream failed: request timed out".to_owned()));
    assert_eq!(ask("eve", 1).await, Err("who is there?".to_owned()));
}
