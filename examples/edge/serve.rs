//! The edge, served at an address until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use chain_runtime::proxy::Client;
use chain_runtime::proxy::server::{Server, Stopped};
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;

use super::common::failure::Failure;
use super::common::listen;
use super::edge::Edge;

/// Begins to listen.
pub(crate) async fn listen(flag: &str, at: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(at).await.map_err(|error| listen::failed(flag, at, &error))
}

/// Serves it until `stop` is ready, and lets requests finish within the server's grace, or until `cut` is ready.
pub(crate) async fn serve(
    edge: Arc<Edge>,
    server: Server,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    cut: impl Future<Output = ()>,
) -> Stopped {
    let refused = {
        let edge = Arc::clone(&edge);
        move |peer: SocketAddr, refusal: &_| edge.log.malformed(peer.into(), refusal)
    };
    let answer = move |request: Request<Incoming>, client: Client| {
        let edge = Arc::clone(&edge);
        async move {
            let (head, body) = request.into_parts();
            edge.run(head, body, client).await
        }
    };
    server.on_refusal(refused).serve_until(listener, answer, stop, cut).await
}
