//! A chain is a node of another.

use std::future::Future;
use std::ops::ControlFlow::{self, Break, Continue};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use chain_runtime::describe::Access;
use chain_runtime::observe::{Event, Recorder, Recording};
use chain_runtime::{Ending, IntoReply, chain, node};

#[derive(Debug, PartialEq)]
struct Reply(String);
struct Request {
    path: &'static str,
    token: Option<&'static str>,
}
#[derive(Clone, Debug, PartialEq)]
struct User(&'static str);
struct Session(&'static str);
#[derive(Debug)]
struct Unauthorized;
struct Refused;

impl IntoReply<Reply> for Unauthorized {
    fn into_reply(self) -> Reply {
        Reply("401".to_owned())
    }
}
impl From<Refused> for Unauthorized {
    fn from(_: Refused) -> Self {
        Self
    }
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

struct Noted;
#[node]
impl Noted {
    fn enter(&self, log: &Log) {
        log.0.lock().unwrap().push("in".to_owned());
    }
    fn exit(&self, log: &Log, ending: &Ending) {
        log.0.lock().unwrap().push(format!("out, {ending}"));
    }
}

#[node]
fn session(request: &Request) -> Result<Session, Refused> {
    request.token.map(Session).ok_or(Refused)
}

#[node]
async fn look_up(session: &Session) -> User {
    User(session.0)
}

#[node]
fn greet(request: &Request, user: &User) -> Reply {
    Reply(format!("{} for {}", request.path, user.0))
}

chain! {
    /// Who sends the request.
    #[node]
    struct Auth { noted: Noted }

    async fn(request: &Request, log: &Log) -> Result<User, Unauthorized> { noted => session => look_up }
}

chain! {
    struct Site { auth: Auth, log: Log }

    async fn(request: Request) -> Reply { auth => greet }
}

const ADA: Request = Request { path: "/", token: Some("Ada") };

#[test]
fn what_a_chain_replies_is_provided_or_breaks() {
    let site = Site { auth: Auth { noted: Noted }, log: Log::default() };
    assert_eq!(pollster::block_on(site.run(ADA)), Reply("/ for Ada".to_owned()));
    assert_eq!(pollster::block_on(site.run(Request { token: None, ..ADA })), Reply("401".to_owned()));
    let log = site.log.0.lock().unwrap();
    assert_eq!(*log, ["in", "out, replied by `look_up`", "in", "out, cut short by `session`"]);
}

#[test]
fn a_chain_is_a_node_by_itself_in_the_description() {
    assert_eq!(Site::NODES.len(), 2);
    assert_eq!((Site::NODES[0].name, Site::NODES[0].facts.name), ("auth", "Auth"));
    assert_eq!(
        Site::drawing().to_string(),
        "\
Site (request: Request)
   => auth   needs &Request, &Log  provides User  or breaks with Unauthorized
   => greet  needs &Request, &User of auth  provides Reply
   -> Reply"
    );
    assert_eq!(Auth::NODES.len(), 3);
}

/// Counts what is entered and not left.
#[derive(Default)]
struct Inside(AtomicUsize);

struct Step;
#[node]
impl Inside {
    fn enter(&self) -> Step {
        self.0.fetch_add(1, Relaxed);
        Step
    }
    fn exit(&self, _: &Step) {
        self.0.fetch_sub(1, Relaxed);
    }
    fn cancelled(&self, _: &Step) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[node]
async fn for_ever() {
    std::future::pending().await
}

chain! {
    #[node]
    #[derive(Default)]
    struct Waits { inside: Inside }
    async fn() -> () { inside => for_ever => nothing }
}

#[node]
fn nothing() {}

chain! {
    struct Outer { waits: Arc<Waits>, inside: Inside }
    async fn(request: Request) -> Reply { inside => waits => plain }
}

#[node]
fn plain(request: &Request) -> Reply {
    Reply(request.path.to_owned())
}

#[test]
fn nodes_of_the_inner_chain_are_cancelled_with_the_outer_one() {
    let outer = Outer { waits: Arc::default(), inside: Inside::default() };
    {
        let mut run = pin!(outer.run(ADA));
        assert!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!((outer.inside.0.load(Relaxed), outer.waits.inside.0.load(Relaxed)), (1, 1));
    }
    assert_eq!((outer.inside.0.load(Relaxed), outer.waits.inside.0.load(Relaxed)), (0, 0));
}

/// What is written to.
struct Page(String);

#[node]
fn title(page: &mut Page, request: &Request) {
    page.0.push_str(request.path);
}

#[node]
fn send(page: Page) -> Reply {
    Reply(page.0)
}

chain! { #[node] struct Titled; fn(page: &mut Page, request: &Request) -> () { title => title } }
chain! { #[node(last)] struct Sends; fn(page: Page) -> Reply { send } }

chain! { struct Written; async fn(page: Page, request: &Request) -> Reply { Titled => Sends } }
chain! { struct WrittenNow; fn(page: Page, request: &Request) -> Reply { Titled => Titled => Sends } }

#[test]
fn a_chain_without_fields_is_named_by_its_type_and_writes_and_takes_what_it_says() {
    let page = || Page("at ".to_owned());
    assert_eq!(pollster::block_on(Written.run(page(), &ADA)), Reply("at //".to_owned()));
    assert_eq!(WrittenNow.run(page(), &ADA), Reply("at ////".to_owned()));
    let access = Written::NODES.iter().map(|node| node.needs[0].access);
    assert!(access.eq([Access::LentMut, Access::Taken]));
}

/// Borrows from the request.
struct Token<'r>(&'r str);

#[node]
fn token(request: &Request) -> ControlFlow<Reply, Token<'_>> {
    request.token.map(Token).map_or_else(|| Break(Reply("no token".to_owned())), Continue)
}

#[node]
fn length(token: &Token<'_>) -> Reply {
    Reply(token.0.len().to_string())
}

chain! { #[node] struct Tokens; fn<'r>(request: &'r Request) -> ControlFlow<Reply, Token<'r>> { token } }
chain! { struct Lengths { tokens: Option<Tokens> } fn(request: &Request) -> Reply { tokens => maybe } }
chain! { struct Length { tokens: Box<Tokens> } fn(request: &Request) -> Reply { { tokens => length } } }

#[node]
fn maybe(token: &Option<Token<'_>>) -> Reply {
    Reply(token.as_ref().map_or_else(|| "none".to_owned(), |token| token.0.to_owned()))
}

#[test]
fn a_chain_may_provide_what_borrows_from_its_input() {
    let length = Length { tokens: Box::new(Tokens) };
    assert_eq!(length.run(&ADA), Reply("3".to_owned()));
    assert_eq!(length.run(&Request { token: None, ..ADA }), Reply("no token".to_owned()));
    assert_eq!(Lengths { tokens: Some(Tokens) }.run(&ADA), Reply("Ada".to_owned()));
    assert_eq!(Lengths { tokens: None }.run(&ADA), Reply("none".to_owned()));
}

trait Store {
    fn user(&self, name: &str) -> Option<&'static str>;
}
struct Memory;
impl Store for Memory {
    fn user(&self, name: &str) -> Option<&'static str> {
        ["Ada", "Bob"].into_iter().find(|known| *known == name)
    }
}

struct Kept<S>(S);

#[node]
fn find<S: Store>(request: &Request, kept: &Kept<S>) -> Result<User, Unauthorized> {
    request.token.and_then(|name| kept.0.user(name)).map(User).ok_or(Unauthorized)
}

chain! {
    #[node]
    #[check(Memory)]
    struct Found<'a, S: Store> { kept: &'a Kept<S> }
    async fn(request: &Request) -> Result<User, Unauthorized> { find::<S> }
}

chain! {
    #[check(Memory)]
    struct Generic<'a, S: Store> { found: Found<'a, S> }
    async fn(request: Request) -> Reply { found => greet }
}

#[test]
fn a_chain_with_parameters_is_a_node() {
    let kept = Kept(Memory);
    let generic = Generic { found: Found { kept: &kept } };
    assert_eq!(pollster::block_on(generic.run(ADA)), Reply("/ for Ada".to_owned()));
    assert_eq!(pollster::block_on(generic.run(Request { token: Some("Eve"), ..ADA })), Reply("401".to_owned()));
}

type Outcome<T> = Result<T, Unauthorized>;
chain! { #[node] struct Aliased; fn(request: &Request) -> Outcome<User> { session => named } }
chain! { struct OfAliased; fn(request: Request) -> Outcome<Reply> { Aliased => greet } }

#[node]
fn named(session: &Session) -> User {
    User(session.0)
}

#[test]
fn a_reply_that_is_an_alias_of_a_result_breaks_as_that() {
    assert_eq!(OfAliased.run(ADA).unwrap(), Reply("/ for Ada".to_owned()));
    assert!(OfAliased.run(Request { token: None, ..ADA }).is_err());
}

#[node]
fn known(request: &Request) -> Result<Session, Unauthorized> {
    request.token.map(Session).ok_or(Unauthorized)
}

type Flow<T> = ControlFlow<Reply, T>;
chain! { #[node] struct Known; fn(request: &Request) -> ControlFlow<Reply, User> { known => named } }
chain! { #[node] struct KnownByAlias; fn(request: &Request) -> Flow<User> { known => named } }
chain! { struct OfKnown; fn(request: Request) -> Reply { Known => greet } }
chain! { struct OfAlias; fn(request: Request) -> Reply { KnownByAlias => greet } }

#[test]
fn what_breaks_becomes_the_break_of_a_reply_that_is_a_control_flow() {
    assert_eq!(Known.run(&ADA), Continue(User("Ada")));
    assert_eq!(Known.run(&Request { token: None, ..ADA }), Break(Reply("401".to_owned())));
    assert_eq!((OfKnown.run(ADA), OfAlias.run(ADA)), (Reply("/ for Ada".to_owned()), Reply("/ for Ada".to_owned())));
    let nobody = || Request { token: None, ..ADA };
    assert_eq!((OfKnown.run(nobody()), OfAlias.run(nobody())), (Reply("401".to_owned()), Reply("401".to_owned())));
}

struct Tries(AtomicUsize);
#[node]
impl Tries {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, attempt: u32, _reply: &Reply) -> bool {
        self.0.fetch_add(1, Relaxed);
        attempt < 3
    }
}

chain! {
    #[observe(Recorder)]
    struct Composed { auth: Auth, log: Log, tries: Arc<Tries> }
    async fn(request: Request) -> Reply {
        match method {
            Method::Get => tries { auth => greet },
            Method::Other => #[when(is_root)] Aliased => maybe_user,
        }
    }
}

enum Method {
    Get,
    Other,
}
#[node]
fn method(request: &Request) -> Method {
    if request.path == "/get" { Method::Get } else { Method::Other }
}
#[node]
fn is_root(request: &Request) -> bool {
    request.path == "/"
}
#[node]
fn maybe_user(user: &Option<User>) -> Reply {
    Reply(format!("{user:?}"))
}

#[test]
fn a_chain_stands_in_blocks_and_behind_conditions_and_is_observed_as_one_node() {
    let composed =
        Composed { auth: Auth { noted: Noted }, log: Log::default(), tries: Arc::new(Tries(AtomicUsize::new(0))) };
    let recording = Recording::start();
    let run = |path, token| pollster::block_on(composed.run(Request { path, token })).0;
    assert_eq!(run("/get", Some("Ada")), "/get for Ada");
    assert_eq!(composed.log.0.lock().unwrap().len(), 6, "each try goes through all of it");
    let entered = recording.events().into_iter().filter_map(|event| match event {
        Event::Entered(node) => Some(node),
        _ => None,
    });
    let entered = entered.collect::<Vec<_>>();
    assert_eq!(entered, ["method", "tries", "auth", "greet", "tries", "auth", "greet", "tries", "auth", "greet"]);
    assert_eq!(run("/", Some("Ada")), "Some(User(\"Ada\"))");
    assert_eq!(run("/other", Some("Ada")), "None");
    assert_eq!(run("/", None), "401");
}
