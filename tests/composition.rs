//! Chains inside of chains: blocks, branches, nodes around a block.

use std::ops::ControlFlow;
use std::pin::Pin;

use chain::poll::block_on;
use chain_runtime::{IntoReply, chain, node};

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
fn files(name: &&'static str) -> Reply {
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

struct Count(std::sync::atomic::AtomicU32);

#[node]
impl Count {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Refused> {
        if self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 3 { Err(Refused) } else { Ok(block.await) }
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
    println!("{:#?}", Wrapped::CHAIN);
}

use chain_runtime::around::{CatchPanic, Concurrency, Deadline, Retry};
use chain_runtime::share::StickyKey;
use chain_runtime::{Reloadable, Toggles};
use std::time::Duration;

struct Limits(u32);
struct Tag(u32);

#[node]
fn tag(limits: &Limits) -> Tag {
    Tag(limits.0)
}

#[node]
fn key(path: &Path) -> StickyKey {
    StickyKey::of(path.0)
}

#[node]
async fn slow() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

#[node]
fn audit(path: &Path) -> impl Future<Output = ()> + Send + 'static {
    let path = path.0.to_owned();
    async move {
        tokio::task::yield_now().await;
        println!("audited {path}");
    }
}

#[node]
fn maybe(tag: &Option<Tag>) -> Reply {
    Reply(format!("tag {:?}", tag.as_ref().map(|tag| tag.0)))
}

#[node]
fn canary() -> Reply {
    Reply("canary".to_owned())
}

#[node]
fn stable() -> Reply {
    Reply("stable".to_owned())
}

impl IntoReply<Reply> for chain_runtime::around::Expired {
    fn into_reply(self) -> Reply {
        Reply("late".to_owned())
    }
}
impl IntoReply<Reply> for chain_runtime::around::Panicked {
    fn into_reply(self) -> Reply {
        Reply("panicked".to_owned())
    }
}
impl IntoReply<Reply> for chain_runtime::around::Overloaded {
    fn into_reply(self) -> Reply {
        Reply("overloaded".to_owned())
    }
}

chain! {
    struct Attributes { toggles: Toggles, limits: Reloadable<Limits>, deadline: Deadline, concurrency: Concurrency, retry: Retry<fn(&Reply) -> bool>, }
    async fn(path: Path) -> Reply {
        key
        => #[when(is_private)] #[timeout(1s)] slow
        => #[toggle] tag
        => #[cancel(detach)] audit
        => #[cancel(finish)] audit
        => CatchPanic { concurrency { check_nothing } }
        => #[sample(1 / 2)] check_nothing
        => #[toggle("group", off)] { check_nothing => check_nothing }
        => deadline {
            retry {
                #[split(50)] canary else { #[allow(unused)] maybe }
            }
        }
    }
}

#[node]
async fn check_nothing() {}

#[tokio::test(start_paused = true)]
async fn attributes() {
    let attributes = Attributes {
        toggles: Toggles::new(),
        limits: Reloadable::new(Limits(3)),
        deadline: Deadline::within(Duration::from_secs(1)),
        concurrency: Concurrency::shed(3),
        retry: Retry::new(|reply| reply.0 == "x"),
    };
    for path in ["/", "/private", "/a", "/b", "/c"] {
        println!("{path} {:?}", attributes.run(Path(path)).await);
    }
    println!("{:?}", attributes.toggles());
    attributes.toggles().set("tag", false).unwrap();
    attributes.limits.store(Limits(9));
    for path in ["/", "/private", "/a", "/b", "/c"] {
        println!("{path} {:?}", attributes.run(Path(path)).await);
    }
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    println!("{}", Attributes::future_size());
    fn is_send<T: Send>(_: T) {}
    is_send(attributes.run(Path("/")));
}

mod parts {
    use super::*;

    chain! {
        /// Documented.
        pub segment inner { auth => super::check }
    }

    chain! {
        /// Documented.
        pub(crate) segment front(log: Log) { log => ..inner => match route { Route::Nothing => tag, _ => {} } }
    }

    #[node]
    pub(crate) fn tag() {}
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
        => match route { #[cfg(not(all()))] nothing => nobody, _ => #[cfg(any())] x => greet }
    }
}

#[test]
fn segments() {
    assert_eq!(block_on(Segmented { log: Log }.run(Path("/"))), Reply("ada at / logged".to_owned()));
    println!("{}", Segmented::drawing());
}
