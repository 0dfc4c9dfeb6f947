//! The events for the page, every second, while it is open somewhere.
//!
//! All open pages share one event, which is made once. A page that reads slowly gets the newest event next and not
//! those before it, so nothing piles up.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::telemetry::page::{self, UpstreamWindow, Window};
use chain_runtime::telemetry::{Keeps, Kept};
use futures_util::stream::{Stream, unfold};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::Watched;

/// The most pages that may be open at once.
const PLACES: usize = 16;
/// After this time a browser asks anew, so that a page that is gone does not keep its place.
const LONGEST: Duration = Duration::from_secs(600);
/// The figures cover so many seconds.
const SECONDS: usize = 5;

/// The other resources.
const LINKS: [(&str, &str); 5] = [
    ("flame graph: running", "flame.svg?of=running"),
    ("running and waiting", "flame.svg?of=time"),
    ("allocated", "flame.svg?of=bytes"),
    ("pprof", "pprof"),
    ("metrics", "metrics"),
];

pub(crate) type Events = StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;

/// The source of the events.
pub(super) struct Feed {
    chain: Bytes,
    latest: Arc<watch::Sender<Latest>>,
    looks: Arc<Notify>,
    places: Arc<Semaphore>,
}

/// The newest event of each kind. A number rises when its event differs from the one before.
#[derive(Clone, Debug, Default)]
struct Latest {
    figures: Bytes,
    /// Empty if there are no groups, and never were.
    upstreams: Bytes,
    toggles: (u64, Bytes),
    pressure: (u64, Bytes),
    kept: (u64, Bytes),
}

impl Feed {
    /// Begins to watch.
    pub(super) fn start(watched: Arc<dyn Watched>, notice: &str) -> Self {
        let feed = Self {
            chain: page::event("chain", &page::chain(watched.chain(), notice, &LINKS)).into(),
            latest: Arc::new(watch::Sender::default()),
            looks: Arc::default(),
            places: Arc::new(Semaphore::new(PLACES)),
        };
        tokio::spawn(watch(watched, Arc::clone(&feed.latest), Arc::clone(&feed.looks)));
        feed
    }

    /// All events from now on, for one open page. `None` if too many are open.
    pub(super) fn events(&self) -> Option<Events> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let viewer = Viewer {
            chain: Some(self.chain.clone()),
            latest: self.latest.subscribe(),
            seen: [0; 3],
            until: Instant::now() + LONGEST,
            _place: place,
        };
        self.looks.notify_one();
        Some(StreamBody::new(Box::pin(unfold(viewer, Viewer::next))))
    }
}

/// One open page.
struct Viewer {
    /// Not sent yet.
    chain: Option<Bytes>,
    latest: watch::Receiver<Latest>,
    /// The numbers of the last sent events, in the order in which they are sent.
    seen: [u64; 3],
    until: Instant,
    _place: OwnedSemaphorePermit,
}

impl Viewer {
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, Infallible>, Self)> {
        if let Some(chain) = self.chain.take() {
            return Some((Ok(Frame::data(chain)), self));
        }
        timeout_at(self.until, self.latest.changed()).await.ok()?.ok()?;
        let Latest { figures, upstreams, toggles, pressure, kept } = self.latest.borrow_and_update().clone();
        let mut event = Vec::with_capacity(figures.len() + upstreams.len());
        for (seen, (number, text)) in self.seen.iter_mut().zip([toggles, pressure, kept]) {
            if *seen != number {
                *seen = number;
                event.extend_from_slice(&text);
            }
        }
        event.extend_from_slice(&upstreams);
        event.extend_from_slice(&figures);
        Some((Ok(Frame::data(event.into())), self))
    }
}

async fn watch(watched: Arc<dyn Watched>, latest: Arc<watch::Sender<Latest>>, looks: Arc<Notify>) {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut maker = Maker {
        watched,
        window: Window::new(SECONDS),
        upstreams: UpstreamWindow::new(SECONDS),
        latest: Latest::default(),
        kept: Default::default(),
    };
    loop {
        if latest.receiver_count() == 0 {
            maker.window.clear();
            maker.upstreams.clear();
            looks.notified().await;
        }
        tokio::select! {
            _ = ticks.tick() => {}
            // A page that has just been opened does not wait for the next second.
            () = looks.notified() => {}
        }
        // Not on a thread that serves requests: it takes a millisecond or so.
        let made = spawn_blocking(move || {
            maker.makes();
            maker
        });
        maker = match made.await {
            Ok(made) => made,
            // The runtime stops.
            Err(_) => return,
        };
        latest.send_replace(maker.latest.clone());
    }
}

/// Makes the events.
struct Maker {
    watched: Arc<dyn Watched>,
    window: Window,
    upstreams: UpstreamWindow,
    latest: Latest,
    /// The numbers of the runs that were sent last. Their times say nothing of whether they are others.
    kept: [Vec<u64>; 2],
}

impl Maker {
    fn makes(&mut self) {
        let Self { watched, window, upstreams, latest, kept: sent } = self;
        latest.figures = page::event("figures", &window.figures(watched.snapshot())).into();
        let groups = watched.groups();
        if !groups.is_empty() || !latest.upstreams.is_empty() {
            let shown = groups.iter().map(|group| page::Group::of(group.name.clone(), &group.registry)).collect();
            latest.upstreams = page::event("upstreams", &upstreams.figures(shown)).into();
        }
        let toggles = watched.switches().map_or_else(|| "[]".to_owned(), page::toggles);
        renew(&mut latest.toggles, page::event("toggles", &toggles));
        if let Some(pressure) = watched.pressure() {
            renew(&mut latest.pressure, page::event("pressure", &page::pressure(&pressure)));
        }
        let kept = watched.kept();
        let numbers = numbers(&kept);
        if latest.kept.0 == 0 || *sent != numbers {
            latest.kept = (latest.kept.0 + 1, page::event("kept", &page::kept(&kept)).into());
            *sent = numbers;
        }
    }
}

/// Raises the number if the text differs.
fn renew(event: &mut (u64, Bytes), says: String) {
    if event.1 != says {
        *event = (event.0 + 1, says.into());
    }
}

fn numbers(kept: &Keeps) -> [Vec<u64>; 2] {
    [&kept.slowest, &kept.failed].map(|runs: &Vec<Kept>| runs.iter().map(|run| run.number).collect())
}
