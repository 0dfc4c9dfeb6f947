//! The connections that are kept open to upstreams.

use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::boxed::Box;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use ::hyper::body::Incoming;
use ::hyper::rt::{Read, ReadBufCursor, Write};
use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body::Body;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use super::error::Cause;
use super::limits::Limits;
use super::slot::NodeId;
use super::upload::Upload;
use super::upstream::{Speaks, Upstream};

/// The connections of a node: each upstream keeps those that are made to it.
pub(super) struct Connections<B> {
    node: NodeId,
    limits: Limits,
    #[cfg(feature = "rustls")]
    tls: Option<super::tls::Secure>,
    bodies: PhantomData<fn(B)>,
}

/// The connections of a node to one upstream.
struct Clients<B> {
    kept: Client<Connector, Upload<B>>,
    /// It keeps none: for a request that must not find one that was kept.
    anew: Client<Connector, Upload<B>>,
}

impl<B> Connections<B>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static,
{
    pub(super) fn new(limits: &Limits, #[cfg(feature = "rustls")] tls: Option<super::tls::Secure>) -> Self {
        Self {
            node: NodeId::default(),
            limits: *limits,
            #[cfg(feature = "rustls")]
            tls,
            bodies: PhantomData,
        }
    }

    fn to(&self, upstream: &Upstream) -> Clients<B> {
        let limits = &self.limits;
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limits.connect));
        tcp.enforce_http(false);
        let connector = Connector {
            tcp,
            address: upstream.address(),
            #[cfg(feature = "rustls")]
            tls: self.tls.clone(),
            patience: limits.connect,
        };
        let client = |kept| {
            let mut client = Client::builder(TokioExecutor::new());
            client
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(limits.idle)
                .pool_max_idle_per_host(kept)
                // hyper asks for 8 KiB at least.
                .http1_max_buf_size(limits.reply_head.max(8 << 10))
                .http2_max_header_list_size(u32::try_from(limits.reply_head).unwrap_or(u32::MAX))
                .http2_keep_alive_interval(limits.silence)
                .http2_keep_alive_timeout(limits.silence)
                .http2_only(upstream.speaks() == Speaks::Http2)
                // `Host` is prepared with the upstream; the client would write it anew for each request.
                .set_host(false);
            // hyper's own limit, for which it makes room on the stack.
            if limits.reply_fields != 100 {
                client.http1_max_headers(limits.reply_fields);
            }
            client
        };
        Clients { kept: client(limits.idle_connections).build(connector.clone()), anew: client(0).build(connector) }
    }

    /// Sends a request, `anew` on a connection that was not there before. The future is made by the client, which spawns what the connection needs.
    pub(super) fn send(
        &self,
        upstream: &Upstream,
        request: Request<Upload<B>>,
        anew: bool,
    ) -> impl Future<Output = Result<Response<Incoming>, ClientError>> + Send + Unpin + 'static + use<B> {
        let serve = |Clients { kept, anew: new }: &Clients<B>| if anew { new } else { kept }.request(request);
        upstream.slot().with(&self.node, || self.to(upstream), serve)
    }
}

/// What is known of a connection; goes with each reply that comes by it.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    has_served: AtomicBool,
    is_poisoned: AtomicBool,
    /// Of hyper, which waits for the upstream.
    reader: Mutex<Option<Waker>>,
}

impl Link {
    /// The connection is not used again: nothing is written to it any more, and to hyper it looks closed.
    pub(super) fn poison(&self) {
        self.0.is_poisoned.store(true, Ordering::Release);
        let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// A reply came by it.
    pub(super) fn served(&self) {
        self.0.has_served.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_served(&self) -> bool {
        self.0.has_served.load(Ordering::Relaxed)
    }

    fn is_poisoned(&self) -> bool {
        self.0.is_poisoned.load(Ordering::Acquire)
    }

    fn may_write(&self) -> io::Result<()> {
        if self.is_poisoned() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// Leaves the waker of who waits for the upstream.
    fn waits(&self, context: &Context<'_>) {
        let mut reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *reader {
            Some(reader) => reader.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
    }
}

/// Makes connections. Not on the way of a request that finds one, so its future is boxed, as the client asks.
#[derive(Clone)]
struct Connector {
    tcp: HttpConnector,
    /// Where the upstream is, if its name does not say so.
    address: Option<SocketAddr>,
    #[cfg(feature = "rustls")]
    tls: Option<super::tls::Secure>,
    patience: Duration,
}

impl Service<Uri> for Connector {
    type Response = Linked;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Linked, Cause>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        self.tcp.poll_ready(context).map_err(Cause::from)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        #[cfg(feature = "rustls")]
        let secured = (uri.scheme() == Some(&http::uri::Scheme::HTTPS)).then(|| (self.tls.clone(), uri.clone()));
        let (patience, address) = (self.patience, self.address);
        let named = address.is_none().then(|| self.tcp.call(uri));
        Box::pin(async move {
            let tcp = match (named, address) {
                (Some(connecting), _) => connecting.await?,
                (None, Some(address)) => connect(address, patience).await?,
                (None, None) => return Err("an upstream without an address".into()),
            };
            see_progress(&tcp);
            #[cfg(feature = "rustls")]
            if let Some((tls, uri)) = secured {
                let tls = tls.ok_or("no TLS is configured: see `Settings::tls`")?;
                let (stream, speaks_http2) = tls.connect(&uri, tcp.into_inner(), patience).await?;
                return Ok(Linked::new(Io::Tls(TokioIo::new(Box::new(stream))), speaks_http2));
            }
            Ok(Linked::new(Io::Plain(tcp), false))
        })
    }
}

/// A connection to this address, as the client's connector makes them to names.
async fn connect(address: SocketAddr, patience: Duration) -> io::Result<TokioIo<TcpStream>> {
    let tcp = timeout(patience, TcpStream::connect(address)).await??;
    tcp.set_nodelay(true)?;
    Ok(TokioIo::new(tcp))
}

/// So much that is not sent yet may wait in the kernel.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 << 10;

/// Lets a connection take more as soon as some of what it has was sent. Otherwise the kernel takes megabytes at once, then nothing for as long as the
/// upstream takes to read a third of them, and an upstream that reads all the time looks silent.
fn see_progress(tcp: &TokioIo<TcpStream>) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(tcp.inner()).set_tcp_notsent_lowat(UNSENT);
    #[cfg(not(target_os = "linux"))]
    let _ = tcp;
}

/// A connection that can be told not to be used again.
#[derive(Debug)]
struct Linked {
    io: Io,
    speaks_http2: bool,
    link: Link,
}

#[derive(Debug)]
enum Io {
    Plain(TokioIo<TcpStream>),
    #[cfg(feature = "rustls")]
    Tls(TokioIo<Box<super::tls::Stream>>),
}

impl Linked {
    fn new(io: Io, speaks_http2: bool) -> Self {
        Self { io, speaks_http2, link: Link(Arc::default()) }
    }
}

impl Connection for Linked {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(self.link.clone());
        if self.speaks_http2 { connected.negotiated_h2() } else { connected }
    }
}

/// Calls this of the stream that it is.
macro_rules! on {
    ($io:expr, $stream:ident => $call:expr) => {
        match &mut $io {
            Io::Plain(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(feature = "rustls")]
            Io::Tls(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl Read for Linked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.link.is_poisoned() {
            // An end.
            return Poll::Ready(Ok(()));
        }
        let polled = on!(self.io, stream => stream.poll_read(context, buffer));
        if polled.is_pending() {
            self.link.waits(context);
            // Poisoned in between: who poisons looks for the waker after that.
            if self.link.is_poisoned() {
                return Poll::Ready(Ok(()));
            }
        }
        polled
    }
}

impl Write for Linked {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.link.may_write()?;
        on!(self.io, stream => stream.poll_write(context, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(self.io, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on!(self.io, stream => stream.poll_shutdown(context))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Io::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.link.may_write()?;
        on!(self.io, stream => stream.poll_write_vectored(context, slices))
    }
}
