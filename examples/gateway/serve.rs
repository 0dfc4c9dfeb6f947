//! Listens, speaks HTTP/1.1 and h2c, and stops gracefully.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chain_runtime::{Pool, Reset as _};
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::auth::User;
use super::body::Body;
use super::failure::Failure;
use super::gateway::Gateway;
use super::log::Entry;
use super::scratch::Scratch;
use super::visit::{RequestIds, Visit};

/// What all connections share.
pub(crate) struct Server {
    gateway: Gateway,
    ids: RequestIds,
    /// For the requests of HTTP/2.
    scratches: Pool<Scratch>,
    http: auto::Builder<Tracked>,
    head_timeout: Duration,
    grace: Duration,
    tasks: TaskTracker,
    /// Told once no request is taken any more.
    stopping: CancellationToken,
    /// Told once no request is waited for any more.
    cutting: CancellationToken,
}

impl Server {
    pub(crate) fn new(gateway: Gateway, ids: RequestIds, head_timeout: Duration, grace: Duration) -> Self {
        let tasks = TaskTracker::new();
        let mut http = auto::Builder::new(Tracked(tasks.clone()));
        // hyper's timer for a head also runs between the requests of a connection.
        http.http1().timer(TokioTimer::new()).header_read_timeout(head_timeout);
        // An HTTP/2 connection may be idle, but somebody has to be there.
        http.http2().timer(TokioTimer::new()).keep_alive_interval(head_timeout).keep_alive_timeout(head_timeout);
        let (stopping, cutting) = (CancellationToken::new(), CancellationToken::new());
        Self { gateway, ids, scratches: Pool::default(), http, head_timeout, grace, tasks, stopping, cutting }
    }

    /// Serves until it is told to stop, then lets the requests in flight finish, for as long as they may take.
    pub(crate) async fn run(self, listener: TcpListener, mut stop: impl AsyncFnMut()) {
        let server = Arc::new(self);
        let sweeping = tokio::spawn(Arc::clone(&server).sweep());
        server.accept(&listener, stop()).await;
        // From here on connections are refused by the kernel.
        drop(listener);
        server.stopping.cancel();
        server.tasks.close();
        tracing::info!("stopping: requests in flight may finish");
        let in_time = tokio::select! {
            done = timeout(server.grace, server.tasks.wait()) => done.is_ok(),
            () = stop() => false,
        };
        if !in_time {
            tracing::warn!("stopping now: requests in flight are cancelled");
            server.cutting.cancel();
            server.tasks.wait().await;
        }
        sweeping.abort();
        tracing::info!("stopped");
    }

    async fn accept(self: &Arc<Self>, listener: &TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    self.tasks.spawn(Connection::new(Arc::clone(self), peer.ip()).serve(stream));
                }
                Err(error) => {
                    // Too many open files, most likely. It passes when a connection ends; asking at once would only burn the CPU.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Forgets idle users, from time to time.
    async fn sweep(self: Arc<Self>) {
        loop {
            sleep(Duration::from_secs(60)).await;
            self.gateway.limiter.sweep();
            tracing::debug!(users = self.gateway.limiter.remembered(), "swept the rate limiter");
        }
    }
}

/// Spawns what hyper spawns (a task for each HTTP/2 request) so that stopping waits for it.
#[derive(Clone, Debug)]
struct Tracked(TaskTracker);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tracked {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// One client's connection.
struct Connection {
    server: Arc<Server>,
    peer: IpAddr,
    /// Lent to one request after another, where only one can be under way. The lock is never waited for.
    scratch: Mutex<Scratch>,
    /// Whether there has been a request.
    heard: AtomicBool,
}

impl Connection {
    fn new(server: Arc<Server>, peer: IpAddr) -> Arc<Self> {
        Arc::new(Self { server, peer, scratch: Mutex::default(), heard: AtomicBool::new(false) })
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) {
        // Heads are small and bodies are passed on as they come: waiting for more only delays them.
        let _ = stream.set_nodelay(true);
        let server = &self.server;
        let answer = |request| Arc::clone(&self).answer(request);
        let mut http = std::pin::pin!(server.http.serve_connection(TokioIo::new(stream), service_fn(answer)));
        // hyper's own timer begins when it knows the version, for which it waits as long as it takes.
        let mut patience = std::pin::pin!(sleep(server.head_timeout));
        let (mut waiting, mut stopping) = (true, false);
        let ended = loop {
            tokio::select! {
                ended = http.as_mut() => break ended,
                () = server.stopping.cancelled(), if !stopping => {
                    stopping = true;
                    http.as_mut().graceful_shutdown();
                }
                () = server.cutting.cancelled() => return,
                () = &mut patience, if waiting => {
                    waiting = false;
                    if !self.heard.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        };
        if let Err(error) = ended {
            // The client's doing: a malformed head, a slow one, a hang-up. hyper has answered what can be answered.
            tracing::debug!(error = &*error, peer = %self.peer, "a connection broke");
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        self.heard.store(true, Ordering::Relaxed);
        let (request, body) = request.into_parts();
        let Server { gateway, ids, scratches, .. } = &*self.server;
        let (mut own, mut leased);
        let scratch = if request.version == Version::HTTP_2 {
            leased = scratches.get();
            &mut *leased
        } else {
            own = self.scratch.lock().await;
            // Now, and not when the last request ended: one that died midway leaves it as it was.
            own.reset();
            &mut *own
        };
        Visit::begin(&request, self.peer, ids, scratch);
        let mut reply = gateway.run(request, body, scratch).await;
        if let Some(visit) = scratch.visit.take() {
            let user = reply.extensions_mut().remove::<User>();
            Entry::refused(visit, user).go_with(&mut reply);
        }
        Ok(reply)
    }
}

/// Comes back when the process is asked to stop, by Ctrl-C or by `kill`.
pub(crate) fn signals() -> Result<impl AsyncFnMut(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error| Failure::failed(format_args!("cannot listen to signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
