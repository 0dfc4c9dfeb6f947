//! A service that registers itself: it stays, comes back, gives way, and goes, by a paused clock and a registrar
//! without a network.

use std::future::{pending, ready};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::upstream::{Announce, Member, News, NotAnnounced, Post, Registrar, Registry, State};
use http::{Request, StatusCode};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const LEASE: Duration = Duration::from_secs(15);
const SECOND: Duration = Duration::from_secs(1);

/// What becomes of a request on its way.
#[derive(Clone, Copy, PartialEq)]
enum Network {
    Works,
    Refuses,
    Hangs,
    /// What is sent arrives eight seconds later, also where nobody waits for the reply any more.
    IsLate,
}

/// A registrar, and the way to it.
struct Site {
    registrar: Registrar<u16>,
    network: Mutex<Network>,
    heartbeats: AtomicU32,
    news: Mutex<Vec<News>>,
}

#[derive(Clone)]
struct Line(Arc<Site>);

impl Post for Line {
    type Error = &'static str;

    async fn post(&self, action: &'static str, json: String) -> Result<(StatusCode, Bytes), &'static str> {
        let network = *self.0.network.lock().unwrap();
        match network {
            Network::Works => {}
            Network::Refuses => return Err("no connection"),
            Network::Hangs => pending().await,
            Network::IsLate => {
                let line = self.clone();
                return tokio::spawn(async move {
                    sleep(8 * SECOND).await;
                    Ok(line.arrives(action, &json))
                })
                .await
                .unwrap();
            }
        }
        Ok(self.arrives(action, &json))
    }
}

impl Line {
    fn arrives(&self, action: &'static str, json: &str) -> (StatusCode, Bytes) {
        self.0.heartbeats.fetch_add(u32::from(action == "heartbeat"), SeqCst);
        let request = Request::post("/").header("content-type", "application/json").body(()).unwrap();
        let (head, body) = self.0.registrar.answer(action, &request.into_parts().0, json.as_bytes()).into_parts();
        (head.status, body.into())
    }
}

impl Site {
    fn new() -> Arc<Self> {
        let registry = Arc::new(Registry::new());
        tokio::spawn({
            let registry = Arc::clone(&registry);
            async move { registry.keep().await }
        });
        let registrar = Registrar::new(registry, |text| text.parse::<u16>());
        let (network, heartbeats, news) = (Mutex::new(Network::Works), AtomicU32::new(0), Mutex::default());
        Arc::new(Self { registrar, network, heartbeats, news })
    }

    fn is(&self, network: Network) {
        *self.network.lock().unwrap() = network;
    }

    /// Announces a service until the first of these completes, and takes it out once the second has.
    fn announces(
        self: &Arc<Self>,
        endpoint: &str,
        stop: impl Future<Output = ()> + Send + 'static,
        idle: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<Result<(), NotAnnounced>> {
        let (site, endpoint) = (Arc::clone(self), endpoint.to_owned());
        tokio::spawn(async move {
            let announce = Announce::new(Member::new("a", endpoint).zone("z").weight(2).metadata("k", "v"), LEASE);
            announce.run(Line(Arc::clone(&site)), stop, idle, |news| site.news.lock().unwrap().push(news.clone())).await
        })
    }

    fn state(&self) -> Option<(u64, State)> {
        let snapshot = self.registrar.registry().snapshot();
        snapshot.get("a").map(|entry| (entry.seat().generation().get(), entry.state()))
    }

    fn count(&self, of: impl Fn(&News) -> bool) -> usize {
        self.news.lock().unwrap().iter().filter(|news| of(news)).count()
    }
}

async fn ends(task: JoinHandle<Result<(), NotAnnounced>>) -> Result<(), NotAnnounced> {
    timeout(600 * SECOND, task).await.expect("it ends").expect("it does not panic")
}

#[tokio::test(start_paused = true)]
async fn it_stays_by_heartbeats_at_a_third_of_the_lease() {
    let site = Site::new();
    let _task = site.announces("80", pending(), pending());
    sleep(SECOND).await;
    let (generation, state) = site.state().expect("it is registered");
    assert_eq!(state, State::Ready);
    let snapshot = site.registrar.registry().snapshot().keep();
    let entry = snapshot.get("a").unwrap();
    assert_eq!((entry.seat().zone(), entry.weight().get(), &*entry.seat().metadata()["k"]), (Some("z"), 2, "v"));
    sleep(20 * LEASE).await;
    assert_eq!(site.state(), Some((generation, State::Ready)));
    // 60 thirds, each by up to a tenth shorter.
    assert!((60..=68).contains(&site.heartbeats.load(SeqCst)), "{}", site.heartbeats.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_short_failure_costs_nothing_and_a_long_one_a_new_registration() {
    for broken in [Network::Refuses, Network::Hangs] {
        let site = Site::new();
        let _task = site.announces("80", pending(), pending());
        sleep(SECOND).await;
        let first = site.state().expect("it is registered");
        site.is(broken);
        sleep(LEASE / 3 + 2 * SECOND).await;
        site.is(Network::Works);
        sleep(2 * LEASE).await;
        assert_eq!(site.state(), Some(first), "there was time for another heartbeat");
        site.is(broken);
        sleep(2 * LEASE).await;
        assert_eq!(site.state(), None);
        site.is(Network::Works);
        sleep(LEASE).await;
        let second = site.state().expect("it is there again");
        assert!(second.0 > first.0);
        assert_eq!(site.count(|news| *news == News::Lost), 1);
        assert!(site.count(|news| matches!(news, News::Failed { action: "heartbeat", .. })) >= 2);
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_a_registrar_that_is_not_there_yet() {
    let site = Site::new();
    site.is(Network::Refuses);
    let _task = site.announces("80", pending(), pending());
    sleep(3_600 * SECOND).await;
    let tries = site.count(|news| matches!(news, News::Failed { action: "register", .. }));
    assert!((360..=740).contains(&tries), "5 to 10 seconds apart: {tries}");
    site.is(Network::Works);
    sleep(11 * SECOND).await;
    assert!(site.state().is_some());
}

#[tokio::test(start_paused = true)]
async fn who_is_superseded_gives_way() {
    let site = Site::new();
    let old = site.announces("80", pending(), pending());
    sleep(SECOND).await;
    let _new = site.announces("81", pending(), pending());
    assert_eq!(ends(old).await, Err(NotAnnounced::Superseded));
    sleep(4 * LEASE).await;
    let snapshot = site.registrar.registry().snapshot();
    assert_eq!(*snapshot.get("a").expect("the new one stays").seat().endpoint(), 81);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_tried_again() {
    let site = Site::new();
    let ended = ends(site.announces("nowhere", pending(), pending())).await;
    let Err(NotAnnounced::Refused { status, why }) = ended else { panic!("{ended:?}") };
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(why.contains(r#""field":"endpoint""#), "{why}");
}

#[tokio::test(start_paused = true)]
async fn it_is_drained_kept_while_it_has_requests_and_removed() {
    let site = Site::new();
    let (stop, stopping) = oneshot::channel::<()>();
    let (finish, finished) = oneshot::channel::<()>();
    let completes = |told: oneshot::Receiver<()>| async move { drop(told.await) };
    let task = site.announces("80", completes(stopping), completes(finished));
    sleep(SECOND).await;
    let (generation, _) = site.state().expect("it is registered");
    let request = site.registrar.registry().snapshot().get("a").unwrap().seat().begin().unwrap();
    stop.send(()).unwrap();
    sleep(SECOND).await;
    assert_eq!(site.state(), Some((generation, State::Draining)));
    // Longer than its lease.
    sleep(5 * LEASE).await;
    assert_eq!(site.state(), Some((generation, State::Draining)));
    drop(request);
    finish.send(()).unwrap();
    assert_eq!(ends(task).await, Ok(()));
    assert_eq!(site.registrar.registry().totals().removed, 1);
    assert_eq!(site.news.lock().unwrap()[1..], [News::Drained, News::Removed]);
}

#[tokio::test(start_paused = true)]
async fn to_stop_takes_a_bounded_time_whatever_the_network_does() {
    for broken in [Network::Refuses, Network::Hangs] {
        let site = Site::new();
        let (stop, stopping) = oneshot::channel::<()>();
        let task = site.announces("80", async move { drop(stopping.await) }, ready(()));
        sleep(SECOND).await;
        site.is(broken);
        let begun = Instant::now();
        stop.send(()).unwrap();
        assert_eq!(ends(task).await, Ok(()));
        // Six tries of five seconds, and their pauses.
        assert!(begun.elapsed() < 35 * SECOND, "{:?}", begun.elapsed());
        sleep(LEASE).await;
        assert_eq!(site.state(), None, "the lease ends by itself");
    }
    // Who never was registered has nothing to take out.
    let site = Site::new();
    site.is(Network::Refuses);
    assert_eq!(ends(site.announces("80", sleep(SECOND), pending())).await, Ok(()));
}

/// A registrar that was stopped for a while goes on, and does what nobody waits for any more.
#[tokio::test(start_paused = true)]
async fn what_it_sent_before_itself_does_not_supersede_it_for_good() {
    let site = Site::new();
    site.is(Network::IsLate);
    let task = site.announces("80", pending(), pending());
    // The first request is given up after a third of a lease.
    sleep(SECOND).await;
    site.is(Network::Works);
    sleep(LEASE / 3).await;
    let (first, _) = site.state().expect("it is registered");
    sleep(3 * SECOND).await;
    let (late, _) = site.state().expect("it is registered");
    assert!(late > first, "by the request that was late");
    sleep(3 * LEASE).await;
    assert!(!task.is_finished());
    assert!(site.state().expect("it stays").0 > late);
    // Another one supersedes it all the same.
    site.registrar.registry().register(Member::new("a", 81), Duration::MAX).unwrap();
    assert_eq!(ends(task).await, Err(NotAnnounced::Superseded));
}

/// What was not heard of a lease ago does not come any more: whoever takes the name now is somebody else.
#[tokio::test(start_paused = true)]
async fn what_it_did_not_hear_of_long_ago_takes_no_name_back() {
    let site = Site::new();
    site.is(Network::Refuses);
    let task = site.announces("80", pending(), pending());
    sleep(SECOND).await;
    site.is(Network::Works);
    sleep(2 * LEASE).await;
    assert!(site.state().is_some());
    site.registrar.registry().register(Member::new("a", 81), Duration::MAX).unwrap();
    assert_eq!(ends(task).await, Err(NotAnnounced::Superseded));
}
