//! A proxy before four nginx, and a record of each try and of each state.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chain_runtime::chain;
use chain_runtime::proxy::{Body, Client, Forward, Leased, Limits, Outcome, Pick, Settings, Streaming, Turn, Upstream};
use chain_runtime::upstream::{Balance, Health, Member, Registry, State, Tried};
use http::Response;
use http::request::Parts;
use http_body_util::{BodyExt as _, Empty};
use tokio::task::JoinSet;

use crate::nginx::Nginx;

/// A balancer that the tasks of several clients share.
pub(crate) trait Balanced: Balance<Upstream, Table: Send + Sync> + Send + Sync + 'static {}

impl<B: Balance<Upstream, Table: Send + Sync> + Send + Sync + 'static> Balanced for B {}

chain! {
    struct Proxy<B: Balanced> { forward: Forward<Recording<B>, Empty<Bytes>> }

    async fn(request: Parts, body: Empty<Bytes>, client: Client) -> Response<Body> { forward }
}

/// Picks, and records how each try ends.
struct Recording<B: Balanced> {
    pick: chain_runtime::upstream::Pick<Upstream, B>,
    tries: Arc<Mutex<Vec<Try>>>,
}

/// A try that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Try {
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) to: SocketAddr,
    pub(crate) is_good: bool,
}

struct Recorded {
    turn: Leased,
    began: Instant,
    tries: Arc<Mutex<Vec<Try>>>,
}

impl<B: Balanced> Pick for Recording<B> {
    type Turn<'a> = Recorded;
    type Tried = Tried;

    fn pick(&self, request: &Parts, tried: &mut Tried) -> Option<Recorded> {
        let began = Instant::now();
        Some(Recorded { turn: self.pick.pick(request, tried)?, began, tries: Arc::clone(&self.tries) })
    }

    fn tries(&self, request: &Parts) -> usize {
        self.pick.tries(request)
    }
}

impl Recorded {
    fn record(&self, outcome: Outcome) {
        let to = self.turn.upstream().authority().as_str().parse().expect("an address");
        let is_good = matches!(outcome, Outcome::Replied { ok: true, .. });
        let record = Try { began: self.began, ended: Instant::now(), to, is_good };
        self.tries.lock().unwrap().push(record);
    }
}

impl Turn for Recorded {
    fn upstream(&self) -> &Upstream {
        self.turn.upstream()
    }

    fn ended(self, outcome: Outcome) {
        self.record(outcome);
        self.turn.ended(outcome);
    }

    fn streams(self, outcome: Outcome) -> Streaming {
        self.record(outcome);
        self.turn.streams(outcome)
    }
}

fn note(states: &Mutex<Vec<(Instant, State)>>, state: State) {
    let mut states = states.lock().unwrap();
    if states.last().is_none_or(|(_, last)| *last != state) {
        states.push((Instant::now(), state));
    }
}

/// A proxy before some nginx.
pub(crate) struct Watched<B: Balanced> {
    pub(crate) nginx: Vec<Nginx>,
    proxy: Arc<Proxy<B>>,
    registry: Arc<Registry<Upstream>>,
    tries: Arc<Mutex<Vec<Try>>>,
    states: Arc<Mutex<Vec<(Instant, State)>>>,
    pub(crate) lost: Arc<AtomicUsize>,
    pub(crate) sent: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
}

impl<B: Balanced> Watched<B> {
    /// Four nginx; the first is the one that is to suffer.
    pub(crate) async fn start(health: Health, first_byte: Duration, balance: B) -> Self {
        let mut nginx = Vec::new();
        for _ in 0..4 {
            nginx.push(Nginx::start().await);
        }
        let registry = Arc::new(Registry::new().with_health(health));
        for one in &nginx {
            let upstream: Upstream = format!("http://{}", one.address).parse().expect("an upstream");
            registry.register(Member::new(one.address.to_string(), upstream), Duration::MAX).expect("room for it");
        }
        let (tries, states) = (Arc::default(), Arc::<Mutex<Vec<_>>>::default());
        let mut tasks = JoinSet::new();
        let kept = Arc::clone(&registry);
        tasks.spawn(async move { kept.keep().await });
        let (seen, told, name) = (Arc::clone(&registry), Arc::clone(&states), nginx[0].address.to_string());
        tasks.spawn(async move {
            let mut snapshot = seen.snapshot().keep();
            loop {
                let state = snapshot.get(&name).expect("it stays").state();
                note(&told, state);
                snapshot = seen.changed(snapshot.version()).await;
            }
        });
        let mut limits = Limits::default();
        limits.first_byte = first_byte;
        let pick = chain_runtime::upstream::Pick::new(Arc::clone(&registry), balance);
        let recording = Recording { pick, tries: Arc::clone(&tries) };
        let proxy = Arc::new(Proxy { forward: Forward::new(recording, Settings::default().limits(limits)) });
        let (lost, sent, stop) = (Arc::default(), Arc::default(), Arc::default());
        Self { nginx, proxy, registry, tries, states, lost, sent, stop, tasks }
    }

    /// So many clients, each of which waits so long from one request to the next.
    pub(crate) fn clients(&mut self, count: usize, rest: Duration) {
        for _ in 0..count {
            let asked = self.asking();
            let stop = Arc::clone(&self.stop);
            self.tasks.spawn(async move {
                while !stop.load(Relaxed) {
                    asked().await;
                    tokio::time::sleep(rest).await;
                }
            });
        }
    }

    /// A request at each tick, whatever became of those before.
    pub(crate) fn ticks(&mut self, every: Duration) {
        let asked = self.asking();
        let stop = Arc::clone(&self.stop);
        self.tasks.spawn(async move {
            let (mut ticks, mut under_way) = (tokio::time::interval(every), JoinSet::new());
            while !stop.load(Relaxed) {
                ticks.tick().await;
                under_way.spawn(asked());
                while under_way.try_join_next().is_some() {}
            }
            under_way.join_all().await;
        });
    }

    fn asking(&self) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync + use<B> {
        let (proxy, lost, sent) = (Arc::clone(&self.proxy), Arc::clone(&self.lost), Arc::clone(&self.sent));
        move || {
            let (proxy, lost, sent) = (Arc::clone(&proxy), Arc::clone(&lost), Arc::clone(&sent));
            Box::pin(async move {
                let (head, body) =
                    http::Request::get("/").header("host", "orders.test").body(Empty::new()).unwrap().into_parts();
                let reply = proxy.run(head, body, Client::at(([127, 0, 0, 1], 1).into())).await;
                let is_good = reply.status().is_success();
                let whole = reply.into_body().collect().await.is_ok();
                sent.fetch_add(1, Relaxed);
                lost.fetch_add(usize::from(!(is_good && whole)), Relaxed);
            })
        }
    }

    /// Ends the load, and waits for what is under way.
    pub(crate) async fn stop(&self) {
        self.stop.store(true, Relaxed);
        crate::until("the end of what is under way", || {
            self.registry.snapshot().members().iter().all(|entry| entry.seat().in_flight() == 0)
        })
        .await;
    }

    pub(crate) fn tries(&self) -> Vec<Try> {
        self.tries.lock().unwrap().clone()
    }

    pub(crate) fn states(&self) -> Vec<(Instant, State)> {
        self.states.lock().unwrap().clone()
    }

    pub(crate) fn is_ejected(&self) -> bool {
        self.states().last().is_some_and(|(_, state)| matches!(state, State::Ejected { .. }))
    }
}
