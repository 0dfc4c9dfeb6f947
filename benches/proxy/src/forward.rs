//! hyper as it comes, passing requests on: what a proxy on hyper cannot do without.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;

use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

/// Runs for ever: on tokio's multi-threaded runtime with hyper-util's client, or on one thread with connections of its
/// own.
pub(crate) fn run(per_core: bool, at: &str, upstream: &str) -> ! {
    let (at, upstream): (SocketAddr, SocketAddr) =
        (at.parse().expect("address:port"), upstream.parse().expect("address:port"));
    let ended = if per_core {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, on_one_core(at, upstream))
    } else {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(shared(at, upstream))
    };
    panic!("it ended: {ended:?}")
}

async fn shared(at: SocketAddr, upstream: SocketAddr) -> std::io::Result<Infallible> {
    let listener = TcpListener::bind(at).await?;
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).set_host(false).build(tcp);
    let authority: Authority = upstream.to_string().parse().expect("an authority");
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (client, authority) = (client.clone(), authority.clone());
        let answer = service_fn(move |mut request: Request<Incoming>| {
            let path = request.uri().path_and_query().cloned();
            let uri = Uri::builder().scheme(Scheme::HTTP).authority(authority.clone());
            *request.uri_mut() = uri.path_and_query(path.expect("a path")).build().expect("a target");
            client.request(request)
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn on_one_core(at: SocketAddr, upstream: SocketAddr) -> std::io::Result<Infallible> {
    let listener = TcpListener::bind(at).await?;
    let kept: Rc<RefCell<Vec<SendRequest<Incoming>>>> = Rc::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let kept = Rc::clone(&kept);
        let answer = service_fn(move |request: Request<Incoming>| {
            let kept = Rc::clone(&kept);
            async move {
                let ready = kept
                    .borrow_mut()
                    .extract_if(.., |kept| kept.is_ready() || kept.is_closed())
                    .find(SendRequest::is_ready);
                let mut sender = match ready {
                    Some(sender) => sender,
                    None => connect(upstream).await?,
                };
                let reply = sender.send_request(request).await;
                kept.borrow_mut().push(sender);
                reply.map_err(Box::<dyn std::error::Error + Send + Sync>::from)
            }
        });
        tokio::task::spawn_local(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn connect(upstream: SocketAddr) -> Result<SendRequest<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}
