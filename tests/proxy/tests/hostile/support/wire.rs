//! A connection that is read to a mark, to a length or to its end, each within a generous time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::message::{Fields, Framing, Head, Wrong, wrong};

/// How long anything may take that is expected to happen. A busy machine is no reason to fail.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Why no byte came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The other side closed.
    Closed,
    /// The other side cut the connection.
    Reset,
    /// Nothing came for as long as one waited.
    Silent,
    /// What came is no message.
    Wrong(Wrong),
}

impl From<Wrong> for Lack {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

/// One side of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    /// What was read and not taken yet.
    pub(crate) ahead: Vec<u8>,
    /// Everything that was read.
    pub(crate) seen: Vec<u8>,
    pub(crate) patience: Duration,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let _ = stream.set_write_timeout(Some(PATIENCE));
        Self { stream, ahead: Vec::new(), seen: Vec::new(), patience: PATIENCE }
    }

    pub(crate) fn connect(at: SocketAddr) -> Self {
        Self::new(TcpStream::connect(at).expect("a connection"))
    }

    /// Writes as much as the other side takes. Says whether that was all.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Says that nothing more comes from here.
    pub(crate) fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(self) {
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Reads what there is, at least one byte.
    pub(crate) fn more(&mut self) -> Result<usize, Lack> {
        let until = Instant::now() + self.patience;
        let mut part = vec![0; 64 << 10];
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let _ = self.stream.set_read_timeout(Some(left));
            match self.stream.read(&mut part) {
                Ok(0) => return Err(Lack::Closed),
                Ok(read) => {
                    self.ahead.extend_from_slice(&part[..read]);
                    self.seen.extend_from_slice(&part[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if Instant::now() >= until {
                        return Err(Lack::Silent);
                    }
                }
                Err(_) => return Err(Lack::Reset),
            }
        }
    }

    /// Takes up to and with the mark.
    pub(crate) fn up_to(&mut self, mark: &[u8], most: usize) -> Result<Vec<u8>, Lack> {
        let mut from = 0;
        loop {
            let found = self.ahead[from..].windows(mark.len()).position(|part| part == mark);
            if let Some(at) = found {
                return Ok(self.ahead.drain(..from + at + mark.len()).collect());
            }
            if self.ahead.len() > most {
                return Err(Wrong(format!("{} bytes without {mark:?}", self.ahead.len())).into());
            }
            from = self.ahead.len().saturating_sub(mark.len() - 1);
            self.more()?;
        }
    }

    /// Takes so many bytes.
    pub(crate) fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Lack> {
        while self.ahead.len() < length {
            self.more()?;
        }
        Ok(self.ahead.drain(..length).collect())
    }

    /// Takes all there is until the connection ends, and says how it does.
    pub(crate) fn rest(&mut self) -> (Vec<u8>, Lack) {
        loop {
            if let Err(lack) = self.more() {
                return (std::mem::take(&mut self.ahead), lack);
            }
        }
    }

    pub(crate) fn head(&mut self) -> Result<Head, Lack> {
        let head = self.up_to(b"\r\n\r\n", 4 << 20)?;
        Ok(Head::read(&head)?)
    }

    /// Takes a body, and the trailers behind it.
    pub(crate) fn body(&mut self, framing: Framing) -> Result<(Vec<u8>, Fields), Lack> {
        match framing {
            Framing::Length(length) => {
                let length = usize::try_from(length).map_err(|_| Wrong("a length past all bounds".into()))?;
                Ok((self.exactly(length)?, Fields::default()))
            }
            Framing::Close => match self.rest() {
                (body, Lack::Closed) => Ok((body, Fields::default())),
                (_, lack) => Err(lack),
            },
            Framing::Chunked => self.chunks(),
        }
    }

    fn chunks(&mut self) -> Result<(Vec<u8>, Fields), Lack> {
        let mut body = Vec::new();
        loop {
            let line = self.up_to(b"\r\n", 4096)?;
            let size = std::str::from_utf8(&line[..line.len() - 2]).unwrap_or("?");
            let digits = size.split(';').next().unwrap_or_default();
            // Nothing but digits: no sign, no space, no `0x`.
            if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Wrong(format!("not a chunk's size: {size:?}")).into());
            }
            if line[..line.len() - 2].contains(&b'\n') || line[..line.len() - 2].contains(&b'\r') {
                return Err(Wrong(format!("a bare line break in a chunk's size: {size:?}")).into());
            }
            let size = usize::from_str_radix(digits, 16).unwrap_or(usize::MAX);
            if size == 0 {
                let mut trailers = Vec::new();
                loop {
                    let line = self.up_to(b"\r\n", 1 << 20)?;
                    if line == b"\r\n" {
                        return Ok((body, Fields::trailers(&trailers)?));
                    }
                    trailers.extend(line);
                }
            }
            body.extend(self.exactly(size)?);
            if self.exactly(2)? != b"\r\n" {
                return wrong("a chunk that does not end where it says").map_err(Lack::from);
            }
        }
    }
}
