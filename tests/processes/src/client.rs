//! A client, over HTTP/1.1 or h2c, and a bare socket for bytes that no client would send.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Error};
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::upstream::{Reply, empty, full};
use crate::within;

/// A client with a pool of connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: legacy::Client<HttpConnector, Reply>,
    at: SocketAddr,
}

/// A reply that was read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its fields.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
}

impl Answer {
    /// The value of this field, the first one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Client {
    /// A client of who listens here, over HTTP/1.1.
    pub fn new(at: SocketAddr) -> Self {
        Self { http: legacy::Client::builder(TokioExecutor::new()).build_http(), at }
    }

    /// And over HTTP/2.
    pub fn h2c(at: SocketAddr) -> Self {
        Self { http: legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http(), at }
    }

    /// A request for this path, not sent yet.
    pub fn request(&self, method: Method, path: &str, fields: &[(&str, &str)], body: Reply) -> Request<Reply> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.at));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(body).expect("a request")
    }

    /// Sends a request; its reply's body is still to be read.
    pub async fn send(&self, request: Request<Reply>) -> Result<Response<Incoming>, Error> {
        within("a reply", self.http.request(request)).await
    }

    /// Asks with these fields.
    pub async fn get(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        read(self.send(self.request(Method::GET, path, fields, empty())).await.expect("a reply")).await
    }

    /// Asks by this method with these fields and this body.
    pub async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let method = method.parse().expect("a method");
        read(self.send(self.request(method, path, fields, full(body))).await.expect("a reply")).await
    }
}

/// Reads a reply to its end.
pub async fn read(reply: Response<Incoming>) -> Answer {
    let (head, body) = reply.into_parts();
    let body = within("the end of a body", body.collect()).await.expect("the whole body").to_bytes();
    Answer { status: head.status, headers: head.headers, text: String::from_utf8_lossy(&body).into_owned() }
}

/// The next piece of a body. HTTP/2 may end one with an empty piece, which is none.
pub async fn piece(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = within("a piece of a body", body.frame()).await?;
        match frame.expect("an unbroken body").into_data() {
            Ok(piece) if piece.is_empty() => {}
            piece => return piece.ok(),
        }
    }
}

/// A bare connection.
#[derive(Debug)]
pub struct Raw(TcpStream);

impl Raw {
    /// Connects.
    pub async fn connect(at: SocketAddr) -> Self {
        Self(within("a connection", TcpStream::connect(at)).await.expect("a connection"))
    }

    /// Sends this, as far as the other side reads it.
    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        let _ = within("room to write", self.0.write_all(text.as_ref())).await;
    }

    /// Reads up to and with this.
    pub async fn read_to(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        within("an answer", async {
            while !read.ends_with(end.as_bytes()) {
                match self.0.read_u8().await {
                    Ok(byte) => read.push(byte),
                    Err(_) => break,
                }
            }
        })
        .await;
        String::from_utf8_lossy(&read).into_owned()
    }

    /// Reads until the other side closes.
    pub async fn read_to_end(&mut self) -> String {
        let mut read = Vec::new();
        // A reset is an end, too.
        let _ = within("the end of a connection", self.0.read_to_end(&mut read)).await;
        String::from_utf8_lossy(&read).into_owned()
    }
}
