//! [`Limits`] of a request that is passed on.

use core::time::Duration;

/// So many bytes in a window of time, at least.
///
/// Only the time counts in which the side that is measured is being waited for: who is held up by the other side is not slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In each window.
    pub bytes: u64,
    /// How long the window is.
    pub window: Duration,
}

impl Rate {
    /// So many bytes in each window.
    #[must_use]
    pub const fn new(bytes: u64, window: Duration) -> Self {
        Self { bytes, window }
    }
}

/// What a request that is passed on may take, of time and of memory. Nothing waits for ever.
///
/// What a connection of a client may take is in [`server::Limits`](super::server::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// For a connection to the upstream to be made, with TLS. 5 s.
    pub connect: Duration,
    /// For the head of the upstream's reply, counted from when the request's body last moved. 30 s.
    pub first_byte: Duration,
    /// How long either side may be silent in the middle of a body. 30 s.
    pub silence: Duration,
    /// How fast the client sends its body, at least. 2,400 bytes in 10 s.
    pub upload: Option<Rate>,
    /// How fast the upstream sends its reply, at least. 60 bytes in 30 s. Of a stream of events (`text/event-stream`) and of gRPC, which may
    /// have nothing to say, only the silence counts.
    pub download: Option<Rate>,
    /// For the whole request, to the end of the reply's body. None.
    pub whole: Option<Duration>,
    /// Bytes of the request's body. 10 MiB.
    pub body: u64,
    /// How many fields a request may have; over HTTP/1 the server itself refuses more than 100. 100.
    pub fields: usize,
    /// How many fields a reply may have. 100: more, and hyper makes room for as many in each reply, on the heap.
    pub reply_fields: usize,
    /// Bytes of a reply's head, and of what is read ahead of its body. 64 KiB.
    pub reply_head: usize,
    /// How long an idle connection to an upstream is kept. 20 s: shorter than most servers keep theirs.
    pub idle: Duration,
    /// How many connections without a request are kept, for each upstream. 1,024.
    pub idle_connections: usize,
    /// How long is waited for the upstream's `100 Continue` before the body is sent all the same. 3 s.
    pub expect: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const HALF_A_MINUTE: Duration = Duration::from_secs(30);
        Self {
            connect: Duration::from_secs(5),
            first_byte: HALF_A_MINUTE,
            silence: HALF_A_MINUTE,
            upload: Some(Rate::new(2_400, Duration::from_secs(10))),
            download: Some(Rate::new(60, HALF_A_MINUTE)),
            whole: None,
            body: 10 << 20,
            fields: 100,
            reply_fields: 100,
            reply_head: 64 << 10,
            idle: Duration::from_secs(20),
            idle_connections: 1_024,
            expect: Duration::from_secs(3),
        }
    }
}
