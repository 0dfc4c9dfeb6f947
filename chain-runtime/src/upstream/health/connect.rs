//! [`Connect`]: a member is well if it takes connections.

use std::io;

use tokio::net::{TcpStream, ToSocketAddrs};

use super::checks::Check;
use crate::upstream::seat::Seat;

/// A member is well if it accepts a TCP connection, which is closed at once.
///
/// It finds a machine that is gone, and a process that does not listen any more. The kernel accepts connections for a process that is stopped or hangs: that
/// is found by what is asked over them.
///
/// # Panics
///
/// A check panics, and so finds the member ill, in a tokio runtime without its I/O driver.
#[derive(Clone, Copy, Debug)]
pub struct Connect<F>(F);

impl<F> Connect<F> {
    /// Connects to what `address` says is the address of an endpoint: a `SocketAddr`, or a `String` of a host and a port.
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
