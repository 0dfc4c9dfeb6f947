//! A client over HTTP/1.1 that sends bytes as they are given, and reads strictly.

use std::net::SocketAddr;

use super::message::{Fields, Framing, Wrong, wrong};
use super::wire::{Lack, Wire};

/// A final reply, read to its end, and the interim ones before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: Fields,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Fields,
    pub(crate) interim: Vec<u16>,
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) wire: Wire,
    /// Whether it speaks HTTP/1.0.
    pub(crate) old: bool,
}

impl Client {
    pub(crate) fn connect(at: SocketAddr) -> Self {
        Self { wire: Wire::connect(at), old: false }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.wire.send(bytes)
    }

    /// Reads the reply to a request of this method.
    pub(crate) fn reply(&mut self, method: &str) -> Result<Reply, Lack> {
        let mut interim = Vec::new();
        loop {
            let head = self.wire.head()?;
            let status = head.status()?;
            if !self.old && !head.line.starts_with("HTTP/1.1 ") {
                return wrong(format!("the upstream's version: {:?}", head.line)).map_err(Lack::from);
            }
            let framing = head.reply_framing(method)?;
            if (100..200).contains(&status) && status != 101 {
                interim.push(status);
                continue;
            }
            if self.old && framing == Framing::Chunked {
                return wrong("chunks for a client of HTTP/1.0").map_err(Lack::from);
            }
            if status == 101 {
                return Ok(Reply { status, fields: head.fields, interim, ..Reply::default() });
            }
            let (body, trailers) = self.wire.body(framing)?;
            return Ok(Reply { status, fields: head.fields, body, trailers, interim });
        }
    }

    /// Asks for something on this connection, as its last request, and reads to its end: whatever was on the way from before is seen.
    /// Gives `None` where the connection was closed instead.
    pub(crate) fn last(&mut self, request: &[u8]) -> Result<Option<Reply>, Wrong> {
        self.send(request);
        let reply = match self.reply("GET") {
            Ok(reply) => reply,
            Err(Lack::Closed | Lack::Reset) if self.wire.ahead.is_empty() => return Ok(None),
            Err(Lack::Wrong(wrong)) => return Err(wrong),
            Err(lack) => return wrong(format!("{lack:?} instead of the next reply")),
        };
        match self.wire.rest() {
            (rest, Lack::Closed | Lack::Reset) if rest.is_empty() => Ok(Some(reply)),
            (rest, lack) => wrong(format!("behind the last reply {:?}, then {lack:?}", super::message::shown(&rest))),
        }
    }
}
