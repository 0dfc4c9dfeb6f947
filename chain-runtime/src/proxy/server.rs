//! [`Server`]: accepts the connections of clients, within limits, and stops gracefully.
//!
//! hyper speaks HTTP. This module adds what hyper leaves to its users: nothing waits for ever, nothing grows without a
//! bound, and stopping ends in time and reports exactly what it cut.
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
use std::boxed::Box;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::vec::Vec;

use ::hyper::body::Incoming;
use bytes::Bytes;
use http::{Request, Response};
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client::Client;
use super::place::Place;
use super::tunnel::Tunnels;
use crate::Pool;

mod accept;
mod answering;
mod connection;
mod limits;
mod listeners;
mod places;
mod running;
mod sent;
mod socket;
mod streams;
mod workers;

use accept::Room;
use running::Running;
use streams::Streams;

pub use limits::Limits;
pub use listeners::Listeners;
pub use places::Places;
pub(super) use workers::Here;
pub use workers::Workers;

/// Why the server ended a connection, or a request never came to be.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are no request: the head is malformed or too large. hyper has given whatever answer is possible.
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

/// How a server has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How many requests were cut, because they did not finish within the grace.
    pub requests: usize,
    /// How many tunnels were cut.
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

/// Accepts HTTP/1.1, HTTP/1.0 and HTTP/2 without TLS.
pub struct Server {
    limits: Limits,
    tunnels: Option<Tunnels>,
    places: Places,
    refused: Refused,
    stopping: Box<dyn FnOnce() + Send>,
}

type Refused = Arc<dyn Fn(SocketAddr, &Refusal) + Send + Sync>;

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

/// The state that the connections of one worker share.
struct Shared<A, F: Send> {
    answer: Arc<A>,
    /// Where answers lie while they are worked on.
    replies: Arc<Pool<Place<F>>>,
    limits: Limits,
    http: auto::Builder<Streams>,
    refused: Refused,
    /// Requests that have begun, and whose reply is not sent to its end.
    requests: Arc<AtomicUsize>,
    /// Places of the whole server. A connection takes one, and a request none.
    places: Places,
    room: Arc<Room>,
    /// The rooms of all workers, this one's own among them.
    rooms: Arc<[Arc<Room>]>,
    /// Cancelled when no more requests are accepted.
    stopping: CancellationToken,
    /// Cancelled when no request is waited for any more.
    cutting: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// A server with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, tunnels: None, places: Places::new(), refused: Arc::new(|_, _| ()), stopping: Box::new(|| ()) }
    }

    /// Makes stopping wait for these, too, and end them after the grace. If they [follow](Tunnels::following) those of an
    /// earlier server, their limit holds for both from now on.
    #[must_use]
    pub fn tunnels(mut self, tunnels: &Tunnels) -> Self {
        self.tunnels = Some(tunnels.clone());
        self
    }

    /// Makes its connections take their places among these, whose number becomes that of its
    /// [limit](Limits::connections). So the limit also counts the connections that an earlier server with the same places
    /// still has.
    #[must_use]
    pub fn places(mut self, places: &Places) -> Self {
        self.places = places.clone();
        self
    }

    /// Sets a function that is called for connections that never become a request, or are cut. It is for a log. It must
    /// not block.
    #[must_use]
    pub fn on_refusal(mut self, refused: impl Fn(SocketAddr, &Refusal) + Send + Sync + 'static) -> Self {
        self.refused = Arc::new(refused);
        self
    }

    /// Sets a function that is called when the server has begun to stop: from then on, connections are refused.
    #[must_use]
    pub fn on_stop(mut self, stopping: impl FnOnce() + Send + 'static) -> Self {
        self.stopping = Box::new(stopping);
        self
    }

    /// Serves until `stop` is ready, then lets requests under way finish, for as long as the grace lasts. Requests that
    /// are not finished by then are cut.
    ///
    /// From the moment of the stop, the kernel refuses connections. Connections between two requests are closed at once. A
    /// client that has just come, and has sent no request yet, is answered once if it sends one within half a second.
    pub async fn serve<A, F, B>(self, listener: TcpListener, answer: A, stop: impl Future<Output = ()>) -> Stopped
    where
        A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
    {
        self.serve_until(listener, answer, stop, core::future::pending()).await
    }

    /// Does what [`serve`](Server::serve) does, and also cuts everything under way when `cut` is ready, for example at
    /// a second signal. Before the stop, `cut` is not looked at.
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
        let running = self.running(answer, 1);
        accept::accept(&running.parts[0], &listener, stop).await;
        drop(listener);
        running.finish(Vec::new(), cut).await
    }

    /// Does what [`serve_until`](Server::serve_until) does, on these workers: each accepts from a listener of its own.
    ///
    /// The limits are those of the whole server, however many workers there are. What a request touches is its
    /// worker's own; only a connection takes its place from all.
    ///
    /// # Errors
    ///
    /// If a worker's runtime cannot watch its listener.
    ///
    /// # Panics
    ///
    /// If there are not as many listeners as workers.
    pub fn serve_on<A, F, B, S, C>(
        self,
        workers: &Workers,
        listeners: Listeners,
        answer: A,
        stop: S,
        cut: C,
    ) -> io::Result<impl Future<Output = Stopped> + use<A, F, B, S, C>>
    where
        A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
        S: Future<Output = ()>,
        C: Future<Output = ()>,
    {
        assert_eq!(workers.count(), listeners.count(), "each worker has a listener");
        let listeners = listeners.watched_by(workers)?;
        let running = self.running(answer, workers.count());
        let full = CancellationToken::new();
        let accepting: Vec<_> = workers
            .handles()
            .zip(running.parts.iter().cloned().zip(listeners))
            .map(|(worker, (shared, listener))| {
                let full = full.clone().cancelled_owned();
                worker.spawn(async move { accept::accept(&shared, &listener, full).await })
            })
            .collect();
        // Dropped before its end, it accepts nothing any more.
        let full = full.drop_guard();
        Ok(async move {
            stop.await;
            drop(full);
            running.finish(accepting, cut).await
        })
    }

    /// Its parts, one for each worker.
    fn running<A, F: Send + 'static>(self, answer: A, workers: usize) -> Running<A, F> {
        let Self { limits, tunnels, places, refused, stopping } = self;
        let (stop, cut, answer) = (CancellationToken::new(), CancellationToken::new(), Arc::new(answer));
        places.resize(limits.connections);
        if let Some(tunnels) = &tunnels {
            tunnels.begin();
        }
        let rooms: Arc<[Arc<Room>]> = (0..workers).map(|_| Arc::default()).collect();
        let part = |room: &Arc<Room>| {
            let tasks = TaskTracker::new();
            Arc::new(Shared {
                answer: Arc::clone(&answer),
                replies: Arc::new(Pool::default()),
                limits,
                http: builder(&limits, &tasks),
                refused: Arc::clone(&refused),
                requests: Arc::default(),
                places: places.clone(),
                room: Arc::clone(room),
                rooms: Arc::clone(&rooms),
                // Each connection looks at these whenever it is polled, under the token's lock.
                stopping: stop.child_token(),
                cutting: cut.child_token(),
                tasks,
            })
        };
        let parts = rooms.iter().map(part).collect();
        Running { tunnels, limits, stopping, parts, stop, cut }
    }
}

fn builder(limits: &Limits, tasks: &TaskTracker) -> auto::Builder<Streams> {
    let mut http = auto::Builder::new(Streams::new(tasks, limits.reading));
    // hyper's own timer for a head cannot tell an idle client from a slow one. `Connection` has one that can.
    http.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(limits.buffer.max(8 << 10));
    http.http2()
        .timer(TokioTimer::new())
        // A connection may be idle, but a client has to be there.
        .keep_alive_interval(limits.head)
        .keep_alive_timeout(limits.head)
        .max_concurrent_streams(limits.streams)
        .initial_stream_window_size(limits.window)
        .initial_connection_window_size(limits.window.saturating_mul(4))
        .max_header_list_size(u32::try_from(limits.buffer).unwrap_or(u32::MAX))
        .max_send_buf_size(limits.buffer);
    http
}
