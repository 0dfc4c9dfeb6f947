//! The open connections to upstreams.

use core::future::{Future, pending};
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::boxed::Box;
use std::net::SocketAddr;

use ::hyper::body::Incoming;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use http_body::Body;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::ReusableBoxFuture;
use tower_service::Service;

use super::descriptors;
use super::error::Cause;
use super::limits::Limits;
use super::linked::{Io, Link, Linked};
use super::plain::Plain;
use super::slot::NodeId;
use super::upload::Upload;
use super::upstream::{Speaks, Upstream};

/// The connections of a node: each upstream keeps its own.
pub(super) struct Connections<B> {
    node: NodeId,
    limits: Limits,
    #[cfg(feature = "rustls")]
    tls: Option<super::tls::Secure>,
    bodies: PhantomData<fn(B)>,
}

/// The connections of a node to one upstream.
enum Clients<B> {
    Plain(Plain<B>),
    Negotiated(Box<Negotiated<B>>),
}

/// hyper-util's clients, for HTTP/2 and for TLS.
struct Negotiated<B> {
    kept: Client<Connector, Upload<B>>,
    /// A client that keeps none, for a request that must not find a kept connection.
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
            silence: limits.silence,
        };
        if upstream.speaks() == Speaks::Http1 {
            let target = upstream.uri(PathAndQuery::from_static("/")).unwrap_or_default();
            return Clients::Plain(Plain::new(connector, target, limits));
        }
        let client = |kept| {
            let mut client = Client::builder(TokioExecutor::new());
            client
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(limits.idle)
                .pool_max_idle_per_host(kept)
                .http1_max_buf_size(limits.reply_buffer())
                .http2_max_header_list_size(u32::try_from(limits.reply_head).unwrap_or(u32::MAX))
                .http2_keep_alive_interval(limits.silence)
                .http2_keep_alive_timeout(limits.silence)
                .http2_only(upstream.speaks() == Speaks::Http2)
                // `Host` is prepared with the upstream; the client would write it anew for each request.
                .set_host(false);
            if let Some(most) = limits.other_reply_fields() {
                client.http1_max_headers(most);
            }
            client
        };
        Clients::Negotiated(Box::new(Negotiated {
            kept: client(limits.idle_connections).build(connector.clone()),
            anew: client(0).build(connector),
        }))
    }

    /// Sends a request, with `anew` on a connection that was not there before. What the connection needs is spawned.
    pub(super) fn send(&self, upstream: &Upstream, request: Request<Upload<B>>, anew: bool, asking: &mut Asking) {
        let send = |clients: &Clients<B>| match clients {
            Clients::Plain(plain) => asking.0.set(plain.send(request, anew)),
            Clients::Negotiated(clients) => {
                let sent = if anew { &clients.anew } else { &clients.kept }.request(request);
                asking.0.set(async move {
                    let mut reply = sent.await.map_err(SendError::Client)?;
                    let link = reply.extensions_mut().remove::<Link>();
                    Ok((reply, link))
                });
            }
        };
        upstream.slot().with(&self.node, || self.to(upstream), send);
    }
}

/// A request on its way, and its reply. The next request is put into the same memory.
pub(super) struct Asking(ReusableBoxFuture<'static, Sent>);

impl Asking {
    /// Gives the request up, if it is still on its way.
    pub(super) fn give_up(&mut self) {
        self.0.set(pending());
    }
}

impl Default for Asking {
    /// No request. It needs no memory.
    fn default() -> Self {
        Self(ReusableBoxFuture::new(pending()))
    }
}

impl Future for Asking {
    type Output = Sent;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Sent> {
        self.0.poll(context)
    }
}

/// A reply, and what is known of its connection.
pub(super) type Sent = Result<(Response<Incoming>, Option<Link>), SendError>;

/// Why there is none.
pub(super) enum SendError {
    /// There is no connection.
    Connect(Cause),
    /// This connection gave none.
    Lost(::hyper::Error, Link),
    /// hyper-util's client says so.
    Client(ClientError),
}

/// Makes connections. A request that finds a connection does not come here, so the future is boxed, as the client asks.
#[derive(Clone)]
pub(super) struct Connector {
    tcp: HttpConnector,
    /// The upstream's address, if its name does not say it.
    address: Option<SocketAddr>,
    #[cfg(feature = "rustls")]
    tls: Option<super::tls::Secure>,
    patience: Duration,
    silence: Duration,
}

impl Service<Uri> for Connector {
    type Response = Linked;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Linked, Cause>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Cause>> {
        self.tcp.poll_ready(context).map_err(Cause::from)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let mut this = self.clone();
        Box::pin(async move {
            let tcp = match this.connect(&uri).await {
                Err(error) if is_out_of_descriptors(&*error) && descriptors::give_up() => {
                    sleep(CLOSING).await;
                    this.connect(&uri).await?
                }
                connected => connected?,
            };
            see_progress(&tcp);
            #[cfg(feature = "rustls")]
            if uri.scheme() == Some(&http::uri::Scheme::HTTPS) {
                let tls = this.tls.ok_or("no TLS is configured: see `Settings::tls`")?;
                let (stream, speaks_http2) = tls.connect(&uri, tcp.into_inner(), this.patience).await?;
                return Ok(Linked::new(Io::Tls(TokioIo::new(Box::new(stream))), speaks_http2, this.silence));
            }
            Ok(Linked::new(Io::Plain(tcp), false, this.silence))
        })
    }
}

impl Connector {
    async fn connect(&mut self, uri: &Uri) -> Result<TokioIo<TcpStream>, Cause> {
        let Some(address) = self.address else { return Ok(self.tcp.call(uri.clone()).await?) };
        // As the client's connector makes connections to names.
        let tcp = timeout(self.patience, TcpStream::connect(address)).await??;
        tcp.set_nodelay(true)?;
        Ok(TokioIo::new(tcp))
    }
}

/// So long the tasks that drive connections have to close them, when they are given up.
const CLOSING: Duration = Duration::from_millis(5);

fn is_out_of_descriptors(error: &(dyn core::error::Error + 'static)) -> bool {
    let mut causes = core::iter::successors(Some(error), |error| error.source());
    causes.any(|error| error.downcast_ref().is_some_and(descriptors::are_out))
}

/// The most unsent bytes that may wait in the kernel.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 32 << 10;

/// Makes a connection accept more as soon as some of its bytes were sent. Otherwise the kernel takes megabytes at once,
/// and then nothing until the upstream has read a third of them. An upstream that reads all the time would look silent.
fn see_progress(tcp: &TokioIo<TcpStream>) {
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(tcp.inner()).set_tcp_notsent_lowat(UNSENT);
    #[cfg(not(target_os = "linux"))]
    let _ = tcp;
}
