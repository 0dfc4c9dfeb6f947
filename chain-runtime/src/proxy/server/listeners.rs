//! [`Listeners`]: one listening socket for each worker, at one address.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::vec::Vec;

use super::workers::Workers;

/// How many connections may wait in the kernel, for each listener.
const WAITING: u32 = 1_024;

/// One listening socket for each worker of a [`Server`](super::Server), all at one address.
///
/// On Linux the kernel deals new connections out to the sockets by a hash of the client's address and port
/// (`SO_REUSEPORT`). A connection stays with its worker. So many connections spread evenly, and a few may not. On other
/// systems, where the kernel would not deal, all workers accept from the same socket.
///
/// The address is taken as by any other server: the first socket is bound without the option, and only then lets the
/// others join it. So a second server at the same address is refused, even if it belongs to the same user and sets the
/// option itself by this type. What lets a socket join is the kernel's rule: with two workers or more, a program of the
/// same user that sets the option on its first socket gets a share of the connections.
#[derive(Debug)]
pub struct Listeners(Vec<TcpListener>);

impl Listeners {
    /// Begins to listen, for so many workers.
    ///
    /// # Errors
    ///
    /// If the address is in use ([`io::ErrorKind::AddrInUse`]), or cannot be taken for another reason.
    pub fn bind(at: SocketAddr, workers: usize) -> io::Result<Self> {
        let first = socket(at)?;
        listen(&first, at)?;
        let first = TcpListener::from(first);
        let mut all = Vec::with_capacity(workers);
        for _ in 1..workers {
            all.push(joined(&first)?);
        }
        all.push(first);
        Ok(Self(all))
    }

    /// More descriptors of the same sockets, for a server that takes over from the one before: connections that wait in
    /// the kernel stay there.
    ///
    /// # Errors
    ///
    /// If there are no more descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.iter().map(TcpListener::try_clone).collect::<io::Result<_>>().map(Self)
    }

    /// The address.
    ///
    /// # Errors
    ///
    /// If the system cannot say it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0[0].local_addr()
    }

    /// For how many workers.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Each is watched by the runtime of a worker.
    pub(super) fn watched_by(self, workers: &Workers) -> io::Result<Vec<tokio::net::TcpListener>> {
        let watched = |(worker, listener): (&tokio::runtime::Handle, _)| {
            let _inside = worker.enter();
            tokio::net::TcpListener::from_std(listener)
        };
        workers.handles().zip(self.0).map(watched).collect()
    }
}

fn socket(at: SocketAddr) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(at), socket2::Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // Connections of an earlier process that the kernel has not forgotten yet are no reason to refuse.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    Ok(socket)
}

fn listen(socket: &socket2::Socket, at: SocketAddr) -> io::Result<()> {
    socket.bind(&at.into())?;
    socket.listen(WAITING.cast_signed())
}

/// One more socket at the address of the first.
#[cfg(target_os = "linux")]
fn joined(first: &TcpListener) -> io::Result<TcpListener> {
    socket2::SockRef::from(first).set_reuse_port(true)?;
    let (at, socket) = (first.local_addr()?, socket(first.local_addr()?)?);
    socket.set_reuse_port(true)?;
    listen(&socket, at)?;
    Ok(socket.into())
}

#[cfg(not(target_os = "linux"))]
fn joined(first: &TcpListener) -> io::Result<TcpListener> {
    first.try_clone()
}
