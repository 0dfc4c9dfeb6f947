//! IP addresses as text. A log and a forwarded request have one each, and std's takes five times as long for one of IPv4.

use core::fmt::{Result, Write};
use core::net::{IpAddr, Ipv4Addr};

/// The most bytes of an IPv4 address.
const ROOM: usize = 15;

/// Writes the address as std does.
pub(crate) fn write_address(to: &mut impl Write, address: IpAddr) -> Result {
    match address {
        IpAddr::V4(address) => to.write_str(dotted(address, &mut [0; ROOM])),
        IpAddr::V6(address) => write!(to, "{address}"),
    }
}

/// The address, written into this memory.
fn dotted(address: Ipv4Addr, text: &mut [u8; ROOM]) -> &str {
    let mut end = 0;
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            text[end] = b'.';
            end += 1;
        }
        for (least, digit) in [(100, octet / 100), (10, octet / 10 % 10), (0, octet % 10)] {
            if octet >= least {
                text[end] = b'0' + digit;
                end += 1;
            }
        }
    }
    core::str::from_utf8(&text[..end]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;

    use super::*;

    #[test]
    fn it_is_what_std_writes() {
        for octet in 0..=u8::MAX {
            let address = Ipv4Addr::new(octet, 255 - octet, octet.reverse_bits(), octet ^ 0x5a);
            assert_eq!(dotted(address, &mut [0; ROOM]), address.to_string());
        }
    }
}
