//! Bodies whose beginning is read first.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::nodes::peek::{PeekBody, Peeked};
use chain_runtime::{chain, node};
use http::{HeaderMap, Response};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt as _, Limited};
use tokio::time::Instant;

use crate::body::{Slow, piece};

const LIMIT: usize = 8;
/// In which each byte says where it stands.
const BYTES: &[u8] = b"0123456789abcdefghij";

fn peek() -> PeekBody<Slow> {
    PeekBody::up_to(LIMIT).within(Duration::from_secs(1))
}

fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().expect("a value"));
    trailers
}

/// The first so many bytes, cut behind each position whose bit is set, with an empty piece here and there.
fn cut(length: usize, behind: u32) -> Vec<Bytes> {
    let mut pieces = vec![Bytes::new()];
    for at in 0..length {
        let last = pieces.pop().expect("there is one");
        pieces.push([&last[..], &BYTES[at..=at]].concat().into());
        if behind >> at & 1 == 1 {
            pieces.extend((0..1 + at % 2).map(|_| Bytes::new()));
        }
    }
    pieces
}

fn body(pieces: &[Bytes], pause: u64) -> Slow {
    let data = pieces.iter().map(|piece| (pause, Ok(Frame::data(piece.clone()))));
    Slow::of(data.chain([(0, Ok(Frame::trailers(trailers())))]))
}

#[tokio::test(start_paused = true)]
async fn whatever_the_pieces_it_shows_the_beginning_and_gives_all_of_it() {
    let mut seed = 1_u32;
    for length in 0..=BYTES.len() {
        for round in 0..64 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let pieces = cut(length, if round == 0 { 0 } else { seed >> 8 });
            let slow = body(&pieces, u64::from(seed >> 31));
            let asked = Arc::clone(&slow.asked);
            let peeked = peek().enter(slow).await.expect("it comes in time");
            assert_eq!(peeked.start(), &BYTES[..length.min(LIMIT)], "{pieces:?}");
            // As many pieces as have the beginning, and no more.
            let mut has = 0;
            let needed = pieces.iter().position(|piece| {
                has += piece.len();
                has >= LIMIT
            });
            let needed = needed.map_or(pieces.len() + 1, |at| at + 1);
            assert_eq!(asked.load(Ordering::Relaxed), needed, "{pieces:?}");
            assert_eq!(peeked.is_whole(), length < LIMIT, "{pieces:?}");
            let whole = peeked.collect().await.expect("it does not break");
            assert_eq!(whole.trailers(), Some(&trailers()), "{pieces:?}");
            assert_eq!(whole.to_bytes(), &BYTES[..length], "{pieces:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_behind_the_beginning_is_asked_for_piece_by_piece() {
    let slow = Slow::of([(0, piece(5)), (0, piece(5)), (0, piece(7)), (0, piece(9))]);
    let asked = Arc::clone(&slow.asked);
    let mut peeked = peek().enter(slow).await.expect("it comes in time");
    for (size, asked_by_then) in [(8, 2), (2, 2), (7, 3), (9, 4)] {
        let data = peeked.frame().await.expect("a frame").expect("no error").into_data().expect("data");
        assert_eq!((data.len(), asked.load(Ordering::Relaxed)), (size, asked_by_then));
    }
    assert!(peeked.frame().await.is_none());
    assert!(peeked.frame().await.is_none(), "it stays so, whatever the body under it would do");
    assert!(peeked.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_one_piece_is_not_copied_nor_is_what_was_read_too_much() {
    let first = Bytes::from(vec![b'x'; 64]);
    let mut peeked = peek().enter(Slow::of([(5, Ok(Frame::data(first.clone())))])).await.expect("in time");
    assert_eq!(peeked.start().as_ptr(), first.as_ptr());
    assert_eq!(peeked.start().len(), LIMIT, "no more than was to be read");
    let given = peeked.frame().await.expect("a frame").expect("no error").into_data().expect("data");
    assert_eq!((given.as_ptr(), given.len()), (first.as_ptr(), 64));

    let pieces = [piece(6), Ok(Frame::data(first.clone()))].map(|piece| (0, piece));
    let mut peeked = peek().enter(Slow::of(pieces)).await.expect("in time");
    let joined = peeked.frame().await.expect("a frame").expect("no error").into_data().expect("data");
    let rest = peeked.frame().await.expect("a frame").expect("no error").into_data().expect("data");
    assert_eq!((joined.len(), rest.as_ptr()), (LIMIT, first[2..].as_ptr()));
}

#[tokio::test(start_paused = true)]
async fn it_says_how_long_it_is_as_the_body_does() {
    let of = |pieces: Vec<usize>, says| Slow::of(pieces.into_iter().map(|size| (0, piece(size)))).says(says);
    let hints = |hint: SizeHint| (hint.lower(), hint.upper());
    // (This body says the same before and after.)
    let peeked = peek().enter(of(vec![5, 5], 100)).await.expect("in time");
    assert_eq!(hints(peeked.size_hint()), (110, Some(110)));
    let peeked = peek().enter(of(vec![5], 100)).await.expect("in time");
    assert_eq!(hints(peeked.size_hint()), (5, Some(5)), "it has ended");
}

#[node]
async fn store(peeked: Peeked<Slow>) -> Response<String> {
    let whole = Limited::new(peeked, 16).collect().await;
    Response::new(whole.map_or_else(|error| error.to_string(), |whole| format!("{} bytes", whole.to_bytes().len())))
}

chain! {
    struct Stores { peek: PeekBody<Slow> }
    async fn(body: Slow) -> Response<String> { peek => store }
}

async fn stored(body: Slow) -> (u16, String) {
    let reply = Stores { peek: peek() }.run(body).await;
    (reply.status().as_u16(), reply.into_body())
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_refused_while_it_is_peeked_and_for_its_reader_afterwards() {
    assert_eq!(stored(Slow::of([(0, piece(7)), (5, Err("reset"))])).await.0, 400);
    assert_eq!(stored(Slow::of([(0, piece(8)), (5, Err("reset"))])).await, (200, "reset".to_owned()));
    assert_eq!(stored(Slow::of([(0, piece(8)), (5, piece(9))])).await, (200, "length limit exceeded".to_owned()));
    assert_eq!(stored(Slow::of([(0, piece(8)), (5, piece(8))])).await, (200, "16 bytes".to_owned()));
    assert_eq!(stored(Slow::of([])).await, (200, "0 bytes".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_beginning_that_comes_too_slowly_is_a_408() {
    let began = Instant::now();
    assert_eq!(stored(Slow::of([(0, piece(7)), (3_600_000, piece(1))])).await.0, 408);
    assert!((1_000..=1_001).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    // All of it together, and not each piece.
    let began = Instant::now();
    assert_eq!(stored(Slow::of((0..8).map(|_| (200, piece(1))))).await.0, 408);
    assert!((1_000..=1_001).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    // The rest may take as long as it takes.
    assert_eq!(stored(Slow::of([(900, piece(8)), (9_000, piece(1))])).await, (200, "9 bytes".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_beginning_of_nothing_is_there_at_once() {
    let slow = Slow::of([(1_000, piece(1))]);
    let asked = Arc::clone(&slow.asked);
    let peeked = PeekBody::<Slow>::up_to(0).enter(slow).await.expect("nothing to wait for");
    assert_eq!((peeked.start(), asked.load(Ordering::Relaxed)), (&[][..], 0));
    assert_eq!(peeked.collect().await.expect("no error").to_bytes().len(), 1);
}
