//! The cost of blocks, branches, around nodes and attributes. Each is compared with the same code by hand: small
//! `async fn`s awaited in a row, with the language's own `match`, `if` and `async` blocks in the place of the chain's.
//!
//! `cargo bench -p chain-benches --bench composition` prints instructions and allocations of a run and the bytes of its
//! future. It fails if a chain allocates, or gives another reply than its twin.
//!
//! Half of the requests go each way, which an index that counts up decides. The twins hold what a chain holds: a value
//! that later steps see lives as long.

use std::future::{Future, Pending, pending};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chain_benches::allocations::{Asked, Counting};
use chain_benches::callgrind;
use chain_benches::poll::{block_on, suspend};
use chain_benches::table::{Table, publish};
use chain_runtime::around::{Concurrency, Deadline, Expired, Overloaded, Retry, Timer};
use chain_runtime::share::{Share, StickyKey};
use chain_runtime::shed::Level;
use chain_runtime::{IntoReply, Reloadable, Shedding, Toggles, chain, node};
use serde_json::Value;

#[global_allocator]
static COUNTING: Counting = Counting;

// ---- the work

struct Request(u64);
/// What becomes of it.
struct Reply(u64);
struct User(u64);
struct Body(u64);
enum Route {
    Api(Body),
    Files(User),
}
struct Refused;

impl IntoReply<Reply> for Refused {
    #[inline]
    fn into_reply(self) -> Reply {
        Reply(403)
    }
}
impl IntoReply<Reply> for Expired {
    #[inline]
    fn into_reply(self) -> Reply {
        Reply(504)
    }
}
impl IntoReply<Reply> for Overloaded {
    #[inline]
    fn into_reply(self) -> Reply {
        Reply(503)
    }
}

#[node]
async fn auth(request: &Request) -> Result<User, Refused> {
    suspend(1).await;
    if request.0 % 16 == 15 { Err(Refused) } else { Ok(User(black_box(request.0))) }
}
#[node]
async fn check(user: &User) -> Result<(), Refused> {
    suspend(1).await;
    if black_box(user.0) == u64::MAX { Err(Refused) } else { Ok(()) }
}
#[node]
fn note(request: &mut Request) {
    request.0 = black_box(request.0);
}
#[node]
async fn answer(request: &Request) -> Reply {
    suspend(1).await;
    Reply(black_box(request.0 + 200))
}
#[node]
async fn other(request: &Request) -> Reply {
    suspend(1).await;
    Reply(black_box(request.0 + 300))
}
#[node]
fn route(request: &Request) -> Route {
    if request.0.is_multiple_of(2) {
        Route::Api(Body(black_box(request.0)))
    } else {
        Route::Files(User(black_box(request.0)))
    }
}
#[node]
async fn api(body: &mut Body) -> Reply {
    suspend(1).await;
    body.0 += 1;
    Reply(black_box(body.0))
}
#[node]
async fn files(user: &User) -> Reply {
    suspend(1).await;
    Reply(black_box(user.0))
}
#[node]
fn is_even(request: &Request) -> bool {
    black_box(request.0).is_multiple_of(2)
}
#[node]
async fn greet(user: &Option<User>) -> Reply {
    suspend(1).await;
    Reply(black_box(user.as_ref().map_or(1, |user| user.0)))
}
#[node]
fn key(request: &Request) -> StickyKey {
    StickyKey::from_u64(request.0)
}
#[node]
fn limited(limits: &Limits) -> Result<(), Refused> {
    if black_box(limits.0) == 0 { Err(Refused) } else { Ok(()) }
}

struct Limits(u64);

/// Never asked: nothing here is late.
#[derive(Clone, Copy)]
struct Still;
impl Timer for Still {
    type Sleep = Pending<()>;
    fn sleep_until(&self, _: Instant) -> Pending<()> {
        pending()
    }
}

/// Never gives up, and does nothing else.
struct Pass;
#[node]
impl Pass {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Refused> {
        Ok(block.await)
    }
}

fn never(_: &Reply) -> bool {
    false
}

fn deadline() -> Deadline<Still> {
    Deadline::within_on(Still, Duration::from_secs(3600))
}

fn retry() -> Retry<fn(&Reply) -> bool, Still> {
    Retry::new_on(Still, never)
}

// ---- the chains

chain! { struct Goes; async fn(request: Request) -> Reply { { auth => check } => answer } }
chain! { struct Ends; async fn(request: Request) -> Reply { note => { auth => check => answer } } }
chain! { segment front { auth => check } }
chain! { struct Spliced; async fn(request: Request) -> Reply { ..front => note => answer } }
chain! { struct InPlace; async fn(request: Request) -> Reply { auth => check => note => answer } }
chain! {
    struct Matches;
    async fn(request: Request) -> Reply {
        match route { Route::Api(body: Body) => api, Route::Files(user: User) => files }
    }
}
chain! { struct Asks; async fn(request: Request) -> Reply { if is_even { auth => check } => answer } }
chain! { struct When; async fn(request: Request) -> Reply { #[when(is_even)] auth => greet } }
chain! { struct Toggled { toggles: Toggles } async fn(request: Request) -> Reply { #[toggle] auth => greet } }
chain! { struct GivesUp { shedding: Shedding } async fn(request: Request) -> Reply { #[shed(high)] auth => greet } }
chain! { struct Splits; async fn(request: Request) -> Reply { key => #[split(50)] answer else { other } } }
chain! { struct Reloads { limits: Reloadable<Limits> } async fn(request: Request) -> Reply { limited => answer } }
chain! { struct Passes { pass: Pass } async fn(request: Request) -> Reply { note => pass { auth => check => answer } } }
chain! { struct PassesOn { pass: Pass } async fn(request: Request) -> Reply { pass { auth => check } => answer } }
chain! { struct Limits1 { deadline: Deadline<Still> } async fn(request: Request) -> Reply { deadline { auth => check => answer } } }
chain! { struct Sheds { limit: Concurrency } async fn(request: Request) -> Reply { limit { auth => check => answer } } }
chain! {
    struct Retries { retry: Retry<fn(&Reply) -> bool, Still> }
    async fn(request: Request) -> Reply { retry { auth => check => answer } }
}
chain! {
    struct Nested { pass: Pass, deadline: Deadline<Still> }
    async fn(request: Request) -> Reply {
        note => deadline {
            match route {
                Route::Api(body: Body) => if is_even { pass { auth => check } } => api,
                Route::Files(user: User) => { files }
            }
        }
    }
}

// ---- the twins

async fn block(request: &Request) -> Result<(), Refused> {
    let user = auth(request).await?;
    check(&user).await
}
async fn goes(request: Request) -> Reply {
    match block(&request).await {
        Ok(()) => answer(&request).await,
        Err(refused) => refused.into_reply(),
    }
}
async fn ends(mut request: Request) -> Reply {
    note(&mut request);
    let user = match auth(&request).await {
        Ok(user) => user,
        Err(refused) => return refused.into_reply(),
    };
    if let Err(refused) = check(&user).await {
        return refused.into_reply();
    }
    answer(&request).await
}
async fn in_place(mut request: Request) -> Reply {
    let user = match auth(&request).await {
        Ok(user) => user,
        Err(refused) => return refused.into_reply(),
    };
    if let Err(refused) = check(&user).await {
        return refused.into_reply();
    }
    note(&mut request);
    answer(&request).await
}
async fn matches(request: Request) -> Reply {
    match route(&request) {
        Route::Api(mut body) => api(&mut body).await,
        Route::Files(user) => files(&user).await,
    }
}
async fn asks(request: Request) -> Reply {
    if is_even(&request)
        && let Err(refused) = block(&request).await
    {
        return refused.into_reply();
    }
    answer(&request).await
}
async fn when(request: Request) -> Reply {
    let user = match is_even(&request) {
        true => match auth(&request).await {
            Ok(user) => Some(user),
            Err(refused) => return refused.into_reply(),
        },
        false => None,
    };
    greet(&user).await
}
async fn toggled(toggles: &Toggles, request: Request) -> Reply {
    let user = match toggles.snapshot().is_on(0, true) {
        true => match auth(&request).await {
            Ok(user) => Some(user),
            Err(refused) => return refused.into_reply(),
        },
        false => None,
    };
    greet(&user).await
}
async fn gives_up(shedding: &Shedding, request: Request) -> Reply {
    let snapshot = shedding.snapshot();
    let user = match snapshot.sheds(0, Level::High) {
        false => match auth(&request).await {
            Ok(user) => Some(user),
            Err(refused) => return refused.into_reply(),
        },
        true => {
            shedding.counted(0);
            None
        }
    };
    greet(&user).await
}
/// At this level for good.
fn at(level: Level) -> Shedding {
    let shedding = Shedding::new();
    shedding.cell().set(level);
    shedding
}
async fn splits(request: Request) -> Reply {
    let key = key(&request);
    match Share::of(50, 100).takes(&key, "Splits/answer") {
        true => answer(&request).await,
        false => other(&request).await,
    }
}
async fn reloads(limits: &Reloadable<Limits>, request: Request) -> Reply {
    let limits = limits.load();
    match limited(&limits) {
        Ok(()) => answer(&request).await,
        Err(refused) => refused.into_reply(),
    }
}
async fn whole(request: &Request) -> Reply {
    let user = match auth(request).await {
        Ok(user) => user,
        Err(refused) => return refused.into_reply(),
    };
    if let Err(refused) = check(&user).await {
        return refused.into_reply();
    }
    answer(request).await
}
async fn passes(pass: &Pass, mut request: Request) -> Reply {
    note(&mut request);
    pass.around(pin!(whole(&request))).await.unwrap_or_else(IntoReply::into_reply)
}
async fn passes_on(pass: &Pass, request: Request) -> Reply {
    match pass.around(pin!(block(&request))).await {
        Ok(Ok(())) => answer(&request).await,
        Ok(Err(refused)) | Err(refused) => refused.into_reply(),
    }
}
async fn limits(deadline: &Deadline<Still>, request: Request) -> Reply {
    deadline.around(pin!(whole(&request))).await.unwrap_or_else(IntoReply::into_reply)
}
async fn sheds(limit: &Concurrency, request: Request) -> Reply {
    limit.around(pin!(whole(&request))).await.unwrap_or_else(IntoReply::into_reply)
}
async fn retries(retry: &Retry<fn(&Reply) -> bool, Still>, request: Request) -> Reply {
    retry.enter();
    let mut attempt = 1;
    loop {
        let reply = retry.around(pin!(whole(&request))).await;
        let Some(pause) = retry.again(attempt, &reply) else { return reply };
        pause.await;
        attempt += 1;
    }
}
async fn nested(pass: &Pass, deadline: &Deadline<Still>, mut request: Request) -> Reply {
    note(&mut request);
    let block = async {
        match route(&request) {
            Route::Api(mut body) => {
                if is_even(&request) {
                    match pass.around(pin!(block(&request))).await {
                        Ok(Ok(())) => {}
                        Ok(Err(refused)) | Err(refused) => return refused.into_reply(),
                    }
                }
                api(&mut body).await
            }
            Route::Files(user) => files(&user).await,
        }
    };
    deadline.around(pin!(block)).await.unwrap_or_else(IntoReply::into_reply)
}

// ---- the measuring

/// One thing that runs.
struct Measured {
    name: &'static str,
    /// So many runs: the sum of their replies, and the bytes of a future.
    run: fn(u64) -> (u64, usize),
}

macro_rules! measured {
    ($($name:ident: $what:literal, $([$state:ident = $made:expr])* |$request:ident| $run:expr;)+) => {
        $(
            /// Callgrind counts while this is being called, by its name.
            #[inline(never)]
            fn $name(runs: u64) -> (u64, usize) {
                // Without a difference, LLVM would make one function of two identical ones.
                black_box(stringify!($name));
                $(let $state = $made;)*
                let (mut sum, mut size) = (0u64, 0);
                for index in 0..runs {
                    let $request = Request(black_box(index));
                    let future = $run;
                    size = size_of_val(&future);
                    sum = sum.wrapping_add(black_box(block_on(future)).0);
                }
                (sum, size)
            }
        )+
        const MEASURED: &[(&str, Measured)] = &[$((stringify!($name), Measured { name: $what, run: $name })),+];
    };
}

// In pairs: by hand, and the chain.
measured! {
    hand_goes: "a block that goes on", |request| goes(request);
    chain_goes: "a block that goes on", [chain = Goes] |request| chain.run(request);
    hand_ends: "a block at the end", |request| ends(request);
    chain_ends: "a block at the end", [chain = Ends] |request| chain.run(request);
    hand_spliced: "a segment", |request| in_place(request);
    chain_spliced: "a segment", [chain = Spliced] |request| chain.run(request);
    hand_in_place: "its nodes in place", |request| in_place(request);
    chain_in_place: "its nodes in place", [chain = InPlace] |request| chain.run(request);
    hand_matches: "match, with bindings", |request| matches(request);
    chain_matches: "match, with bindings", [chain = Matches] |request| chain.run(request);
    hand_asks: "if", |request| asks(request);
    chain_asks: "if", [chain = Asks] |request| chain.run(request);
    hand_when: "#[when]", |request| when(request);
    chain_when: "#[when]", [chain = When] |request| chain.run(request);
    hand_toggled: "#[toggle]", [toggles = Toggles::new()] |request| toggled(&toggles, request);
    chain_toggled: "#[toggle]", [chain = Toggled { toggles: Toggles::new() }] |request| chain.run(request);
    hand_calm: "#[shed], calm", [shedding = at(Level::Calm)] |request| gives_up(&shedding, request);
    chain_calm: "#[shed], calm", [chain = GivesUp { shedding: at(Level::Calm) }] |request| chain.run(request);
    hand_at_level: "#[shed], at its level", [shedding = at(Level::High)] |request| gives_up(&shedding, request);
    chain_at_level: "#[shed], at its level", [chain = GivesUp { shedding: at(Level::High) }] |request| chain.run(request);
    hand_splits: "#[split] .. else", |request| splits(request);
    chain_splits: "#[split] .. else", [chain = Splits] |request| chain.run(request);
    hand_reloads: "a Reloadable field", [limits = Reloadable::new(Limits(1))] |request| reloads(&limits, request);
    chain_reloads: "a Reloadable field", [chain = Reloads { limits: Reloadable::new(Limits(1)) }] |request| chain.run(request);
    hand_passes: "a node around the end", [pass = Pass] |request| passes(&pass, request);
    chain_passes: "a node around the end", [chain = Passes { pass: Pass }] |request| chain.run(request);
    hand_passes_on: "a node around a block that goes on", [pass = Pass] |request| passes_on(&pass, request);
    chain_passes_on: "a node around a block that goes on", [chain = PassesOn { pass: Pass }] |request| chain.run(request);
    hand_limits: "Deadline", [deadline = deadline()] |request| limits(&deadline, request);
    chain_limits: "Deadline", [chain = Limits1 { deadline: deadline() }] |request| chain.run(request);
    hand_sheds: "Concurrency", [limit = Concurrency::shed(9)] |request| sheds(&limit, request);
    chain_sheds: "Concurrency", [chain = Sheds { limit: Concurrency::shed(9) }] |request| chain.run(request);
    hand_retries: "Retry", [retry = retry()] |request| retries(&retry, request);
    chain_retries: "Retry", [chain = Retries { retry: retry() }] |request| chain.run(request);
    hand_nested: "four deep", [pass = Pass][deadline = deadline()] |request| nested(&pass, &deadline, request);
    chain_nested: "four deep", [chain = Nested { pass: Pass, deadline: deadline() }] |request| chain.run(request);
}

const FEW: u64 = 1_600;
const MANY: u64 = 3_200;

fn main() -> ExitCode {
    if let Some((name, runs)) = callgrind::asked() {
        let (_, measured) = MEASURED.iter().find(|(other, _)| *other == name).expect("a name of the table");
        black_box((measured.run)(runs));
        return ExitCode::SUCCESS;
    }
    let counts = callgrind::is_there();
    let columns = ["by hand", "chain!", "ratio", "allocations", "future by hand", "future of chain!"];
    let mut table = Table::new("instructions of a run, and bytes of its future", "what", columns);
    let mut claims = Vec::new();
    for pair in MEASURED.chunks(2) {
        let [(_, hand), (_, chain)] = pair else { unreachable!("they stand in pairs") };
        eprintln!("{} ..", chain.name);
        // The first run also makes what is made only once.
        (chain.run)(1);
        let before = Asked::so_far();
        let (sum, chain_size) = (chain.run)(MANY);
        // What the chain's fields are made of is asked for once.
        let allocations = (Asked::so_far() - before).times as f64 / MANY as f64;
        let (twin, hand_size) = (hand.run)(MANY);
        claims.push((format!("{}: the same replies", chain.name), sum == twin));
        claims.push((format!("{}: no run allocates", chain.name), allocations < 0.01));
        let instructions = |at: usize| match counts {
            true => Some(callgrind::per_run(pair[at].0, Some(pair[at].0), FEW, MANY)),
            false => None,
        };
        let (by_hand, of_chain) = (instructions(0), instructions(1));
        let ratio = by_hand.zip(of_chain).map(|(by_hand, of_chain)| (of_chain / by_hand * 1000.0).round() / 1000.0);
        let figures: [Value; 6] = [
            by_hand.into(),
            of_chain.into(),
            ratio.into(),
            allocations.floor().into(),
            hand_size.into(),
            chain_size.into(),
        ];
        table.row(chain.name, figures);
    }
    publish("composition", &[table]);
    claims.retain(|(_, holds)| !holds);
    claims.push(("every chain replies as its twin, and none allocates".into(), claims.is_empty()));
    callgrind::verdict(&claims)
}
