//! Where a program listens.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::failure::Failure;

/// Begins to listen.
pub(crate) async fn listen(at: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(at).await.map_err(|error| failed(at, &error))
}

/// Why it is not listened here.
pub(crate) fn failed(at: SocketAddr, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
        _ => error.to_string(),
    };
    Failure::failed(format_args!("cannot listen on {at}: {why}"))
}
