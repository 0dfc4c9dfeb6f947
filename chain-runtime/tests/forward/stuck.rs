//! Upstreams that take nothing of a request's body: a connection to one ends, whoever gives the request up.
#![cfg(target_os = "linux")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::{Error, Forward, Rotation, Settings};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::{LONG, client, head, limits};

/// More than the kernel takes for a socket that nobody reads.
static LARGE: &[u8] = &[b'x'; 9 << 20];

const SHORT: Duration = Duration::from_millis(50);

type Node<B> = Forward<Rotation, B>;

/// A socket of which nothing is read but the beginning, and the node that sends to it.
async fn deaf<B>(settings: Settings) -> (TcpListener, Node<B>)
where
    B: Body<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    (listener, Forward::new(Rotation::new([format!("http://{at}").parse().expect("a URL")]), settings))
}

/// Whether this end of a connection is open: it still is if what it has to send finds no room.
fn is_open(end: SocketAddr) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let local = format!("0100007F:{:04X}", end.port());
    table.lines().any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        columns.get(1) == Some(&&*local) && columns.get(3) == Some(&"01")
    })
}

/// Waits until the other end is closed.
async fn closed(stream: &TcpStream) {
    let other = stream.peer_addr().expect("an address");
    timeout(LONG, async {
        while is_open(other) {
            sleep(SHORT).await
        }
    })
    .await
    .expect("it is closed");
}

#[tokio::test]
async fn an_upload_that_takes_too_long_leaves_no_connection() {
    let (listener, node) = deaf(limits(|limits| limits.first_byte = SHORT)).await;
    let client = client();
    let sent = node.enter(head("POST", "/"), Full::from(LARGE), &client);
    let (sent, accepted) = tokio::join!(sent, listener.accept());
    assert!(matches!(sent, Err(Error::Silent)), "{sent:?}");
    closed(&accepted.expect("a connection").0).await;
}

#[tokio::test]
async fn nor_does_one_whose_client_leaves() {
    let (listener, node) = deaf(limits(|_| ())).await;
    let sent = timeout(4 * SHORT, async { node.enter(head("POST", "/"), Full::from(LARGE), &client()).await.is_ok() });
    let (sent, accepted) = tokio::join!(sent, listener.accept());
    sent.expect_err("it was given up");
    closed(&accepted.expect("a connection").0).await;
}

#[tokio::test]
async fn nor_does_one_that_was_answered_before_its_end() {
    let (listener, node) = deaf(limits(|limits| limits.silence = 4 * SHORT)).await;
    let refuses = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.read_exact(&mut [0; 16]).await.expect("the beginning of a head");
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno").await.expect("it is read");
        stream
    };
    let client = client();
    let (sent, stream) = tokio::join!(node.enter(head("POST", "/"), Full::from(LARGE), &client), refuses);
    let reply = sent.expect("a reply");
    assert_eq!(reply.status(), 401);
    assert_eq!(reply.into_body().collect().await.expect("a body").to_bytes(), "no");
    closed(&stream).await;
}

/// A body that says when it is dropped.
struct Watched(Full<Bytes>, Arc<AtomicBool>);

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
    }
}

/// The client's connection waits for the end of a body that nobody reads.
#[tokio::test]
async fn a_body_that_the_upstream_never_asked_for_goes_with_its_request() {
    for expects in [false, true] {
        let (_listener, node) = deaf(limits(|_| ())).await;
        let is_dropped = Arc::new(AtomicBool::new(false));
        let mut request = head("POST", "/");
        if expects {
            request.headers.insert("expect", http::HeaderValue::from_static("100-continue"));
        }
        let body = Watched(Full::from("a body"), Arc::clone(&is_dropped));
        let given_up = timeout(SHORT, async { node.enter(request, body, &client()).await.is_ok() }).await;
        given_up.expect_err("nobody answers");
        timeout(LONG, async {
            while !is_dropped.load(Ordering::Relaxed) {
                sleep(SHORT).await
            }
        })
        .await
        .expect("it is dropped");
    }
}

/// Nobody asks for an empty body either.
#[tokio::test]
async fn an_empty_body_goes_with_its_request() {
    let (listener, node) = deaf(limits(|_| ())).await;
    let answers = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.read_exact(&mut [0; 16]).await.expect("the beginning of a head");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.expect("it is read");
        stream
    };
    let is_dropped = Arc::new(AtomicBool::new(false));
    let (body, client) = (Watched(Full::default(), Arc::clone(&is_dropped)), client());
    let (sent, _stream) = tokio::join!(node.enter(head("GET", "/"), body, &client), answers);
    sent.expect("a reply").into_body().collect().await.expect("a body");
    timeout(LONG, async {
        while !is_dropped.load(Ordering::Relaxed) {
            sleep(SHORT).await
        }
    })
    .await
    .expect("it is dropped");
}
