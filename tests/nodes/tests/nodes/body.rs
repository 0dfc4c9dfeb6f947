//! Bodies that are read whole, and their contents.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chain_nodes_tests::head;
use chain_runtime::nodes::Whole;
use chain_runtime::nodes::json::{Json, ReadJson};
use chain_runtime::nodes::whole_body::ReadBody;
use chain_runtime::{chain, node};
use http::request::Parts;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// A body that gives these pieces, each after a pause.
pub(crate) struct Slow {
    pieces: Vec<(Duration, Result<Frame<Bytes>, &'static str>)>,
    pause: Option<Pin<Box<Sleep>>>,
    says: SizeHint,
    /// How many pieces it was asked for.
    pub(crate) asked: Arc<AtomicUsize>,
}

impl Slow {
    pub(crate) fn of(pieces: impl IntoIterator<Item = (u64, Result<Frame<Bytes>, &'static str>)>) -> Self {
        let mut pieces: Vec<_> =
            pieces.into_iter().map(|(millis, piece)| (Duration::from_millis(millis), piece)).collect();
        pieces.reverse();
        Self { pieces, pause: None, says: SizeHint::default(), asked: Arc::default() }
    }

    pub(crate) fn says(mut self, size: u64) -> Self {
        self.says = SizeHint::with_exact(size);
        self
    }
}

impl Body for Slow {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let Some(&(pause, _)) = self.pieces.last() else { return Poll::Ready(None) };
        if !pause.is_zero() {
            let pausing = self.pause.get_or_insert_with(|| Box::pin(sleep(pause)));
            std::task::ready!(pausing.as_mut().poll(context));
        }
        self.pause = None;
        self.asked.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(self.pieces.pop().map(|(_, piece)| piece))
    }

    fn size_hint(&self) -> SizeHint {
        self.says
    }
}

pub(crate) fn piece(size: usize) -> Result<Frame<Bytes>, &'static str> {
    Ok(Frame::data(Bytes::from(vec![b'x'; size])))
}

#[node]
fn tell(whole: &Whole) -> Response<String> {
    let trailers = whole.trailers().map_or(0, HeaderMap::len);
    Response::new(format!("{} {trailers}", whole.bytes().len()))
}

chain! {
    struct Reading { read: ReadBody<Slow> }
    async fn(request: Parts, body: Slow) -> Response<String> { read => tell }
}

/// 100 bytes at most, of which ten come in each second.
async fn read(body: Slow) -> (u16, String) {
    let reading = Reading { read: ReadBody::up_to(100).at_least(10, Duration::from_secs(1)) };
    let reply = reading.run(head(&[]), body).await;
    (reply.status().as_u16(), reply.into_body())
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_to_its_end() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().expect("a value"));
    for (pieces, said) in [
        (vec![], "0 0"),
        (vec![(0, piece(0))], "0 0"),
        (vec![(0, piece(100))], "100 0"),
        (vec![(0, piece(50)), (10, piece(0)), (10, piece(50))], "100 0"),
        (vec![(0, piece(1)), (0, piece(2)), (0, piece(3)), (5, Ok(Frame::trailers(trailers)))], "6 1"),
    ] {
        assert_eq!(read(Slow::of(pieces)).await, (200, said.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_in_one_piece_is_not_copied() {
    let piece = Bytes::from(vec![b'x'; 64]);
    let body = Slow::of([(5, Ok(Frame::data(piece.clone())))]);
    let whole = ReadBody::<Slow>::up_to(100).enter(&head(&[]), body).await.expect("it is small");
    assert_eq!(whole.bytes().as_ptr(), piece.as_ptr());
}

#[tokio::test(start_paused = true)]
async fn what_says_that_it_is_too_large_is_refused_before_it_is_read() {
    let body = Slow::of([(0, piece(1))]).says(101);
    let asked = Arc::clone(&body.asked);
    assert_eq!(read(body).await.0, 413);
    let body = Slow::of([(0, piece(1))]);
    let asked_too = Arc::clone(&body.asked);
    let reading = Reading { read: ReadBody::up_to(100) };
    assert_eq!(reading.run(head(&[("content-length", "101")]), body).await.status(), 413);
    assert_eq!((asked.load(Ordering::Relaxed), asked_too.load(Ordering::Relaxed)), (0, 0));
    assert_eq!(read(Slow::of([(0, piece(100))]).says(100)).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn what_turns_out_too_large_is_refused_there() {
    let body = Slow::of([(0, piece(60)), (0, piece(41)), (0, piece(1))]);
    let asked = Arc::clone(&body.asked);
    assert_eq!(read(body).await.0, 413);
    assert_eq!(asked.load(Ordering::Relaxed), 2, "what comes behind it is not asked for");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_a_400_with_its_cause() {
    let body = || Slow::of([(0, piece(60)), (5, Err("reset"))]);
    assert_eq!(read(body()).await.0, 400);
    let bad = ReadBody::<Slow>::up_to(100).enter(&head(&[]), body()).await.expect_err("it breaks off");
    assert_eq!(std::error::Error::source(&bad).expect("a cause").to_string(), "reset");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_or_trickles_is_a_408() {
    let began = Instant::now();
    assert_eq!(read(Slow::of([(0, piece(1)), (3_600_000, piece(1))])).await.0, 408);
    // Nothing of the second window: the first began with the first wait.
    assert!((1_000..=1_001).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    let trickle = (0..50).map(|_| (200, piece(1)));
    assert_eq!(read(Slow::of(trickle)).await.0, 408);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_makes_progress_may_take_long() {
    let began = Instant::now();
    let steady = (0..50).map(|_| (150, piece(2)));
    assert_eq!(read(Slow::of(steady)).await, (200, "100 0".to_owned()));
    assert!(began.elapsed() >= Duration::from_millis(7_500));
}

type Numbers = Vec<u64>;

#[node]
fn sum(numbers: &Json<Numbers>) -> Response<String> {
    Response::new(numbers.0.iter().sum::<u64>().to_string())
}

chain! {
    struct Sums { read: ReadJson<Numbers> }
    fn(request: Parts, body: Whole) -> Response<String> { read => sum }
}

fn ask(fields: &[(&str, &str)], body: &'static str) -> (u16, String) {
    let reply = Sums { read: ReadJson::new() }.run(head(fields), Bytes::from(body).into());
    (reply.status().as_u16(), reply.into_body())
}

#[test]
fn json_is_what_says_that_it_is() {
    for kind in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/vnd.api+json",
        "application/json; odata=verbose",
    ] {
        assert_eq!(ask(&[("content-type", kind)], "[1, 2]"), (200, "3".to_owned()), "{kind}");
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
        "json",
        "",
        "application/jsonp",
        "text/json",
    ] {
        assert_eq!(ask(&[("content-type", kind)], "[1, 2]").0, 415, "{kind}");
    }
    let json = ("content-type", "application/json");
    assert_eq!(ask(&[], "[1, 2]").0, 415);
    assert_eq!(ask(&[json, json], "[1, 2]").0, 415);
    assert_eq!(ask(&[json, ("content-encoding", "gzip")], "[1, 2]").0, 415);
    assert_eq!(ask(&[json, ("content-encoding", "identity")], "[1, 2]").0, 200);
}

#[test]
fn what_is_no_json_is_a_400_and_what_is_not_wanted_a_422() {
    let deep = "[".repeat(100_000).leak();
    for (body, status) in [
        ("", 400),
        ("[1, 2", 400),
        ("[1, 2] x", 400),
        ("\u{feff}[1]", 400),
        (deep, 400),
        ("{", 400),
        ("[-1, ", 400),
        ("{}", 422),
        ("[-1]", 422),
        ("[\"1\"]", 422),
        ("[]", 200),
    ] {
        assert_eq!(ask(&[("content-type", "application/json")], body).0, status, "{:.20}", body);
    }
}
