//! [`Redis`]: one connection for all of a process, and a bounded queue in front of it.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::string::{String, ToString as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::vec::Vec;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client};
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};

use super::permits::{self, Ask};
use super::script::Script;
use super::settings::Settings;

/// Keys that one command asks for, at most: the server does nothing else meanwhile.
const BATCH: usize = 128;

/// After how long without an ask the connection is tried.
const IDLE: Duration = Duration::from_secs(1);

/// How long a new connection may take.
const CONNECTS: Duration = Duration::from_millis(500);

/// How long a script may take that no request waits for.
const CALLS: Duration = Duration::from_secs(1);

/// Between one attempt to connect and the next, at most.
const PAUSE: Duration = Duration::from_millis(100);

/// Redis, as one process sees it: one connection, which is made anew when it breaks.
///
/// Clones are the same. When the last one is dropped, the task behind it ends.
///
/// It is *up* from when the server has answered on a connection until a question has failed, or has had no answer in [time](Settings::patience). While it is not
/// up nobody waits for it: whoever asks is told at once, and a task tries to connect, at intervals that grow to a tenth of a second.
#[derive(Clone)]
pub struct Redis {
    queue: mpsc::Sender<Ask>,
    state: Arc<State>,
}

pub(super) struct State {
    settings: Settings,
    up: AtomicBool,
    /// The connection, while it is up, and which one it is.
    live: Mutex<Option<(MultiplexedConnection, u64)>>,
    /// Somebody has had no answer on the connection.
    broken: Notify,
    /// Tells that it is up, or is not.
    news: Notify,
    outages: AtomicU64,
    error: Mutex<Option<String>>,
}

impl Redis {
    /// Starts to connect, on a task of the runtime that this is called in. It waits for nobody: see [`ready`](Self::ready).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer and its I/O.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        let (queue, asks) = mpsc::channel(settings.queue);
        let state = Arc::new(State {
            settings,
            up: AtomicBool::new(false),
            live: Mutex::new(None),
            broken: Notify::new(),
            news: Notify::new(),
            outages: AtomicU64::new(0),
            error: Mutex::new(None),
        });
        let ends = Ends(Arc::clone(&state));
        tokio::spawn(async move { drive(&ends.0, asks).await });
        Self { queue, state }
    }

    /// Completes when it is up.
    pub async fn ready(&self) {
        loop {
            let mut told = core::pin::pin!(self.state.news.notified());
            told.as_mut().enable();
            if self.is_up() {
                return;
            }
            told.await;
        }
    }

    /// Completes when it was [lost](Self::outages) more often than `seen`, and returns how often. With [`ready`](Self::ready), for who tells of it.
    pub async fn lost(&self, seen: u64) -> u64 {
        loop {
            let mut told = core::pin::pin!(self.state.news.notified());
            told.as_mut().enable();
            let outages = self.outages();
            if outages > seen {
                return outages;
            }
            told.await;
        }
    }

    /// Whether it is up, as far as this process knows.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state.up.load(Relaxed)
    }

    /// How often it was up, and then was not.
    #[must_use]
    pub fn outages(&self) -> u64 {
        self.state.outages.load(Relaxed)
    }

    /// Why it is not up, or was not the last time. `None` where there was nothing yet.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        lock(&self.state.error).clone()
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.state.settings.prefix
    }

    pub(crate) fn patience(&self) -> Duration {
        self.state.settings.patience
    }

    /// Puts it into the queue. Where there is no room it is dropped, and so is answered.
    pub(crate) fn ask(&self, ask: Ask) {
        let _ = self.queue.try_send(ask);
    }
}

impl Redis {
    /// Runs a script, on the connection that all use.
    pub(super) async fn run<T: redis::FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: &[String],
    ) -> Result<T, Away> {
        let live = lock(&self.state.live).clone();
        let Some((mut connection, number)) = live else {
            return Err(Away { why: self.last_error().unwrap_or_else(|| "not connected yet".to_string()) });
        };
        let why = match timeout(CALLS, script.run(&mut connection, keys, arguments)).await {
            Ok(Ok(said)) => return Ok(said),
            // What the server says, the connection is good for.
            Ok(Err(error)) if matches!(error.kind(), redis::ErrorKind::Server(_) | redis::ErrorKind::Extension) => {
                return Err(Away { why: error.to_string() });
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_string(),
        };
        // Since it asked, there may be another connection, which is not to blame.
        if lock(&self.state.live).as_ref().is_some_and(|(_, live)| *live == number) {
            self.state.broken.notify_waiters();
        }
        Err(Away { why })
    }
}

/// Redis is away: it was not reached, did not answer in time, or has answered with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    why: String,
}

impl Away {
    #[cfg(feature = "upstream")]
    pub(super) fn because(why: &str) -> Self {
        Self { why: why.to_string() }
    }
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis is away: {}", self.why)
    }
}

impl core::error::Error for Away {}

impl State {
    fn is_up(&self, connection: &MultiplexedConnection) {
        // It is another one after each outage.
        *lock(&self.live) = Some((connection.clone(), self.outages.load(Relaxed)));
        self.up.store(true, Relaxed);
        self.news.notify_waiters();
    }

    fn is_down(&self, error: String) {
        let was = lock(&self.live).take();
        if self.up.swap(false, Relaxed) {
            self.outages.fetch_add(1, Relaxed);
        }
        *lock(&self.error) = Some(error);
        self.news.notify_waiters();
        drop(was);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> impl core::ops::DerefMut<Target = T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The task. However it ends, with its runtime for example, Redis is away then.
struct Ends(Arc<State>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.is_down("the task that asks has ended".to_string());
    }
}

/// All handles are dropped.
struct Closed;

/// Connects, answers, and connects again, until all handles are dropped.
async fn drive(state: &State, mut asks: mpsc::Receiver<Ask>) {
    let mut failures = 0_u32;
    loop {
        match answering_none(&mut asks, connect(&state.settings.client)).await {
            Err(Closed) => return,
            Ok(Err(error)) => state.is_down(error),
            Ok(Ok(connection)) => {
                state.is_up(&connection);
                if let Err(Closed) = serve(state, connection, &mut asks, &mut failures).await {
                    return;
                }
            }
        }
        // The first attempt after an answer is made at once: a server that was started anew is there already.
        if failures > 0 {
            let pause = PAUSE.min(Duration::from_millis(5) * (1 << failures.min(7)));
            if answering_none(&mut asks, sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0))).await.is_err() {
                return;
            }
        }
        failures += 1;
    }
}

/// Awaits this, and tells whoever asks meanwhile that there is no answer.
async fn answering_none<F: Future>(asks: &mut mpsc::Receiver<Ask>, until: F) -> Result<F::Output, Closed> {
    let mut until = core::pin::pin!(until);
    loop {
        tokio::select! {
            biased;
            done = &mut until => return Ok(done),
            ask = asks.recv() => drop(ask.ok_or(Closed)?),
        }
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, String> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let connects = async {
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        // A server that loads its data takes connections, and answers nothing else.
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok::<_, redis::RedisError>(connection)
    };
    match timeout(CONNECTS, connects).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err("no connection in time".to_string()),
    }
}

/// Asks for one batch after another, until one fails. Then nobody is in the queue who saw it up.
async fn serve(
    state: &State,
    mut connection: MultiplexedConnection,
    asks: &mut mpsc::Receiver<Ask>,
    failures: &mut u32,
) -> Result<(), Closed> {
    let patience = state.settings.patience;
    let mut batch = Vec::with_capacity(BATCH);
    let error = loop {
        let said = tokio::select! {
            biased;
            count = asks.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return Err(Closed);
                }
                timeout(patience, permits::ask(&mut connection, &mut batch)).await
            }
            () = state.broken.notified() => break "no answer in time".to_string(),
            () = sleep(IDLE) => timeout(patience, redis::cmd("PING").query_async::<()>(&mut connection)).await,
        };
        match said {
            Ok(Ok(())) => *failures = 0,
            Ok(Err(error)) => break error.to_string(),
            Err(_) => break "no answer in time".to_string(),
        }
    };
    // First it is down, so that whoever hears that there is no answer does not ask again.
    state.is_down(error);
    Ok(())
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("up", &self.is_up()).field("outages", &self.outages()).finish_non_exhaustive()
    }
}
