//! Limits that last to the end of a reply's body, by their contracts.
#![cfg(all(feature = "http-body", feature = "tokio"))]

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::around::{
    Concurrency, Deadline, Expired, Overloaded, Permit, Wait, WholeConcurrency, WholeDeadline,
};
use chain_runtime::tailed::{Tail, Tailed};
use chain_runtime::timed::Timed;
use chain_runtime::{chain, node};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use tokio::time::{Instant, Sleep, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// Waits before the head, and then before each of so many parts of the body. Counts those that are alive.
struct Slow {
    before: Pin<Box<Sleep>>,
    pause: Duration,
    parts: usize,
    alive: Arc<AtomicUsize>,
}

impl Body for Slow {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.parts == 0 {
            return Poll::Ready(None);
        }
        if self.before.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.parts -= 1;
        let next = Instant::now() + self.pause;
        self.before.as_mut().reset(next);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"part")))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(4 * self.parts as u64)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Relaxed);
    }
}

#[derive(Default)]
struct Upstream {
    head: Duration,
    pause: Duration,
    parts: usize,
    alive: Arc<AtomicUsize>,
}

#[node]
impl Upstream {
    async fn enter(&self, _request: &Request<()>) -> Response<Slow> {
        sleep(self.head).await;
        self.alive.fetch_add(1, Relaxed);
        let (before, alive) = (Box::pin(sleep(self.pause)), Arc::clone(&self.alive));
        Response::new(Slow { before, pause: self.pause, parts: self.parts, alive })
    }
}

/// A reply that can be rendered where there is none.
impl chain_runtime::Render for Slow {
    fn render(failure: &chain_runtime::Failure<'_>) -> Response<Self> {
        let alive = Arc::new(AtomicUsize::new(1));
        failure.response(Self { before: Box::pin(sleep(Duration::ZERO)), pause: Duration::ZERO, parts: 0, alive })
    }
}

type TimedReply = Response<Timed<Slow>>;

chain! {
    struct Timely { whole: WholeDeadline<TimedReply>, upstream: Upstream }
    async fn(request: Request<()>) -> TimedReply { whole { upstream } }
}

fn timely(limit: Duration, upstream: Upstream) -> Timely {
    Timely { whole: WholeDeadline::within(limit), upstream }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_covers_the_head_and_the_body() {
    let alive = Arc::default();
    let upstream = |head, pause, parts| Upstream { head, pause, parts, alive: Arc::clone(&alive) };
    // In time.
    let reply = timely(10 * SECOND, upstream(SECOND, SECOND, 3)).run(Request::new(())).await;
    assert_eq!(reply.body().size_hint().exact(), Some(12));
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "partpartpart");
    // Too late for the head.
    let reply = timely(SECOND, upstream(2 * SECOND, SECOND, 3)).run(Request::new(())).await;
    assert_eq!(reply.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(reply.into_body().collect().await.is_ok(), "what says so is not late itself");
    // Too late for all of the body: what the head took is not there for it.
    let reply = timely(4 * SECOND, upstream(2 * SECOND, 900 * SECOND / 1_000, 9)).run(Request::new(())).await;
    let (began, mut body) = (Instant::now(), pin!(reply.into_body()));
    for _ in 0..2 {
        assert!(body.frame().await.unwrap().is_ok());
    }
    assert!(body.frame().await.unwrap().unwrap_err().is::<Expired>());
    assert_eq!(began.elapsed().as_secs(), 2, "at once, and not with the next part");
    assert_eq!(alive.load(Relaxed), 0, "what the body held is gone");
    assert!(body.frame().await.is_none() && body.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_always_has_more_ends_as_well() {
    let reply = timely(SECOND, Upstream { parts: usize::MAX / 4, ..Upstream::default() }).run(Request::new(())).await;
    let mut body = pin!(reply.into_body());
    assert!(body.frame().await.unwrap().is_ok());
    // The client takes nothing for a while.
    advance(2 * SECOND).await;
    assert!(body.frame().await.unwrap().unwrap_err().is::<Expired>());
}

#[tokio::test(start_paused = true)]
async fn of_two_deadlines_the_sooner_one_counts() {
    chain! {
        struct Two { outer: WholeDeadline<TimedReply>, inner: WholeDeadline<TimedReply>, upstream: Upstream }
        async fn(request: Request<()>) -> TimedReply { outer { inner { upstream } } }
    }
    for (outer, inner) in [(2, 9), (9, 2)] {
        let upstream = Upstream { pause: SECOND, parts: 5, ..Upstream::default() };
        let (outer, inner) = (WholeDeadline::within(outer * SECOND), WholeDeadline::within(inner * SECOND));
        let reply = Two { outer, inner, upstream }.run(Request::new(())).await;
        let began = Instant::now();
        assert!(reply.into_body().collect().await.unwrap_err().is::<Expired>());
        assert_eq!(began.elapsed().as_secs(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_ordinary_deadline_ends_with_the_head() {
    chain! {
        struct Short { deadline: Deadline, upstream: Upstream }
        async fn(request: Request<()>) -> Response<Slow> { deadline { upstream } }
    }
    let upstream = Upstream { pause: SECOND, parts: 5, ..Upstream::default() };
    let reply = Short { deadline: Deadline::within(SECOND), upstream }.run(Request::new(())).await;
    assert_eq!(reply.into_body().collect().await.unwrap().to_bytes().len(), 20);
}

type Sheds = Response<Tailed<Full<Bytes>, Option<Permit>>>;
type Waits = Response<Tailed<Full<Bytes>, Option<Permit<Wait>>>>;

/// Gives what the path says, after a while.
#[node]
async fn answer(request: &Request<()>) -> Result<Response<Full<Bytes>>, StatusCode> {
    sleep(SECOND).await;
    match request.uri().path() {
        "/empty" => Ok(Response::new(Full::default())),
        "/breaks" => Err(StatusCode::NOT_FOUND),
        "/panics" => panic!("as it was asked"),
        _ => Ok(Response::new(Full::from("hello"))),
    }
}

chain! {
    struct Shedding { room: WholeConcurrency<Sheds> }
    async fn(request: Request<()>) -> Sheds { room { answer } }
}

chain! {
    struct Queueing { room: WholeConcurrency<Waits, Wait> }
    async fn(request: Request<()>) -> Waits { room { answer } }
}

fn get(path: &str) -> Request<()> {
    Request::get(path).body(()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_held_until_the_body_was_sent() {
    let chain = Shedding { room: WholeConcurrency::shed(1) };
    let reply = chain.run(get("/")).await;
    assert_eq!((chain.room.available(), chain.room.limit()), (0, 1));
    assert_eq!(chain.run(get("/")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let mut body = reply.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(chain.room.available(), 1, "with the last part, and not when the server lets go of the body");
    drop(body);
    assert_eq!(chain.room.available(), 1);
    // A client that goes away, a body that is not sent, a break.
    for path in ["/", "/empty", "/breaks"] {
        drop(chain.run(get(path)).await);
        assert_eq!(chain.room.available(), 1, "{path}");
    }
    let head = chain_runtime::framing::sent(&http::Method::HEAD, http::Version::HTTP_2, chain.run(get("/")).await);
    assert_eq!(chain.room.available(), 1, "of a reply to `HEAD`, nothing is sent");
    drop(head);
}

#[tokio::test(start_paused = true)]
async fn a_permit_comes_back_wherever_a_run_ends() {
    let (sheds, waits) =
        (Shedding { room: WholeConcurrency::shed(1) }, Queueing { room: WholeConcurrency::wait(1, 9 * SECOND) });
    let mut context = Context::from_waker(Waker::noop());
    // Never polled, and dropped while it waits.
    for polls in 0..3 {
        let (mut one, mut other) = (Box::pin(sheds.run(get("/"))), Box::pin(waits.run(get("/"))));
        for _ in 0..polls {
            assert!(one.as_mut().poll(&mut context).is_pending() && other.as_mut().poll(&mut context).is_pending());
            assert_eq!((sheds.room.available(), waits.room.available()), (0, 0));
        }
        drop((one, other));
        assert_eq!((sheds.room.available(), waits.room.available()), (1, 1));
    }
    let panics = std::panic::AssertUnwindSafe(sheds.run(get("/panics")));
    assert!(futures_util::FutureExt::catch_unwind(panics).await.is_err());
    assert_eq!(sheds.room.available(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_the_permit_when_the_body_was_sent() {
    let chain = Queueing { room: Concurrency::wait(1, 9 * SECOND).queue(1).into() };
    let reply = chain.run(get("/")).await;
    let mut second = pin!(chain.run(get("/")));
    assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!((chain.room.available(), chain.room.waiting()), (0, 1));
    assert_eq!(chain.run(get("/")).await.status(), StatusCode::SERVICE_UNAVAILABLE, "the queue is full");
    sleep(5 * SECOND).await;
    drop(reply.into_body().collect().await);
    let reply = second.await;
    assert_eq!(reply.status(), StatusCode::OK);
    // Patience ends.
    let began = Instant::now();
    assert_eq!(chain.run(get("/")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(began.elapsed().as_secs(), 9);
    drop(reply);
    assert_eq!((chain.room.available(), chain.room.waiting()), (1, 0));
}

/// Both, and a tail of one's own beside them.
#[tokio::test(start_paused = true)]
async fn a_permit_goes_with_a_body_that_is_late() {
    type Reply = Response<Timed<Tailed<Slow, Option<Permit>>>>;
    #[node]
    fn slow(upstream: &Upstream) -> Reply {
        upstream.alive.fetch_add(1, Relaxed);
        let (before, alive) = (Box::pin(sleep(upstream.pause)), Arc::clone(&upstream.alive));
        let body = Slow { before, pause: upstream.pause, parts: upstream.parts, alive };
        Response::new(Timed::new(body.into()))
    }
    chain! {
        struct Both { room: WholeConcurrency<Reply>, whole: WholeDeadline<Reply>, upstream: Upstream }
        async fn(request: Request<()>) -> Reply { room { whole { slow } } }
    }
    let upstream = Upstream { pause: 10 * SECOND, parts: 1, ..Upstream::default() };
    let chain = Both { room: WholeConcurrency::shed(1), whole: WholeDeadline::within(SECOND), upstream };
    let mut body = pin!(chain.run(get("/")).await.into_body());
    assert_eq!(chain.room.available(), 0);
    assert!(body.frame().await.unwrap().unwrap_err().is::<Expired>());
    assert_eq!(chain.room.available(), 1, "at once");
}

#[test]
fn they_are_small_and_say_what_they_are() {
    assert_eq!(size_of::<Permit>(), size_of::<usize>());
    let room = WholeConcurrency::<Sheds>::shed(3);
    assert!(format!("{room:?} {:?}", WholeDeadline::<TimedReply>::within(SECOND)).contains("limit: 3"));
    fn is_tail<T: Tail>() {}
    is_tail::<Option<Permit<Wait>>>();
    assert_eq!(Overloaded.to_string(), "too many requests at once");
}
