//! What the page is told, every second, while somebody looks.
//!
//! All who look share one event, made once. Who reads slowly gets the newest next and not those before it, so nothing piles up for anybody.

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

/// How many may look at once.
const PLACES: usize = 16;
/// After so long, a browser asks anew, so that a place is not kept by who is gone.
const LONGEST: Duration = Duration::from_secs(600);
/// Figures are of so many seconds.
const SECONDS: usize = 5;

/// What else there is.
const LINKS: [(&str, &str); 5] = [
    ("flame graph: running", "flame.svg?of=running"),
    ("running and waiting", "flame.svg?of=time"),
    ("allocated", "flame.svg?of=bytes"),
    ("pprof", "pprof"),
    ("metrics", "metrics"),
];

pub(crate) type Events = StreamBody<Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Infallible>> + Send>>>;

/// Where events come from.
pub(super) struct Feed {
    chain: Bytes,
    latest: Arc<watch::Sender<Latest>>,
    looks: Arc<Notify>,
    places: Arc<Semaphore>,
}

/// The newest event of each kind. The numbers rise where it is another than before.
#[derive(Clone, Debug, Default)]
struct Latest {
    figures: Bytes,
    /// Empty where there are no groups, and there were none.
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

    /// All events from now on, for one who looks. `None`: too many do.
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

/// One who looks.
struct Viewer {
    /// Not sent yet.
    chain: Option<Bytes>,
    latest: watch::Receiver<Latest>,
    /// The numbers of what was sent last, in the order in which it is sent.
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
            // Who has just come does not wait for the next second.
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

/// Another number where it says something else.
fn renew(event: &mut (u64, Bytes), says: String) {
    if event.1 != says {
        *event = (event.0 + 1, says.into());
    }
}

fn numbers(kept: &Keeps) -> [Vec<u64>; 2] {
    [&kept.slowest, &kept.failed].map(|runs: &Vec<Kept>| runs.iter().map(|run| run.number).collect())
}
