//! [`Redis`]: one connection for the whole process, and a bounded queue in front of it.

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

/// The most keys that one command asks for: the server does nothing else meanwhile.
const BATCH: usize = 128;

/// After this time without a question, the connection is tested.
const IDLE: Duration = Duration::from_secs(1);

/// How long a new connection may take.
const CONNECTS: Duration = Duration::from_millis(500);

/// How long a script may take if no request waits for it.
const CALLS: Duration = Duration::from_secs(1);

/// The longest time between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(100);

/// Redis, as one process sees it: one connection, which is replaced when it breaks.
///
/// Clones are the same connection. When the last one is dropped, its task ends.
///
/// It is *up* from when the server has answered on a connection until a question has failed, or has had no answer in
/// [time](Settings::patience). While it is not up, no request waits for it: a question fails at once, and a task tries
/// to connect, at intervals that grow to a tenth of a second.
#[derive(Clone)]
pub struct Redis {
    queue: mpsc::Sender<Ask>,
    state: Arc<State>,
}

pub(super) struct State {
    settings: Settings,
    up: AtomicBool,
    /// The connection, while it is up, and its number.
    live: Mutex<Option<(MultiplexedConnection, u64)>>,
    /// A question had no answer on the connection.
    broken: Notify,
    /// Tells that it is up, or no longer up.
    news: Notify,
    outages: AtomicU64,
    error: Mutex<Option<String>>,
}

impl Redis {
    /// Starts to connect, on a task of the current runtime. It waits for nothing: see [`ready`](Self::ready).
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

    /// Completes when it was [lost](Self::outages) more often than `seen`, and returns how often it was lost. With
    /// [`ready`](Self::ready), code can report both.
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

    /// How often it was up and then went down.
    #[must_use]
    pub fn outages(&self) -> u64 {
        self.state.outages.load(Relaxed)
    }

    /// Why it is not up, or was not up the last time. `None` if it never failed.
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

    /// Puts a question into the queue. If there is no room, the question is dropped, which answers it.
    pub(crate) fn ask(&self, ask: Ask) {
        let _ = self.queue.try_send(ask);
    }
}

impl Redis {
    /// Runs a script, on the shared connection.
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
            // An error that the server reports shows that the connection works.
            Ok(Err(error)) if matches!(error.kind(), redis::ErrorKind::Server(_) | redis::ErrorKind::Extension) => {
                return Err(Away { why: error.to_string() });
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_string(),
        };
        // Since the question was sent, the connection may have been replaced. The new one is not to blame.
        if lock(&self.state.live).as_ref().is_some_and(|(_, live)| *live == number) {
            self.state.broken.notify_waiters();
        }
        Err(Away { why })
    }
}

/// Redis is away: it could not be reached, did not answer in time, or has answered with an error.
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
        // Each outage gives the connection a new number.
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

/// The task. However it ends, for example with its runtime, Redis counts as away then.
struct Ends(Arc<State>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.is_down("the task that asks has ended".to_string());
    }
}

/// All handles were dropped.
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
        // The first attempt after an answer is made at once: a server that was restarted is there already.
        if failures > 0 {
            let pause = PAUSE.min(Duration::from_millis(5) * (1 << failures.min(7)));
            if answering_none(&mut asks, sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0))).await.is_err() {
                return;
            }
        }
        failures += 1;
    }
}

/// Awaits this, and meanwhile answers all questions with "no answer".
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
        // A server that loads its data accepts connections, but answers nothing.
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok::<_, redis::RedisError>(connection)
    };
    match timeout(CONNECTS, connects).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err("no connection in time".to_string()),
    }
}

/// Sends one batch after another, until one fails. Then no question that was queued while Redis was up is left in the
/// queue.
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
    // Redis is marked as down first, so that code that hears that there is no answer does not ask again.
    state.is_down(error);
    Ok(())
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("up", &self.is_up()).field("outages", &self.outages()).finish_non_exhaustive()
    }
}
