//! The forwarding node and its server, in one process: for what cannot be seen from outside of it, or needs an upstream
//! that speaks HTTP/2.
#![cfg(feature = "proxy")]

use std::future::{Future, pending, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::server::{Limits as ServerLimits, Server, Stopped};
use chain_runtime::proxy::{Cause, Client, Error, Forward, Limits, Pick, Rotated, Rotation, Settings};
use http::request::Parts;
use http::{Request, Response, Uri};
use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const LONG: Duration = Duration::from_secs(20);

/// Parts of a body, the last of which may be what is wrong with it. Its length is not known.
struct Pieces(Vec<Result<Bytes, &'static str>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Cause;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cause>>> {
        if self.0.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(self.0.remove(0).map(Frame::data).map_err(Cause::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

struct Running {
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Stopped>,
}

async fn serve<F>(limits: ServerLimits, answer: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static) -> Running
where
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("its address");
    let (stop, stopped) = oneshot::channel();
    let server = Server::new(limits);
    let server = tokio::spawn(async move {
        server.serve(listener, move |request, _| answer(request), async { drop(stopped.await) }).await
    });
    Running { at, stop, server }
}

async fn ask(client: &mut TcpStream, path: &str) -> Vec<u8> {
    client.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.expect("sent");
    let mut reply = vec![0; 4_096];
    let length = timeout(LONG, client.read(&mut reply)).await.expect("in time").expect("read");
    reply.truncate(length);
    reply
}

fn is_ok(reply: &[u8]) -> bool {
    reply.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_the_clients_doing_over_http2_too() {
    let upstream = serve(ServerLimits::default(), |request: Request<Incoming>| async {
        let _ = request.into_body().collect().await;
        Response::new("ok".into())
    });
    let upstream = upstream.await;
    let mut limits = Limits::default();
    limits.body = 8;
    let group = Rotation::new([format!("h2c://{}", upstream.at).parse().expect("a URL")]);
    let forward = Forward::<_, Pieces>::new(group, Settings::default().limits(limits));
    let client = Client::at(([127, 0, 0, 1], 1).into());
    let send = async |parts: &[Result<&'static str, &'static str>]| {
        let body = Pieces(parts.iter().map(|part| part.map(Bytes::from)).collect());
        let head = Request::post("/").header("host", "a").body(()).expect("a request").into_parts().0;
        timeout(LONG, forward.enter(head, body, &client)).await.expect("in time")
    };

    assert_eq!(send(&[Ok("abc")]).await.expect("a reply").status(), 200);
    let broken = send(&[Ok("abc"), Err("malformed")]).await.expect_err("no body");
    assert!(matches!(broken, Error::BadBody(_)), "{broken:?}");
    let large = send(&[Ok("abcdef"), Ok("abcdef")]).await.expect_err("too large");
    assert!(matches!(large, Error::TooLarge), "{large:?}");
    assert_eq!(send(&[Ok("abc")]).await.expect("a reply").status(), 200);
}

/// Two upstreams, of which the first takes no connection. Writes down what it was asked to pick for.
struct Asked(Rotation, Mutex<Vec<Uri>>);

impl Pick for Asked {
    type Turn<'a> = Rotated<'a>;
    type Tried = ();

    fn pick(&self, request: &Parts, (): &mut ()) -> Option<Rotated<'_>> {
        self.1.lock().expect("no panic").push(request.uri.clone());
        self.0.pick(request, &mut ())
    }

    fn tries(&self, request: &Parts) -> usize {
        self.0.tries(request)
    }
}

#[tokio::test]
async fn who_picks_sees_the_same_target_at_each_try() {
    let upstream = serve(ServerLimits::default(), slow_or_not).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address");
    let group = [nobody, upstream.at].map(|at| format!("http://{at}").parse().expect("a URL"));
    let forward = Forward::<_, Pieces>::new(Asked(Rotation::new(group), Mutex::default()), Settings::default());
    let head = Request::get("/a?b").header("host", "a").body(()).expect("a request").into_parts().0;
    let client = Client::at(([127, 0, 0, 1], 1).into());
    let reply = timeout(LONG, forward.enter(head, Pieces(Vec::new()), &client)).await.expect("in time");
    assert_eq!(reply.expect("a reply").status(), 200);
    assert_eq!(*forward.upstreams().1.lock().expect("no panic"), ["/a?b", "/a?b"]);
}

#[tokio::test]
async fn a_reply_that_the_client_has_not_read_yet_is_sent_to_its_end_when_the_server_stops() {
    const SIZE: usize = 32 << 20;
    let Running { at, stop, server } =
        serve(ServerLimits::default(), |_| ready(Response::new(Bytes::from(vec![b'x'; SIZE]).into()))).await;
    let mut client = TcpStream::connect(at).await.expect("connected");
    assert!(is_ok(&ask(&mut client, "/").await));
    stop.send(()).expect("a server");
    sleep(Duration::from_millis(300)).await;
    let (mut bytes, mut part) = (0, vec![0; 1 << 16]);
    while let Ok(length @ 1..) = timeout(LONG, client.read(&mut part)).await.expect("in time") {
        bytes += length;
    }
    // What came with the head was read with it.
    assert!(bytes > SIZE - 4_096, "{bytes} of {SIZE}");
    assert_eq!(server.await.expect("no panic"), Stopped { requests: 0, tunnels: 0 });
}

#[tokio::test]
async fn a_reply_that_nobody_reads_is_counted_when_the_server_cuts_it() {
    let mut limits = ServerLimits::default();
    limits.grace = Duration::from_millis(300);
    let Running { at, stop, server } =
        serve(limits, |_| ready(Response::new(Bytes::from(vec![b'x'; 32 << 20]).into()))).await;
    let mut client = TcpStream::connect(at).await.expect("connected");
    assert!(is_ok(&ask(&mut client, "/").await));
    stop.send(()).expect("a server");
    let stopped = timeout(LONG, server).await.expect("in time").expect("no panic");
    assert_eq!(stopped, Stopped { requests: 1, tunnels: 0 });
}

#[tokio::test]
async fn a_client_that_comes_just_before_the_stop_is_answered_once() {
    let Running { at, stop, server } = serve(ServerLimits::default(), |_| ready(Response::new("ok".into()))).await;
    let mut idle = TcpStream::connect(at).await.expect("connected");
    assert!(is_ok(&ask(&mut idle, "/").await));
    let mut new = TcpStream::connect(at).await.expect("connected");
    let mut silent = TcpStream::connect(at).await.expect("connected");
    // It is accepted by then.
    sleep(Duration::from_millis(100)).await;
    stop.send(()).expect("a server");
    let closes =
        async |client: &mut TcpStream| timeout(LONG, client.read(&mut [0])).await.expect("in time").unwrap_or(0);
    assert_eq!(closes(&mut idle).await, 0);
    assert!(is_ok(&ask(&mut new, "/").await));
    assert_eq!((closes(&mut new).await, closes(&mut silent).await), (0, 0));
    assert_eq!(server.await.expect("no panic"), Stopped { requests: 0, tunnels: 0 });
}

#[tokio::test]
async fn who_waits_for_a_place_when_the_server_stops_is_answered() {
    let Running { at, stop, server } = serve(two_places(), slow_or_not).await;
    let client = async |path: &str| {
        let mut client = TcpStream::connect(at).await.expect("connected");
        ask(&mut client, path).await
    };
    let third = async {
        sleep(Duration::from_millis(150)).await;
        client("/").await
    };
    let stops = async {
        // The third one is accepted, and both places are taken.
        sleep(Duration::from_millis(300)).await;
        stop.send(()).expect("a server");
    };
    let (first, second, third, ()) = tokio::join!(client("/slow"), client("/slow"), third, stops);
    assert!(is_ok(&first) && is_ok(&second) && is_ok(&third));
    assert_eq!(server.await.expect("no panic"), Stopped { requests: 0, tunnels: 0 });
}

fn two_places() -> ServerLimits {
    let mut limits = ServerLimits::default();
    limits.connections = 2;
    limits
}

async fn slow_or_not(request: Request<Incoming>) -> Response<Full<Bytes>> {
    if request.uri() == "/slow" {
        sleep(Duration::from_millis(500)).await;
    }
    Response::new("ok".into())
}

#[tokio::test]
async fn nobody_gives_up_a_place_that_nobody_waits_for() {
    let server = serve(two_places(), slow_or_not).await;
    let mut first = TcpStream::connect(server.at).await.expect("connected");
    assert!(is_ok(&ask(&mut first, "/").await));
    let mut second = TcpStream::connect(server.at).await.expect("connected");
    sleep(Duration::from_millis(200)).await;
    assert!(is_ok(&ask(&mut second, "/").await));
    assert!(is_ok(&ask(&mut first, "/").await));
}

#[tokio::test]
async fn who_comes_while_all_are_busy_gets_the_place_of_the_first_that_is_not() {
    let server = serve(two_places(), slow_or_not).await;
    let busy = async || {
        let mut client = TcpStream::connect(server.at).await.expect("connected");
        let reply = ask(&mut client, "/slow").await;
        (client, reply)
    };
    let third = async {
        sleep(Duration::from_millis(200)).await;
        let mut client = TcpStream::connect(server.at).await.expect("connected");
        ask(&mut client, "/").await
    };
    // Both stay connected, without a request, for longer than the third waits.
    let ((_one, first), (_two, second), third) = tokio::join!(busy(), busy(), third);
    assert!(is_ok(&first) && is_ok(&second) && is_ok(&third));
}

#[tokio::test]
async fn a_client_that_sends_some_of_its_next_request_in_pieces_and_leaves_is_gone() {
    struct Told(Option<oneshot::Sender<()>>);

    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.take().expect("once").send(());
        }
    }

    let (told, dropped) = oneshot::channel();
    let told = Mutex::new(Some(Told(Some(told))));
    let server = serve(ServerLimits::default(), move |_| {
        let told = told.lock().expect("no panic").take();
        async move {
            let _told = told;
            pending().await
        }
    });
    let server = server.await;
    let mut client = TcpStream::connect(server.at).await.expect("connected");
    client.set_nodelay(true).expect("set");
    for piece in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "G", "E", "T"] {
        client.write_all(piece.as_bytes()).await.expect("sent");
        sleep(Duration::from_millis(100)).await;
    }
    drop(client);
    timeout(LONG, dropped).await.expect("the request was given up").expect("told");
}
