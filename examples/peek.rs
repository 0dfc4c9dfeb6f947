//! Peek, then stream: the first KiB of a body decides where the request goes, and then all of the body goes there, the first KiB included.
//! Each node that the body goes through takes it, and provides it in another type. Nothing is buffered but the beginning.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::nodes::peek::{PeekBody, Peeked};
use chain_runtime::{chain, node};
use http::{Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::channel::Channel;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};

/// What a client uploads. In a server of hyper's this is its `Incoming`.
type Incoming = Channel<Bytes, Infallible>;
type Reply = Response<Full<Bytes>>;

enum Kind {
    Image,
    Archive,
    Unknown,
}

/// Looks at the beginning, and leaves it where it is.
#[node]
fn kind(body: &Peeked<Incoming>) -> Kind {
    match body.start() {
        [0x89, b'P', b'N', b'G', ..] => Kind::Image,
        [0x1f, 0x8b, ..] => Kind::Archive,
        _ => Kind::Unknown,
    }
}

/// A body that counts what goes through it.
struct Counted {
    body: Peeked<Incoming>,
    bytes: usize,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            self.bytes += frame.data_ref().map_or(0, Bytes::len);
            println!("    {} bytes so far", self.bytes);
        }
        Poll::Ready(frame)
    }
}

/// Takes the body, and provides one that counts. Nothing is read here.
#[node]
fn count(body: Peeked<Incoming>) -> Counted {
    Counted { body, bytes: 0 }
}

/// Takes that one, and provides one that ends with an error behind 4 KiB.
#[node]
fn limit(body: Counted) -> Limited<Counted> {
    Limited::new(body, 4096)
}

/// Takes the last one and reads it, one piece at a time.
#[node]
async fn store(mut body: Limited<Counted>) -> Result<Reply, TooLarge> {
    let mut stored = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| TooLarge(error.is::<LengthLimitError>()))?;
        stored += frame.data_ref().map_or(0, Bytes::len);
    }
    Ok(Response::new(format!("stored {stored} bytes").into()))
}

/// Lets go of the body: what was not read of it stays unread.
#[node]
fn refuse(_body: Peeked<Incoming>) -> StatusCode {
    StatusCode::UNSUPPORTED_MEDIA_TYPE
}

/// Takes the body as it comes, from its first byte on.
#[node]
async fn unpack(body: Peeked<Incoming>) -> Reply {
    let Ok(whole) = body.collect().await;
    Response::new(format!("unpacked {} bytes", whole.to_bytes().len()).into())
}

struct TooLarge(bool);

impl chain_runtime::IntoReply<Reply> for TooLarge {
    fn into_reply(self) -> Reply {
        let status = if self.0 { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
        status.into_reply()
    }
}

chain! {
    struct Uploads { peek: PeekBody<Incoming> }

    async fn(body: Incoming) -> Reply {
        peek => match kind {
            Kind::Image => count => limit => store,
            Kind::Archive => unpack,
            Kind::Unknown => refuse,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    print!("{}\n\n", Uploads::drawing());
    let uploads = Uploads { peek: PeekBody::up_to(1024).within(Duration::from_millis(100)) };
    let piece = |start: &[u8], size| [start, &vec![b'.'; size - start.len()]].concat();
    let (png, gzip) = (b"\x89PNG", b"\x1f\x8b");
    for (what, pieces) in [
        ("an image in pieces", vec![piece(png, 700), piece(b"", 700), piece(b"", 700)]),
        ("an image that is too large", vec![piece(png, 3000), piece(b"", 3000)]),
        ("an archive, shorter than what is peeked", vec![piece(gzip, 2), piece(b"", 100)]),
        ("something else", vec![piece(b"GIF", 2000)]),
    ] {
        println!("{what}:");
        let (mut sender, body) = Channel::new(1);
        let sends = async move {
            for piece in pieces {
                // Whoever does not read any more is not sent any more.
                if sender.send_data(piece.into()).await.is_err() {
                    break;
                }
            }
        };
        let (reply, ()) = tokio::join!(uploads.run(body), sends);
        show(reply).await;
    }
    println!("an image of which only the first byte comes:");
    let (mut sender, body) = Channel::new(1);
    let _ = sender.send_data(Bytes::from_static(&[0x89])).await;
    show(uploads.run(body).await).await;
}

async fn show(reply: Reply) {
    let status = reply.status();
    let Ok(whole) = reply.into_body().collect().await;
    println!("  {status} {}", String::from_utf8_lossy(&whole.to_bytes()));
}
