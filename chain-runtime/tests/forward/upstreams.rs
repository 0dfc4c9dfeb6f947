//! Upstreams that behave as a test tells them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A server of one connection after another. It goes by the path of each request, and says of what it saw.
#[derive(Clone)]
pub(crate) struct Scripted {
    pub(crate) at: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    open: AtomicUsize,
    head: Mutex<String>,
    closes: AtomicBool,
    closed: Notify,
    goes_on: Notify,
}

impl Scripted {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let this = Self { at: listener.local_addr().expect("its address"), seen: Arc::default() };
        let seen = Arc::clone(&this.seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                seen.open.fetch_add(1, Ordering::SeqCst);
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    serve(stream, &seen).await;
                    seen.open.fetch_sub(1, Ordering::SeqCst);
                    seen.closed.notify_waiters();
                });
            }
        });
        this
    }

    /// Connections that were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The head of the last request.
    pub(crate) fn head(&self) -> String {
        self.seen.head.lock().expect("no panic").clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// Takes one more request, and closes its connection without a reply.
    pub(crate) fn close_next(&self) {
        self.seen.closes.store(true, Ordering::SeqCst);
    }

    /// What waits halfway goes on.
    pub(crate) fn go_on(&self) {
        self.seen.goes_on.notify_one();
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    /// Completes when none is open any more.
    pub(crate) async fn all_closed(&self) {
        loop {
            let closed = self.seen.closed.notified();
            if self.open() == 0 {
                return;
            }
            closed.await;
        }
    }
}

async fn serve(mut stream: TcpStream, seen: &Seen) {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
                return;
            }
        };
        seen.requests.fetch_add(1, Ordering::SeqCst);
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        seen.head.lock().expect("no panic").clone_from(&head);
        let length = head
            .to_lowercase()
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.split_once("\r\n").expect("a line").0.parse().expect("a length"));
        while buffer.len() < end + length {
            if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
                return;
            }
        }
        buffer.drain(..end + length);
        if seen.closes.swap(false, Ordering::SeqCst) {
            return;
        }
        let path = head.split(' ').nth(1).expect("a target");
        let said: &[u8] = match path {
            "/silent" => b"",
            "/closes" => return,
            "/no-http" => b"what is this?\r\n\r\n",
            "/two-lengths" => b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
            "/switches" => b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: what\r\n\r\n",
            "/half" | "/breaks" | "/drips" | "/stalls" => b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
            "/events" => b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 10\r\n\r\nhello",
            "/half-500" => b"HTTP/1.1 500 No\r\ncontent-length: 10\r\n\r\nhello",
            _ => {
                let status = path.strip_prefix("/status/").unwrap_or("200");
                let reply = format!("HTTP/1.1 {status} A\r\ncontent-length: 2\r\n\r\nok");
                if stream.write_all(reply.as_bytes()).await.is_err() {
                    return;
                }
                continue;
            }
        };
        if stream.write_all(said).await.is_err() {
            return;
        }
        match path {
            "/half" | "/half-500" => {
                seen.goes_on.notified().await;
                let _ = stream.write_all(b"world").await;
            }
            "/drips" => {
                seen.goes_on.notified().await;
                let _ = stream.write_all(b"wor").await;
                seen.goes_on.notified().await;
                return;
            }
            "/breaks" | "/events" => {
                seen.goes_on.notified().await;
                return;
            }
            // Until the other side has had enough.
            _ => while matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {},
        }
    }
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address")
}
