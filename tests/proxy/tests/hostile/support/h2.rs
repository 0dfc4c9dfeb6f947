//! A client over HTTP/2 that sends frames as they are given, and reads strictly.

use std::collections::HashMap;
use std::net::SocketAddr;

use loona_hpack::Decoder;

use super::client::Reply;
use super::message::{Fields, text};
use super::proxy::Which;
use super::wire::{Lack, Wire};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Why there is no reply on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Reset(u32),
    GoAway(u32),
    Lack(Lack),
    Wrong(String),
}

#[derive(Debug, Default)]
struct Stream {
    heads: Vec<Fields>,
    body: Vec<u8>,
    ended: bool,
    reset: Option<u32>,
}

pub(crate) struct H2 {
    pub(crate) wire: Wire,
    decoder: Decoder<'static>,
    streams: HashMap<u32, Stream>,
    next: u32,
    goaway: Option<u32>,
    /// Whether pings and settings are acknowledged.
    pub(crate) acks: bool,
    /// Whether what was read makes room for more.
    pub(crate) makes_room: bool,
}

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Fields as literals, which any decoder takes, whatever bytes they have.
pub(crate) fn block<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for part in [name.as_ref(), value.as_ref()] {
            integer(part.len(), &mut block);
            block.extend_from_slice(part);
        }
    }
    block
}

/// With a prefix of seven bits (RFC 7541, 5.1).
fn integer(value: usize, out: &mut Vec<u8>) {
    if value < 127 {
        out.push(value as u8);
        return;
    }
    out.push(127);
    let mut rest = value - 127;
    while rest >= 128 {
        out.push((rest % 128 + 128) as u8);
        rest /= 128;
    }
    out.push(rest as u8);
}

/// The pseudo-fields of a request, and the key of this proxy. `path` gets its prefix.
pub(crate) fn head(which: Which, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let path = path.replace("{p}", which.prefix());
    let mut fields = vec![(":method", method), (":scheme", "http"), (":authority", "a.example"), (":path", &path)];
    fields.extend(which.key());
    fields.extend_from_slice(more);
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl H2 {
    pub(crate) fn connect(at: SocketAddr) -> Self {
        Self::with_settings(at, &[])
    }

    /// Connects with these settings, by their numbers.
    pub(crate) fn with_settings(at: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let mut wire = Wire::connect(at);
        let mut payload = Vec::new();
        for (number, value) in settings {
            payload.extend(number.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        wire.send([PREFACE, &frame(SETTINGS, 0, 0, &payload)].concat());
        let (acks, makes_room) = (true, true);
        Self { wire, decoder: Decoder::new(), streams: HashMap::new(), next: 1, goaway: None, acks, makes_room }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.wire.send(bytes)
    }

    /// The number of a new stream.
    pub(crate) fn stream(&mut self) -> u32 {
        self.next += 2;
        self.next - 2
    }

    /// Sends a request with its body and trailers in one piece.
    pub(crate) fn ask<F: AsRef<[u8]>>(
        &mut self,
        fields: &[(F, F)],
        body: Option<&[u8]>,
        trailers: Option<&[(&str, &str)]>,
    ) -> u32 {
        let id = self.stream();
        let ends = |last: bool| if last { END_STREAM } else { 0 };
        let first = ends(body.is_none() && trailers.is_none()) | END_HEADERS;
        let mut bytes = frame(HEADERS, first, id, &block(fields));
        if let Some(body) = body {
            bytes.extend(frame(DATA, ends(trailers.is_none()), id, body));
        }
        if let Some(trailers) = trailers {
            bytes.extend(frame(HEADERS, END_STREAM | END_HEADERS, id, &block(trailers)));
        }
        self.send(bytes);
        id
    }

    /// Asks for a path, and reads the reply.
    pub(crate) fn get(&mut self, which: Which, path: &str) -> Result<Reply, End> {
        let id = self.ask(&head(which, "GET", path, &[]), None, None);
        self.reply(id, "GET")
    }

    /// Reads the reply on a stream, whose request was of this method.
    pub(crate) fn reply(&mut self, id: u32, method: &str) -> Result<Reply, End> {
        loop {
            let stream = self.streams.entry(id).or_default();
            if stream.ended {
                break;
            }
            if let Some(code) = stream.reset {
                return Err(End::Reset(code));
            }
            if let Some(code) = self.goaway.filter(|code| *code != 0) {
                return Err(End::GoAway(code));
            }
            self.pump()?;
        }
        let stream = self.streams.remove(&id).expect("it was just there");
        checked(stream, method).map_err(End::Wrong)
    }

    /// How many bytes of a body came so far on a stream.
    pub(crate) fn received(&self, id: u32) -> usize {
        self.streams.get(&id).map_or(0, |stream| stream.body.len())
    }

    /// Reads until the connection ends, and says how.
    pub(crate) fn ending(&mut self) -> End {
        loop {
            if let Err(end) = self.pump() {
                return match self.goaway {
                    Some(code) => End::GoAway(code),
                    None => end,
                };
            }
        }
    }

    /// Reads one frame.
    pub(crate) fn pump(&mut self) -> Result<(), End> {
        let (kind, flags, id, mut payload) = self.read_frame().map_err(End::Lack)?;
        match kind {
            DATA => {
                let stream = self.streams.entry(id).or_default();
                if stream.ended {
                    return Err(End::Wrong(format!("DATA behind the end of stream {id}")));
                }
                let padding = if flags & 8 != 0 { payload.remove(0) as usize } else { 0 };
                stream.body.extend_from_slice(&payload[..payload.len() - padding]);
                stream.ended = flags & END_STREAM != 0;
                if self.makes_room && !payload.is_empty() {
                    let room = u32::try_from(payload.len()).expect("a frame").to_be_bytes();
                    let both = [frame(WINDOW_UPDATE, 0, 0, &room), frame(WINDOW_UPDATE, 0, id, &room)].concat();
                    self.send(both);
                }
            }
            HEADERS => {
                let mut block = payload;
                if flags & 8 != 0 {
                    let padding = block.remove(0) as usize;
                    block.truncate(block.len() - padding);
                }
                let mut last = flags & END_HEADERS != 0;
                while !last {
                    let (kind, flags, of, more) = self.read_frame().map_err(End::Lack)?;
                    if (kind, of) != (CONTINUATION, id) {
                        return Err(End::Wrong("a field block that breaks off".into()));
                    }
                    block.extend(more);
                    last = flags & END_HEADERS != 0;
                }
                let fields = self.decoder.decode(&block).map_err(|error| End::Wrong(format!("{error:?}")))?;
                let fields = fields.into_iter().map(|(name, value)| (text(&name), text(&value))).collect();
                let stream = self.streams.entry(id).or_default();
                if stream.ended {
                    return Err(End::Wrong(format!("HEADERS behind the end of stream {id}")));
                }
                stream.heads.push(Fields(fields));
                stream.ended = flags & END_STREAM != 0;
            }
            RST_STREAM => self.streams.entry(id).or_default().reset = Some(code(&payload, 0)),
            SETTINGS if flags & ACK == 0 && self.acks => {
                self.send(frame(SETTINGS, ACK, 0, &[]));
            }
            PING if flags & ACK == 0 && self.acks => {
                self.send(frame(PING, ACK, 0, &payload));
            }
            GOAWAY => self.goaway = Some(code(&payload, 4)),
            _ => {}
        }
        Ok(())
    }

    fn read_frame(&mut self) -> Result<(u8, u8, u32, Vec<u8>), Lack> {
        let head = self.wire.exactly(9)?;
        let length = code(&head, 0) >> 8;
        let payload = self.wire.exactly(length as usize)?;
        Ok((head[3], head[4], code(&head, 5) & 0x7fff_ffff, payload))
    }
}

fn code(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(u32::MAX, |code| u32::from_be_bytes([code[0], code[1], code[2], code[3]]))
}

/// What came on a stream, as a reply: RFC 9113, 8.1 to 8.3.
fn checked(stream: Stream, method: &str) -> Result<Reply, String> {
    let mut reply = Reply::default();
    let mut heads = stream.heads.into_iter();
    loop {
        let head = heads.next().ok_or("no head")?;
        let statuses: Vec<&str> = head.all(":status").collect();
        let [status] = *statuses else {
            return Err(format!("not one :status: {head:?}"));
        };
        let status = status.parse().map_err(|_| format!("not a status: {status:?}"))?;
        well_formed(&head, true)?;
        if (100..200).contains(&status) {
            reply.interim.push(status);
            continue;
        }
        reply.status = status;
        reply.fields = head;
        break;
    }
    if let Some(trailers) = heads.next() {
        well_formed(&trailers, false)?;
        reply.trailers = trailers;
    }
    if heads.next().is_some() {
        return Err("a head behind the trailers".into());
    }
    reply.body = stream.body;
    let bodiless = method == "HEAD" || reply.status == 204 || reply.status == 304;
    if bodiless && !reply.body.is_empty() {
        return Err(format!("content in a {} to {method}", reply.status));
    }
    let lengths: Vec<&str> = reply.fields.all("content-length").collect();
    match *lengths {
        [] => {}
        [_] if reply.status == 204 => return Err("a length in a 204".into()),
        [_] if bodiless => {}
        [length] if length.parse() == Ok(reply.body.len()) => {}
        _ => return Err(format!("lengths {lengths:?} of {} bytes", reply.body.len())),
    }
    Ok(reply)
}

fn well_formed(fields: &Fields, head: bool) -> Result<(), String> {
    for (name, value) in &fields.0 {
        let of_the_connection =
            ["connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"].contains(&&**name);
        let pseudo = name.starts_with(':') && !(head && name == ":status");
        let upper = name.bytes().any(|byte| byte.is_ascii_uppercase());
        let control = value.bytes().any(|byte| [0, b'\r', b'\n'].contains(&byte));
        if of_the_connection || pseudo || upper || control {
            return Err(format!("{name:?}: {value:?} over HTTP/2"));
        }
    }
    Ok(())
}
