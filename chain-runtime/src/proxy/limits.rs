//! [`Limits`] of a request that is passed on.

use core::time::Duration;

/// At least so many bytes in a window of time.
///
/// Only the time in which the measured side is waited for counts: a side that the other one holds up is not slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The bytes in each window.
    pub bytes: u64,
    /// The length of a window.
    pub window: Duration,
}

impl Rate {
    /// So many bytes in each window.
    #[must_use]
    pub const fn new(bytes: u64, window: Duration) -> Self {
        Self { bytes, window }
    }
}

/// The limits in time and memory for a request that is passed on. Nothing waits for ever.
///
/// The limits of a client's connection are in [`server::Limits`](super::server::Limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The time to make a connection to the upstream, including TLS. 5 s.
    pub connect: Duration,
    /// The time until the head of the upstream's reply, counted from the last movement of the request's body. Interim
    /// replies (1xx) do not prolong it. It also bounds how many of them there may be: each is read and dropped, in memory
    /// that the next one uses. 30 s.
    pub first_byte: Duration,
    /// How long either side may be silent in the middle of a body, and how long an upstream may take nothing of what is
    /// written to it. 30 s.
    pub silence: Duration,
    /// The least speed of the client's body. 2,400 bytes in 10 s.
    pub upload: Option<Rate>,
    /// The least speed of the upstream's reply. 60 bytes in 30 s. A stream of events (`text/event-stream`) and gRPC may
    /// have nothing to send, so only the silence counts for them.
    pub download: Option<Rate>,
    /// The time for the whole request, to the end of the reply's body. None.
    pub whole: Option<Duration>,
    /// The most bytes of the request's body. 10 MiB.
    pub body: u64,
    /// The most fields of a request; over HTTP/1 the server itself refuses more than 100. 100.
    pub fields: usize,
    /// The most fields of a reply. 100: with more, hyper allocates room for as many in each reply, on the heap.
    pub reply_fields: usize,
    /// The most bytes of a reply's head, and of the part of its body that is read ahead. 64 KiB.
    pub reply_head: usize,
    /// How long an idle connection to an upstream is kept. 20 s: less than most servers keep theirs. If an upstream
    /// closes one in the moment in which a request takes it, the request fails, unless its method is safe: then it is
    /// sent once more. No look before could prevent that.
    pub idle: Duration,
    /// The most connections without a request that are kept for each upstream, by each node and each of a server's
    /// [`Workers`](super::server::Workers). 1,024. When the process has no descriptors left, half of all those over
    /// HTTP/1.1 without TLS are closed at once, before any client has to go, and before a request fails. Those with TLS
    /// stay for their time ([`idle`](Self::idle)): where descriptors are few, let this be a smaller number. Over HTTP/2
    /// there is mostly one.
    pub idle_connections: usize,
    /// How long to wait for the upstream's `100 Continue` before the body is sent all the same. 3 s.
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

impl Limits {
    /// The buffer for a reply's head, as hyper takes it: it asks for 8 KiB at least.
    pub(super) fn reply_buffer(&self) -> usize {
        self.reply_head.max(8 << 10)
    }

    /// The most fields of a reply, if it is not what hyper has by itself, for which it makes room on the stack.
    pub(super) fn other_reply_fields(&self) -> Option<usize> {
        (self.reply_fields != 100).then_some(self.reply_fields)
    }
}
