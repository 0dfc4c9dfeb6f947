//! [`Connect`]: a member is well if it accepts connections.

use std::io;

use tokio::net::{TcpStream, ToSocketAddrs};

use super::checks::Check;
use crate::upstream::seat::Seat;

/// A member is well if it accepts a TCP connection, which is closed at once.
///
/// It finds out that a machine is gone, or that a process no longer listens. The kernel accepts connections even for a
/// process that is stopped or hangs: a check that sends a request finds that.
///
/// # Panics
///
/// A check in a tokio runtime without its I/O driver panics, and so counts as failed.
#[derive(Clone, Copy, Debug)]
pub struct Connect<F>(F);

impl<F> Connect<F> {
    /// Connects to the address that `address` gives for an endpoint: a `SocketAddr`, or a `String` of a host and a
    /// port.
    pub const fn to<T, A>(address: F) -> Self
    where
        F: Fn(&T) -> A,
    {
        Self(address)
    }
}

impl<T, F, A> Check<T> for Connect<F>
where
    T: Send + Sync,
    F: Fn(&T) -> A + Send + Sync + 'static,
    A: ToSocketAddrs + Send,
{
    type Error = io::Error;

    async fn check(&self, seat: &Seat<T>) -> io::Result<()> {
        let address = (self.0)(seat.endpoint());
        TcpStream::connect(address).await.map(drop)
    }
}
