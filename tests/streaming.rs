//! A body goes through nodes: each takes it, and provides it in a body of its own. Nothing is read before somebody reads the last one, nothing
//! is read ahead then, and the chain allocates nothing.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use chain::allocations::{Counting, counted};
use chain::poll::{block_on, suspend};
use chain_runtime::{chain, node};
use http::Response;
use http_body::{Body, Frame};

#[global_allocator]
static COUNTING: Counting = Counting;

const PIECES: usize = 5;

/// Comes in pieces, of which each second one has to be waited for.
struct Source {
    polls: Rc<Cell<usize>>,
    given: usize,
    waited: bool,
}

impl Body for Source {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.polls.set(self.polls.get() + 1);
        self.waited = !self.waited && self.given % 2 == 1;
        if self.waited {
            return Poll::Pending;
        }
        self.given += 1;
        Poll::Ready((self.given <= PIECES).then(|| Ok(Frame::data(Bytes::from_static(b"piece")))))
    }
}

/// What is done with each piece. `None` ends the body there.
trait Each {
    fn each(&mut self, piece: Bytes) -> Option<Bytes>;
}

/// A body around another.
struct Through<B, E> {
    body: B,
    each: E,
}

impl<B: Body<Data = Bytes> + Unpin, E: Each + Unpin> Body for Through<B, E> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context)?);
        let piece = frame.and_then(|frame| this.each.each(frame.into_data().unwrap_or_default()));
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// How many bytes came, for whoever asks later.
struct Came(Rc<Cell<usize>>);
/// Whether what came was clean.
struct Clean(bool);
/// The first bytes of each piece.
struct Decoded;
/// How many pieces go on.
struct Left(usize);

impl Each for Came {
    fn each(&mut self, piece: Bytes) -> Option<Bytes> {
        self.0.set(self.0.get() + piece.len());
        Some(piece)
    }
}
impl Each for Clean {
    fn each(&mut self, piece: Bytes) -> Option<Bytes> {
        self.0 &= !piece.contains(&0);
        self.0.then_some(piece)
    }
}
impl Each for Decoded {
    fn each(&mut self, piece: Bytes) -> Option<Bytes> {
        Some(piece.slice(..piece.len() - 1))
    }
}
impl Each for Left {
    fn each(&mut self, piece: Bytes) -> Option<Bytes> {
        self.0 = self.0.checked_sub(1)?;
        Some(piece)
    }
}

type Counted = Through<Source, Came>;
type Scanned = Through<Counted, Clean>;
type Plain = Through<Scanned, Decoded>;
type Short = Through<Plain, Left>;

#[node]
fn count(body: Source, came: &Rc<Cell<usize>>) -> Counted {
    Through { body, each: Came(Rc::clone(came)) }
}
#[node]
async fn scan(body: Counted) -> Scanned {
    suspend(1).await;
    Through { body, each: Clean(true) }
}
#[node]
fn decode(body: Scanned) -> Plain {
    Through { body, each: Decoded }
}
#[node]
async fn cut_short(body: Plain) -> Result<Short, Response<Short>> {
    suspend(1).await;
    Ok(Through { body, each: Left(PIECES - 1) })
}
#[node]
async fn answer(body: Short) -> Response<Short> {
    suspend(1).await;
    Response::new(body)
}

chain! {
    struct Streams;

    async fn(body: Source, came: Rc<Cell<usize>>) -> Response<Short> {
        count => scan => decode => cut_short => answer
    }
}

#[test]
fn nothing_is_read_before_and_nothing_ahead() {
    let (polls, came) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let source = Source { polls: Rc::clone(&polls), given: 0, waited: false };
    let mut body = block_on(Streams.run(source, Rc::clone(&came))).into_body();
    assert_eq!((polls.get(), came.get()), (0, 0), "the chain has run, and nobody has read");
    let mut context = Context::from_waker(Waker::noop());
    let mut pieces = 0;
    for polled in 1.. {
        let read = pin!(&mut body).poll_frame(&mut context);
        assert_eq!(polls.get(), polled, "each poll asks the source once");
        match read {
            Poll::Pending => {}
            Poll::Ready(None) => break,
            Poll::Ready(Some(piece)) => {
                pieces += 1;
                assert_eq!(piece.expect("it does not fail").into_data().expect("data"), "piec");
                assert_eq!(came.get(), pieces * "piece".len(), "no piece is behind another");
            }
        }
    }
    // The one that ends it was read, and cut.
    assert_eq!((pieces, came.get()), (PIECES - 1, PIECES * "piece".len()));
}

#[test]
fn a_run_and_the_reading_of_its_body_allocate_nothing() {
    let (polls, came) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let mut pieces = 0;
    let allocated = counted(|| {
        for _ in 0..1_000 {
            let source = Source { polls: Rc::clone(&polls), given: 0, waited: false };
            let mut body = block_on(Streams.run(source, Rc::clone(&came))).into_body();
            let mut read = || block_on(poll_fn(|context| Pin::new(&mut body).poll_frame(context)));
            while read().is_some() {
                pieces += 1;
            }
        }
    });
    assert_eq!((allocated, pieces), (0, 1_000 * (PIECES - 1)));
}
