//! [`Tunnels`]: connections that were upgraded, WebSocket most of all, and are carried between a client and an upstream.

use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use ::hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::pace::later;
use super::streaming::Streaming;
use crate::tailed::{Carried, Tunnel};

/// The tunnels of a server: they are counted, bounded in number, and ended when the server stops.
///
/// A clone is another handle of the same tunnels. Give one to [`Settings::tunnels`](super::Settings::tunnels), so that
/// upgrades are passed on, and one to [`Server::tunnels`](super::server::Server::tunnels), so that stopping waits for
/// them, and ends them after the grace.
///
/// A tunnel begins with a reply of `101`, and lives on when the run that gave the reply is over. It ends when both
/// sides have closed, when either breaks, when neither sends anything for as long as it may be [idle](Tunnels::new),
/// and when the server stops.
#[derive(Clone, Debug)]
pub struct Tunnels(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    idle: Duration,
    open: AtomicUsize,
    all: Arc<All>,
    tasks: TaskTracker,
    cutting: CancellationToken,
}

/// The tunnels of servers that follow one another.
#[derive(Debug)]
struct All {
    /// That of the last one that began.
    limit: AtomicUsize,
    open: AtomicUsize,
}

/// The bytes that are read ahead, in each direction. A tunnel takes two of these, and the buffers of its sockets.
const AHEAD: usize = 8 << 10;

impl Tunnels {
    /// At most so many tunnels at once. Each is ended when nothing was sent in either direction for so long.
    #[must_use]
    pub fn new(limit: usize, idle: Duration) -> Self {
        let all = All { limit: AtomicUsize::new(limit), open: AtomicUsize::new(0) };
        Self::among(Arc::new(all), limit, idle)
    }

    /// Tunnels of a server that follows the one of these, with other settings. Its limit also counts the tunnels that the
    /// earlier server still has. It holds for both as soon as the [server](super::server::Server::tunnels) serves.
    #[must_use]
    pub fn following(&self, limit: usize, idle: Duration) -> Self {
        Self::among(Arc::clone(&self.0.all), limit, idle)
    }

    fn among(all: Arc<All>, limit: usize, idle: Duration) -> Self {
        let (tasks, cutting) = (TaskTracker::new(), CancellationToken::new());
        Self(Arc::new(Shared { limit, idle, open: AtomicUsize::new(0), all, tasks, cutting }))
    }

    /// A server serves with these: from now on their limit holds.
    pub(super) fn begin(&self) {
        self.0.all.limit.store(self.0.limit, Ordering::Relaxed);
    }

    /// How many of these tunnels are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }

    /// Waits until no tunnel is open any more. New ones may still begin.
    pub async fn drained(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Ends all open tunnels, and any that begins from now on.
    pub fn cut(&self) {
        self.0.cutting.cancel();
    }

    /// A place for one more tunnel. `None` if there are as many as are allowed.
    pub(super) fn place(&self) -> Option<Place> {
        let All { limit, open } = &*self.0.all;
        let limit = limit.load(Ordering::Relaxed);
        let more = |open| (open < limit).then_some(open + 1);
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        self.0.open.fetch_add(1, Ordering::Relaxed);
        Some(Place(self.clone()))
    }
}

/// One tunnel's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Tunnels);

impl Drop for Place {
    fn drop(&mut self) {
        let Shared { open, all, .. } = &*self.0.0;
        open.fetch_sub(1, Ordering::Relaxed);
        all.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Place {
    /// Carries the bytes of both sides, once they are upgraded, in a task of its own.
    fn carry(self, client: OnUpgrade, upstream: OnUpgrade, told: Tunnel, streaming: Streaming) {
        let shared = Arc::clone(&self.0.0);
        let tasks = shared.tasks.clone();
        tasks.spawn(async move {
            let _both = (self, streaming);
            let moved = Arc::new(Moved::default());
            // This also runs if the task is dropped, for example with the runtime.
            let end = End { moved: Arc::clone(&moved), told, was_cut: true };
            carried(&shared, client, upstream, &moved, end).await;
        });
    }
}

/// A tunnel that is to begin with its reply.
pub(super) struct Opening {
    pub(super) place: Place,
    pub(super) client: OnUpgrade,
    pub(super) upstream: OnUpgrade,
    pub(super) told: Tunnel,
}

impl Opening {
    /// Begins the tunnel. The given value goes with it to its end.
    pub(super) fn open(self, streaming: Streaming) {
        self.place.carry(self.client, self.upstream, self.told, streaming);
    }
}

async fn carried(shared: &Shared, client: OnUpgrade, upstream: OnUpgrade, moved: &Arc<Moved>, mut end: End) {
    let both = pin!(async {
        let (client, upstream) = tokio::try_join!(client, upstream).map_err(io::Error::other)?;
        let mut client = Side { io: TokioIo::new(client), read: Way::Up, moved: Arc::clone(moved) };
        let mut upstream = Side { io: TokioIo::new(upstream), read: Way::Down, moved: Arc::clone(moved) };
        copy_bidirectional_with_sizes(&mut client, &mut upstream, AHEAD, AHEAD).await
    });
    let idle = async {
        let began = Instant::now();
        let (mut seen, mut since) = (0, began);
        loop {
            sleep_until(later(since, shared.idle)).await;
            let now = moved.up.load(Ordering::Relaxed) + moved.down.load(Ordering::Relaxed);
            if now == seen {
                return;
            }
            (seen, since) = (now, Instant::now());
        }
    };
    end.was_cut = tokio::select! {
        _ = both => false,
        () = idle => true,
        () = shared.cutting.cancelled() => true,
    };
}

/// Reports a tunnel's end, however it ends.
struct End {
    moved: Arc<Moved>,
    told: Tunnel,
    was_cut: bool,
}

impl Drop for End {
    fn drop(&mut self) {
        let (up, down) = (self.moved.up.load(Ordering::Relaxed), self.moved.down.load(Ordering::Relaxed));
        self.told.ended(Carried { up, down, was_cut: self.was_cut });
    }
}

/// The bytes in each direction.
#[derive(Debug, Default)]
struct Moved {
    up: AtomicU64,
    down: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Up,
    Down,
}

/// One side of a tunnel, whose bytes are counted as they are read.
struct Side<T> {
    io: T,
    read: Way,
    moved: Arc<Moved>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Side<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        let bytes = (buffer.filled().len() - before) as u64;
        let count = match self.read {
            Way::Up => &self.moved.up,
            Way::Down => &self.moved.down,
        };
        count.fetch_add(bytes, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Side<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(1);

    #[test]
    fn the_limit_counts_the_tunnels_of_the_server_before_as_soon_as_the_next_one_serves() {
        let before = Tunnels::new(2, IDLE);
        let taken = [before.place(), before.place()];
        assert!(taken.iter().all(Option::is_some) && before.place().is_none());
        let next = before.following(3, IDLE);
        assert!(next.place().is_none(), "the server before still holds its own limit");
        next.begin();
        let third = next.place();
        assert!(third.is_some() && next.place().is_none() && before.place().is_none());
        assert_eq!((before.open(), next.open()), (2, 1));
        // With a smaller one, both wait until enough of them have ended.
        let last = next.following(1, IDLE);
        last.begin();
        drop(taken);
        assert!(last.place().is_none(), "one is open");
        drop(third);
        assert!(last.place().is_some());
    }
}
