//! A message has the length of the body that is sent, and no content where none is allowed: over HTTP/1 and HTTP/2,
//! byte by byte.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response as AxumResponse;
use bytes::Bytes;
use chain_runtime::{Pool, axum as in_axum, chain, hyper as in_hyper, node};
use futures_util::stream;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2;
use hyper::service::HttpService;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::within;

type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A reply with the status, the `Content-Length` fields and the body of the path: `/204/5,7/streamed`.
#[node]
fn asked_for(head: &Parts) -> Reply {
    let mut path = head.uri.path().split('/').skip(1);
    let status: StatusCode = path.next().and_then(|status| status.parse().ok()).expect("a status");
    let mut reply = Response::builder().status(status);
    for length in path.next().expect("lengths").split(',').filter(|length| !length.is_empty()) {
        reply = reply.header("content-length", length);
    }
    let body = match path.next().expect("a body") {
        "known" => Full::from("content").boxed_unsync(),
        "empty" => Empty::new().boxed_unsync(),
        _ => {
            StreamBody::new(stream::iter(["con", "tent"].map(|part| Ok(Frame::data(Bytes::from(part)))))).boxed_unsync()
        }
    };
    reply.body(body).expect("a response")
}

chain! {
    struct Asked;
    async fn(head: Parts, body: Incoming) -> Reply { asked_for }
}

chain! {
    struct AskedOver;
    async fn(head: Parts, body: Incoming, line: &mut String) -> Reply { asked_for }
}

#[node]
fn for_axum(request: &in_axum::Request) -> AxumResponse {
    let (head, _) = Request::builder().uri(request.uri()).body(()).expect("a request").into_parts();
    asked_for(&head).map(Body::new)
}

chain! {
    struct AskedInAxum;
    async fn(request: in_axum::Request) -> in_axum::Reply { for_axum }
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// Serves it over HTTP/1 and HTTP/2.
async fn served<S, B>(service: S) -> SocketAddr
where
    S: HttpService<Incoming, ResBody = B, Error = Infallible, Future: Send + 'static> + Clone + Send + 'static,
    B: hyper::body::Body<Data: Send, Error = Infallible> + Send + 'static,
{
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let service = service.clone();
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let service = hyper::service::service_fn(move |request| {
                    let mut service = service.clone();
                    async move { service.call(request).await }
                });
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// Every adapter that makes what hyper sends.
async fn adapters() -> Vec<(&'static str, SocketAddr)> {
    let over = in_hyper::service_over(Arc::new(AskedOver), Arc::new(Pool::<String>::default()));
    let (listener, address) = listener().await;
    let app = Router::new().fallback_service(in_axum::service(Arc::new(AskedInAxum)));
    tokio::spawn(async { axum::serve(listener, app).await });
    vec![
        ("hyper::service", served(in_hyper::service(Arc::new(Asked))).await),
        ("hyper::service_over", served(over).await),
        ("axum::service", address),
    ]
}

/// What is on the wire of HTTP/1 for these requests, sent at once on one connection.
async fn wire(address: SocketAddr, requests: &[(&Method, &str)]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    for (method, path) in requests {
        stream.write_all(format!("{method} {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.expect("it is read");
    }
    stream.write_all(b"GET /200//known HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("it is read");
    let mut wire = String::new();
    within("the replies", stream.read_to_string(&mut wire)).await.expect("it is text");
    wire
}

/// The `Content-Length` and the content, by hyper's client over HTTP/2, which checks the one against the other.
async fn over_http2(address: SocketAddr, method: &Method, path: &str) -> Result<(Option<String>, Bytes), hyper::Error> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let shake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut client, connection) = shake.expect("it is HTTP/2");
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(format!("http://x{path}")).body(Empty::<Bytes>::new());
    let reply = within(path, client.send_request(request.expect("a request"))).await?;
    let length = reply.headers().get("content-length").map(|length| length.to_str().expect("digits").to_owned());
    Ok((length, within(path, reply.into_body().collect()).await?.to_bytes()))
}

const BARE: [(&Method, &str); 8] = [
    (&Method::HEAD, "/200//known"),
    (&Method::HEAD, "/200/5/known"),
    (&Method::HEAD, "/200//streamed"),
    (&Method::HEAD, "/200/7/empty"),
    (&Method::GET, "/204//known"),
    (&Method::GET, "/204/7/streamed"),
    (&Method::GET, "/304/7/known"),
    (&Method::HEAD, "/404/3,4/known"),
];

#[tokio::test]
async fn a_reply_without_content_has_none_over_http2() {
    for (name, address) in adapters().await {
        for (method, path) in BARE {
            let (length, content) = over_http2(address, method, path).await.unwrap_or_else(|error| {
                panic!("{name}, {method} {path}: {error:?}");
            });
            assert!(content.is_empty(), "{name}, {method} {path}: {content:?}");
            let as_for_get = matches!(length.as_deref(), None | Some("7"));
            assert!(as_for_get, "{name}, {method} {path}: {length:?} of 7");
        }
    }
}

/// The frames of the reply on stream 1, by their types, as they are on the wire: the client above hides an empty `DATA` frame.
async fn frames(address: SocketAddr, method: &Method, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    // Literal fields without indexing, by the static table's names: `:method`, `:scheme`, `:path`, `:authority`.
    let mut block = vec![];
    for (name, value) in [(2, method.as_str()), (6, "http"), (4, path), (1, "x")] {
        block.extend([name, u8::try_from(value.len()).expect("a short one")]);
        block.extend(value.as_bytes());
    }
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    sent.extend([0, 0, u8::try_from(block.len()).expect("a short one"), 1, 0x05, 0, 0, 0, 1]);
    sent.extend(block);
    stream.write_all(&sent).await.expect("it is read");
    let mut kinds = vec![];
    loop {
        let mut head = [0; 9];
        within(path, stream.read_exact(&mut head)).await.expect("a frame");
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).await.expect("the rest of it");
        if head[8] == 1 {
            kinds.push(head[3]);
            let ends_stream = head[4] & 1 == 1;
            if ends_stream {
                return kinds;
            }
        }
    }
}

#[tokio::test]
async fn a_reply_without_content_is_its_head_alone_over_http2() {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    for (name, address) in adapters().await {
        for (method, path) in BARE {
            assert_eq!(frames(address, method, path).await, [HEADERS], "{name}, {method} {path}");
        }
        assert_eq!(frames(address, &Method::GET, "/200//known").await, [HEADERS, DATA], "{name}");
    }
}

#[tokio::test]
async fn a_reply_without_content_has_none_over_http1() {
    for (name, address) in adapters().await {
        let wire = wire(address, &BARE).await;
        assert_eq!(wire.matches("HTTP/1.1 ").count(), BARE.len() + 1, "{name}: {wire}");
        assert_eq!(wire.matches("\r\n\r\ncontent").count(), 1, "{name}, that of the last: {wire}");
        assert!(!wire.contains("transfer-encoding"), "{name}: {wire}");
    }
}

#[tokio::test]
async fn a_length_that_a_node_set_is_not_the_next_replys_beginning() {
    for (name, address) in adapters().await {
        for path in [
            "/200/3/known",
            "/200/9/known",
            "/200/x/known",
            "/200/3,9/known",
            "/200/7,7/streamed",
            "/200/3,9/streamed",
            "/200/4/empty",
        ] {
            let wire = wire(address, &[(&Method::GET, path)]).await;
            let replies: Vec<_> = wire.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
            assert_eq!(replies.len(), 2, "{name}, {path}: {wire}");
            assert!(
                replies[1].contains("\r\ncontent-length: 7\r\n") && replies[1].ends_with("\r\n\r\ncontent"),
                "{name}, {path}: {wire}"
            );
            let (head, content) = replies[0].split_once("\r\n\r\n").expect("a head");
            match path {
                "/200/4/empty" => assert!(head.contains("content-length: 0") && content.is_empty(), "{name}: {wire}"),
                _ if head.contains("transfer-encoding: chunked") => {
                    assert_eq!(content, "3\r\ncon\r\n4\r\ntent\r\n0\r\n\r\n", "{name}, {path}");
                    assert!(!head.contains("content-length"), "{name}, {path}: {wire}");
                }
                _ => {
                    assert_eq!(head.matches("content-length").count(), 1, "{name}, {path}: {wire}");
                    assert!(head.contains("content-length: 7") && content == "content", "{name}, {path}: {wire}");
                }
            }
            let expected: &[u8] = if path.ends_with("empty") { b"" } else { b"content" };
            let (length, content) = over_http2(address, &Method::GET, path).await.expect("it is well formed");
            assert_eq!(content, expected, "{name}, {path}");
            assert!(length.is_none_or(|length| length == expected.len().to_string()), "{name}, {path}");
        }
    }
}

#[tokio::test]
async fn a_promised_length_is_held() {
    let address = served(in_hyper::service(Arc::new(Asked))).await;
    // Three bytes are what the first part has: what is past them is no part of any reply.
    let wire = wire(address, &[(&Method::GET, "/200/3/streamed")]).await;
    assert!(wire.contains("content-length: 3\r\n") && wire.contains("\r\n\r\nconHTTP/1.1 200 OK"), "{wire}");
    assert_eq!(over_http2(address, &Method::GET, "/200/3/streamed").await.expect("it is well formed").1, "con");
    // One that falls short is seen to: the connection ends.
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(b"GET /200/9/streamed HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is read");
    let mut wire = String::new();
    within("the end", stream.read_to_string(&mut wire)).await.expect("it is text");
    assert!(
        wire.is_empty() || wire.ends_with("\r\n\r\ncontent"),
        "no reply is made up from what comes after it: {wire}"
    );
    assert!(over_http2(address, &Method::GET, "/200/9/streamed").await.is_err(), "it is short");
}

#[tokio::test]
async fn the_short_form_has_no_content_where_there_must_be_none() {
    use chain_runtime::{Request, Response};

    #[node]
    fn tell(request: &Request, response: &mut Response) {
        response.status = request.uri.path()[1..].parse().expect("a status");
        response.headers.insert("content-length", 3.into());
        response.body.extend_from_slice(b"content");
    }
    let service = in_hyper::context_service(Arc::new(chain!(tell)), Arc::new(Pool::default()));
    let address = served(service).await;
    for (method, path) in [(Method::HEAD, "/200"), (Method::GET, "/204"), (Method::GET, "/304"), (Method::HEAD, "/204")]
    {
        assert_eq!(frames(address, &method, path).await, [1], "{method} {path}");
        assert_eq!(over_http2(address, &method, path).await.expect("it is well formed").1, "", "{method} {path}");
    }
    let (length, content) = over_http2(address, &Method::GET, "/200").await.expect("it is well formed");
    assert_eq!((length.as_deref(), &*content), (Some("7"), b"content".as_slice()));
}
