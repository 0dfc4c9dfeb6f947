//! A request that is sent twice is carried out once.

use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::nodes::idempotency::{Idempotency, Keeps as _, Memory, WholeBody};
use chain_runtime::nodes::{User, Whole};
use chain_runtime::{Failure, Render, chain, node};
use http::request::Parts;
use http::{HeaderName, Method, Request, Response};
use http_body_util::Full;
use tokio::sync::Notify;

/// How often the work was done, and when it may go on.
#[derive(Default)]
struct Work {
    times: AtomicU32,
    may_go_on: Notify,
}

#[node]
async fn work(request: &Parts, work: &Work) -> Response<Full<Bytes>> {
    let count = work.times.fetch_add(1, Ordering::Relaxed) + 1;
    let path = request.uri.path();
    match path {
        "/waits" => work.may_go_on.notified().await,
        "/panics" => panic!("asked for"),
        _ => {}
    }
    let status: u16 = path.trim_start_matches('/').parse().unwrap_or(201);
    let size = path.strip_prefix("/large/").map_or(0, |size| size.parse().expect("a size"));
    let body = format!("{count}{}", "x".repeat(size));
    let reply = Response::builder().status(status).header("x-count", count).header("connection", "close");
    reply.body(body.into()).expect("a reply")
}

chain! {
    struct Site { once: Idempotency<User>, done: Work }
    async fn(request: Parts, user: User, body: Whole) -> Response<Full<Bytes>> { once => work }
}

fn site(memory: Memory) -> Site {
    Site { once: Idempotency::new(memory.clock(|| tokio::time::Instant::now().into_std())), done: Work::default() }
}

fn alice() -> User {
    User::new("alice").expect("a name")
}

fn post(path: &str, keys: &[&str]) -> Parts {
    let mut request = Request::post(path);
    for key in keys {
        request = request.header("idempotency-key", *key);
    }
    request.body(()).expect("a request").into_parts().0
}

fn said(reply: &Response<Full<Bytes>>) -> (u16, String) {
    let body = reply.body().whole().expect("it is whole");
    (reply.status().as_u16(), String::from_utf8(body.to_vec()).expect("a text"))
}

impl Site {
    async fn send(&self, path: &str, key: &str) -> (u16, String) {
        said(&self.run(post(path, &[key]), alice(), Whole::default()).await)
    }
}

fn polled<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn the_same_key_gets_the_same_reply_and_nothing_runs() {
    let site = site(Memory::default());
    let first = site.run(post("/", &["a"]), alice(), Whole::default()).await;
    let again = site.run(post("/", &["\"a\""]), alice(), Whole::default()).await;
    assert_eq!(said(&first), (201, "1".to_owned()));
    assert_eq!(said(&again), (201, "1".to_owned()), "in quotes it is the same key");
    assert_eq!(again.headers()["x-count"], "1");
    assert!(!again.headers().contains_key("connection"), "that was of the other connection");
    assert_eq!(site.send("/", "b").await, (201, "2".to_owned()));
    // An error is a reply, too.
    assert_eq!(site.send("/500", "c").await, (500, "3".to_owned()));
    assert_eq!(site.send("/500", "c").await, (500, "3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_its_owners() {
    let site = site(Memory::default());
    let bob = User::new("bob").expect("a name");
    assert_eq!(site.send("/", "a").await.1, "1");
    assert_eq!(said(&site.run(post("/", &["a"]), bob, Whole::default()).await).1, "2");
}

#[tokio::test(start_paused = true)]
async fn a_twin_is_told_that_the_first_is_under_way() {
    let site = site(Memory::default());
    let mut first = pin!(site.send("/waits", "a"));
    assert!(polled(first.as_mut()).is_pending());
    let twin = site.run(post("/waits", &["a"]), alice(), Whole::default()).await;
    assert_eq!((twin.status().as_u16(), &twin.headers()["retry-after"]), (409, &"1".parse().expect("a value")));
    site.done.may_go_on.notify_one();
    assert_eq!(first.await, (201, "1".to_owned()));
    assert_eq!(site.send("/waits", "a").await, (201, "1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_key_with_another_request_is_refused() {
    let site = site(Memory::default());
    let send = async |method: Method, path: &str, body: &'static str| {
        let mut request = post(path, &["a"]);
        request.method = method;
        said(&site.run(request, alice(), Bytes::from(body).into()).await).0
    };
    assert_eq!(send(Method::POST, "/x?y", "body").await, 201);
    assert_eq!(send(Method::POST, "/x?y", "other").await, 422);
    assert_eq!(send(Method::POST, "/x?z", "body").await, 422);
    assert_eq!(send(Method::POST, "/y?y", "body").await, 422);
    assert_eq!(send(Method::PATCH, "/x?y", "body").await, 422);
    assert_eq!(send(Method::POST, "/x?y", "body").await, 201);
    assert_eq!(site.done.times.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_or_panics_gives_the_key_back() {
    let site = site(Memory::default());
    {
        let mut first = pin!(site.send("/waits", "a"));
        assert!(polled(first.as_mut()).is_pending());
        assert_eq!(site.once.store().len(), 1);
    }
    assert!(site.once.store().is_empty());
    assert_eq!(site.send("/other", "a").await, (201, "2".to_owned()));
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let _ = polled(pin!(site.send("/panics", "b")));
    }));
    caught.expect_err("a panic");
    assert_eq!(site.send("/", "b").await, (201, "4".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_says_that_nothing_was_done_is_not_kept() {
    let site = site(Memory::default());
    for path in ["/429", "/503"] {
        let (_, first) = site.send(path, "a").await;
        let (_, second) = site.send(path, "a").await;
        assert_ne!(first, second);
    }
    assert!(site.once.store().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_the_window_the_key_is_new() {
    let site = site(Memory::default().window(Duration::from_secs(60)));
    assert_eq!(site.send("/", "a").await.1, "1");
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(site.send("/", "a").await.1, "1");
    assert_eq!(site.send("/", "b").await.1, "2");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(site.once.store().len(), 1, "the one is over, and the other is not");
    assert_eq!(site.send("/", "a").await.1, "3");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!((site.once.store().len(), site.once.store().size()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_room_a_new_key_is_refused_and_no_old_one_forgotten() {
    let site = site(Memory::default().keys(2).window(Duration::from_secs(60)));
    assert_eq!(site.send("/", "a").await.0, 201);
    assert_eq!(site.send("/", "b").await.0, 201);
    assert_eq!(site.send("/", "c").await.0, 503);
    assert_eq!(site.send("/", "a").await, (201, "1".to_owned()));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(site.send("/", "c").await, (201, "3".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_reply_for_which_there_is_no_room_is_not_given_again_and_its_request_does_not_run_again() {
    let site = site(Memory::default().bytes(4_000, 2_000));
    assert_eq!(site.send("/large/2000", "too large").await.0, 201);
    assert_eq!(site.send("/large/2000", "too large").await.0, 409);
    assert_eq!(site.send("/large/1100", "a").await.0, 201);
    assert_eq!(site.send("/large/1100", "b").await.0, 201);
    assert_eq!(site.send("/large/1100", "c").await.0, 201, "all of them together");
    assert_eq!(site.send("/large/1100", "a").await.0, 201);
    assert_eq!(site.send("/large/1100", "c").await.0, 409);
    assert_eq!((site.once.store().unkept(), site.done.times.load(Ordering::Relaxed)), (2, 4));
    assert!((2_000..=4_000).contains(&site.once.store().size()));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_is_refused_and_what_needs_none_runs() {
    let site = site(Memory::default());
    let long = "x".repeat(256);
    for keys in [&["a", "a"][..], &[""], &["\"\""], &["\"a"], &[&long], &["é"]] {
        let reply = site.run(post("/", keys), alice(), Whole::default()).await;
        assert_eq!(reply.status(), 400, "{keys:?}");
    }
    assert_eq!(site.send("/", &long[..255]).await.0, 201);
    // None of these is looked at.
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let mut request = post("/", &["a", "a"]);
        request.method = method;
        assert_eq!(site.run(request, alice(), Whole::default()).await.status(), 201);
    }
    assert_eq!(site.run(post("/", &[]), alice(), Whole::default()).await.status(), 201);
    let strict = Site { once: Idempotency::new(Memory::default()).required(), done: Work::default() };
    assert_eq!(strict.run(post("/", &[]), alice(), Whole::default()).await.status(), 400);
    let mut get = post("/", &[]);
    get.method = Method::GET;
    assert_eq!(strict.run(get, alice(), Whole::default()).await.status(), 201);
    let named = Idempotency::new(Memory::default()).field(HeaderName::from_static("x-once"));
    let named = Site { once: named, done: Work::default() };
    assert_eq!(named.run(post("/", &["a", "b"]), alice(), Whole::default()).await.status(), 201);
}

/// A body that is never whole.
#[derive(Debug)]
struct Stream;

impl WholeBody for Stream {
    fn whole(&self) -> Option<Bytes> {
        None
    }
    fn of(_: Bytes) -> Self {
        Self
    }
}

impl Render for Stream {
    fn render(failure: &Failure<'_>) -> Response<Self> {
        failure.response(Self)
    }
}

#[node]
fn stream() -> Response<Stream> {
    Response::new(Stream)
}

chain! {
    struct Streaming { once: Idempotency<User> }
    async fn(request: Parts, user: User, body: Whole) -> Response<Stream> { once => stream }
}

#[tokio::test]
async fn a_body_that_is_not_whole_is_not_kept_and_its_request_does_not_run_again() {
    let site = Streaming { once: Idempotency::new(Memory::default()) };
    let send = || site.run(post("/", &["a"]), alice(), Whole::default());
    let reply = send().await;
    assert_eq!((reply.status().as_u16(), reply.keep().is_none()), (200, true));
    assert_eq!(send().await.status(), 409);
    assert_eq!(site.once.store().unkept(), 1);
}

#[tokio::test]
async fn a_run_can_be_sent() {
    let site = site(Memory::default());
    let run = async move { site.run(post("/", &["a"]), alice(), Whole::default()).await };
    assert_eq!(tokio::spawn(run).await.expect("no panic").status(), 201);
}
