//! A registry that follows a name, and time that stands still until the test moves it.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chain_runtime::upstream::{Dns, Registry, Resolved, Resolver, Seat, Source, Told};
use tokio::task::JoinHandle;

use crate::server::Server;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Time stands still while this is there, also where everybody waits. tokio moves paused time on when nobody has anything to do, and does not know that a
/// reply is on its way; but not while a blocking task runs.
pub(crate) struct Clock {
    _held: Sender<()>,
}

impl Clock {
    pub(crate) fn hold() -> Self {
        let (held, released) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || released.recv());
        Self { _held: held }
    }

    /// Moves time on, in steps, so that what waits for less wakes at its time. What is asked on the way is answered before time goes on, unless the server
    /// is one that gives no answer.
    pub(crate) async fn pass(&self, time: Duration) {
        let step = Duration::from_millis(250);
        let mut left = time;
        while !left.is_zero() {
            let now = left.min(step);
            tokio::time::advance(now).await;
            left -= now;
            settled().await;
        }
    }
}

thread_local! {
    /// The resolvers of this test: it has a thread of its own.
    static RESOLVERS: RefCell<Vec<Resolver>> = const { RefCell::new(Vec::new()) };
    static GIVES_ANSWERS: Cell<bool> = const { Cell::new(true) };
}

/// A clock that moves on waits for the answers that this resolver waits for.
pub(crate) fn known(resolver: Resolver) -> Resolver {
    RESOLVERS.with_borrow_mut(|resolvers| resolvers.push(resolver.clone()));
    resolver
}

/// Says whether there are answers to wait for.
pub(crate) fn gives_answers(does: bool) {
    GIVES_ANSWERS.set(does);
}

async fn settled() {
    // Whoever was woken by the time asks now.
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    let is_waiting = || RESOLVERS.with_borrow(|all| all.iter().any(|resolver| resolver.asked().under_way > 0));
    if is_waiting() {
        if GIVES_ANSWERS.get() {
            until("an answer", || !is_waiting()).await;
        } else {
            real(Duration::from_millis(2)).await;
        }
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }
}

/// Waits for this long, by the world's clock.
pub(crate) async fn real(time: Duration) {
    tokio::task::spawn_blocking(move || std::thread::sleep(time)).await.unwrap();
}

/// Waits for what comes from the server, without moving time.
pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(20), "there was never {what}");
        real(Duration::from_millis(1)).await;
    }
}

pub(crate) fn address(found: Resolved<'_>) -> SocketAddr {
    found.address
}

pub(crate) type Make = fn(Resolved<'_>) -> SocketAddr;

pub(crate) fn host(server: &Server, host: &str) -> Dns<Make> {
    Dns::host(&known(Resolver::at([server.address])), host, 80, address as Make).unwrap()
}

/// A registry that follows a source.
pub(crate) struct Followed {
    pub(crate) registry: Arc<Registry<SocketAddr>>,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Followed {
    pub(crate) fn start<S>(source: S) -> Self
    where
        S: Source<SocketAddr, Error: std::fmt::Display> + Send + 'static,
    {
        let registry = Arc::new(Registry::new());
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let (own, hear) = (Arc::clone(&registry), Arc::clone(&heard));
        let task = tokio::spawn(async move {
            own.follow(source, |told: &Told<S::Error>| hear.lock().unwrap().push(told.to_string())).await;
        });
        Self { registry, heard, task }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.registry.snapshot().members().iter().map(|entry| entry.seat().name().to_owned()).collect()
    }

    pub(crate) fn weights(&self) -> Vec<(String, u32)> {
        let snapshot = self.registry.snapshot();
        snapshot.members().iter().map(|entry| (entry.seat().name().to_owned(), entry.weight().get())).collect()
    }

    pub(crate) fn seat(&self, name: &str) -> Arc<Seat<SocketAddr>> {
        Arc::clone(self.registry.snapshot().get(name).unwrap().seat())
    }

    /// What was told so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> String {
        self.heard().pop().unwrap_or_default()
    }

    /// Waits until so much was told, and returns the last of it.
    pub(crate) async fn told(&self, count: usize) -> String {
        until(&format!("more to hear than {:?}", self.heard()), || self.heard().len() >= count).await;
        let heard = self.heard();
        assert_eq!(heard.len(), count, "{heard:?}");
        heard.last().unwrap().clone()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.task.abort();
    }
}
