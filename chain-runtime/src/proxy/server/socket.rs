//! A client's socket. hyper reads and writes it, and its connection watches it.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::super::limits::Rate;
use super::super::pace::Pace;
use crate::tailed::Cut;

/// This many bytes are read ahead of hyper, to see whether the client is still there.
const AHEAD: usize = 512;

/// The kernel takes more when fewer unsent bytes than this wait in it. What it takes then is up to a packet more, which
/// over loopback has 64 KiB; smaller writes would not change that, since it joins them.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 16 << 10;

/// The handle of a socket. The lock is never waited for: everything happens in the connection's task, or, over HTTP/2,
/// only one place asks.
#[derive(Clone)]
pub(super) struct Socket(Arc<Mutex<Inner>>);

struct Inner {
    stream: TcpStream,
    /// The bytes that were read ahead.
    ahead: Ahead,
    /// Whether any byte has come since this was last asked.
    has_read: bool,
    /// Whether the next bytes are the first line of a request, or what may stand before it.
    line: Line,
    /// Whether that line has a `#`.
    has_fragment: bool,
    /// Whether the client closed its side.
    is_closed: bool,
    /// How long to wait for the client to take what is written.
    writing: Option<Pin<std::boxed::Box<Pace>>>,
    rate: Option<Rate>,
    /// Whether the last write found no room: hyper then holds the unwritten bytes.
    is_unsent: bool,
    cut: Cut,
}

/// The place in a request's head, up to the end of its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Before,
    In,
    Behind,
}

struct Ahead {
    bytes: [u8; AHEAD],
    from: usize,
    to: usize,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, rate: Option<Rate>, cut: Cut) -> Self {
        // Otherwise the kernel takes megabytes at once, and then nothing until a third of them was read. A client that
        // reads all the time would look stuck.
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        Self(Arc::new(Mutex::new(Inner {
            stream,
            ahead: Ahead { bytes: [0; AHEAD], from: 0, to: 0 },
            has_read: false,
            line: Line::Before,
            has_fragment: false,
            is_closed: false,
            writing: None,
            rate,
            is_unsent: false,
            cut,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether bytes have come since this was last asked.
    pub(super) fn has_read(&self) -> bool {
        core::mem::take(&mut self.lock().has_read)
    }

    /// The next bytes are the first line of a request.
    pub(super) fn begins(&self) {
        self.lock().line = Line::Before;
    }

    /// Whether the first line of this request has a fragment in it. hyper's URIs leave it out silently. For a request
    /// that was sent after another one, before that was answered, this is not known.
    pub(super) fn has_fragment(&self) -> bool {
        core::mem::take(&mut self.lock().has_fragment)
    }

    /// Whether the connection was cut because the client does not read.
    pub(super) fn was_cut(&self) -> bool {
        self.lock().cut.is_cut()
    }

    /// Whether hyper has bytes to write that wait for the client to read. The reply's body is gone by then: hyper has
    /// all of it.
    pub(super) fn is_unsent(&self) -> bool {
        self.lock().is_unsent
    }

    /// Looks whether the client has gone while hyper does not read. hyper does not look if it has bytes already, such
    /// as those of a request that was sent after this one.
    pub(super) fn poll_gone(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        if inner.is_closed {
            return Poll::Ready(());
        }
        let Ahead { bytes, from, to } = &mut inner.ahead;
        if from == to {
            (*from, *to) = (0, 0);
        }
        if *to == AHEAD {
            // hyper has not taken the bytes that are there. So it is not reading, and there is no room to look any
            // further.
            return Poll::Pending;
        }
        let mut buffer = ReadBuf::new(&mut bytes[*to..]);
        match ready!(Pin::new(&mut inner.stream).poll_read(context, &mut buffer)) {
            Ok(()) if !buffer.filled().is_empty() => {
                *to += buffer.filled().len();
                inner.has_read = true;
                // The next read finds the end. hyper asked before, and is told by being polled once more.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ => {
                inner.is_closed = true;
                Poll::Ready(())
            }
        }
    }
}

impl Inner {
    /// Looks at the bytes that hyper is given.
    fn look(&mut self, bytes: &[u8]) {
        let begins = match self.line {
            Line::Behind => return,
            Line::In => Some(0),
            // Line ends before a request are allowed (RFC 9112, 2.2).
            Line::Before => bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')),
        };
        let Some(line) = begins.map(|begins| &bytes[begins..]) else { return };
        let end = line.iter().position(|byte| *byte == b'\n');
        self.line = if end.is_some() { Line::Behind } else { Line::In };
        self.has_fragment |= line[..end.unwrap_or(line.len())].contains(&b'#');
    }

    /// The result of a write: if nothing was written, the client is waited for, but not for ever.
    fn wrote(&mut self, polled: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.is_unsent = polled.is_pending();
        let Some(rate) = self.rate else { return polled };
        match polled {
            Poll::Ready(Ok(bytes)) => {
                if let Some(writing) = &mut self.writing {
                    writing.as_mut().moved(bytes);
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => {
                // It is made when a client is slow for the first time; most clients never are.
                let writing =
                    self.writing.get_or_insert_with(|| std::boxed::Box::pin(Pace::new(rate.window, Some(rate), None)));
                ready!(writing.as_mut().poll_wait(context));
                self.cut.cut();
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads too slowly")))
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let Ahead { bytes, from, to } = &mut inner.ahead;
        if from != to {
            let count = buffer.remaining().min(*to - *from);
            let before = buffer.filled().len();
            buffer.put_slice(&bytes[*from..*from + count]);
            *from += count;
            inner.look(&buffer.filled()[before..]);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut inner.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            inner.has_read = true;
            inner.look(&buffer.filled()[before..]);
        } else {
            inner.is_closed = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.lock();
        let polled = Pin::new(&mut inner.stream).poll_write(context, bytes);
        inner.wrote(polled, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.lock();
        let polled = Pin::new(&mut inner.stream).poll_write_vectored(context, slices);
        inner.wrote(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;

    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_that_was_slow_once_costs_no_more_writes_than_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let stream = listener.accept().await.expect("the client").0;
        let rate = Rate::new(7_200, core::time::Duration::from_secs(30));
        let mut socket = Socket::new(stream, Some(rate), Cut::default());
        let reply = vec![0; 16 << 20];
        let slices = [IoSlice::new(&reply)];
        // The client does not read, until there is no room.
        let mut write = |context: &mut Context<'_>| Pin::new(&mut socket).poll_write_vectored(context, &slices);
        while let Poll::Ready(written) = poll_fn(|context| Poll::Ready(write(context))).await {
            written.expect("it is open");
        }
        let reading = tokio::spawn(async move {
            let mut part = vec![0; 64 << 10];
            while client.read(&mut part).await.is_ok_and(|read| read > 0) {}
        });
        let mut largest = 0;
        for _ in 0..20 {
            largest = largest.max(poll_fn(&mut write).await.expect("it is open"));
        }
        drop(socket);
        reading.await.expect("it ends");
        assert!(largest > 16 << 10, "{largest} bytes at once");
    }
}
