//! What a block provides: `-> User` behind it, one statement a test. `tests/property/tests/providing` says at random what happens in which order.

use std::ops::ControlFlow;
use std::pin::Pin;

use chain::log::{note, taken};
use chain::poll::{block_on, drive, dropped_at_every_poll, suspend};
use chain_runtime::describe::{Source, SourceKind};
use chain_runtime::observe::{Event, Recorder, Recording};
use chain_runtime::{IntoReply, Toggles, chain, node};

#[derive(Debug, PartialEq)]
struct Reply(String);

#[derive(Debug)]
struct User(String);

struct Request {
    bearer: Option<&'static str>,
    cookie: Option<&'static str>,
}

struct Refused;

impl IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Reply("refused".to_owned())
    }
}

#[node]
fn has_bearer(request: &Request) -> bool {
    request.bearer.is_some()
}

#[node]
fn bearer(request: &Request) -> User {
    User(format!("bearer {}", request.bearer.unwrap_or_default()))
}

#[node]
async fn cookie(request: &Request) -> Result<User, Refused> {
    suspend(1).await;
    request.cookie.map(|name| User(format!("cookie {name}"))).ok_or(Refused)
}

#[node]
fn cookie_now(request: &Request) -> ControlFlow<Refused, User> {
    match request.cookie {
        Some(name) => ControlFlow::Continue(User(name.to_owned())),
        None => ControlFlow::Break(Refused),
    }
}

#[node]
fn refuse() -> ControlFlow<Refused, std::convert::Infallible> {
    ControlFlow::Break(Refused)
}

#[node]
fn capital(user: &mut User) {
    user.0.make_ascii_uppercase();
}

#[node]
fn greet(user: &User) -> Reply {
    Reply(user.0.clone())
}

chain! {
    struct Either;
    async fn(request: Request) -> Reply {
        if has_bearer { bearer } else { cookie } -> User => capital => greet
    }
}

#[test]
fn what_the_arm_gives_joins_the_scope_around_the_branch() {
    let reply = |bearer, cookie| block_on(Either.run(Request { bearer, cookie })).0;
    assert_eq!(reply(Some("ada"), None), "BEARER ADA");
    assert_eq!(reply(None, Some("eve")), "COOKIE EVE");
    assert_eq!(reply(None, None), "refused");
}

enum Route {
    Api(Version),
    Page,
    Gone,
}

#[derive(Clone, Copy)]
struct Version(u32);

#[node]
fn route(path: &str) -> Route {
    match path {
        "api" => Route::Api(Version(2)),
        "page" => Route::Page,
        _ => Route::Gone,
    }
}

#[node]
fn of_version(version: &Version) -> User {
    User(format!("v{}", version.0))
}

#[node]
fn anybody() -> User {
    User("anybody".to_owned())
}

chain! {
    struct Routes;
    fn(path: &str) -> Reply {
        match route {
            Route::Api(version: Version) => of_version,
            Route::Page => { anybody },
            Route::Gone => refuse,
        } -> User
        => greet
    }
}

#[test]
fn an_arm_gives_what_it_bound_and_one_that_always_breaks_gives_nothing() {
    assert_eq!(["api", "page", "x"].map(|path| Routes.run(path).0), ["v2", "anybody", "refused"]);
}

struct Inside(u32);

#[node]
fn inside() -> Inside {
    Inside(7)
}

#[node]
fn from_inside(inside: &Inside) -> User {
    User(inside.0.to_string())
}

chain! {
    struct Braces;
    fn() -> Reply { { inside => from_inside } -> crate::User => { inside => { wrapped } } -> Other<User> => both }
}

struct Other<T>(T);

#[node]
fn both(user: &User, other: &Other<User>) -> Reply {
    Reply(format!("{} {}", user.0, other.0.0))
}

#[node]
fn wrapped(inside: &Inside) -> Other<User> {
    Other(User(inside.0.to_string()))
}

#[test]
fn what_nodes_in_the_block_provide_stays_in_it() {
    assert_eq!(Braces.run().0, "7 7");
}

/// Says what happens to it.
struct Session(&'static str);

impl Drop for Session {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}

struct Hooked {
    name: &'static str,
}

#[node]
impl Hooked {
    async fn enter(&self) -> Session {
        note(format!("enter {}", self.name));
        suspend(1).await;
        Session(self.name)
    }
    async fn exit(&self, session: &Session) {
        note(format!("exit {}", session.0));
        suspend(1).await;
    }
    fn cancelled(&self, session: &Session) {
        note(format!("cancelled {}", session.0));
    }
}

/// Provides what the block around it gives.
struct Given(&'static str);

impl Drop for Given {
    fn drop(&mut self) {
        note(format!("drop given {}", self.0));
    }
}

#[node]
async fn give(session: &mut Session) -> Result<Given, Refused> {
    note("give");
    suspend(1).await;
    Ok(Given(session.0))
}

#[node]
async fn give_none(session: &Session) -> Result<Given, Refused> {
    note(format!("give none of {}", session.0));
    suspend(1).await;
    Err(Refused)
}

#[node]
async fn use_it(given: &Given) -> Reply {
    note(format!("use {}", given.0));
    suspend(1).await;
    Reply(given.0.to_owned())
}

chain! {
    #[observe(Recorder)]
    struct Observed { first: Hooked, second: Hooked }
    async fn(decision: bool) -> Reply {
        if decide { first => give } else { second => give_none } -> Given => use_it
    }
}

chain! {
    struct Unobserved { first: Hooked, second: Hooked }
    async fn(decision: bool) -> Reply {
        if decide { first => give } else { second => give_none } -> Given => use_it
    }
}

#[node]
fn decide(decision: &bool) -> bool {
    *decision
}

const OBSERVED: Observed = Observed { first: Hooked { name: "first" }, second: Hooked { name: "second" } };
const UNOBSERVED: Unobserved = Unobserved { first: Hooked { name: "first" }, second: Hooked { name: "second" } };

#[test]
fn the_nodes_of_an_arm_are_left_before_what_comes_after_it_and_its_value_lives_on() {
    let happened = ["enter first", "give", "exit first", "drop first", "use first", "drop given first"];
    assert_eq!(block_on(UNOBSERVED.run(true)).0, "first");
    assert_eq!(taken(), happened);
    assert_eq!(block_on(OBSERVED.run(true)).0, "first");
    assert_eq!(taken(), happened);
}

#[test]
fn a_break_in_an_arm_leaves_its_nodes_and_replies() {
    for run in [|| block_on(UNOBSERVED.run(false)), || block_on(OBSERVED.run(false))] {
        assert_eq!(run().0, "refused");
        assert_eq!(taken(), ["enter second", "give none of second", "exit second", "drop second"]);
    }
}

#[test]
fn a_run_that_is_dropped_gives_back_what_the_block_has() {
    let mut seen = Vec::new();
    let polls = dropped_at_every_poll(|polls| {
        let driven = drive(UNOBSERVED.run(true), polls);
        seen.push(taken());
        driven
    });
    assert_eq!(polls, 5);
    let expected: [&[&str]; 6] = [
        &[],
        &["enter first"],
        &["enter first", "give", "cancelled first", "drop first"],
        &["enter first", "give", "exit first", "cancelled first", "drop first", "drop given first"],
        &["enter first", "give", "exit first", "drop first", "use first", "drop given first"],
        &["enter first", "give", "exit first", "drop first", "use first", "drop given first"],
    ];
    assert_eq!(seen, expected);
}

#[test]
fn an_observer_sees_the_arm_left_before_what_comes_after_it() {
    let recording = Recording::start();
    block_on(OBSERVED.run(true));
    let told: Vec<_> = recording
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Entered(name) => Some(format!("entered {name}")),
            Event::Left(name) => Some(format!("left {name}")),
            _ => None,
        })
        .collect();
    assert!(!taken().is_empty());
    assert_eq!(
        told,
        [
            "entered decide",
            "entered first",
            "entered give",
            "left give",
            "left first",
            "entered use_it",
            "left use_it",
            "left decide"
        ],
    );
}

struct Wrap;

#[node]
impl Wrap {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Refused> {
        note("wrap");
        let output = block.await;
        note("wrapped");
        Ok(output)
    }
}

/// Runs its block a second time where that breaks.
struct Twice;

#[node]
impl Twice {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again<R>(&self, attempt: u32, _: &R) -> bool {
        attempt < 2
    }
}

#[node]
fn counted(tries: &mut u32) -> Result<User, Refused> {
    *tries += 1;
    if *tries < 2 { Err(Refused) } else { Ok(User(format!("try {tries}"))) }
}

chain! {
    struct Wrapped { wrap: Wrap, twice: Twice, hooked: Hooked }
    async fn(tries: u32) -> Reply {
        wrap { hooked => give } -> Given
        => twice { counted } -> User
        => { inside => wrap { from_given } } -> Other<User>
        => both
    }
}

#[node]
fn from_given(given: &Given, inside: &Inside) -> Other<User> {
    Other(User(format!("{} {}", given.0, inside.0)))
}

#[test]
fn a_node_around_a_block_carries_its_value() {
    let wrapped = Wrapped { wrap: Wrap, twice: Twice, hooked: Hooked { name: "hooked" } };
    assert_eq!(block_on(wrapped.run(0)).0, "try 2 hooked 7");
    assert_eq!(
        taken(),
        [
            "wrap",
            "enter hooked",
            "give",
            "exit hooked",
            "drop hooked",
            "wrapped",
            "wrap",
            "wrapped",
            "drop given hooked",
        ],
    );
}

chain! {
    #[observe(Recorder)]
    struct WrappedAndObserved { wrap: Wrap }
    async fn(request: Request) -> Reply {
        wrap { if has_bearer { bearer } else { cookie } } -> User => wrap { greet }
    }
}

#[test]
fn a_break_goes_through_the_node_around_the_block() {
    let reply = |bearer, cookie| block_on(WrappedAndObserved { wrap: Wrap }.run(Request { bearer, cookie })).0;
    assert_eq!(
        [reply(Some("a"), None), reply(None, Some("b")), reply(None, None)],
        ["bearer a", "cookie b", "refused"]
    );
    assert!(!taken().is_empty());
}

chain! {
    struct Switched { toggles: Toggles }
    fn(request: Request) -> Reply {
        #[toggle] bearer else { cookie_now } -> User => #[toggle("other")] { inside => wrapped } else { { wrapped_else } } -> Other<User> => both
    }
}

#[node]
fn wrapped_else(user: &User) -> Other<User> {
    Other(User(format!("of {}", user.0)))
}

#[test]
fn what_runs_instead_provides_the_same() {
    let switched = Switched { toggles: Toggles::new() };
    let run = || switched.run(Request { bearer: Some("a"), cookie: Some("b") }).0;
    assert_eq!(run(), "bearer a 7");
    switched.toggles().set("bearer", false).expect("there is one");
    assert_eq!(run(), "b 7");
    switched.toggles().set("other", false).expect("there is one");
    assert_eq!(run(), "b of b");
}

/// What is lent for the run.
struct Name<'a>(&'a str);

struct Word(String);

struct Words([Word; 2]);

#[node]
fn first_word(words: &Words) -> &Word {
    &words.0[0]
}

#[node]
fn last_word(words: &Words) -> Result<&Word, Refused> {
    words.0.last().ok_or(Refused)
}

#[node]
fn name_of<'a>(text: &'a str) -> Name<'a> {
    Name(text)
}

#[node]
fn keeps_both<'a>(word: &'a Word, name: &Name<'a>) -> Kept<'a> {
    Kept(word, name.0)
}

struct Kept<'a>(&'a Word, &'a str);

#[node]
fn kept(kept: &Kept<'_>) -> Reply {
    Reply(format!("{} {}", kept.0.0, kept.1))
}

chain! {
    struct Borrowing { words: Words }
    fn<'r>(text: &'r str, decision: bool) -> Reply {
        if decide { first_word } else { last_word } -> &Word => { name_of } -> Name<'r> => { keeps_both } -> Kept<'_> => kept
    }
}

#[test]
fn what_a_block_provides_may_borrow_for_the_run() {
    let chain = Borrowing { words: Words(["a", "b"].map(|word| Word(word.to_owned()))) };
    assert_eq!([true, false].map(|decision| chain.run("text", decision).0), ["a text", "b text"]);
}

trait Store {
    type Found;
    fn find(&self) -> Self::Found;
}

impl Store for u8 {
    type Found = u8;
    fn find(&self) -> u8 {
        *self
    }
}

struct Found<S: Store>(S::Found);

#[node]
fn found<S: Store>(store: &Stored<S>) -> Found<S> {
    Found(store.0.find())
}

#[node]
fn shown<S: Store>(found: &Found<S>) -> Reply
where
    S::Found: std::fmt::Display,
{
    Reply(found.0.to_string())
}

struct Stored<S>(S);

chain! {
    struct Generic<S: Store> where S::Found: std::fmt::Display { store: Stored<S> }
    async fn() -> Reply { { found::<S> } -> Found<S> => shown::<S> }
}

#[test]
fn a_chain_with_parameters_has_blocks_that_provide() {
    assert_eq!(block_on(Generic { store: Stored(7_u8) }.run()).0, "7");
}

chain! {
    segment who { if has_bearer { bearer } else { cookie_now } -> User }
}

chain! {
    segment who_and_more { if has_bearer { bearer } else { cookie_now } -> crate::User => { inside => wrapped } -> self::Other<User> }
}

chain! {
    struct OfSegments;
    fn(request: Request) -> Reply { ..who_and_more => both }
}

#[test]
fn a_block_in_a_segment_provides_to_the_chain() {
    assert_eq!(OfSegments.run(Request { bearer: Some("a"), cookie: None }).0, "bearer a 7");
}

chain! {
    struct Decided;
    fn(request: Request) -> Reply {
        if has_bearer { #[cfg(all())] bearer => #[cfg(any())] cookie } else if has_bearer { refuse } else { #[cfg(any())] bearer => cookie_now } -> User
        => #[cfg(any())] { refuse } -> Missing
        => greet
    }
}

#[test]
fn cfg_is_decided_before_what_a_block_ends_with() {
    let reply = |bearer, cookie| Decided.run(Request { bearer, cookie }).0;
    assert_eq!([reply(Some("a"), None), reply(None, Some("b"))], ["bearer a", "b"]);
}

#[test]
fn a_description_says_what_a_block_provides_and_who_is_lent_it() {
    let provides: Vec<_> = Either::CHAIN.blocks.iter().map(|block| (block.label, block.provides)).collect();
    assert_eq!(provides, [("true", Some("User")), ("false", Some("User"))]);
    let capital = &Either::NODES[3];
    let from = Source { kind: SourceKind::Block, position: 0, name: "if has_bearer { .. }" };
    assert_eq!((capital.name, capital.needs[0].from), ("capital", from));
    assert_eq!(
        Either::drawing().to_string(),
        "Either (request: Request)
   => if has_bearer  needs &Request  provides bool
        true
       => bearer         needs &Request  provides User
        false
       => cookie         needs &Request  provides User  or breaks with Refused
   -> User
   => capital        needs &mut User of if has_bearer { .. }
   => greet          needs &User of if has_bearer { .. }  provides Reply
   -> Reply"
    );
    let wrapped = Wrapped::drawing().to_string();
    for line in ["      } -> Given", "      } -> User", "      } -> Other<User>"] {
        assert!(wrapped.lines().any(|other| other == line), "{wrapped}");
    }
    let mermaid = Either::drawing().mermaid().to_string();
    for arrow in ["n1 -. \"User\" .-> n3", "n2 -. \"User\" .-> n3", "n1 --> n3", "n2 --> n3"] {
        assert!(mermaid.contains(arrow), "{mermaid}");
    }
    let mermaid = Braces::drawing().mermaid().to_string();
    assert!(mermaid.contains("n1 -. \"User\" .-> n4"), "{mermaid}");
}

/// One of many.
struct Number<const N: usize>(usize);

#[node]
fn number<const N: usize>() -> Number<N> {
    Number(N)
}

#[node]
async fn later<const BEFORE: usize, const N: usize>(before: &Number<BEFORE>) -> Number<N> {
    suspend(1).await;
    Number(before.0 + 1)
}

#[node]
fn sum_of<const A: usize, const B: usize, const C: usize>(a: &Number<A>, b: &mut Number<B>, c: &Number<C>) -> Reply {
    b.0 += 1;
    Reply(format!("{} {} {}", a.0, b.0, c.0))
}

/// A row of nodes, and behind each stretch of them a block.
macro_rules! long {
    ($chain:ident: $([$($before:literal $at:literal,)* ; $last:literal $block:literal])* ; $($ask:literal),*) => {
        chain! {
            struct $chain;
            async fn() -> Reply {
                { number::<0> } -> Number<0>
                => $( $( later::<$before, $at> => )* { later::<$last, $block> } -> Number<$block> => )*
                sum_of::<$($ask),*>
            }
        }
    };
}

long!(Chunks: [0 1, 1 2, 2 3, 3 4, 4 5, 5 6, ; 6 7] [7 8, ; 8 9] [; 9 10]; 0, 7, 9);
// So long that what it provides is lent in pages, and that it is cut into state machines: a block ends a page, and begins a part.
long!(Long:
    [0 1, 1 2, 2 3, 3 4, 4 5, 5 6, 6 7, 7 8, 8 9, 9 10, 10 11, 11 12, 12 13, 13 14, 14 15, 15 16, 16 17, 17 18,
     18 19, 19 20, 20 21, 21 22, 22 23, 23 24, 24 25, 25 26, 26 27, 27 28, 28 29, 29 30, ; 30 31]
    [31 32, 32 33, 33 34, 34 35, 35 36, 36 37, 37 38, 38 39, 39 40, 40 41, 41 42, 42 43, 43 44, 44 45, 45 46,
     46 47, 47 48, 48 49, 49 50, 50 51, 51 52, 52 53, 53 54, 54 55, 55 56, 56 57, 57 58, 58 59, 59 60, 60 61,
     61 62, ; 62 63]
    [; 63 64]
    [; 64 65]
    [65 66, 66 67, 67 68, 68 69, 69 70, 70 71, 71 72, 72 73, 73 74, 74 75, 75 76, 76 77, 77 78, 78 79, 79 80,
     80 81, 81 82, 82 83, 83 84, 84 85, 85 86, 86 87, 87 88, 88 89, 89 90, 90 91, 91 92, 92 93, 93 94, 94 95,
     95 96, 96 97, 97 98, 98 99, 99 100, 100 101, 101 102, 102 103, 103 104, 104 105, 105 106, 106 107,
     107 108, 108 109, 109 110, 110 111, 111 112, 112 113, 113 114, 114 115, 115 116, 116 117, 117 118,
     118 119, 119 120, 120 121, 121 122, 122 123, 123 124, 124 125, 125 126, 126 127, 127 128, 128 129, ; 129 130]
    [130 131, 131 132, 132 133, 133 134, 134 135, 135 136, 136 137, 137 138, 138 139, ; 139 140]
    ; 31, 140, 64);

#[test]
fn many_in_a_row_provide_whether_nodes_or_blocks() {
    assert_eq!(block_on(Chunks.run()).0, "0 8 9");
    assert_eq!(block_on(Long.run()).0, "31 141 64");
}

/// In the short form.
mod short {
    use chain_runtime::{Context, Request, Response, chain, node};

    struct Name(String);

    #[node]
    fn is_get(request: &Request) -> bool {
        request.method == "GET"
    }

    #[node]
    fn of_path(request: &Request) -> Name {
        Name(request.uri.path().to_owned())
    }

    #[node]
    fn nobody() -> Name {
        Name("nobody".to_owned())
    }

    #[node]
    fn greet(name: &Name, response: &mut Response) {
        response.body.extend_from_slice(name.0.as_bytes());
    }

    #[test]
    fn a_block_provides_in_the_short_form() {
        let gateway = chain!(if is_get { of_path } else { nobody } -> Name => greet);
        let mut context = Context::default();
        chain::poll::block_on(gateway.run(&mut context));
        assert_eq!(context.response.body, b"/"[..]);
    }
}
