//! Why an address cannot be listened on.

use std::io;
use std::net::SocketAddr;

use super::failure::Failure;

/// Why it cannot listen at the address that this flag names.
pub(crate) fn failed(flag: &str, at: SocketAddr, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the address is in use: name another one, or port 0 for any that is free".to_owned()
        }
        _ => error.to_string(),
    };
    Failure::usage(format_args!("{flag}: cannot listen on {at}: {why}"))
}
