//! Chains inside of chains and attributes before nodes, one statement in each test. `tests/property/` checks at random,
//! and nested, what happens in which order.

use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use chain::log::{note, taken};
use chain::poll::{block_on, suspend};
use chain_runtime::around::{
    Backoff, Budget, CatchPanic, Concurrency, Deadline, Expired, Overloaded, Panicked, Retry, Timer,
};
use chain_runtime::share::StickyKey;
use chain_runtime::{IntoReply, Reloadable, Toggles, chain, node};
use tokio::time::sleep;

#[derive(Debug, PartialEq, Clone)]
struct Reply(String);

struct User(&'static str);
struct Path(&'static str);
struct Refused;

impl IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Reply("refused".to_owned())
    }
}

#[node]
fn auth(path: &Path) -> Result<User, Refused> {
    if path.0.starts_with("/private") { Err(Refused) } else { Ok(User("ada")) }
}

#[node]
async fn greet(user: &User, path: &Path) -> Reply {
    Reply(format!("{} at {}", user.0, path.0))
}

#[node]
fn check(user: &User) -> Result<(), Refused> {
    if user.0 == "ada" { Ok(()) } else { Err(Refused) }
}

#[node]
fn plain(path: &Path) -> Reply {
    Reply(format!("plain {}", path.0))
}

struct Api {
    version: u32,
}

enum Route {
    Api(Api),
    Static { name: &'static str },
    Nothing,
}

#[node]
fn route(path: &Path) -> Route {
    match path.0 {
        "/api" => Route::Api(Api { version: 2 }),
        "/old" => Route::Api(Api { version: 1 }),
        "/nothing" => Route::Nothing,
        name => Route::Static { name },
    }
}

#[node]
async fn serve(api: &mut Api) -> Reply {
    api.version += 1;
    Reply(format!("api {}", api.version))
}

#[node]
fn files(name: &str) -> Reply {
    Reply(format!("file {name}"))
}

#[node]
fn gone() -> ControlFlow<Reply, std::convert::Infallible> {
    ControlFlow::Break(Reply("gone".to_owned()))
}

#[node]
fn is_private(path: &Path) -> bool {
    path.0.starts_with("/private")
}

chain! {
    struct Blocks;
    async fn(path: Path) -> Reply { { auth => check } => plain }
}

chain! {
    struct LastBlock;
    async fn(path: Path) -> Reply { { auth => check => greet } }
}

chain! {
    struct Routes;
    async fn(path: Path) -> Reply {
        match route {
            Route::Api(Api { version: 1 }) => gone,
            Route::Api(api: Api) => serve,
            Route::Static { name: name: &'static str } => files,
            Route::Nothing => { auth => { check } => greet }
        }
    }
}

chain! {
    struct Branches;
    fn(path: Path) -> Reply {
        if is_private { auth => check } => plain
    }
}

struct Count(AtomicU32);

#[node]
impl Count {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Refused> {
        if self.0.fetch_add(1, Ordering::Relaxed) == 3 { Err(Refused) } else { Ok(block.await) }
    }
}

chain! {
    struct Wrapped { count: Count, }
    async fn(path: Path) -> Reply {
        count { auth => check } => count { plain }
    }
}

#[test]
fn what_a_block_provides_stays_in_it() {
    assert_eq!(block_on(Blocks.run(Path("/"))), Reply("plain /".to_owned()));
    assert_eq!(block_on(Blocks.run(Path("/private"))), Reply("refused".to_owned()));
    assert_eq!(block_on(LastBlock.run(Path("/"))), Reply("ada at /".to_owned()));
}

#[test]
fn arms() {
    for (path, reply) in [("/api", "api 3"), ("/old", "gone"), ("/x", "file /x"), ("/nothing", "ada at /nothing")] {
        assert_eq!(block_on(Routes.run(Path(path))), Reply(reply.to_owned()));
    }
    assert_eq!(Branches.run(Path("/private")), Reply("refused".to_owned()));
    assert_eq!(Branches.run(Path("/")), Reply("plain /".to_owned()));
}

#[test]
fn wraps() {
    let wrapped = Wrapped { count: Count(0.into()) };
    assert_eq!(block_on(wrapped.run(Path("/"))), Reply("plain /".to_owned()));
    assert_eq!(block_on(wrapped.run(Path("/"))), Reply("refused".to_owned()));
}

impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        Reply("late".to_owned())
    }
}
impl IntoReply<Reply> for Panicked {
    fn into_reply(self) -> Reply {
        Reply("panicked".to_owned())
    }
}
impl IntoReply<Reply> for Overloaded {
    fn into_reply(self) -> Reply {
        Reply("overloaded".to_owned())
    }
}

/// Polls once, and expects that it is not ready.
fn is_pending<F: Future>(future: Pin<&mut F>) {
    assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

struct Tag(u32);

#[node]
fn tag() -> Tag {
    Tag(7)
}

#[node]
fn tagged(tag: &Option<Tag>) -> Reply {
    Reply(format!("{:?}", tag.as_ref().map(|tag| tag.0)))
}

chain! {
    struct When;
    fn(path: Path) -> Reply { #[when(is_private)] tag => tagged }
}

#[test]
fn what_may_be_skipped_is_an_option() {
    assert_eq!(When.run(Path("/private")).0, "Some(7)");
    assert_eq!(When.run(Path("/")).0, "None");
}

#[node]
async fn once() {
    suspend(1).await;
}

#[node]
fn first() {
    note("first");
}

#[node]
fn second() {
    note("second");
}

chain! {
    struct Switched { toggles: Toggles, }
    async fn(path: Path) -> Reply { once => #[toggle] first => #[toggle("group", off)] { second => second } => plain }
}

#[test]
fn a_toggle_is_seen_by_the_requests_that_begin_after_it() {
    let chain = Switched { toggles: Toggles::new() };
    let mut before = pin!(chain.run(Path("/")));
    is_pending(before.as_mut());
    assert_eq!(chain.toggles().set("first", false), Ok(true));
    assert_eq!(chain.toggles().set("group", true), Ok(false));
    block_on(before);
    assert_eq!(taken(), ["first"]);
    block_on(chain.run(Path("/")));
    assert_eq!(taken(), ["second", "second"]);
    assert_eq!(chain.toggles().to_string(), "first: off, group: on");
    assert_eq!(
        chain.toggles().get("frist").unwrap_err().to_string(),
        "there is no toggle `frist`; there are `first`, `group`"
    );
}

#[test]
fn each_value_of_a_chain_has_toggles_of_its_own() {
    let [one, other] = [(); 2].map(|()| Switched { toggles: Toggles::new() });
    one.toggles().set("first", false).unwrap();
    assert_eq!(other.toggles().get("first"), Ok(true));
}

chain! {
    struct Sampled;
    fn(path: Path) -> Reply { #[sample(1 / 10)] first => plain }
}

#[test]
fn a_sample_is_about_its_share() {
    for _ in 0..10_000 {
        Sampled.run(Path("/"));
    }
    // A thousand, give or take six standard deviations of 30.
    let sampled = taken().len();
    assert!((820..=1180).contains(&sampled), "{sampled}");
}

#[node]
fn key(path: &Path) -> StickyKey {
    StickyKey::of(path.0)
}

#[node]
fn canary() -> Reply {
    Reply("canary".to_owned())
}

chain! {
    struct Split;
    fn(path: Path) -> Reply { key => #[split(30)] canary else { plain } }
}

#[test]
fn a_split_has_its_share_and_keeps_to_it() {
    let paths: Vec<&'static str> =
        (0..1000).map(|number: u32| &*Box::leak(number.to_string().into_boxed_str())).collect();
    let takes = || paths.iter().map(|path| Split.run(Path(path)).0 == "canary").collect::<Vec<_>>();
    let first = takes();
    let share = first.iter().filter(|taken| **taken).count();
    // 300, give or take five standard deviations of 14.5.
    assert!((227..=373).contains(&share), "{share}");
    assert_eq!(takes(), first);
}

#[node]
async fn slow(path: &Path) {
    if path.0 == "/slow" {
        sleep(Duration::from_secs(3)).await;
    }
}

chain! {
    struct Limited;
    async fn(path: Path) -> Reply { #[timeout(1s)] slow => plain }
}

#[tokio::test(start_paused = true)]
async fn a_node_has_its_time() {
    assert_eq!(Limited.run(Path("/")).await.0, "plain /");
    assert_eq!(Limited.run(Path("/slow")).await.0, "late");
}

#[node]
fn work(path: &Path) -> impl Future<Output = ()> + Send + 'static {
    let path = path.0;
    async move {
        sleep(Duration::from_secs(1)).await;
        note(format!("worked on {path}"));
    }
}

chain! {
    struct Finishes;
    async fn(path: Path) -> Reply { #[cancel(finish)] work => plain }
}

chain! {
    struct Detaches;
    async fn(path: Path) -> Reply { #[cancel(detach)] work => plain }
}

chain! {
    struct Ends;
    async fn(path: Path) -> Reply { work => plain }
}

#[tokio::test(start_paused = true)]
async fn work_that_is_finished_outlives_its_client() {
    assert_eq!(Finishes.run(Path("/")).await.0, "plain /");
    assert_eq!(taken(), ["worked on /"]);
    assert!(Finishes.run(Path("/gone")).await_for_a_while().await);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(taken(), ["worked on /gone"]);
    assert!(Ends.run(Path("/gone")).await_for_a_while().await);
    sleep(Duration::from_secs(2)).await;
    assert!(taken().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_work_that_is_detached() {
    let began = tokio::time::Instant::now();
    assert_eq!(Detaches.run(Path("/")).await.0, "plain /");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(taken().is_empty());
    sleep(Duration::from_secs(2)).await;
    assert_eq!(taken(), ["worked on /"]);
}

trait Impatient: Future + Sized {
    /// Whether it was dropped after half a second.
    async fn await_for_a_while(self) -> bool {
        tokio::time::timeout(Duration::from_millis(500), self).await.is_err()
    }
}
impl<F: Future> Impatient for F {}

struct Limits(u32);

#[node]
fn told(limits: &Limits) {
    note(limits.0.to_string());
}

chain! {
    struct Reloads { limits: Reloadable<Limits>, }
    async fn(path: Path) -> Reply { told => once => told => { told } => plain }
}

#[test]
fn a_request_sees_one_version() {
    let chain = Reloads { limits: Reloadable::new(Limits(1)) };
    let mut before = pin!(chain.run(Path("/")));
    is_pending(before.as_mut());
    chain.limits.store(Limits(2));
    block_on(before);
    assert_eq!(taken(), ["1", "1", "1"]);
    block_on(chain.run(Path("/")));
    assert_eq!(taken(), ["2", "2", "2"]);
}

/// Fails so often, then is well.
struct Flaky(AtomicU32);

#[node]
impl Flaky {
    async fn enter(&self, path: &Path) -> Reply {
        sleep(Duration::from_millis(if path.0 == "/slow" { 400 } else { 1 })).await;
        note("tried");
        let well = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err();
        Reply(if well { "well" } else { "unwell" }.to_owned())
    }
}

type Retries = Retry<fn(&Reply) -> bool>;

fn retries() -> Retries {
    let unwell: fn(&Reply) -> bool = |reply| reply.0 == "unwell";
    Retry::new(unwell).attempts(3).backoff(Backoff::none()).budget(Budget::new(Duration::from_secs(10), 100, 1.0))
}

chain! {
    struct Tries { whole: Deadline, retry: Retries, each: Deadline, flaky: Flaky, }
    async fn(path: Path) -> Reply { whole { retry { each { flaky } } } }
}

impl Tries {
    fn failing(times: u32) -> Self {
        let (whole, each) = (Deadline::within(Duration::from_secs(1)), Deadline::within(Duration::from_millis(500)));
        Self { whole, retry: retries(), each, flaky: Flaky(times.into()) }
    }
}

/// A reply that holds something of its upstream.
struct Held {
    is_well: bool,
    _connection: Connection,
}

struct Connection;

impl Connection {
    fn open() -> Self {
        note("opened");
        Self
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        note("released");
    }
}

/// Fails so often, then is well.
struct FlakyHeld(AtomicU32);

#[node]
impl FlakyHeld {
    async fn enter(&self) -> Held {
        let is_well = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err();
        Held { is_well, _connection: Connection::open() }
    }
}

/// Runs its block again without a pause.
struct AtOnce;

#[node]
impl AtOnce {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, _attempt: u32, reply: &Held) -> bool {
        !reply.is_well
    }
}

/// Says when it waits.
struct Pauses;

impl Timer for Pauses {
    type Sleep = Pin<Box<dyn Future<Output = ()>>>;

    fn sleep_until(&self, at: std::time::Instant) -> Self::Sleep {
        Box::pin(async move {
            note("pauses");
            tokio::time::sleep_until(at.into()).await;
        })
    }

    fn now(&self) -> std::time::Instant {
        tokio::time::Instant::now().into_std()
    }
}

chain! {
    struct Pausing { retry: Retry<fn(&Held) -> bool, Pauses>, upstream: FlakyHeld }
    async fn(path: Path) -> Held { retry { upstream } }
}

chain! {
    struct NotPausing { retry: AtOnce, upstream: FlakyHeld }
    async fn(path: Path) -> Held { retry { upstream } }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_not_kept_is_gone_before_the_pause_and_the_next_try() {
    let unwell: fn(&Held) -> bool = |reply| !reply.is_well;
    let long = Duration::from_secs(3_600);
    let retry = Retry::new_on(Pauses, unwell).backoff(Backoff::exponential(long, long));
    drop(Pausing { retry, upstream: FlakyHeld(2.into()) }.run(Path("/")).await);
    let tried = ["opened", "released", "pauses"];
    assert_eq!(taken(), [&tried, &tried, &["opened", "released"] as &[_]].concat());
    drop(NotPausing { retry: AtOnce, upstream: FlakyHeld(1.into()) }.run(Path("/")).await);
    assert_eq!(taken(), ["opened", "released", "opened", "released"]);
}

#[tokio::test(start_paused = true)]
async fn a_block_is_tried_again_until_it_is_well_or_the_time_is_up() {
    assert_eq!(Tries::failing(0).run(Path("/")).await.0, "well");
    assert_eq!(taken().len(), 1);
    assert_eq!(Tries::failing(2).run(Path("/")).await.0, "well");
    assert_eq!(taken().len(), 3);
    assert_eq!(Tries::failing(9).run(Path("/")).await.0, "unwell");
    assert_eq!(taken().len(), 3);
    // Two tries of 0.4 s; the third would end after the whole has to.
    assert_eq!(Tries::failing(9).run(Path("/slow")).await.0, "late");
    assert_eq!(taken().len(), 2);
}

#[node]
fn falls(path: &Path) -> Reply {
    if path.0 == "/falls" {
        chain::poll::panic_silently("fallen");
    }
    Reply("stands".to_owned())
}

chain! {
    struct Guarded { room: Concurrency, }
    async fn(path: Path) -> Reply { CatchPanic { room { once => falls } } }
}

#[test]
fn a_permit_comes_back_whatever_becomes_of_the_block() {
    let chain = Guarded { room: Concurrency::shed(1) };
    assert_eq!(block_on(chain.run(Path("/falls"))).0, "panicked");
    assert_eq!(chain.room.available(), 1);
    {
        let mut first = pin!(chain.run(Path("/")));
        is_pending(first.as_mut());
        assert_eq!(block_on(chain.run(Path("/"))).0, "overloaded");
    }
    assert_eq!(chain.room.available(), 1);
    assert_eq!(block_on(chain.run(Path("/"))).0, "stands");
}

mod parts {
    use super::*;

    chain! {
        /// A segment in a segment.
        pub segment inner { auth => super::check }
    }

    chain! {
        /// What it needs of the chain, and what it adds to it.
        pub(crate) segment front(log: Log) { log => ..inner => match route { Route::Nothing => quiet, _ => {} } }
    }

    #[node]
    pub(crate) fn quiet() {}
}

struct Log;
struct Begun;
#[node]
impl Log {
    fn enter(&self) -> Begun {
        Begun
    }
    fn exit(&self, _begun: &Begun, reply: &mut Reply) {
        reply.0.push_str(" logged");
    }
}

chain! {
    struct Segmented { log: Log, }
    async fn(path: Path) -> Reply {
        #[cfg(not(all()))] nowhere
        => ..parts::front
        => #[cfg(all())] #[when(is_private)] slow
        => match route { #[cfg(not(all()))] nothing => nobody, _ => #[cfg(any())] nobody => greet }
    }
}

chain! {
    struct InPlace { log: Log, }
    async fn(path: Path) -> Reply {
        log => auth => check => match route { Route::Nothing => parts::quiet, _ => {} }
        => #[when(is_private)] slow
        => match route { _ => greet }
    }
}

#[test]
fn a_segment_is_what_its_nodes_in_place_are() {
    assert_eq!(block_on(Segmented { log: Log }.run(Path("/"))).0, "ada at / logged");
    assert_eq!(block_on(InPlace { log: Log }.run(Path("/"))).0, "ada at / logged");
    let names = |nodes: &[chain_runtime::NodeInfo]| nodes.iter().map(|node| node.name).collect::<Vec<_>>();
    assert_eq!(names(Segmented::NODES), names(InPlace::NODES));
    assert_eq!(Segmented::future_size(), InPlace::future_size());
}

/// Sees the reply, and may put another in its place.
struct Polite;
struct Greeting(&'static str);
#[node]
impl Polite {
    fn enter(&self, path: &Path) -> Greeting {
        Greeting(if path.0 == "/curt" { "" } else { "please, " })
    }
    async fn around<B: Future<Output = Reply>>(
        &self,
        greeting: &Greeting,
        block: Pin<&mut B>,
    ) -> Result<B::Output, Reply> {
        let Reply(reply) = block.await;
        if reply.is_empty() { Err(Reply("nothing".to_owned())) } else { Ok(Reply(format!("{}{reply}", greeting.0))) }
    }
}

/// The same for whatever the reply is.
struct Same<R>(std::marker::PhantomData<fn() -> R>);
#[node]
impl<R> Same<R> {
    async fn around<B>(&self, block: Pin<&mut B>) -> R
    where
        B: Future<Output = R>,
    {
        block.await
    }
}

#[node]
async fn path(path: &Path) -> Reply {
    tokio::task::yield_now().await;
    Reply(path.0.trim_start_matches('/').to_owned())
}

chain! {
    struct Politely { polite: Polite, same: Same<Reply> }
    async fn(path: Path) -> Reply { polite { same { path } } }
}

#[test]
fn a_node_that_says_what_its_block_gives_sees_the_reply() {
    let politely = Politely { polite: Polite, same: Same(std::marker::PhantomData) };
    assert_eq!(block_on(politely.run(Path("/ada"))).0, "please, ada");
    assert_eq!(block_on(politely.run(Path("/curt"))).0, "curt");
    assert_eq!(block_on(politely.run(Path("/"))).0, "nothing");
}

/// Everything at once, and its future still goes from thread to thread.
#[test]
fn it_is_send() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&Tries::failing(0).run(Path("/")));
    is_send(&Guarded { room: Concurrency::shed(1) }.run(Path("/")));
    is_send(&Reloads { limits: Reloadable::new(Limits(1)) }.run(Path("/")));
    is_send(&Switched { toggles: Toggles::new() }.run(Path("/")));
    is_send(&Finishes.run(Path("/")));
}
