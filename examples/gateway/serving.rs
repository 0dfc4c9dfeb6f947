//! The address at which the gateway listens, and how it changes without a connection being refused.
//!
//! Each worker accepts from a socket of its own, and has its own connections to upstreams, scratch memory and shards of
//! the meter. All workers read, without a lock, what the gateway has once: the rules, switches and levels, who is
//! upstream, and the log's queue. Limits hold for the gateway as a whole: connections, requests at once, tunnels, and
//! how often each user may ask.

use std::io;
use std::net::SocketAddr;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::proxy::Tunnels;
use chain_runtime::proxy::server::{Listeners, Places, Server, Stopped, Workers};
use http::Request;
use hyper::body::Incoming;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cli::Flags;
use super::common::failure::Failure;
use super::common::{listen, logging};
use super::gateway::Gateway;

/// Begins to listen.
pub(crate) fn listen(flags: &Flags) -> Result<Listeners, Failure> {
    Listeners::bind(flags.listen, flags.workers.get()).map_err(|error| listen::failed("--listen", flags.listen, &error))
}

/// The server, and earlier ones that finish their requests.
pub(crate) struct Serving {
    gateway: &'static Gateway,
    lines: Lines,
    workers: Workers,
    /// More descriptors of the listening sockets: the next server has them before the previous one closes its own.
    sockets: Listeners,
    stop: CancellationToken,
    cut: CancellationToken,
    /// Cancelled when no requests are accepted any more, at any address.
    stopping: CancellationToken,
    servers: JoinSet<Stopped>,
    /// Of the connections of all servers together.
    places: Places,
}

impl Serving {
    /// Serves.
    pub(crate) fn start(
        gateway: &'static Gateway,
        (workers, sockets): (Workers, Listeners),
        flags: &Flags,
        tunnels: &Tunnels,
        (lines, stopping): (Lines, CancellationToken),
    ) -> io::Result<Self> {
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let (servers, places) = (JoinSet::new(), Places::new());
        let mut serving = Self { gateway, lines, workers, sockets, stop, cut, stopping, servers, places };
        let (sockets, stop) = (serving.sockets.try_clone()?, serving.stop.clone());
        serving.serve(sockets, stop, flags, tunnels)?;
        Ok(serving)
    }

    /// Serves with other settings, and possibly at another address. The previous server stops when the new one is
    /// there. If there cannot be a new one, the previous one goes on.
    pub(crate) fn replace(&mut self, listeners: Option<Listeners>, flags: &Flags, tunnels: &Tunnels) -> io::Result<()> {
        let (next, stop) = (listeners.as_ref().unwrap_or(&self.sockets).try_clone()?, CancellationToken::new());
        self.serve(next, stop.clone(), flags, tunnels)?;
        std::mem::replace(&mut self.stop, stop).cancel();
        if let Some(listeners) = listeners {
            self.sockets = listeners;
        }
        Ok(())
    }

    fn serve(
        &mut self,
        sockets: Listeners,
        stop: CancellationToken,
        flags: &Flags,
        tunnels: &Tunnels,
    ) -> io::Result<()> {
        let at = sockets.local_addr()?;
        let (gateway, lines, stopping) = (self.gateway, self.lines.clone(), self.stopping.clone());
        let server = Server::new(flags.server_limits())
            .places(&self.places)
            .tunnels(tunnels)
            .on_stop(move || match stopping.is_cancelled() {
                true => logging::info(&lines, "stopping: requests in flight may finish"),
                false => logging::info(&lines, format_args!("the server before, at {at}, finishes what it has")),
            })
            .on_refusal(move |peer, refusal| gateway.log.malformed(peer.into(), refusal));
        let answer = move |request: Request<Incoming>, client| {
            let (head, body) = request.into_parts();
            gateway.run(head, body, client)
        };
        let (stop, cut) = (stop.cancelled_owned(), self.cut.clone().cancelled_owned());
        let served = server.serve_on(&self.workers, sockets, answer, stop, cut)?;
        self.servers.spawn(served);
        Ok(())
    }

    /// Where it listens.
    pub(crate) fn at(&self) -> io::Result<SocketAddr> {
        self.sockets.local_addr()
    }

    /// Stops, and reports what had to be cut: requests in flight after the grace, or when `cut` is ready. Tasks of the
    /// nodes end with the workers at the latest.
    pub(crate) async fn stop(self, cut: impl Future<Output = ()>) -> (Stopped, Workers) {
        let Self { workers, sockets, stop, cut: token, stopping, mut servers, .. } = self;
        // No client should wait in a queue from which nothing is accepted.
        drop(sockets);
        stopping.cancel();
        stop.cancel();
        let mut all = Stopped { requests: 0, tunnels: 0 };
        let ended = async {
            while let Some(stopped) = servers.join_next().await {
                let Stopped { requests, tunnels } = stopped.unwrap_or(Stopped { requests: 0, tunnels: 0 });
                (all.requests, all.tunnels) = (all.requests + requests, all.tunnels + tunnels);
            }
        };
        let cutting = async {
            cut.await;
            token.cancel();
            std::future::pending().await
        };
        tokio::select! {
            () = ended => {}
            () = cutting => {}
        }
        (all, workers)
    }
}
