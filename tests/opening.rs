//! Fail open: `#[open]` before a node, one statement a test.

use chain::log::{note, taken};
use chain::poll::{block_on, drive, dropped_at_every_poll, suspend};
use chain_runtime::around::Expired;
use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::{Event, Observer, Recorder, Recording};
use chain_runtime::{IntoReply, Toggles, chain, node};

#[derive(Debug, PartialEq)]
struct Reply(String);

/// Of how many the request may be one, as a limiter has it.
struct Permit(u32);

#[derive(Clone, Copy)]
enum Limit {
    /// There is a permit.
    Of(u32),
    /// There is none.
    Full,
    /// The limiter cannot be asked.
    Unavailable,
    /// It can be asked, later.
    Slow,
}

/// What the limiter breaks with.
#[derive(Clone, Copy)]
enum Turned {
    Full,
    Unavailable(&'static str),
}
use Turned::Full;

impl IntoReply<Reply> for Turned {
    fn into_reply(self) -> Reply {
        Reply(match self {
            Self::Full => "full".to_owned(),
            Self::Unavailable(why) => why.to_owned(),
        })
    }
}

impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        Reply("late".to_owned())
    }
}

fn asked(limit: Limit) -> Result<Permit, Turned> {
    match limit {
        Limit::Of(left) => Ok(Permit(left)),
        Limit::Full => Err(Turned::Full),
        Limit::Unavailable | Limit::Slow => Err(Turned::Unavailable("away")),
    }
}

#[node]
fn limiter(limit: &Limit) -> Result<Permit, Turned> {
    asked(*limit)
}

#[node]
async fn slow_limiter(limit: &Limit) -> Result<Permit, Turned> {
    if matches!(limit, Limit::Slow) {
        std::future::pending::<()>().await;
    }
    asked(*limit)
}

/// Gives nothing.
#[node]
fn gate(limit: &Limit) -> Result<(), Turned> {
    asked(*limit).map(drop)
}

#[node]
fn answer(permit: &Option<Permit>) -> Reply {
    Reply(permit.as_ref().map_or("open".to_owned(), |permit| permit.0.to_string()))
}

#[node]
fn hello() -> Reply {
    Reply("hello".to_owned())
}

const LIMITS: [Limit; 3] = [Limit::Of(3), Limit::Full, Limit::Unavailable];

chain! {
    struct All;
    fn(limit: Limit) -> Reply { #[open] limiter => answer }
}

chain! {
    struct Some;
    fn(limit: Limit) -> Reply { #[open(Turned::Unavailable(_))] limiter => answer }
}

chain! {
    struct Constant;
    fn(limit: Limit) -> Reply { #[open(Full)] limiter => answer }
}

chain! {
    struct Either;
    fn(limit: Limit) -> Reply { #[open(Full | Turned::Unavailable("away"))] gate => hello }
}

chain! {
    struct Ends;
    fn(limit: Limit) -> Reply { { #[open] gate } => hello }
}

#[test]
fn a_run_goes_on_without_a_node_that_breaks() {
    assert_eq!(LIMITS.map(|limit| All.run(limit).0), ["3", "open", "open"]);
    assert_eq!(LIMITS.map(|limit| Either.run(limit).0), ["hello", "hello", "hello"]);
    assert_eq!(LIMITS.map(|limit| Ends.run(limit).0), ["hello", "hello", "hello"]);
}

#[test]
fn breaks_that_no_pattern_names_are_the_reply() {
    assert_eq!(LIMITS.map(|limit| Some.run(limit).0), ["3", "full", "open"]);
    assert_eq!(LIMITS.map(|limit| Constant.run(limit).0), ["3", "open", "away"]);
}

chain! {
    struct Late;
    async fn(limit: Limit) -> Reply { #[open] #[timeout(5ms)] slow_limiter => answer }
}

chain! {
    struct LateAlone;
    async fn(limit: Limit) -> Reply { #[timeout(5ms)] #[open(late)] slow_limiter => answer }
}

chain! {
    struct LateAsWell;
    async fn(limit: Limit) -> Reply { #[open(Turned::Full, late)] #[timeout(5ms)] slow_limiter => answer }
}

chain! {
    struct NotLate;
    async fn(limit: Limit) -> Reply { #[open(Turned::Full)] #[timeout(5ms)] slow_limiter => answer }
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_without_a_node_that_is_late() {
    let limits = [Limit::Of(3), Limit::Full, Limit::Unavailable, Limit::Slow];
    let mut replies = [(); 4].map(|()| Vec::new());
    for limit in limits {
        replies[0].push(Late.run(limit).await.0);
        replies[1].push(LateAlone.run(limit).await.0);
        replies[2].push(LateAsWell.run(limit).await.0);
        replies[3].push(NotLate.run(limit).await.0);
    }
    assert_eq!(replies[0], ["3", "open", "open", "open"]);
    assert_eq!(replies[1], ["3", "full", "away", "open"]);
    assert_eq!(replies[2], ["3", "open", "away", "open"]);
    assert_eq!(replies[3], ["3", "open", "away", "late"]);
}

/// Says what becomes of it.
struct Session(&'static str);

impl Drop for Session {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}

struct Hooked {
    name: &'static str,
    breaks: bool,
}

#[node]
impl Hooked {
    async fn enter(&self) -> Result<Session, Turned> {
        note(format!("enter {}", self.name));
        suspend(1).await;
        if self.breaks { Err(Full) } else { Ok(Session(self.name)) }
    }
    async fn exit(&self, session: &Session) {
        note(format!("exit {}", session.0));
        suspend(1).await;
    }
    fn cancelled(&self, session: &Session) {
        note(format!("cancelled {}", session.0));
    }
}

struct Opened(u32);

#[node]
async fn uses(hooked: &Option<Session>) -> Reply {
    suspend(1).await;
    note("answer");
    Reply(hooked.as_ref().map_or("none", |hooked| hooked.0).to_owned())
}

struct Telling(Vec<String>);

impl Observer for Telling {
    fn begin(_: &'static ChainInfo) -> Self {
        Self(Vec::new())
    }
    fn enter(&mut self, node: &'static NodeInfo) {
        self.0.push(format!("enter {}", node.name));
    }
    fn broke(&mut self, node: &'static NodeInfo) {
        self.0.push(format!("broke {}", node.name));
    }
    fn opened(&mut self, node: &'static NodeInfo) {
        self.0.push(format!("opened {}", node.name));
    }
    fn cancelled(&mut self, node: &'static NodeInfo) {
        self.0.push(format!("cancelled {}", node.name));
    }
    fn late(&mut self, node: &'static NodeInfo) {
        self.0.push(format!("late {}", node.name));
    }
    fn end(self, ending: Option<&'static chain_runtime::Ending>) {
        note(format!("{} ({})", self.0.join(", "), ending.map_or("none".to_owned(), ToString::to_string)));
    }
}

chain! {
    #[observe(Telling)]
    struct Observed { hooked: Hooked, outer: Outer }
    async fn() -> Reply { outer => #[open(Full)] hooked => uses }
}

chain! {
    struct Unobserved { hooked: Hooked, outer: Outer }
    async fn() -> Reply { outer => #[open(Full)] hooked => uses }
}

struct Outer;

#[node]
impl Outer {
    fn exit(&self) {
        note("exit outer");
    }
    fn cancelled(&self) {
        note("cancelled outer");
    }
}

#[test]
fn a_node_that_was_never_entered_is_not_left() {
    let hooked = |breaks| Hooked { name: "hooked", breaks };
    let run = |breaks| block_on(Unobserved { hooked: hooked(breaks), outer: Outer }.run()).0;
    assert_eq!(run(false), "hooked");
    assert_eq!(taken(), ["enter hooked", "answer", "exit hooked", "drop hooked", "exit outer"]);
    assert_eq!(run(true), "none");
    assert_eq!(taken(), ["enter hooked", "answer", "exit outer"]);
}

#[test]
fn an_observer_is_told_that_it_broke_and_that_the_run_goes_on() {
    let chain = Observed { hooked: Hooked { name: "hooked", breaks: true }, outer: Outer };
    assert_eq!(block_on(chain.run()).0, "none");
    let told = taken().pop();
    let expected = "enter outer, enter hooked, broke hooked, opened hooked, enter uses (replied by `uses`)";
    assert_eq!(told.as_deref(), std::option::Option::Some(expected));
}

#[test]
fn a_run_that_dies_behind_it_cancels_those_that_were_entered() {
    let chain = Observed { hooked: Hooked { name: "hooked", breaks: true }, outer: Outer };
    let mut told = Vec::new();
    let polls = dropped_at_every_poll(|polls| {
        let driven = drive(chain.run(), polls);
        told.extend(taken().pop());
        driven
    });
    assert_eq!(polls, 3);
    assert_eq!(
        told,
        [
            "enter outer, enter hooked, cancelled hooked, cancelled outer (none)",
            "enter outer, enter hooked, broke hooked, opened hooked, enter uses, cancelled uses, cancelled outer (none)",
            "enter outer, enter hooked, broke hooked, opened hooked, enter uses (replied by `uses`)",
        ],
    );
}

/// Runs its block a second time where that breaks.
struct Twice;

#[node]
impl Twice {
    async fn around<B: Future>(&self, block: std::pin::Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, attempt: u32, _: &Reply) -> bool {
        attempt < 3
    }
}

#[node]
fn third(tries: &mut Opened) -> Result<Permit, Turned> {
    tries.0 += 1;
    if tries.0 < 3 { Err(Full) } else { Ok(Permit(tries.0)) }
}

chain! {
    #[observe(Recorder)]
    struct Again { twice: Twice }
    async fn(tries: Opened) -> Reply { twice { #[open] third => answer } }
}

#[test]
fn what_runs_again_is_asked_again() {
    let recording = Recording::start();
    assert_eq!(block_on(Again { twice: Twice }.run(Opened(0))).0, "3");
    let broke = recording.events().into_iter().filter(|event| *event == Event::Broke("third")).count();
    assert_eq!(broke, 2);
}

chain! {
    struct Switched { toggles: Toggles }
    fn(limit: Limit) -> Reply { #[toggle] #[open] limiter => #[toggle("gate")] #[open(Turned::Unavailable(_))] gate else { gate } => answer }
}

/// Where names mean something of their own.
mod elsewhere {
    use chain_runtime::chain;

    use super::Turned::{self, Full as Nobody};

    const AWAY: &str = "away";

    chain! {
        pub(crate) segment limited { #[open(Nobody | Turned::Unavailable(AWAY))] super::limiter }
    }

    chain! {
        pub(crate) segment limited_in_time { #[open(Nobody, late)] #[timeout(5ms)] super::slow_limiter }
    }
}

chain! {
    struct OfSegment;
    fn(limit: Limit) -> Reply { ..elsewhere::limited => answer }
}

chain! {
    struct OfSegmentInTime;
    async fn(limit: Limit) -> Reply { ..elsewhere::limited_in_time => answer }
}

#[tokio::test(start_paused = true)]
async fn the_pattern_of_a_segment_means_what_it_means_there() {
    assert_eq!(LIMITS.map(|limit| OfSegment.run(limit).0), ["3", "open", "open"]);
    for (limit, reply) in [(Limit::Full, "open"), (Limit::Unavailable, "away"), (Limit::Slow, "open")] {
        assert_eq!(OfSegmentInTime.run(limit).await.0, reply);
    }
}

#[test]
fn it_stands_beside_other_attributes() {
    let switched = Switched { toggles: Toggles::new() };
    assert_eq!(LIMITS.map(|limit| switched.run(limit).0), ["3", "full", "open"]);
    switched.toggles().set("limiter", false).expect("there is one");
    assert_eq!(LIMITS.map(|limit| switched.run(limit).0), ["open", "full", "open"]);
    switched.toggles().set("gate", false).expect("there is one");
    assert_eq!(LIMITS.map(|limit| switched.run(limit).0), ["open", "full", "away"]);
}

#[test]
fn a_description_says_which_nodes_it_may_go_on_without() {
    let opens: Vec<_> = Either::NODES.iter().map(|node| (node.opens, node.attributes)).collect();
    assert_eq!(opens, [(true, "#[open(Full|Turned::Unavailable(\"away\"))]"), (false, "")]);
    assert!(
        All::drawing().to_string().contains("provides Permit  or breaks with Turned  #[open]"),
        "{}",
        All::drawing()
    );
}
