//! A chain, served at an address until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use chain_runtime::nodes::access_log::{AccessLog, Entry};
use chain_runtime::proxy::server::{Server, Stopped};
use chain_runtime::proxy::{Body, Client};
use chain_runtime::tailed::Tailed;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::TcpListener;

/// The line of the log goes with the reply's body, to its end.
pub(crate) type Reply = Response<Tailed<Body, Option<Entry>>>;

/// A chain that answers clients, and writes down how that went.
pub(crate) trait Serves: Send + Sync + 'static {
    fn log(&self) -> &AccessLog;

    fn answer(&self, request: Parts, body: Incoming, client: Client) -> impl Future<Output = Reply> + Send;
}

/// Serves it until `stop` is ready, and lets requests finish within the server's grace, or until `cut` is ready.
pub(crate) async fn serve(
    chain: Arc<impl Serves>,
    server: Server,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
    cut: impl Future<Output = ()>,
) -> Stopped {
    let refused = {
        let chain = Arc::clone(&chain);
        move |peer: SocketAddr, refusal: &_| chain.log().malformed(peer.into(), refusal)
    };
    let answer = move |request: Request<Incoming>, client: Client| {
        let chain = Arc::clone(&chain);
        async move {
            let (head, body) = request.into_parts();
            chain.answer(head, body, client).await
        }
    };
    server.on_refusal(refused).serve_until(listener, answer, stop, cut).await
}
