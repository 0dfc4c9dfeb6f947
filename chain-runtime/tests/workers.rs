//! A server on several workers: it is one server to its clients.
#![cfg(feature = "proxy")]

use std::collections::HashMap;
use std::future::{Future, pending, ready};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::server::{Limits, Listeners, Places, Server, Stopped, Workers};
use chain_runtime::proxy::{self, Body, Client, Forward, Rotation, Settings};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);
const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();
/// So many connections that the kernel gives some to each of two workers: otherwise once in 2^31 runs.
const MANY: usize = 32;

const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

struct Running {
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Stopped>,
}

fn serve<F, B>(
    workers: &Workers,
    limits: Limits,
    answer: impl Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
) -> Running
where
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<proxy::Cause>> + Send + 'static,
{
    let listeners = Listeners::bind(HERE, workers.count()).expect("a port");
    let at = listeners.local_addr().expect("its address");
    let (stop, stopped) = oneshot::channel::<()>();
    let served = Server::new(limits).serve_on(workers, listeners, answer, async { drop(stopped.await) }, pending());
    Running { at, stop, server: tokio::spawn(served.expect("watched")) }
}

async fn connect(at: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(at).await.expect("connected");
    let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    sender
}

async fn ask(client: &mut SendRequest<Empty<Bytes>>) -> Result<Bytes, hyper::Error> {
    let request = Request::get("/").header("host", "a").body(Empty::new()).expect("a request");
    let reply = timeout(LONG, client.send_request(request)).await.expect("in time")?;
    let body = timeout(LONG, reply.into_body().collect()).await.expect("in time")?.to_bytes();
    timeout(LONG, client.ready()).await.expect("in time")?;
    Ok(body)
}

async fn all_have_begun(begun: &AtomicUsize) {
    timeout(LONG, async {
        while begun.load(Ordering::Relaxed) < MANY {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("all have begun");
}

#[tokio::test]
async fn connections_stay_with_the_worker_that_accepted_them() {
    let workers = Workers::start(TWO).expect("two threads");
    let seen: Arc<Mutex<HashMap<SocketAddr, ThreadId>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let server = serve(&workers, Limits::default(), move |_, client| {
        let was = noted.lock().expect("no panic").insert(client.peer().expect("a peer"), thread::current().id());
        assert!(was.is_none_or(|was| was == thread::current().id()));
        ready(Response::new(Full::from("hello")))
    });
    for _ in 0..MANY {
        let mut client = connect(server.at).await;
        for _ in 0..3 {
            assert_eq!(ask(&mut client).await.expect("a reply"), "hello");
        }
    }
    let seen = seen.lock().expect("no panic");
    let threads: std::collections::HashSet<_> = seen.values().collect();
    assert_eq!((seen.len(), threads.len()), (MANY, 2));
}

#[tokio::test]
async fn connections_to_an_upstream_are_those_of_the_worker_that_asks() {
    let upstream = TcpListener::bind(HERE).await.expect("a port");
    let at = upstream.local_addr().expect("its address");
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = upstream.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            let answer = hyper::service::service_fn(async |_| {
                Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from("hello")))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    let group = Rotation::new([format!("http://{at}").parse().expect("a URL")]);
    let forward = Arc::new(Forward::<_, Incoming>::new(group, Settings::default()));
    let workers = Workers::start(TWO).expect("two threads");
    let server = serve(&workers, Limits::default(), move |request, client| {
        let forward = Arc::clone(&forward);
        async move {
            let (head, body) = request.into_parts();
            forward.enter(head, body, &client).await.unwrap_or_else(|error| panic!("{error}"))
        }
    });
    // One request at a time. Each comes some while after the one before, which has given its connection back by then.
    for _ in 0..MANY {
        assert_eq!(ask(&mut connect(server.at).await).await.expect("a reply"), "hello");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let accepted = accepted.load(Ordering::Relaxed);
    assert!((2..MANY).contains(&accepted), "{accepted} connections of two workers");
}

#[tokio::test]
async fn places_for_connections_are_those_of_the_whole_server() {
    let workers = Workers::start(TWO).expect("two threads");
    let mut limits = Limits::default();
    limits.connections = 1;
    let server = serve(&workers, limits, |_, _| ready(Response::new(Full::from("hello"))));
    let mut before: Option<TcpStream> = None;
    for _ in 0..MANY {
        let mut stream = TcpStream::connect(server.at).await.expect("connected");
        if let Some(before) = &mut before {
            // The only place goes to the new one, whichever worker has the old one.
            assert_eq!(timeout(LONG, before.read_u8()).await.expect("in time").map_err(|e| e.kind()), {
                Err(ErrorKind::UnexpectedEof)
            });
        }
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
        let mut reply = [0; 1_024];
        let length = timeout(LONG, stream.read(&mut reply)).await.expect("in time").expect("a reply");
        assert!(reply[..length].ends_with(b"hello"), "{:?}", String::from_utf8_lossy(&reply[..length]));
        before = Some(stream);
    }
}

#[tokio::test]
async fn stopping_lets_the_requests_of_all_workers_finish() {
    let workers = Workers::start(TWO).expect("two threads");
    let (begun, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (noted, goes) = (Arc::clone(&begun), Arc::clone(&go));
    let server = serve(&workers, Limits::default(), move |_, _| {
        let (noted, goes) = (Arc::clone(&noted), Arc::clone(&goes));
        async move {
            let went = goes.notified();
            let mut went = std::pin::pin!(went);
            went.as_mut().enable();
            noted.fetch_add(1, Ordering::Relaxed);
            went.await;
            Response::new(Full::from("hello"))
        }
    });
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..MANY {
        let mut client = connect(server.at).await;
        asking.spawn(async move {
            let request = Request::get("/").header("host", "a").body(Empty::new()).expect("a request");
            let reply = client.send_request(request).await.expect("a reply");
            reply.into_body().collect().await.expect("all of it").to_bytes()
        });
    }
    all_have_begun(&begun).await;
    server.stop.send(()).expect("it runs");
    // From now on nobody listens.
    timeout(LONG, async { while TcpStream::connect(server.at).await.is_ok() {} }).await.expect("in time");
    go.notify_waiters();
    let bodies = timeout(LONG, asking.join_all()).await.expect("in time");
    assert!(bodies.iter().all(|body| body == "hello"));
    let stopped = timeout(LONG, server.server).await.expect("in time").expect("no panic");
    assert_eq!(stopped, Stopped { requests: 0, tunnels: 0 });
}

#[tokio::test]
async fn requests_that_are_cut_are_counted_over_all_workers() {
    let workers = Workers::start(TWO).expect("two threads");
    let begun = Arc::new(AtomicUsize::new(0));
    let noted = Arc::clone(&begun);
    let mut limits = Limits::default();
    limits.grace = Duration::from_millis(50);
    let server = serve(&workers, limits, move |_, _| {
        noted.fetch_add(1, Ordering::Relaxed);
        pending::<Response<Body>>()
    });
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..MANY {
        let mut client = connect(server.at).await;
        asking.spawn(async move { ask(&mut client).await.is_err() });
    }
    all_have_begun(&begun).await;
    server.stop.send(()).expect("it runs");
    let stopped = timeout(LONG, server.server).await.expect("in time").expect("no panic");
    assert_eq!(stopped, Stopped { requests: MANY, tunnels: 0 });
    assert!(timeout(LONG, asking.join_all()).await.expect("in time").iter().all(|was_cut| *was_cut));
}

#[test]
fn an_address_is_taken_by_one_server_only() {
    let all = Listeners::bind(HERE, 3).expect("a port");
    let at = all.local_addr().expect("its address");
    for workers in [1, 3] {
        assert_eq!(Listeners::bind(at, workers).map(drop).map_err(|error| error.kind()), Err(ErrorKind::AddrInUse));
    }
    assert_eq!(std::net::TcpListener::bind(at).map(drop).map_err(|error| error.kind()), Err(ErrorKind::AddrInUse));
    // The next server has them while the one before closes its own.
    let next = all.try_clone().expect("descriptors");
    drop(all);
    assert_eq!(Listeners::bind(at, 3).map(drop).map_err(|error| error.kind()), Err(ErrorKind::AddrInUse));
    drop(next);
    Listeners::bind(at, 3).expect("it is free again");
}

#[tokio::test]
async fn a_server_whose_future_is_dropped_accepts_nothing_any_more() {
    let workers = Workers::start(TWO).expect("two threads");
    let listeners = Listeners::bind(HERE, workers.count()).expect("a port");
    let at = listeners.local_addr().expect("its address");
    let answer = |_: Request<Incoming>, _| ready(Response::new(Full::<Bytes>::from("hello")));
    let served = Server::default().serve_on(&workers, listeners, answer, pending::<()>(), pending()).expect("watched");
    ask(&mut connect(at).await).await.expect("a reply");
    drop(served);
    timeout(LONG, async { while TcpStream::connect(at).await.is_ok() {} }).await.expect("refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_worker_that_is_blocked_does_not_keep_the_server_from_stopping() {
    let workers = Workers::start(TWO).expect("two threads");
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (released, blocks) = (Arc::new(Mutex::new(released)), Arc::new(Notify::new()));
    let mut limits = Limits::default();
    limits.grace = Duration::from_millis(100);
    let blocking = Arc::clone(&blocks);
    let server = serve(&workers, limits, move |request: Request<Incoming>, _| {
        let (released, blocking) = (Arc::clone(&released), Arc::clone(&blocking));
        async move {
            if request.uri().path() == "/block" {
                blocking.notify_one();
                let _ = released.lock().expect("no panic").recv();
            }
            Response::new(Full::<Bytes>::from("hello"))
        }
    });
    let mut client = connect(server.at).await;
    let request = Request::get("/block").header("host", "a").body(Empty::new()).expect("a request");
    let blocked = tokio::spawn(async move { client.send_request(request).await.map(drop) });
    blocks.notified().await;
    drop(server.stop);
    let stopped = timeout(LONG, server.server).await.expect("in time").expect("no panic");
    assert_eq!(stopped.requests, 1, "it did not end within the grace");
    drop(release);
    let _ = blocked.await.expect("no panic");
}

/// Its own thread is not waited for, which would be for ever.
#[test]
fn the_last_of_them_may_be_dropped_by_a_task_of_theirs() {
    let workers = Workers::start(TWO).expect("two threads");
    let handle = workers.handles().next().expect("one of two").clone();
    let (tell, told) = std::sync::mpsc::channel();
    handle.spawn(async move {
        drop(workers);
        tell.send(()).expect("the test waits");
    });
    told.recv_timeout(LONG).expect("it was dropped");
}

/// Replies `hello` to each request, for ever.
fn says_hello() -> SocketAddr {
    use std::io::{BufRead as _, BufReader, Write as _};
    let upstream = std::net::TcpListener::bind(HERE).expect("a port");
    let at = upstream.local_addr().expect("its address");
    thread::spawn(move || {
        for mut stream in upstream.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let lines = BufReader::new(stream.try_clone().expect("a descriptor")).lines();
                for _end in lines.map_while(Result::ok).filter(String::is_empty) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
                }
            });
        }
    });
    at
}

/// A connection of a runtime that nobody runs at the moment would never answer.
#[test]
fn threads_that_are_no_workers_have_connections_by_their_runtime() {
    let group = Rotation::new([format!("http://{}", says_hello()).parse().expect("a URL")]);
    let forward = Forward::<_, Full<Bytes>>::new(group, Settings::default());
    let new = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ask = |runtime: &tokio::runtime::Runtime| {
        runtime.block_on(async {
            let head = Request::get("/").header("host", "a").body(()).expect("a request").into_parts().0;
            let reply = timeout(LONG, forward.enter(head, Full::default(), &Client::unknown())).await.expect("in time");
            let reply = reply.unwrap_or_else(|error| panic!("{error}"));
            let body = timeout(LONG, reply.into_body().collect()).await.expect("in time").expect("all of it");
            // The connection is given back meanwhile.
            tokio::time::sleep(Duration::from_millis(10)).await;
            body.to_bytes()
        })
    };
    let (one, other) = (new(), new());
    for runtime in [&one, &other, &one, &other] {
        assert_eq!(ask(runtime), "hello");
    }
    drop(one);
    // It may have the number of the one that has ended.
    for runtime in [&new(), &other] {
        assert_eq!(ask(runtime), "hello");
    }
}

/// A server with other settings, for example, which is there before the one before has finished its requests.
#[tokio::test]
async fn servers_with_the_same_places_hold_one_limit() {
    let workers = Workers::start(TWO).expect("two threads");
    let (places, go) = (Places::new(), Arc::new(Notify::new()));
    let mut limits = Limits::default();
    limits.connections = 2;
    let begin = || {
        let listeners = Listeners::bind(HERE, workers.count()).expect("a port");
        let (at, go) = (listeners.local_addr().expect("its address"), Arc::clone(&go));
        let (begun, first) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (count, tell) = (Arc::clone(&begun), Arc::clone(&first));
        let answer = move |_: Request<Incoming>, _| {
            let (go, is_second) = (Arc::clone(&go), count.fetch_add(1, Ordering::Relaxed) == 1);
            let goes = Arc::clone(&go).notified_owned();
            if is_second {
                tell.notify_one();
            }
            async move {
                goes.await;
                Response::new(Full::<Bytes>::from("hello"))
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let server = Server::new(limits).places(&places);
        let served = server.serve_on(&workers, listeners, answer, async { drop(stopped.await) }, pending());
        tokio::spawn(served.expect("watched"));
        (at, stop, begun, first)
    };
    let asks = |at| {
        tokio::spawn(async move {
            let request = Request::get("/").header("host", "a").body(Empty::new()).expect("a request");
            let reply = connect(at).await.send_request(request).await.expect("a reply");
            reply.into_body().collect().await.expect("all of it").to_bytes()
        })
    };
    let (before, stop, _, both) = begin();
    let first = [asks(before), asks(before)];
    timeout(LONG, both.notified()).await.expect("both have begun");
    let (at, _stop, begun, _) = begin();
    drop(stop);
    let next = asks(at);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(begun.load(Ordering::Relaxed), 0, "a third connection has a place beside two");
    go.notify_waiters();
    for asked in first {
        assert_eq!(asked.await.expect("no panic"), "hello");
    }
    timeout(LONG, async {
        while !next.is_finished() {
            go.notify_waiters();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("its turn comes");
    assert_eq!(next.await.expect("no panic"), "hello");
}
