//! A connection to an upstream, and the mark by which it is not used again.

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::boxed::Box;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use ::hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::pace::Pace;

/// What is known of a connection. It goes with each reply that comes by the connection.
#[derive(Clone, Debug)]
pub(super) struct Link(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    has_served: AtomicBool,
    is_poisoned: AtomicBool,
    /// The waker of hyper, which waits for the upstream.
    reader: Mutex<Option<Waker>>,
}

impl Link {
    /// The connection is not used again: nothing more is written to it, and to hyper it looks closed.
    pub(super) fn poison(&self) {
        self.0.is_poisoned.store(true, Ordering::Release);
        let reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// A reply came by this connection.
    pub(super) fn served(&self) {
        self.0.has_served.store(true, Ordering::Relaxed);
    }

    /// Whether a reply came by it.
    pub(super) fn has_served(&self) -> bool {
        self.0.has_served.load(Ordering::Relaxed)
    }

    pub(super) fn is_poisoned(&self) -> bool {
        self.0.is_poisoned.load(Ordering::Acquire)
    }

    fn may_write(&self) -> io::Result<()> {
        if self.is_poisoned() { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// Leaves the waker of the code that waits for the upstream.
    fn waits(&self, context: &Context<'_>) {
        let mut reader = self.0.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *reader {
            Some(reader) => reader.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
    }
}

/// A connection that can be marked so that it is not used again.
#[derive(Debug)]
pub(super) struct Linked {
    io: Io,
    speaks_http2: bool,
    link: Link,
    /// How long a write may find no room.
    silence: Duration,
    /// Made when a write finds no room for the first time.
    stuck: Option<Pin<Box<Pace>>>,
}

#[derive(Debug)]
pub(super) enum Io {
    Plain(TokioIo<TcpStream>),
    #[cfg(feature = "rustls")]
    Tls(TokioIo<Box<super::tls::Stream>>),
}

impl Linked {
    pub(super) fn new(io: Io, speaks_http2: bool, silence: Duration) -> Self {
        Self { io, speaks_http2, link: Link(Arc::default()), silence, stuck: None }
    }

    /// The result of a write. An upstream that takes nothing is waited for, but not for ever: a request that was given
    /// up, or had its whole reply before its body was sent, would leave a connection that nothing ends.
    fn wrote<T>(&mut self, polled: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            if let Some(stuck) = &mut self.stuck {
                // Without a rate, how much it was does not matter.
                stuck.as_mut().moved(0);
            }
            return polled;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(Pace::new(self.silence, None, None)));
        ready!(stuck.as_mut().poll_wait(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the upstream does not read")))
    }

    pub(super) fn link(&self) -> Link {
        self.link.clone()
    }
}

impl Connection for Linked {
    fn connected(&self) -> Connected {
        let connected = Connected::new().extra(self.link.clone());
        if self.speaks_http2 { connected.negotiated_h2() } else { connected }
    }
}

/// Calls this on the stream that it is.
macro_rules! on {
    ($io:expr, $stream:ident => $call:expr) => {
        match &mut $io {
            Io::Plain(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(feature = "rustls")]
            Io::Tls(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl Read for Linked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.link.is_poisoned() {
            // This is an end of the stream.
            return Poll::Ready(Ok(()));
        }
        let polled = on!(self.io, stream => stream.poll_read(context, buffer));
        if polled.is_pending() {
            self.link.waits(context);
            // It was poisoned in between: the poisoning code looks for the waker after that.
            if self.link.is_poisoned() {
                return Poll::Ready(Ok(()));
            }
        }
        polled
    }
}

impl Write for Linked {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.link.may_write()?;
        let polled = on!(self.io, stream => stream.poll_write(context, bytes));
        self.wrote(polled, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = on!(self.io, stream => stream.poll_flush(context));
        self.wrote(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = on!(self.io, stream => stream.poll_shutdown(context));
        self.wrote(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            #[cfg(feature = "rustls")]
            Io::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.link.may_write()?;
        let polled = on!(self.io, stream => stream.poll_write_vectored(context, slices));
        self.wrote(polled, context)
    }
}
