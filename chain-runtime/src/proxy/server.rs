//! [`Server`]: takes the connections of clients, within limits, and stops gracefully.
//!
//! hyper speaks HTTP; what is added here is what hyper leaves to who uses it: that nothing waits for ever, that nothing grows without a bound, and
//! that stopping ends in time and says truly what it cut.
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::sync::Arc;
//!
//! use chain_runtime::proxy::server::Server;
//! use chain_runtime::proxy::{Body, Forward, Rotation};
//!
//! # chain_runtime::chain! {
//! #     struct Proxy { forward: Forward<Rotation, ::hyper::body::Incoming> }
//! #     async fn(request: http::request::Parts, body: ::hyper::body::Incoming, client: chain_runtime::proxy::Client) -> http::Response<Body> { forward }
//! # }
//! # async fn stop() {} // tokio::signal::ctrl_c, say
//! # async fn run(proxy: Proxy) -> std::io::Result<()> {
//! let proxy = Arc::new(proxy);
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let stopped = Server::default()
//!     .serve(listener, move |request, client| {
//!         let proxy = Arc::clone(&proxy);
//!         async move {
//!             let (head, body) = request.into_parts();
//!             proxy.run(head, body, client).await
//!         }
//!     }, stop())
//!     .await;
//! println!("{stopped}");
//! # Ok(())
//! # }
//! ```

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::boxed::Box;
use std::io;
use std::net::SocketAddr;
use std::string::ToString as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::hyper::body::Incoming;
use bytes::Bytes;
use http::{Request, Response};
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client::Client;
use super::limits::Rate;
use super::tunnel::Tunnels;

mod connection;
mod sent;
mod socket;
mod streams;

use streams::Streams;

/// What a client's connection may take, of time and of memory.
///
/// The memory of one connection, at most: [`buffer`](Limits::buffer) for what hyper reads ahead and has not written, and over HTTP/2, for each of
/// [`streams`](Limits::streams) one [`window`](Limits::window) of its request's body and 16 KiB of its reply's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections there are at once. One more is served when one of those without a request has been closed for it; until then it waits,
    /// and those behind it in the kernel's queue. 10,000, or what the process's limit of descriptors allows with as many connections to upstreams: see
    /// [`Limits::within_descriptors`].
    pub connections: usize,
    /// From the first byte of a request's head to its last; also from the connection to its first byte. 30 s.
    pub head: Duration,
    /// How long an idle connection is kept. 60 s.
    pub idle: Duration,
    /// The same, over HTTP/2, where a client has one connection for all that it asks. 5 min.
    pub idle_http2: Duration,
    /// How fast a client reads what is sent to it, at least. A client that reads nothing is cut after the window. It is measured where the kernel, or
    /// HTTP/2's window, takes bytes, which it does in pieces of up to 16 KiB: so the window should be long enough for one of these. 7,200 bytes in
    /// 30 s; a client that reads some 550 bytes a second is safe.
    pub reading: Option<Rate>,
    /// Bytes of a request's head, and of what is buffered for a connection each way. A target of more than 65,534 bytes is a 414; a head for which
    /// this is not enough is a 431. hyper asks for 8 KiB at least. 80 KiB.
    pub buffer: usize,
    /// How many requests of one HTTP/2 connection are under way at once. 100.
    pub streams: u32,
    /// Bytes of a request's body that an HTTP/2 client may send ahead. 64 KiB for a stream, four times that for a connection.
    pub window: u32,
    /// How long requests and tunnels may take to finish once the server is told to stop. 10 s.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            idle_http2: Duration::from_secs(300),
            reading: Some(Rate::new(7_200, Duration::from_secs(30))),
            buffer: 80 << 10,
            streams: 100,
            window: 64 << 10,
            grace: Duration::from_secs(10),
        }
    }
}

/// After so long it is looked again whether somebody can make room.
const AGAIN: Duration = Duration::from_millis(20);

/// Descriptors that are not for connections: the standard streams, listeners, the runtime's own, a log, a resolver's files.
const OTHER_DESCRIPTORS: usize = 24;

impl Limits {
    /// The usual ones, with as many connections as the process has descriptors for, if each needs one more for its upstream. Where the limit cannot be
    /// read (`/proc/self/limits`, on Linux), 10,000.
    #[must_use]
    pub fn within_descriptors() -> Self {
        let mut limits = Self::default();
        if let Some(descriptors) = std::fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(soft_limit) {
            let for_clients = descriptors.saturating_sub(OTHER_DESCRIPTORS) / 2;
            limits.connections = limits.connections.min(for_clients.max(1));
        }
        limits
    }
}

/// `Max open files   1024   524288   files`.
fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Why a connection came to an end that was not its client's, or a request to none at all.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// What was sent is no request: the head is malformed or too large. hyper has answered what can be answered.
    Malformed(Arc<str>),
    /// The head did not come in time.
    SlowHead,
    /// The client read too slowly.
    SlowReader,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "malformed: {why}"),
            Self::SlowHead => f.write_str("the head did not come in time"),
            Self::SlowReader => f.write_str("the client reads too slowly"),
        }
    }
}

/// How a server stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How many requests were cut, since they did not finish within the grace.
    pub requests: usize,
    /// How many tunnels.
    pub tunnels: usize,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.requests, self.tunnels) {
            (0, 0) => f.write_str("stopped"),
            (requests, tunnels) => write!(f, "stopped; requests cut: {requests}, tunnels cut: {tunnels}"),
        }
    }
}

/// Takes HTTP/1.1, HTTP/1.0 and HTTP/2 without TLS.
pub struct Server {
    limits: Limits,
    tunnels: Option<Tunnels>,
    refused: Refused,
    stopping: Box<dyn FnOnce() + Send>,
}

type Refused = Box<dyn Fn(SocketAddr, &Refusal) + Send + Sync>;

impl Default for Server {
    fn default() -> Self {
        Self::new(Limits::within_descriptors())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What all connections share.
struct Shared<A> {
    answer: A,
    limits: Limits,
    http: auto::Builder<Streams>,
    refused: Refused,
    /// Requests that were begun and whose reply is not sent to its end.
    requests: Arc<AtomicUsize>,
    places: Arc<Semaphore>,
    /// Told when there is no place left: one that has no request goes.
    crowded: Notify,
    /// How many would hear of it.
    waiting: AtomicUsize,
    /// Told once no request is taken any more.
    stopping: CancellationToken,
    /// Told once no request is waited for any more.
    cutting: CancellationToken,
}

impl<A> Shared<A> {
    /// Lets a connection go that has no request, if there is one. Told to nobody, it would be kept for the next that comes.
    fn make_room(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.crowded.notify_one();
        }
    }
}

impl Server {
    /// With these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, tunnels: None, refused: Box::new(|_, _| ()), stopping: Box::new(|| ()) }
    }

    /// Stopping waits for these, too, and ends them in the end.
    #[must_use]
    pub fn tunnels(mut self, tunnels: &Tunnels) -> Self {
        self.tunnels = Some(tunnels.clone());
        self
    }

    /// Is called for what never becomes a request, or is cut: for a log. Must not block.
    #[must_use]
    pub fn on_refusal(mut self, refused: impl Fn(SocketAddr, &Refusal) + Send + Sync + 'static) -> Self {
        self.refused = Box::new(refused);
        self
    }

    /// Is called when the server has begun to stop: from then on, connections are refused.
    #[must_use]
    pub fn on_stop(mut self, stopping: impl FnOnce() + Send + 'static) -> Self {
        self.stopping = Box::new(stopping);
        self
    }

    /// Serves until `stop` is ready, then lets what is under way finish, for as long as the grace lasts. What is not finished by then is cut.
    ///
    /// From the moment on in which it stops, the kernel refuses connections. Connections without a request are closed at once.
    pub async fn serve<A, F, B>(self, listener: TcpListener, answer: A, stop: impl Future<Output = ()>) -> Stopped
    where
        A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
    {
        self.serve_until(listener, answer, stop, core::future::pending()).await
    }

    /// [`serve`](Server::serve), which cuts what is under way also when `cut` is ready: at a second signal, say.
    pub async fn serve_until<A, F, B>(
        self,
        listener: TcpListener,
        answer: A,
        stop: impl Future<Output = ()>,
        cut: impl Future<Output = ()>,
    ) -> Stopped
    where
        A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
    {
        let Self { limits, tunnels, refused, stopping } = self;
        let tasks = TaskTracker::new();
        let shared = Arc::new(Shared {
            answer,
            limits,
            http: builder(&limits, &tasks),
            refused,
            requests: Arc::default(),
            places: Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS))),
            crowded: Notify::new(),
            waiting: AtomicUsize::new(0),
            stopping: CancellationToken::new(),
            cutting: CancellationToken::new(),
        });
        accept(&shared, &listener, &tasks, stop).await;
        drop(listener);
        stopping();
        shared.stopping.cancel();
        tasks.close();
        let finished = async {
            tasks.wait().await;
            if let Some(tunnels) = &tunnels {
                tunnels.drained().await;
            }
        };
        tokio::select! {
            _ = timeout(limits.grace, finished) => {}
            () = cut => {}
        }
        let stopped = Stopped {
            requests: shared.requests.load(Ordering::Relaxed),
            tunnels: tunnels.as_ref().map_or(0, Tunnels::open),
        };
        shared.cutting.cancel();
        if let Some(tunnels) = &tunnels {
            tunnels.cut();
            tunnels.drained().await;
        }
        tasks.wait().await;
        stopped
    }
}

fn builder(limits: &Limits, tasks: &TaskTracker) -> auto::Builder<Streams> {
    let mut http = auto::Builder::new(Streams::new(tasks, limits.reading));
    // hyper's own timer for a head cannot tell a client that is idle from one that dawdles: `Connection` has one that can.
    http.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(limits.buffer.max(8 << 10));
    http.http2()
        .timer(TokioTimer::new())
        // A connection may be idle, but somebody has to be there.
        .keep_alive_interval(limits.head)
        .keep_alive_timeout(limits.head)
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(limits.window)
        .initial_connection_window_size(limits.window.saturating_mul(4))
        .max_header_list_size(u32::try_from(limits.buffer).unwrap_or(u32::MAX))
        .max_send_buf_size(limits.buffer);
    http
}

async fn accept<A, F, B>(
    shared: &Arc<Shared<A>>,
    listener: &TcpListener,
    tasks: &TaskTracker,
    stop: impl Future<Output = ()>,
) where
    A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
{
    let mut stop = pin!(stop);
    loop {
        let next = async {
            // A place is looked for when there is somebody to take it: nobody has to go for a client that may never come.
            let (stream, peer) = listener.accept().await?;
            let place = match Arc::clone(&shared.places).try_acquire_owned() {
                Ok(place) => place,
                Err(_) => crowded(shared).await?,
            };
            io::Result::Ok((stream, peer, place))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = &mut stop => return,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                tasks.spawn(connection::serve(Arc::clone(shared), stream, peer, place));
            }
            Err(_) => {
                // Too many open files, most likely. It passes when a connection ends: one without a request does so now. Asking again at once
                // would only burn the processor.
                shared.make_room();
                sleep(AGAIN).await;
            }
        }
    }
}

/// There is no place left: one that has no request gives up its own. Waits for it, or for any other.
async fn crowded<A>(shared: &Shared<A>) -> io::Result<tokio::sync::OwnedSemaphorePermit> {
    let mut place = pin!(Arc::clone(&shared.places).acquire_owned());
    loop {
        shared.make_room();
        tokio::select! {
            biased;
            place = &mut place => return place.map_err(|closed| io::Error::other(closed.to_string())),
            // All may have had a request, and heard nothing: one that has none by now does.
            () = sleep(AGAIN) => {}
        }
    }
}
