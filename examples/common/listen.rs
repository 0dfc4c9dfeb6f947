//! Why an address cannot be listened on.

use std::io;
use std::net::SocketAddr;

use super::failure::Failure;

/// Why it cannot listen here.
pub(crate) fn failed(at: SocketAddr, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
        _ => error.to_string(),
    };
    Failure::failed(format_args!("cannot listen on {at}: {why}"))
}
