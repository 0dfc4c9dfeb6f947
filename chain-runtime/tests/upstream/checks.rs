//! Members are checked: how often, how many at once, and how many results in a row decide.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_runtime::upstream::{Check, Checks, Connect, Health, Member, Registry, Seat, State};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// How a member answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answers {
    Well,
    Ill,
    Never,
    Panics,
}

/// What members answer, and when they were asked.
#[derive(Default)]
struct Asked {
    answers: Mutex<BTreeMap<String, Answers>>,
    begun: Mutex<Vec<(String, Instant)>>,
    running: AtomicUsize,
    most: AtomicUsize,
    takes: Mutex<Duration>,
}

impl Asked {
    fn answers(&self, member: &str, how: Answers) {
        self.answers.lock().unwrap().insert(member.to_owned(), how);
    }

    /// When this member was asked.
    fn times(&self, member: &str) -> Vec<Instant> {
        self.begun.lock().unwrap().iter().filter(|(name, _)| name == member).map(|(_, at)| *at).collect()
    }
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

struct Ask(Arc<Asked>);

impl Check<()> for Ask {
    type Error = &'static str;

    async fn check(&self, seat: &Seat<()>) -> Result<(), &'static str> {
        let asked = &self.0;
        asked.most.fetch_max(asked.running.fetch_add(1, Relaxed) + 1, Relaxed);
        let _running = Running(&asked.running);
        asked.begun.lock().unwrap().push((seat.name().to_owned(), Instant::now()));
        let takes = *asked.takes.lock().unwrap();
        sleep(takes).await;
        let answers = asked.answers.lock().unwrap().get(seat.name()).copied();
        match answers.unwrap_or(Answers::Well) {
            Answers::Well => Ok(()),
            Answers::Ill => Err("it is ill"),
            Answers::Never => std::future::pending().await,
            Answers::Panics => std::panic::resume_unwind(Box::new(())),
        }
    }
}

struct Checked {
    registry: Arc<Registry<()>>,
    asked: Arc<Asked>,
    told: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Checked {
    fn begin(members: &[&str], checks: Checks) -> Self {
        let registry = Arc::new(Registry::new().with_health(Health::new()));
        for member in members {
            registry.register(Member::new(*member, ()), Duration::MAX).unwrap();
        }
        let (asked, told) = (Arc::new(Asked::default()), Arc::new(Mutex::new(Vec::new())));
        let task = tokio::spawn({
            let (registry, check, told) = (Arc::clone(&registry), Ask(Arc::clone(&asked)), Arc::clone(&told));
            async move { registry.check(check, checks, |found| told.lock().unwrap().push(found.to_string())).await }
        });
        Self { registry, asked, told, task }
    }

    fn state(&self, member: &str) -> State {
        self.registry.snapshot().get(member).unwrap().state()
    }

    /// Lets this member be asked so many times more.
    async fn is_asked(&self, member: &str, times: usize) {
        let until = self.asked.times(member).len() + times;
        while self.asked.times(member).len() < until {
            sleep(MS).await;
        }
        // The check that has begun ends.
        let takes = *self.asked.takes.lock().unwrap();
        sleep(takes + MS).await;
    }

    /// What was told since it was asked last, without the generations.
    fn told(&self) -> Vec<String> {
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        let plain = |line: String| match (line.find(" ("), line.find(')')) {
            (Some(from), Some(to)) => format!("{}{}", &line[..from], &line[to + 1..]),
            _ => line,
        };
        told.into_iter().map(plain).collect()
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn checks() -> Checks {
    Checks::new().interval(SECOND, 0.1).rise_and_fall(2, 3)
}

#[tokio::test(start_paused = true)]
async fn so_many_checks_in_a_row_decide() {
    let checked = Checked::begin(&["a", "b"], checks());
    checked.is_asked("a", 2).await;
    checked.asked.answers("a", Answers::Ill);
    checked.is_asked("a", 2).await;
    checked.asked.answers("a", Answers::Well);
    checked.is_asked("a", 1).await;
    checked.asked.answers("a", Answers::Ill);
    checked.is_asked("a", 2).await;
    assert_eq!((checked.state("a"), checked.told()), (State::Ready, vec![]));
    checked.is_asked("a", 1).await;
    assert_eq!((checked.state("a"), checked.told()), (State::Unhealthy, vec!["a is not well: it is ill".to_owned()]));
    checked.asked.answers("a", Answers::Well);
    checked.is_asked("a", 1).await;
    checked.asked.answers("a", Answers::Ill);
    checked.is_asked("a", 5).await;
    assert_eq!((checked.state("a"), checked.told()), (State::Unhealthy, vec![]));
    checked.asked.answers("a", Answers::Well);
    checked.is_asked("a", 2).await;
    assert_eq!((checked.state("a"), checked.told()), (State::Ready, vec!["a is well again".to_owned()]));
    assert_eq!(checked.state("b"), State::Ready);
    // It is asked little at first.
    let now = checked.registry.snapshot();
    assert!(now.share(now.get("a").unwrap(), Instant::now().into_std()) < 0.2);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_takes_too_long_or_panics_finds_the_member_ill() {
    let checked = Checked::begin(&["never", "panics"], checks().time_limit(300 * MS));
    checked.asked.answers("never", Answers::Never);
    checked.asked.answers("panics", Answers::Panics);
    checked.is_asked("never", 4).await;
    checked.is_asked("panics", 4).await;
    assert_eq!((checked.state("never"), checked.state("panics")), (State::Unhealthy, State::Unhealthy));
    let mut told = checked.told();
    told.sort_unstable();
    assert_eq!(told, ["never is not well: the check took too long", "panics is not well: the check has panicked"]);
}

#[tokio::test(start_paused = true)]
async fn checks_are_an_interval_apart_and_do_not_come_all_at_once() {
    let names: Vec<String> = (0..40).map(|member| format!("{member:02}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let begun = Instant::now();
    let checked = Checked::begin(&members, checks());
    sleep(60 * SECOND).await;
    let mut firsts = Vec::new();
    let mut pauses = Vec::new();
    for member in members {
        let times = checked.asked.times(member);
        firsts.push(times[0] - begun);
        pauses.extend(times.windows(2).map(|two| two[1] - two[0]));
    }
    firsts.sort_unstable();
    assert!(firsts[39] <= SECOND + 2 * MS, "{firsts:?}");
    assert!(firsts[39] - firsts[0] > SECOND / 2, "{firsts:?}");
    let (shortest, longest) = (*pauses.iter().min().unwrap(), *pauses.iter().max().unwrap());
    // The timer is precise to a millisecond, late ones.
    assert!(shortest >= 898 * MS && longest <= 1_104 * MS, "{shortest:?} {longest:?}");
    assert!(longest - shortest > 100 * MS, "{shortest:?} {longest:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_are_under_way_than_may_be_and_nobody_is_left_out() {
    let names: Vec<String> = (0..20).map(|member| format!("{member:02}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let checked = Checked::begin(&members, checks().at_once(3));
    *checked.asked.takes.lock().unwrap() = 500 * MS;
    // Twenty checks of half a second, three at once: each has its turn after 3.3 seconds.
    sleep(60 * SECOND).await;
    assert_eq!(checked.asked.most.load(Relaxed), 3);
    for member in members {
        let times = checked.asked.times(member).len();
        assert!((15..=20).contains(&times), "{member} was asked {times} times");
    }
}

#[tokio::test(start_paused = true)]
async fn no_check_goes_on_when_the_task_is_dropped() {
    let checked = Checked::begin(&["a", "b"], checks());
    *checked.asked.takes.lock().unwrap() = 800 * MS;
    while checked.asked.running.load(Relaxed) == 0 {
        sleep(MS).await;
    }
    checked.task.abort();
    sleep(MS).await;
    assert_eq!(checked.asked.running.load(Relaxed), 0);
    let asked = checked.asked.begun.lock().unwrap().len();
    sleep(60 * SECOND).await;
    assert_eq!(checked.asked.begun.lock().unwrap().len(), asked);
}

#[tokio::test(start_paused = true)]
async fn who_comes_is_asked_and_who_goes_or_is_drained_is_not() {
    let checked = Checked::begin(&["goes", "drained"], checks());
    checked.is_asked("goes", 1).await;
    checked.is_asked("drained", 1).await;
    let registrations = |name: &str| checked.registry.snapshot().get(name).unwrap().seat().registration().clone();
    checked.registry.remove(&registrations("goes")).unwrap();
    checked.registry.drain(&registrations("drained")).unwrap();
    checked.registry.register(Member::new("comes", ()), Duration::MAX).unwrap();
    let asked = ["goes", "drained"].map(|name| checked.asked.times(name).len());
    checked.is_asked("comes", 5).await;
    assert_eq!(["goes", "drained"].map(|name| checked.asked.times(name).len()), asked);
    assert_eq!(checked.state("drained"), State::Draining);
}

/// What was found of one generation says nothing of the next one.
#[tokio::test(start_paused = true)]
async fn a_name_that_is_registered_anew_begins_anew() {
    let checked = Checked::begin(&["a"], checks());
    checked.asked.answers("a", Answers::Ill);
    *checked.asked.takes.lock().unwrap() = 200 * MS;
    checked.is_asked("a", 2).await;
    while checked.asked.running.load(Relaxed) == 0 {
        sleep(MS).await;
    }
    // The third check is under way.
    checked.registry.register(Member::new("a", ()), Duration::MAX).unwrap();
    checked.is_asked("a", 2).await;
    assert_eq!(checked.state("a"), State::Ready);
    checked.is_asked("a", 1).await;
    assert_eq!(checked.state("a"), State::Unhealthy);
}

#[tokio::test(start_paused = true)]
async fn an_ejected_member_that_is_well_returns_by_its_time_and_not_by_checks() {
    let checked = Checked::begin(&["a", "b"], checks());
    let until = Instant::now() + 30 * SECOND;
    let registration = checked.registry.snapshot().get("a").unwrap().seat().registration().clone();
    checked.registry.change_state(&registration, |_, _| State::Ejected { until: until.into_std() }).unwrap();
    checked.is_asked("a", 5).await;
    assert_eq!(checked.state("a"), State::Ejected { until: until.into_std() });
    checked.asked.answers("a", Answers::Ill);
    checked.is_asked("a", 3).await;
    assert_eq!(checked.state("a"), State::Unhealthy);
}

/// Real connections, so in real time.
#[cfg(unix)]
#[tokio::test]
async fn a_listener_that_is_closed_is_found_and_so_is_its_return() {
    let socket = |address: SocketAddr| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseport(true).unwrap();
        socket.bind(address).unwrap();
        socket
    };
    // The port stays this test's while nobody listens.
    let reserved = socket("127.0.0.1:0".parse().unwrap());
    let address = reserved.local_addr().unwrap();
    let listener = socket(address).listen(64).unwrap();
    let registry: Arc<Registry<SocketAddr>> = Arc::new(Registry::new());
    registry.register(Member::new("a", address), Duration::MAX).unwrap();
    let task = tokio::spawn({
        let (registry, checks) = (Arc::clone(&registry), Checks::new().interval(20 * MS, 0.1).time_limit(20 * SECOND));
        async move { registry.check(Connect::to(|address: &SocketAddr| *address), checks, |_| ()).await }
    });
    let becomes = async |state| {
        let reached = async {
            let mut now = registry.snapshot().keep();
            while now.get("a").unwrap().state() != state {
                now = registry.changed(now.version()).await;
            }
        };
        timeout(60 * SECOND, reached).await.unwrap_or_else(|_| panic!("it does not become {state:?}"));
    };
    timeout(60 * SECOND, listener.accept()).await.expect("nobody asks").unwrap();
    becomes(State::Ready).await;
    drop(listener);
    becomes(State::Unhealthy).await;
    let _listener = socket(address).listen(1_024).unwrap();
    becomes(State::Ready).await;
    task.abort();
}
