//! A client, over HTTP/1.1 or h2c, and a bare socket for what no client would send.

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

use crate::process::ALICE;
use crate::upstream::{Reply, empty};
use crate::within;

/// A client with a pool of connections.
#[derive(Clone)]
pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Reply>,
    at: SocketAddr,
}

/// A reply that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Client {
    pub(crate) fn new(at: SocketAddr) -> Self {
        Self { http: legacy::Client::builder(TokioExecutor::new()).build_http(), at }
    }

    pub(crate) fn h2c(at: SocketAddr) -> Self {
        Self { http: legacy::Client::builder(TokioExecutor::new()).http2_only(true).build_http(), at }
    }

    /// A request for this path, not sent yet.
    pub(crate) fn request(&self, method: Method, path: &str, fields: &[(&str, &str)], body: Reply) -> Request<Reply> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.at));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(body).expect("a request")
    }

    /// Sends a request; its reply's body is still to be read.
    pub(crate) async fn send(&self, request: Request<Reply>) -> Result<Response<Incoming>, Error> {
        within("a reply", self.http.request(request)).await
    }

    /// Asks with these fields.
    pub(crate) async fn get(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        read(self.send(self.request(Method::GET, path, fields, empty())).await.expect("a reply")).await
    }

    /// Asks as alice.
    pub(crate) async fn get_as_alice(&self, path: &str) -> Answer {
        self.get(path, &[("x-api-key", ALICE)]).await
    }

    /// Sends a body as alice.
    pub(crate) async fn post_as_alice(&self, path: &str, body: Reply) -> Result<Response<Incoming>, Error> {
        self.send(self.request(Method::POST, path, &[("x-api-key", ALICE)], body)).await
    }
}

/// Reads a reply to its end.
pub(crate) async fn read(reply: Response<Incoming>) -> Answer {
    let (head, body) = reply.into_parts();
    let body = within("the end of a body", body.collect()).await.expect("the whole body").to_bytes();
    Answer { status: head.status, headers: head.headers, text: String::from_utf8_lossy(&body).into_owned() }
}

/// The next piece of a body. HTTP/2 may end one with an empty piece, which is none.
pub(crate) async fn piece(body: &mut Incoming) -> Option<Bytes> {
    loop {
        let frame = within("a piece of a body", body.frame()).await?;
        match frame.expect("an unbroken body").into_data() {
            Ok(piece) if piece.is_empty() => {}
            piece => return piece.ok(),
        }
    }
}

/// A bare connection.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(at: SocketAddr) -> Self {
        Self(within("a connection", TcpStream::connect(at)).await.expect("a connection"))
    }

    /// Sends this, as far as the other side reads it.
    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        let _ = within("room to write", self.0.write_all(text.as_ref())).await;
    }

    /// Reads up to and with this.
    pub(crate) async fn read_to(&mut self, end: &str) -> String {
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
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut read = Vec::new();
        // A reset is an end, too.
        let _ = within("the end of a connection", self.0.read_to_end(&mut read)).await;
        String::from_utf8_lossy(&read).into_owned()
    }
}
