//! [`Limits`]: what a client's connection may take, in time and memory.

use core::time::Duration;

use crate::proxy::limits::Rate;

/// The limits of a client's connection, in time and memory.
///
/// One connection takes at most [`buffer`](Limits::buffer) for what hyper reads ahead and has not written. Over HTTP/2
/// it takes, for each of the [`streams`](Limits::streams), one [`window`](Limits::window) of the request's body and 16
/// KiB of the reply's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many connections there may be at once. A further connection is served when one of those without a request
    /// has been closed for it. Until then it waits, and those after it wait in the kernel's queue. 10,000, or what the
    /// process's limit of descriptors allows with as many connections to upstreams: see [`Limits::within_descriptors`].
    pub connections: usize,
    /// The time from the first byte of a request's head to its last, and from the connection to its first byte. 30 s.
    pub head: Duration,
    /// How long an idle connection is kept. 60 s.
    pub idle: Duration,
    /// The same over HTTP/2, where a client has one connection for all of its requests. 5 min.
    pub idle_http2: Duration,
    /// The least speed at which a client reads what is sent to it. A client that reads nothing is cut after the window.
    /// The speed is measured where the kernel, or HTTP/2's window, takes bytes. HTTP/2 takes pieces of 16 KiB. The
    /// kernel takes pieces that grow with the client's buffer, of up to 128 KiB over loopback. So the window should be
    /// long enough for one of these. 7,200 bytes in 30 s; a client that reads 4,500 bytes a second is safe, and over
    /// HTTP/2, or with a small buffer, one that reads 550.
    pub reading: Option<Rate>,
    /// The bytes of a request's head, and of what is buffered for a connection in each direction. A target of more than
    /// 65,534 bytes is a 414. A head for which this is not enough is a 431. hyper asks for at least 8 KiB. 80 KiB.
    pub buffer: usize,
    /// How many requests of one HTTP/2 connection may be under way at once. 100.
    pub streams: u32,
    /// The bytes of a request's body that an HTTP/2 client may send ahead. 64 KiB for a stream, four times that for a
    /// connection.
    pub window: u32,
    /// How long requests and tunnels may take to finish after the server is told to stop. 10 s.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            idle_http2: Duration::from_secs(300),
            reading: Some(Rate::new(7_200, Duration::from_secs(30))),
            buffer: 80 << 10,
            streams: 100,
            window: 64 << 10,
            grace: Duration::from_secs(10),
        }
    }
}

/// Descriptors for other uses than connections: the standard streams, listeners, the runtime's own, a log, a resolver's
/// files.
const OTHER_DESCRIPTORS: usize = 24;

impl Limits {
    /// The usual limits, with as many connections as the process has descriptors for, if each needs one more for its
    /// upstream. Idle connections to upstreams are not counted: [they go](crate::proxy::Limits::idle_connections) when
    /// descriptors run out. If the limit of descriptors cannot be read (`/proc/self/limits`, on Linux), 10,000.
    #[must_use]
    pub fn within_descriptors() -> Self {
        Self::within_descriptors_beside(0)
    }

    /// The same, beside so many descriptors that the process needs for something else, such as [`Workers`](super::Workers).
    #[must_use]
    pub fn within_descriptors_beside(others: usize) -> Self {
        let mut limits = Self::default();
        if let Some(descriptors) = std::fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(soft_limit) {
            let for_clients = descriptors.saturating_sub(OTHER_DESCRIPTORS.saturating_add(others)) / 2;
            limits.connections = limits.connections.min(for_clients.max(1));
        }
        limits
    }
}

/// `Max open files   1024   524288   files`.
fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
