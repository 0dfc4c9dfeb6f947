//! How others see a request that a layer has, had, or will have again.

use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use chain_runtime::around::{Backoff, Budget, CatchPanic, Deadline, Retry};
use chain_runtime::axum::{Layered, Reply, Request};
use chain_runtime::tower::{Gone, Layered as Cut};
use chain_runtime::{chain, node};
use tokio::time::sleep;
use tower::util::MapRequestLayer;
use tower_http::set_header::SetRequestHeaderLayer;

const HOUR: Duration = Duration::from_secs(3_600);
const USER: HeaderName = HeaderName::from_static("x-user");

/// What was seen of the request, in the order in which it was.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn note<B>(&self, who: &str, request: &http::Request<B>) {
        let users: Vec<_> = request.headers().get_all(USER).iter().map(|user| user.to_str().unwrap()).collect();
        let note = format!("{who}: {} {} of {}", request.method(), request.uri(), users.join(", "));
        self.0.lock().unwrap().push(note);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Around everything else.
#[node]
impl Notes {
    fn exit(&self, request: &Request, reply: &Reply) {
        self.note(reply.0.status().as_str(), request);
    }
}

/// Does in its first runs what it is told to.
struct Answer {
    notes: Notes,
    first: Mutex<Vec<First>>,
}

#[derive(Clone, Copy)]
enum First {
    Fails,
    Hangs,
}

#[node]
impl Answer {
    async fn enter(&self, request: &mut Request) -> (StatusCode, String) {
        self.notes.note("inside", request);
        let first = self.first.lock().unwrap().pop();
        match first {
            Some(First::Fails) => return (StatusCode::SERVICE_UNAVAILABLE, String::new()),
            Some(First::Hangs) => sleep(HOUR).await,
            None => {}
        }
        match to_bytes(std::mem::take(request.body_mut()), 99).await {
            Ok(body) => (StatusCode::OK, String::from_utf8(body.to_vec()).unwrap()),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()),
        }
    }
}

chain! {
    struct Tried {
        notes: Notes,
        again: Retry<fn(&Reply) -> bool>,
        attempt: Deadline,
        outer: Layered,
        inner: Layered,
        answer: Answer,
    }
    async fn(request: Request) -> Reply { notes => again { attempt { CatchPanic { outer { inner { answer } } } } } }
}

fn adds(user: &'static str) -> Layered {
    let user = move |_: &Request| Some(HeaderValue::from_static(user));
    Layered::new(SetRequestHeaderLayer::appending(USER, user))
}

#[derive(Clone, Copy)]
enum InLayer {
    Refuses,
    Hangs,
    Panics,
}

/// A layer that does this to the first request, and nothing to others.
fn at_first(does: InLayer) -> Layered {
    let calls = Arc::new(AtomicUsize::new(0));
    Layered::new(from_fn(move |request: Request, next: Next| {
        let is_first = calls.fetch_add(1, Relaxed) == 0;
        async move {
            match is_first.then_some(does) {
                Some(InLayer::Refuses) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
                Some(InLayer::Hangs) => sleep(HOUR).await,
                Some(InLayer::Panics) => panic!("as it was asked"),
                None => {}
            }
            next.run(request).await
        }
    }))
}

fn tried(outer: Layered, inner: Layered, first: &[First]) -> Tried {
    let worth: fn(&Reply) -> bool = |reply| matches!(reply.0.status().as_u16(), 500 | 503 | 504);
    let budget = Budget::new(Duration::from_secs(10), 100, 1.0);
    let notes = Notes::default();
    Tried {
        again: Retry::new(worth).backoff(Backoff::none()).budget(budget),
        attempt: Deadline::within(Duration::from_secs(1)),
        outer,
        inner,
        answer: Answer { notes: notes.clone(), first: Mutex::new(first.to_vec()) },
        notes,
    }
}

fn post() -> Request {
    Request::post("/orders?id=7").header(USER, "ada").body(Body::from("payload")).unwrap()
}

async fn replied(chain: &Tried, request: Request) -> (u16, String) {
    let Reply(reply) = chain.run(request).await;
    let status = reply.status().as_u16();
    (status, String::from_utf8(to_bytes(reply.into_body(), 999).await.unwrap().to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_added_is_there_once_in_each_try() {
    let inside = "inside: POST /orders?id=7 of ada, outer, inner";
    for first in [First::Fails, First::Hangs] {
        let chain = tried(adds("outer"), adds("inner"), &[first, first]);
        let reply = replied(&chain, post()).await;
        assert_eq!(reply, (200, "payload".to_owned()), "the nodes of the first tries left the body alone");
        let seen = chain.notes.taken();
        assert_eq!(seen, [inside, inside, inside, "200: POST /orders?id=7 of ada, outer, inner"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_refuses_hangs_or_panics_leaves_the_request_and_no_body_that_looks_empty() {
    for does in [InLayer::Refuses, InLayer::Hangs, InLayer::Panics] {
        let chain = tried(adds("outer"), at_first(does), &[]);
        let reply = replied(&chain, post()).await;
        assert_eq!(reply.0, 502, "the body was the layer's");
        assert!(reply.1.contains("gone") && reply.1 == axum::Error::new(Gone).to_string(), "{}", reply.1);
        let inside = "inside: POST /orders?id=7 of ada, outer";
        assert_eq!(chain.notes.taken(), [inside, "502: POST /orders?id=7 of ada, outer"]);
        // Without a body there is nothing that could be gone.
        let chain = tried(adds("outer"), at_first(does), &[]);
        let get = Request::get("/books").header(USER, "ada").body(Body::empty()).unwrap();
        assert_eq!(replied(&chain, get).await, (200, String::new()));
        assert_eq!(chain.notes.taken()[0], "inside: GET /books of ada, outer");
    }
}

chain! {
    struct Once { notes: Notes, deadline: Deadline, layer: Layered, answer: Answer }
    async fn(request: Request) -> Reply { notes => CatchPanic { deadline { layer { answer } } } }
}

#[tokio::test(start_paused = true)]
async fn an_exit_sees_the_request_however_the_layer_ended() {
    for (does, status) in [(InLayer::Refuses, 503), (InLayer::Hangs, 504), (InLayer::Panics, 500)] {
        let notes = Notes::default();
        let once = Once {
            deadline: Deadline::within(Duration::from_secs(1)),
            layer: at_first(does),
            answer: Answer { notes: notes.clone(), first: Mutex::default() },
            notes,
        };
        once.run(post()).await;
        assert_eq!(once.notes.taken(), [format!("{status}: POST /orders?id=7 of ada")]);
    }
}

#[tokio::test]
async fn a_run_that_is_dropped_in_a_layer_leaves_nothing_for_the_next_one() {
    let chain = tried(adds("outer"), at_first(InLayer::Hangs), &[]);
    {
        let mut run = pin!(chain.run(post()));
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let get = Request::get("/mine").header(USER, "eve").body(Body::from("hers")).unwrap();
    assert_eq!(replied(&chain, get).await, (200, "hers".to_owned()));
    assert_eq!(chain.notes.taken(), ["inside: GET /mine of eve, outer", "200: GET /mine of eve, outer"]);
}

type In = http::Request<String>;
type Out = http::Response<String>;

/// Takes the body, and fails at first.
struct Takes(AtomicUsize);

#[node]
impl Takes {
    fn enter(&self, request: &mut In) -> Out {
        let mut reply = Out::new(std::mem::take(request.body_mut()));
        if self.0.fetch_add(1, Relaxed) < 2 {
            *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        reply
    }
}

chain! {
    struct Copied { again: Retry<fn(&Out) -> bool>, layer: Cut<In, Out>, takes: Takes }
    async fn(request: In) -> Out { again { layer { takes } } }
}

#[tokio::test]
async fn a_body_that_can_be_copied_is_whole_in_each_try() {
    let worth: fn(&Out) -> bool = |reply| reply.status() == 503;
    let louder = MapRequestLayer::new(|request: In| request.map(|body| format!("{body}!")));
    let again = Retry::new(worth).backoff(Backoff::none());
    let chain = Copied { again, layer: Cut::new(louder), takes: Takes(AtomicUsize::new(0)) };
    let reply = chain.run(In::new("hello".to_owned())).await;
    assert_eq!((reply.status().as_u16(), reply.body().as_str()), (200, "hello!"));
    assert_eq!(chain.takes.0.into_inner(), 3);
}
