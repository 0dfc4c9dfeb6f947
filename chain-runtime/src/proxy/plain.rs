//! [`Plain`]: the connections of one worker to an upstream that speaks HTTP/1.1 without TLS.
//!
//! hyper-util's client does this, too. But for each request it spawns a task that waits until the connection is ready
//! again, looks a pool up by a key, and boxes what it waits for. Here the task that drives a connection gives it back:
//! a reply's end is something that it sees anyway.
//!
//! That task also hears that the upstream has closed an idle connection, and takes it out of the idle ones. A connection
//! is not looked at once more when a request takes it: that would be a system call for each request, and the upstream
//! may close it after the look. So there is a moment between the upstream's close and the next turn of this runtime's
//! events. If hyper hears of the close before it writes, it gives the request back, and it goes to another connection.
//! If it does not, the request is lost with the connection, and is sent once more only if its method is safe: see `Hop`.
//!
//! ```text
//! idle --take--> a request --its reply begins--> parked --its reply ends--> waiting request, or idle
//! ```

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::time::Duration;
use std::boxed::Box;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::vec::Vec;

use ::hyper::client::conn::http1::{Builder, SendRequest};
use bytes::Bytes;
use http::{Request, Uri};
use http_body::Body;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use tower_service::Service as _;

use super::connections::{Connector, SendError, Sent};
use super::descriptors::{self, Keeps};
use super::error::Cause;
use super::limits::Limits;
use super::linked::Link;
use super::upload::Upload;

/// Connections to one upstream.
pub(super) struct Plain<B>(Arc<Shelf<B>>);

struct Shelf<B> {
    connector: Connector,
    /// The upstream's scheme, host and port.
    target: Uri,
    http: Builder,
    /// The most connections that are kept without a request, and how long.
    most: usize,
    idle: Duration,
    kept: Mutex<Kept<B>>,
}

struct Kept<B> {
    /// Connections without a request, and since when. The one that was used last is the last.
    idle: VecDeque<(Instant, Line<B>)>,
    /// Requests that make a connection, and take one that becomes free before. One that has what it needs, or is gone,
    /// stays until those before it do: none is longer here than it takes to connect.
    waiting: VecDeque<oneshot::Sender<Line<B>>>,
    /// Whether a task closes those that are idle for too long.
    is_watched: bool,
}

/// An open connection.
struct Line<B> {
    sender: SendRequest<Upload<B>>,
    link: Link,
    berth: Arc<Berth<B>>,
}

/// Where a connection waits for the end of its reply.
type Berth<B> = Mutex<Option<SendRequest<Upload<B>>>>;

/// What is behind it is whole whenever the lock is released, whoever panics.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request that has no reply yet. If it is given up, its connection is closed at once, whatever of it is still to be
/// written: the upstream may read nothing.
struct Unanswered(Option<Link>);

impl Unanswered {
    fn answered(mut self) -> Option<Link> {
        self.0.take()
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(link) = self.0.take() {
            link.poison();
        }
    }
}

impl<B> Line<B> {
    fn is_ready(&self) -> bool {
        self.sender.is_ready() && !self.link.is_poisoned()
    }
}

impl<B> Plain<B>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static,
{
    pub(super) fn new(connector: Connector, target: Uri, limits: &Limits) -> Self {
        let mut http = Builder::new();
        http.max_buf_size(limits.reply_buffer());
        if let Some(most) = limits.other_reply_fields() {
            http.max_headers(most);
        }
        let kept = Mutex::new(Kept { idle: VecDeque::new(), waiting: VecDeque::new(), is_watched: false });
        let shelf = Arc::new(Shelf { connector, target, http, most: limits.idle_connections, idle: limits.idle, kept });
        descriptors::spare(Arc::downgrade(&shelf) as Weak<dyn Keeps>);
        Self(shelf)
    }

    /// Sends a request, with `anew` on a connection that was not there before, and is not kept. Of its target, only the
    /// path and the query are sent.
    pub(super) fn send(
        &self,
        mut request: Request<Upload<B>>,
        anew: bool,
    ) -> impl Future<Output = Sent> + Send + 'static + use<B> {
        let shelf = Arc::clone(&self.0);
        let kept = if anew { None } else { shelf.take() };
        if request.uri().authority().is_some() {
            let path = request.uri().path_and_query().cloned();
            *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
        }
        async move {
            let (mut line, mut is_new) = match kept {
                Some(line) => (line, false),
                None if anew => (shelf.connect().await?, true),
                None => shelf.connect_or_wait().await?,
            };
            loop {
                let unanswered = Unanswered(Some(line.link.clone()));
                match line.sender.try_send_request(request).await {
                    Ok(reply) => {
                        let link = unanswered.answered();
                        if !anew {
                            shelf.park(line);
                        }
                        return Ok((reply, link));
                    }
                    Err(mut failed) => match failed.take_message() {
                        // It was closed meanwhile, before anything was written to it.
                        Some(unsent) if !is_new => {
                            request = unsent;
                            (line, is_new) = match shelf.take() {
                                Some(line) => (line, false),
                                None => shelf.connect_or_wait().await?,
                            };
                        }
                        _ => return Err(SendError::Lost(failed.into_error(), line.link)),
                    },
                }
            }
        }
    }
}

impl<B> Keeps for Shelf<B>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static,
{
    fn give_up(&self) -> usize {
        let mut kept = self.lock();
        let half = kept.idle.len().div_ceil(2);
        let given_up: Vec<_> = kept.idle.drain(..half).collect();
        drop(kept);
        given_up.len()
    }
}

impl<B> Shelf<B> {
    fn lock(&self) -> MutexGuard<'_, Kept<B>> {
        locked(&self.kept)
    }
}

impl<B> Shelf<B>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static,
{
    /// A connection that is ready for a request.
    fn take(&self) -> Option<Line<B>> {
        let mut kept = self.lock();
        let now = Instant::now();
        while let Some((since, line)) = kept.idle.pop_back() {
            if line.is_ready() && now.duration_since(since) < self.idle {
                return Some(line);
            }
        }
        None
    }

    /// Parks a connection whose reply has begun, until the reply has ended.
    fn park(self: &Arc<Self>, line: Line<B>) {
        let Line { sender, link, berth } = line;
        *locked(&berth) = Some(sender);
        // The reply may have ended before: then nothing polls the connection again.
        self.unpark(&berth, &link);
    }

    /// Gives a parked connection back, if its reply has ended. Both ask this, who parks it and who drives it, each after
    /// what it did: one of the two sees the other's doing.
    fn unpark(self: &Arc<Self>, berth: &Arc<Berth<B>>, link: &Link) {
        let mut parked = locked(berth);
        let Some(sender) = parked.take_if(|sender| sender.is_ready()) else { return };
        drop(parked);
        self.give_back(Line { sender, link: link.clone(), berth: Arc::clone(berth) });
    }

    /// To a request that waits, or to those without one.
    fn give_back(self: &Arc<Self>, mut line: Line<B>) {
        if !line.is_ready() {
            return;
        }
        let mut kept = self.lock();
        while let Some(waiting) = kept.waiting.pop_front() {
            match waiting.send(line) {
                Ok(()) => return,
                Err(unsent) => line = unsent,
            }
        }
        if kept.idle.len() >= self.most || self.idle.is_zero() {
            return;
        }
        let now = Instant::now();
        kept.idle.push_back((now, line));
        if !kept.is_watched {
            kept.is_watched = true;
            tokio::spawn(watch(Watch(Some(Arc::downgrade(self))), now + self.idle));
        }
    }

    /// A new connection, or one that becomes free before that is made; and whether it is new.
    async fn connect_or_wait(self: &Arc<Self>) -> Result<(Line<B>, bool), SendError> {
        let (waiting, mut freed) = oneshot::channel();
        {
            let mut kept = self.lock();
            while kept.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                kept.waiting.pop_front();
            }
            kept.waiting.push_back(waiting);
        }
        tokio::select! {
            biased;
            Ok(line) = &mut freed => Ok((line, false)),
            made = self.connect() => {
                freed.close();
                if let Ok(line) = freed.try_recv() {
                    self.give_back(line);
                }
                Ok((made?, true))
            }
        }
    }

    async fn connect(self: &Arc<Self>) -> Result<Line<B>, SendError> {
        let io = self.connector.clone().call(self.target.clone()).await.map_err(SendError::Connect)?;
        let link = io.link();
        let (sender, connection) =
            self.http.handshake(io).await.map_err(|error| SendError::Connect(Box::new(error)))?;
        let berth = Arc::new(Berth::new(None));
        let (driven, to, shelf) = (Arc::clone(&berth), link.clone(), Arc::downgrade(self));
        tokio::spawn(async move {
            let mut connection = pin!(connection.with_upgrades());
            poll_fn(|context| {
                // How it ends, its request is told.
                let polled = connection.as_mut().poll(context).map(drop);
                if polled.is_pending() {
                    match shelf.upgrade() {
                        Some(shelf) => shelf.unpark(&driven, &to),
                        // Nobody will ask for it any more. Without a sender it ends with its reply.
                        None => drop(locked(&driven).take()),
                    }
                }
                polled
            })
            .await;
        });
        Ok(Line { sender, link, berth })
    }
}

/// Its task is not there any more when this is dropped, for whatever reason.
struct Watch<B>(Option<Weak<Shelf<B>>>);

impl<B> Drop for Watch<B> {
    fn drop(&mut self) {
        if let Some(shelf) = self.0.take().and_then(|shelf| shelf.upgrade()) {
            shelf.lock().is_watched = false;
        }
    }
}

/// Closes connections that are idle for too long, as long as there are any.
async fn watch<B>(mut watch: Watch<B>, first: Instant)
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Send + Unpin + 'static,
{
    let mut until = first;
    loop {
        sleep_until(until).await;
        let Some(shelf) = watch.0.as_ref().and_then(Weak::upgrade) else { return };
        let mut kept = shelf.lock();
        let now = Instant::now();
        kept.idle.retain(|(since, line)| now < *since + shelf.idle && !line.sender.is_closed());
        match kept.idle.front() {
            Some((since, _)) => until = *since + shelf.idle,
            None => {
                // From here on, whoever keeps a connection starts another one.
                kept.is_watched = false;
                watch.0 = None;
            }
        }
        drop(kept);
        if watch.0.is_none() {
            return;
        }
    }
}
