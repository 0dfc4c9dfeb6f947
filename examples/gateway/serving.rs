//! Where the gateway listens, and how that changes without a connection being refused.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::proxy::Tunnels;
use chain_runtime::proxy::server::{Server, Stopped};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cli::Flags;
use super::common::logging;
use super::common::serve::serve;
use super::gateway::Gateway;

/// The server, and those before it that finish what they have.
pub(crate) struct Serving {
    gateway: Arc<Gateway>,
    lines: Lines,
    /// Another descriptor of the socket that is listened at: the next server has it before the one before lets go of its own.
    socket: std::net::TcpListener,
    stop: CancellationToken,
    cut: CancellationToken,
    /// Cancelled when no request is taken any more, anywhere.
    stopping: CancellationToken,
    servers: JoinSet<Stopped>,
}

impl Serving {
    /// Serves.
    pub(crate) fn start(
        gateway: Arc<Gateway>,
        listener: TcpListener,
        flags: &Flags,
        tunnels: &Tunnels,
        (lines, stopping): (Lines, CancellationToken),
    ) -> io::Result<Self> {
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let socket = listener.into_std()?;
        let mut serving = Self { gateway, lines, socket, stop, cut, stopping, servers: JoinSet::new() };
        serving.serve(flags, tunnels)?;
        Ok(serving)
    }

    /// Serves in another way, and perhaps elsewhere. The server before stops when the new one is there.
    pub(crate) fn replace(
        &mut self,
        listener: Option<TcpListener>,
        flags: &Flags,
        tunnels: &Tunnels,
    ) -> io::Result<()> {
        if let Some(listener) = listener {
            self.socket = listener.into_std()?;
        }
        let before = std::mem::take(&mut self.stop);
        self.serve(flags, tunnels)?;
        before.cancel();
        Ok(())
    }

    fn serve(&mut self, flags: &Flags, tunnels: &Tunnels) -> io::Result<()> {
        let listener = TcpListener::from_std(self.socket.try_clone()?)?;
        let at = listener.local_addr()?;
        let (lines, stopping) = (self.lines.clone(), self.stopping.clone());
        let server =
            Server::new(flags.server_limits()).tunnels(tunnels).on_stop(move || match stopping.is_cancelled() {
                true => logging::info(&lines, "stopping: requests in flight may finish"),
                false => logging::info(&lines, format_args!("the server before, at {at}, finishes what it has")),
            });
        let (stop, cut) = (self.stop.clone().cancelled_owned(), self.cut.clone().cancelled_owned());
        self.servers.spawn(serve(Arc::clone(&self.gateway), server, listener, stop, cut));
        Ok(())
    }

    /// Where it listens.
    pub(crate) fn at(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Stops, and says what had to be cut: what is in flight past the grace, or when `cut` is ready.
    pub(crate) async fn stop(self, cut: impl Future<Output = ()>) -> Stopped {
        let Self { socket, stop, cut: token, stopping, mut servers, .. } = self;
        // Nobody is to be kept in a queue from which nobody takes.
        drop(socket);
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
        all
    }
}
