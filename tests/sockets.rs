//! Chains on raw sockets: a line protocol, and a length-prefixed one over TCP and UDP. No HTTP anywhere.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chain_runtime::{chain, node};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;
use tokio_util::codec::{Framed, LengthDelimitedCodec};
use tokio_util::sync::CancellationToken;

#[allow(dead_code, reason = "their main")]
#[path = "../examples/frames.rs"]
mod frames;
#[allow(dead_code, reason = "their main")]
#[path = "../examples/lines.rs"]
mod lines;
#[path = "support/seen.rs"]
mod seen;
#[path = "support/within.rs"]
mod within;

use seen::Seen;
use within::within;

/// Both ends of a connection.
async fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let client = TcpStream::connect(listener.local_addr().expect("it is bound")).await.expect("it listens");
    (client, listener.accept().await.expect("a client is there").0)
}

type Served<E> = JoinHandle<Result<(), E>>;

async fn of_lines() -> (TcpStream, Served<tokio_util::codec::LinesCodecError>, CancellationToken) {
    let (client, server) = connection().await;
    let stop = CancellationToken::new();
    let chain = Arc::new(lines::Lines { store: Mutex::default() });
    (client, tokio::spawn(lines::serve(chain, server, stop.clone())), stop)
}

/// What the server says until it closes the connection.
async fn said(client: &mut TcpStream) -> String {
    let mut said = String::new();
    within("the server", client.read_to_string(&mut said)).await.expect("it is text");
    said
}

#[tokio::test]
async fn lines_are_answered_in_their_order_whatever_pieces_they_come_in() {
    let (mut client, served, _) = of_lines().await;
    for piece in ["set a", "da lovelace\nget ada\r", "\nget eve\nset x\n", "get ada"] {
        client.write_all(piece.as_bytes()).await.expect("it reads");
        tokio::task::yield_now().await;
    }
    client.shutdown().await.expect("it is open");
    assert_eq!(
        said(&mut client).await,
        "change 1 of this connection\nlovelace\nerror: no such key\nerror: `get KEY` or `set KEY VALUE`\nlovelace\n"
    );
    assert!(served.await.expect("it does not panic").is_ok());
}

#[tokio::test]
async fn a_line_that_is_too_long_or_no_text_is_said_to_be_and_ends_the_connection() {
    for (line, told) in [(vec![b'x'; 200], "max line length exceeded"), (b"get \xFF\n".to_vec(), "Unable to decode")] {
        let (mut client, served, _) = of_lines().await;
        client.write_all(b"get ada\n").await.expect("it reads");
        client.write_all(&line).await.expect("it reads");
        let said = said(&mut client).await;
        let (first, second) = said.split_once('\n').expect("two lines");
        assert_eq!(first, "error: no such key", "what came before is answered");
        assert!(second.starts_with("error: ") && second.contains(told), "{second}");
        assert!(served.await.expect("it does not panic").is_err());
    }
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_has_begun() {
    let (mut client, served, stop) = of_lines().await;
    client.write_all(b"set ada lovelace\n").await.expect("it reads");
    let mut answer = [0; 28];
    within("the answer", client.read_exact(&mut answer)).await.expect("it is sent");
    assert_eq!(&answer[..], b"change 1 of this connection\n");
    stop.cancel();
    assert_eq!(said(&mut client).await, "");
    assert!(within("the server", served).await.expect("it does not panic").is_ok());
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().length_field_type::<u16>().max_frame_length(2048).new_codec()
}

async fn of_frames() -> (Framed<TcpStream, LengthDelimitedCodec>, Served<io::Error>) {
    let (client, server) = connection().await;
    (Framed::new(client, codec()), tokio::spawn(frames::over_tcp(server)))
}

#[tokio::test]
async fn frames_are_answered_in_their_order() {
    let (mut client, served) = of_frames().await;
    let asked: [(&[u8], &str); 6] = [
        (b"+\0\0\0\x02\0\0\0\x03", "5"),
        (b"+", "0"),
        (b"*\0\x01\0\0\0\x01\0\0", "error: too large a number"),
        (b"*\0\0", "error: part of a number"),
        (b"-", "error: no such operation"),
        (b"", "error: an empty frame"),
    ];
    for (frame, _) in asked {
        client.send(Bytes::from_static(frame)).await.expect("it reads");
    }
    for (frame, answer) in asked {
        let answered = within("the answer", client.next()).await.expect("it is sent").expect("it is a frame");
        assert_eq!(answered, answer, "{frame:?}");
    }
    drop(client);
    assert!(within("the server", served).await.expect("it does not panic").is_ok());
}

#[tokio::test]
async fn a_frame_that_is_too_long_and_half_a_frame_end_the_connection() {
    let (mut client, served) = of_frames().await;
    client.send(Bytes::from(vec![0; 1025])).await.expect("it reads");
    let error = within("the server", served).await.expect("it does not panic").expect_err("it is too long");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);

    let (mut client, served) = of_frames().await;
    client.get_mut().write_all(&[0, 5, b'+', 0]).await.expect("it reads");
    client.get_mut().shutdown().await.expect("it is open");
    let error = within("the server", served).await.expect("it does not panic").expect_err("it is half a frame");
    assert_eq!(error.to_string(), "bytes remaining on stream");
}

#[tokio::test]
async fn datagrams_are_answered_and_what_is_no_frame_is_dropped() {
    let server = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    let client = UdpSocket::bind("127.0.0.1:0").await.expect("a port is free");
    client.connect(server.local_addr().expect("it is bound")).await.expect("it is there");
    tokio::spawn(frames::over_udp(server));
    for datagram in [&b"\xFF\xFF-"[..], b"\0\x09*\0\0\0\x06\0\0\0\x07"] {
        client.send(datagram).await.expect("it is sent");
    }
    let mut answer = [0; 64];
    let length = within("the answer", client.recv(&mut answer)).await.expect("it is sent");
    assert_eq!(&answer[..length], b"\0\x0242");
}

// What neither example has: a request that takes its time, and a client that does not wait.

#[derive(Default)]
struct Watch(Seen);

#[node]
impl Watch {
    fn enter(&self) {
        self.0.count(&self.0.entered);
    }
    fn exit(&self) {
        self.0.count(&self.0.left);
    }
    fn cancelled(&self) {
        self.0.count(&self.0.cancelled);
    }
}

#[node]
async fn hang(_frame: &Bytes) -> u8 {
    std::future::pending().await
}

chain! {
    struct Hanging { watch: Watch }
    async fn(frame: Bytes) -> u8 { watch => hang }
}

/// Ready when the client has closed its connection, and has not sent more before.
async fn gone(client: &TcpStream) {
    if client.peek(&mut [0]).await.is_ok_and(|bytes| bytes > 0) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_client_that_vanishes_cancels_its_request() {
    let (client, mut server) = connection().await;
    let chain = Arc::new(Hanging { watch: Watch::default() });
    let serving = Arc::clone(&chain);
    let served = tokio::spawn(async move {
        let mut frame = [0; 5];
        server.read_exact(&mut frame).await.expect("it is sent");
        tokio::select! {
            reply = serving.run(Bytes::copy_from_slice(&frame)) => Some(reply),
            () = gone(&server) => None,
        }
    });
    let mut client = client;
    client.write_all(b"hello").await.expect("it reads");
    chain.watch.0.becomes(|counts| counts == [1, 0, 0]).await;
    drop(client);
    assert_eq!(within("the server", served).await.expect("it does not panic"), None);
    assert_eq!(chain.watch.0.counts(), [1, 0, 1]);
}
