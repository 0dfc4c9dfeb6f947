// Long, since the macros of a crate and the page of their language have to stand in its root.

//! Request chains that the compiler builds: `chain!` turns `log => auth => greet` into one monomorphized state machine.
//!
//! A [`node`](macro@node) is a function or a struct with hooks. A [`chain!`] is an ordered composition of nodes, run
//! once for each request. Each node's parameters are found *by type* among the chain's inputs, its fields, and what
//! earlier nodes returned. The compiled chain has no box, no `dyn`, no closure and no allocation. A node that needs a
//! value which is missing, comes too late or lives too short does not compile, and the error points at the node's name.
//!
//! ```
//! use chain_runtime::{IntoReply, chain, node};
//!
//! struct Request { path: &'static str, token: &'static str }
//! struct Keys { ada: &'static str }
//! struct User(&'static str);
//! struct Unauthorized;
//!
//! /// Provides the user, or breaks.
//! #[node]
//! async fn auth(request: &Request, keys: &Keys) -> Result<User, Unauthorized> {
//!     if request.token == keys.ada { Ok(User("Ada")) } else { Err(Unauthorized) }
//! }
//!
//! /// Makes a reply of the error with which `auth` breaks.
//! impl IntoReply<String> for Unauthorized {
//!     fn into_reply(self) -> String { "401".to_owned() }
//! }
//!
//! /// The last node gives the reply.
//! #[node]
//! fn greet(request: Request, user: &User) -> String {
//!     format!("200 {} for {}", request.path, user.0)
//! }
//!
//! chain! {
//!     /// Greets known users.
//!     pub struct Hello {
//!         keys: Keys,
//!     }
//!
//!     async fn(request: Request) -> String {
//!         auth => greet
//!     }
//! }
//!
//! # fn block_on<F: Future>(future: F) -> F::Output {
//! #     let mut future = std::pin::pin!(future);
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     loop {
//! #         if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) { return output }
//! #     }
//! # }
//! # block_on(async {
//! let hello = Hello { keys: Keys { ada: "lovelace" } };
//! assert_eq!(hello.run(Request { path: "/", token: "lovelace" }).await, "200 / for Ada");
//! assert_eq!(hello.run(Request { path: "/", token: "babbage" }).await, "401");
//! # });
//! ```
//!
//! # Words
//!
//! | word | meaning |
//! | --- | --- |
//! | node | one step: a function, or a struct with hooks |
//! | chain | an ordered composition of nodes, declared with [`chain!`], run once for each request |
//! | scope | what can be lent to a node at its place: the inputs, what earlier nodes provided, the chain's fields |
//! | provide | the value that a node returns joins the scope, under its type, for the nodes after it |
//! | reply | the chain's output: the last node gives it, or an earlier node breaks with it |
//! | hooks | `enter` on the way in, `exit` on the way out, `cancelled` when the request dies midway |
//! | block | a chain inside of a chain, with a scope of its own |
//! | around node | a node that wraps a block, as a future: it can limit the block in time, run it again, or abandon it |
//! | segment | a part of a chain, declared once and used in several |
//!
//! # The language
//!
//! 1. **A node's parameters are found by type.** `&T` is lent, `&mut T` is lent for writing, and `T` by value takes the
//!    value out of the scope. An input that the chain owns (`name: T`), an input by `&mut` and a provided value can be
//!    lent for writing. An input by `&` and a field of the chain, which all requests share, can only be lent for
//!    reading. An input that the chain owns, a provided value and a value that a pattern binds can be taken. A value that
//!    was taken is gone: no later node, and no `exit` of an earlier node, may ask for it. See
//!    [what is taken](#what-is-taken).
//! 2. **A node's result says how the run goes on.** A node that returns `T` provides it. One that returns `()` provides
//!    nothing. `Result<T, E>` provides `T` or breaks with `E`; `ControlFlow<R, T>` provides `T` or breaks with `R`. A
//!    node that returns `!` does neither. The value with which a node breaks becomes the reply through [`IntoReply`].
//!    Where the reply is itself a `Result<_, X>`, the `E` becomes `Err(X::from(e))`, as with `?`. Where it is a
//!    `ControlFlow<R, _>`, the value with which a node breaks becomes the `R`.
//! 3. **The last node gives the reply**, directly or through [`IntoReply`].
//! 4. **One type, one provider.** Two nodes, inputs or fields of the same type in one scope are refused: wrap one of
//!    them in a type of its own. A reference is found by the type to which it refers: a provided `&'r T`, an input
//!    `name: &T` and a field `name: &'c T` each count as a `T`, like an owned value, and are lent as `&T`. So the macro
//!    has to see the `&`: an alias that hides a reference is refused. Several fields of one type may be used as nodes:
//!    a chain finds such a field by its name, and does not lend it by its type.
//! 5. **Every node that was entered is left.** `exit` runs in reverse order for exactly the nodes that were entered, on
//!    a reply and on a break. It can be lent what `enter` could be lent, its own node's value, an [`Ending`] that says
//!    which node replied or broke, and the reply, through the parameter *called* `reply` (`&Reply` or `&mut Reply`).
//!    `cancelled` is synchronous, and runs in reverse order where the run ends without a reply. It can be lent its own
//!    node's value and the chain's fields. A node that breaks was never entered.
//! 6. **`fn(..)` in place of `async fn(..)`** declares a chain whose `run` is an ordinary function. An `async` node in
//!    such a chain is refused.
//! 7. **A chain can contain chains**: in blocks `{ a => b }`, in blocks that a node wraps, such as
//!    `deadline { a => b }`, and in the arms of `match` and `if`. Attributes before a node or a block say when it runs,
//!    and for how long. A value that is provided in a block stays in the block, and the block's nodes are left where it
//!    ends. A block with `-> T` behind it provides the `T` that its last node gives.
//!    See [`chain!`](chain!#chains-inside-of-chains). A chain may be
//!    [a node of another](chain!#a-chain-that-is-a-node), and a field may hold its node
//!    [in an `Arc` or an `Option`](chain!#fields-that-hold-a-node).
//! 8. **The chain keeps what you write on it**: attributes, doc comments, visibility, lifetimes, generics,
//!    where-clauses. An input may be a reference (`head: &'r Head`). A node may then provide a value that borrows from
//!    it (`Token<'r>`), or from a field of the chain. A borrowed value cannot outlive the run.
//!
//! # What is taken
//!
//! A node that asks for `T` by value owns it: it drops the value, keeps it, or provides it in another type. So a value can go through
//! several nodes, each of which takes what the one before it provided. A request's body is such a value: each node wraps it
//! in a body of its own, and nothing is read before the last of them reads.
//!
//! ```
//! use chain_runtime::{chain, node};
//!
//! struct Body(Vec<u8>);
//! struct Counted(Body, usize);
//! struct Scanned(Counted);
//!
//! /// Takes an input.
//! #[node]
//! fn count(body: Body) -> Counted {
//!     let length = body.0.len();
//!     Counted(body, length)
//! }
//!
//! /// Takes what `count` provided, or breaks and drops it.
//! #[node]
//! fn scan(counted: Counted) -> Result<Scanned, String> {
//!     if counted.0.0.contains(&0) { Err("400 not a text".to_owned()) } else { Ok(Scanned(counted)) }
//! }
//!
//! #[node]
//! fn store(scanned: Scanned) -> String {
//!     format!("201 {} bytes", scanned.0.1)
//! }
//!
//! chain! {
//!     struct Upload;
//!     fn(body: Body) -> String { count => scan => store }
//! }
//!
//! assert_eq!(Upload.run(Body(vec![7; 10])), "201 10 bytes");
//! assert_eq!(Upload.run(Body(vec![0; 10])), "400 not a text");
//! ```
//!
//! - No node after the one that takes a value may ask for it, and no `exit` of a node before it. Nodes in two arms of a `match` may both take
//!   it. In a block that may run again, a node takes only what the block provides.
//! - The node that provides the value may have an `exit` and a `cancelled` that do without it. A `cancelled` that asks for the value is lent it
//!   for as long as the node is not left, so nothing can take it.
//! - What a block provides is taken in the same way.
//! - A node that may be skipped provides an `Option<T>`, and that is taken as `Option<T>`. A node that is skipped takes nothing.
//! - A function that takes a `T` and returns a `T` changes the value: what it returns stands where the value stood, and is dropped as that
//!   would be. `chain!` has to see from the signatures which value that is, so a function or an input has to provide it. Elsewhere a node asks
//!   for `&mut T`, or wraps what it returns in a type of its own.
//! - A value that a node takes is dropped where that node drops it. Other values are dropped when their block ends, in reverse order, whether
//!   the run is replied, cut short, cancelled, or panics.
//! - Where all nodes of a chain are functions, to take a value is to move it. In another chain a value that a node takes is held
//!   in an `Option`. A value that no node takes is held by itself in any chain.
//!
//! In signatures, the lifetime `'r` is that of one run (of the chain's fields and its inputs by reference), and `'s` is
//! that of one call of a hook.
//!
//! # The four ways out
//!
//! ```text
//!                    request                    reply
//!                       │                         ▲
//!  ┌─ outer ────────────▼─────────────────────────┴─────────────────┐
//!  │                    │ enter              exit │                 │
//!  │   ┌─ gate ─────────▼─────────────────────────┴─────────────┐   │
//!  │   │                │ enter ── breaks ───────►│             │   │
//!  │   │   ┌─ inner ────▼─────────────────────────┴─────────┐   │   │
//!  │   │   │            │ enter              exit │         │   │   │
//!  │   │   │   ┌─ work ─▼─────────────────────────┴─────┐   │   │   │
//!  │   │   │   │        └ gives the reply ────────┘     │   │   │   │
//!  │   │   │   └────────────────────────────────────────┘   │   │   │
//!  │   │   └────────────────────────────────────────────────┘   │   │
//!  │   └────────────────────────────────────────────────────────┘   │
//!  └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! If `gate` breaks, the run never reaches `inner` and `work`. `gate` itself was not entered. `outer` is left, with the
//! reply that the break became. If the future is dropped at an await inside of `work`, or `work` panics, the
//! `cancelled` hook of `inner` runs, then that of `gate`, then that of `outer`.
//!
//! | the run | which nodes | which hook, in reverse order | what `exit` sees |
//! | --- | --- | --- | --- |
//! | is **replied**: the last node gave a value | all | `exit` | the reply; [`Ending`]: replied, by the last node |
//! | is **cut short**: a node broke | those before it | `exit` | the reply made from the break; [`Ending`]: cut short, by that node |
//! | is **cancelled**: its future was dropped at an await | those that were entered and not left | `cancelled` | |
//! | **panics** in a node | those that were entered and not left | `cancelled`; the panic goes on | |
//!
//! - Exactly one of `exit` and `cancelled` runs to its end for a node that was entered and has the hook. An `exit` that
//!   is itself cut off, by a drop or a panic, does not count as having left: the `cancelled` hook of its node runs, and
//!   then those of the nodes before it.
//! - The last node's value becomes the reply, so the chain does not hold it: the last node's `cancelled` never runs.
//!   Its `exit` does.
//! - A `cancelled` hook can tell a panic from a dropped future by `std::thread::panicking()`.
//! - A `cancelled` hook that panics does not keep the hooks of earlier nodes from running. Its panic goes on from where
//!   the run was dropped. If an around node abandoned the block that the hook belongs to, the panic is one of the run.
//!   If a panic is under way already, Rust aborts the process. The same holds for a value that panics when it is
//!   dropped.
//! - Values are dropped in the reverse of the order in which they were provided, each after its node was left.
//!
//! # A chain about itself
//!
//! `Hello::NODES` and `Hello::CHAIN` are `&'static` [data](describe). `Hello::drawing()` makes a [`Drawing`] of them.
//! `Hello::future_size()` and `Hello::node_sizes()` give the bytes that a run takes. See [`chain!`]. An
//! [`Observer`](observe::Observer) is told of every node that is entered and left.
//!
//! # Where a chain runs
//!
//! A chain runs in tower, hyper, axum, tonic, actix-web and ntex, on sockets without HTTP, behind a queue, on any
//! executor, in a pool of threads, and on a device. The page `embedding` of this documentation shows each. The page
//! `migrate` shows, before and after, how to move a program from another library to this one. The page `live_upstreams`
//! is about upstreams that come and go. The page `a_library_of_nodes` shows how to publish nodes in a crate of your own.
//!
//! # What the compiler says
//!
//! Each error of this crate has a code, such as `chain[E102]`. The page `errors` explains each, with an example and the way out.
//!
//! # Features
//!
//! | feature | brings | with the crates |
//! | --- | --- | --- |
//! | none | the language: chains, nodes, hooks, observers, [`Reset`] for the types of `core`. `#![no_std]`, without `alloc` | |
//! | `alloc` | a field that is a node may be held in an `Arc`, an `Rc` or a `Box` | |
//! | `std` (default) | what `alloc` brings; [`Reset`] for the types of `std`, `observe::Recorder` for tests, `around::Deadline`, `around::CatchPanic` | |
//! | `http` | the short form's `Context`; replies that are `http` responses (modules `reply` and `failure`); `Reset` for `http` and `bytes` types | `http`, `bytes` |
//! | `http-body` | framing from the body that is sent, and observers that follow a reply's body to its end (modules `framing`, `tailed`, `timed`); `around::WholeDeadline`, `around::WholeConcurrency` | `http-body`, `http-body-util`, `pin-project-lite`; those of `http` |
//! | `access-log` | `nodes::access_log`: a line for each request, and no request waits for the writer | `crossbeam-queue`, `humantime`; those of `http-body` |
//! | `governor` | `nodes::rate_limit`: limits by user, by peer, or by any other key | `governor`; those of `http` |
//! | `idempotency` | `nodes::idempotency`: a request that is sent twice is carried out once | `http-body-util`, `siphasher`; those of `http-body` |
//! | `jsonwebtoken` | `nodes::auth` by JSON Web Tokens | `jsonwebtoken`, `base64`, `serde`, `serde_json`; those of `http` |
//! | `request-id` | `nodes::request_id` | those of `http` |
//! | `serde_json` | `nodes::json`: parses a request's body | `serde`, `serde_json`; those of `http` |
//! | `subtle` | `nodes::auth` by API keys | `subtle`; those of `http` |
//! | `whole-body` | `nodes::whole_body`: reads a whole body, within limits; `nodes::peek`: reads the beginning of a body, which then gives all of it | those of `http-body` and `tokio` |
//! | `pool` | `Pool` and `Lease`: contexts that outlive their requests | `crossbeam-queue`, `thread_local` |
//! | `tokio` | tokio's timer for the nodes in [`around`]; `around::Concurrency` that waits; work that belongs to a request, and work that outlives it (modules `tasks`, `cancel`) | `pin-project-lite`, `tokio`, `tokio-util` |
//! | `upstream` | members of upstreams, from leases, lists and files; their health; the choice of the next one (module `upstream`) | `arc-swap`, `fastrand`, `siphasher`, `tokio` |
//! | `redis` | state that machines share, in Redis: limits (`nodes::shared_rate_limit`), members, and work that only one machine may do at a time (module `shared`) | `redis` for tokio alone, `fastrand`, `sha1_smol`; those of `http` and `tokio` |
//! | `hickory-resolver` | `upstream::Dns`: the members to which a name resolves | `hickory-resolver`, `futures-util`; those of `upstream` |
//! | `upstream-http` | `upstream::Registrar`: the registry's HTTP interface; `upstream::Announce`: a service that registers there | `percent-encoding`, `serde_path_to_error`; those of `serde_json` and `upstream` |
//! | `retry` | `around::Retry` and `around::Hedge`, with a budget | `fastrand` |
//! | `pressure` | measures pressure on the process, and acts on it (module `pressure`) | `fastrand`, on Linux `nix`; those of `tokio` |
//! | `proxy` | a forwarding node with its server (module `proxy`) | `hyper`, `hyper-util`, `tokio-util`, `tower-service`; those of `http-body`, `pool` and `tokio` |
//! | `rustls` | TLS to upstreams, for `proxy` | `tokio-rustls`, without a provider of cryptography |
//! | `actix-web` | a chain as a handler or as middleware (module `actix_web`) | `actix-web` without features |
//! | `axum` | a chain as a handler, a service or a layer (module `axum`) | `axum` without features; those of `http-body` and `tower` |
//! | `hyper` | a chain as a hyper service (module `hyper`) | `hyper` without features; those of `http-body` |
//! | `ntex` | a chain as a handler or as middleware (module `ntex`) | `ntex` without features |
//! | `tonic` | a chain in front of gRPC services, and as a method's body (module `tonic`) | `tonic` without features; those of `http-body` and `tower` |
//! | `tower` | a chain as a `Service` or a `Layer`, and services as nodes (module `tower`) | `tower-service`, `tower-layer` |
//! | `tracing` | `around::Instrumented`; with `telemetry`, spans for a run and its nodes (`telemetry::spans`) | `tracing` |
//! | `arc-swap` | `Reloadable`: a field that is swapped while requests run | `arc-swap` |
//! | `telemetry` | the time and memory that nodes take, and what pauses them (module `telemetry`) | `chain-counting`, `crossbeam-queue`, `fastrand`, `histogram`, `nix` on Linux, `pin-project-lite`, `quanta`, `thread_local` |
//! | `jemalloc` | `telemetry::Jemalloc`: allocations by jemalloc's own counters | `tikv-jemalloc-ctl`; those of `telemetry` |
//! | `telemetry-page` | `telemetry::page`: a live page, for any server | `serde`, `serde_json`; those of `telemetry` |
//! | `trace-context` | `telemetry::TraceContexts`: the trace to which a request belongs | those of `http` and `telemetry` |
//! | `prometheus-client` | `telemetry::prometheus`: figures for Prometheus; `telemetry::dashboard` | `prometheus-client`, `serde_json`; those of `telemetry` |
//! | `opentelemetry` | `telemetry::otlp`: runs as OpenTelemetry's spans | `opentelemetry`, `opentelemetry_sdk`; those of `telemetry` and `tokio` |
//! | `pprof` | `telemetry::pprof`: profiles for `go tool pprof` | `prost`; those of `telemetry` |
//! | `split` | a [`share`] of the requests by a key, so that the same key always gets the same answer | `siphasher` |
//! | `sample` | a [`share`] of the requests, drawn anew for each; `#[shed(.., sample = ..)]` | `fastrand` |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// The crate's macros name the crate `::chain_runtime`, also when this crate uses them.
#[allow(unused_extern_crates, reason = "used where a feature brings a derive")]
extern crate self as chain_runtime;

#[cfg(any(doc, doctest))]
pub mod a_library_of_nodes;
#[cfg(feature = "actix-web")]
pub mod actix_web;
pub mod around;
#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "tokio")]
pub mod cancel;
pub mod check;
#[cfg(feature = "http")]
pub mod context;
pub mod describe;
#[cfg(any(feature = "access-log", feature = "proxy"))]
mod dotted;
mod embed;
#[cfg(any(doc, doctest))]
pub mod embedding;
#[cfg(any(doc, doctest))]
pub mod errors;
#[cfg(feature = "http")]
pub mod failure;
pub mod flow;
#[cfg(feature = "http-body")]
pub mod framing;
pub mod held;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(all(feature = "upstream", any(doc, doctest)))]
pub mod live_upstreams;
#[cfg(any(doc, doctest))]
pub mod migrate;
pub mod node;
// The condition names more than `http`, because rustc prints a type's short path only if no other type of any crate has
// that name, and names such as these are common.
#[cfg(any(
    feature = "access-log",
    feature = "governor",
    feature = "idempotency",
    feature = "jsonwebtoken",
    feature = "pressure",
    feature = "redis",
    feature = "request-id",
    feature = "serde_json",
    feature = "subtle",
    feature = "trace-context",
    feature = "upstream",
    feature = "whole-body"
))]
pub mod nodes;
#[cfg(feature = "ntex")]
pub mod ntex;
pub mod observe;
#[cfg(feature = "pool")]
mod pool;
#[cfg(feature = "pressure")]
pub mod pressure;
#[doc(hidden)]
pub mod private;
#[cfg(feature = "proxy")]
pub mod proxy;
#[cfg(feature = "arc-swap")]
mod reloadable;
#[cfg(feature = "http")]
pub mod reply;
mod reset;
pub mod scope;
pub mod share;
#[cfg(feature = "redis")]
pub mod shared;
pub mod shed;
#[cfg(feature = "http")]
#[doc(hidden)]
pub mod short;
mod signature;
#[cfg(any(feature = "pool", feature = "pressure", feature = "upstream"))]
mod sync;
#[cfg(feature = "http-body")]
pub mod tailed;
#[doc(hidden)]
pub mod taken;
#[cfg(feature = "tokio")]
pub mod tasks;
#[cfg(feature = "telemetry")]
pub mod telemetry;
#[cfg(feature = "http-body")]
pub mod timed;
pub mod toggle;
#[doc(hidden)]
pub mod told;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "upstream")]
pub mod upstream;

pub use around::Around;
#[cfg(feature = "http")]
pub use context::{Context, Request, Respond, Response, Scratch};
pub use describe::{Drawing, Ending, NodeInfo};
pub use embed::{Chain, ChainOver, Handle, Inputs};
#[cfg(feature = "http")]
pub use failure::{Failure, Render};
pub use flow::{IntoReply, Never, NeverSuspends};
#[doc(hidden)]
pub use node::NodeOf;
pub use node::{Cancel, IsNode, Joins, MayBeNode, Node, Nothing, OnCancel, Signature, Stateless};
#[cfg(feature = "pool")]
pub use pool::{Builder, Lease, Pool, Stats};
#[cfg(feature = "arc-swap")]
pub use reloadable::{Loaded, Reloadable};
pub use reset::Reset;
pub use shed::Shedding;
pub use toggle::Toggles;

pub use chain_macros::Reset;
#[doc(hidden)]
pub use chain_macros::chain as __chain;
/// Makes a function, or an `impl` block with hooks, a node.
///
/// # On a function
///
/// The function stays as it is, so that a test can call it. Beside it, the macro adds a type of the same name, by which
/// a chain names the node.
///
/// ```
/// use chain_runtime::{IntoReply, chain, node};
///
/// struct Line(&'static str);
/// struct Number(u32);
/// struct NotANumber;
///
/// impl IntoReply<String> for NotANumber {
///     fn into_reply(self) -> String { "not a number".to_owned() }
/// }
///
/// #[node]
/// fn parse(line: &Line) -> Result<Number, NotANumber> {
///     line.0.parse().map(Number).map_err(|_| NotANumber)
/// }
///
/// #[node]
/// fn double(number: &Number) -> String {
///     (number.0 * 2).to_string()
/// }
///
/// chain! {
///     struct Doubling;
///     fn(line: Line) -> String { parse => double }
/// }
///
/// assert_eq!(Doubling.run(Line("21")), "42");
/// assert_eq!(Doubling.run(Line("x")), "not a number");
/// assert!(parse(&Line("21")).is_ok());
/// ```
///
/// # On an `impl` block
///
/// A node's type has one to three of the methods below. Other items in the block are left alone. All take `&self`,
/// since a node serves every request. A method whose name is almost that of a hook (`canceled`, `on_exit`) is refused
/// in this block, and so is a hook in another `impl` block of the type: no chain would call it.
///
/// | hook | runs | may be lent | returns |
/// | --- | --- | --- | --- |
/// | `enter` | on the way in; a node without one is entered and provides nothing | what is in the scope; it may take values out of the scope | what the node provides, or with what it breaks |
/// | `exit` | on the way out of a node that was entered | what is in the scope, its own node's value, [`Ending`], the reply | nothing |
/// | `cancelled` | where the run ends without a reply | its own node's value, the chain's fields | nothing; it cannot be `async` |
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
///
/// use chain_runtime::{Ending, chain, node};
///
/// struct Request(&'static str);
///
/// /// Counts the requests in flight.
/// struct InFlight { now: AtomicUsize }
///
/// /// The node's value, which is lent to its way out again.
/// struct Turn(usize);
///
/// #[node]
/// impl InFlight {
///     fn enter(&self) -> Turn {
///         Turn(self.now.fetch_add(1, Relaxed))
///     }
///     fn exit(&self, turn: &Turn, ending: &Ending, reply: &mut String) {
///         self.now.fetch_sub(1, Relaxed);
///         reply.push_str(&format!(" (turn {}, {ending})", turn.0));
///     }
///     fn cancelled(&self) {
///         self.now.fetch_sub(1, Relaxed);
///     }
/// }
///
/// #[node]
/// fn answer(request: &Request, turn: &Turn) -> String {
///     format!("{} for {}", 200 + turn.0, request.0)
/// }
///
/// chain! {
///     struct Service { in_flight: InFlight }
///     fn(request: Request) -> String { in_flight => answer }
/// }
///
/// let service = Service { in_flight: InFlight { now: AtomicUsize::new(0) } };
/// assert_eq!(service.run(Request("/")), "200 for / (turn 0, replied by `answer`)");
/// assert_eq!(service.in_flight.now.into_inner(), 0);
/// ```
///
/// # Parameters
///
/// Each parameter is found by its type in the scope. Its name does not matter, with one exception. In `exit`, the
/// parameter called `reply` is the chain's reply: it goes by its name, because an input and the reply may have the same
/// type. (`_reply` is not `reply`.) Its type may be a type parameter of `exit`, so that the node fits chains with
/// different replies: `fn exit<R: Status>(&self, reply: &R)`.
///
/// | parameter | |
/// | --- | --- |
/// | `&T` | lent |
/// | `&mut T` | lent for writing: provided values, and inputs that are not `&T` |
/// | `&&T` | lent: a reference to the `&T` that is found by `T`, made for the call |
/// | `T` | taken out of the scope: an input that the chain owns, a value that a node or a block provides, or one that a pattern binds; not a reference |
/// | `Option<T>` | taken: the value of a node that may be skipped |
/// | `&mut Option<T>` | the value of a node that may be skipped, lent for writing; not if that node has `exit` or `cancelled`, which need the value |
/// | `&'a T` with `'a` in the result | kept for the run, since the result borrows from it: inputs by `&'r`, the chain's fields, and values that borrow from these |
///
/// # Results
///
/// `Result<T, E>` and `ControlFlow<R, T>` may break, `()` provides nothing, `!` never returns. Any other type is
/// provided. A `&'a T` is provided as a `T`, and lent as `&T`. The macro knows the two that may break by their names.
/// It also sees through another name that has type arguments, such as `Outcome<User>`. A name without arguments that
/// stands for one of the two (`type Allowed = Result<(), Refused>`) is refused, and so is such a name in a node with
/// type parameters.
///
/// # Generics
///
/// The type parameters of a function are those of its node (`node::<T>` in a chain). The same holds for those of the
/// `impl` block. A lifetime in a function's signature is that of the run if it is in the result too, and otherwise that
/// of the call. In a parameter a lifetime may be left out, as in any function: `&Token` for `&Token<'_>`. In the result
/// it is written, if only as `Token<'_>`.
///
/// # `#[cfg(..)]`
///
/// It may stand on a hook, a parameter or a type parameter, and on the item itself, before or after `#[node]`.
///
/// # Options
///
/// - `#[node(stateless)]`, on an `impl` block: the type has no fields, so a chain may name it by its type, without a
///   field. Such a type with `exit` or `cancelled` has a name that begins with a capital letter: a chain has no way out
///   for a node that is named like a function.
/// - `#[node(last)]`: what the node gives is the reply, and a chain that goes on after it is refused. A node that hands
///   the request on to another server is one of these.
/// - `#[node(rejects)]`: the node turns requests away, as a limit does, so it has to come before any work is done for
///   them. A chain in which an earlier node has taken an input by value, such as the request's body, is refused.
/// - `#[node(wanted)]`: what the node provides is useful only to a later node, as a lease is. A chain in which no later
///   node asks for it is refused.
/// - `#[node(once)]`: the node stands for the whole request. A chain in which it stands in a block that may run again
///   is refused.
/// - `#[node(crate = path)]`: the path of this crate, for macros that re-export it. The macro finds the crate by itself
///   where `Cargo.toml` only gives it another name.
///
/// [`mod@node`] describes the traits that it implements. A node can be written by hand as well.
pub use chain_macros::node;
#[doc(hidden)]
pub use chain_macros::planned as __planned;
#[doc(hidden)]
pub use chain_macros::splice as __splice;

/// Declares a chain.
///
/// # The item form
///
/// ```text
/// chain! {
///     attributes visibility struct Name<generics> where-clause {     // or `struct Name;`
///         visibility field: Type,
///     }
///
///     attributes async fn<'r>(input: Type, ..) -> Reply {            // or `fn`
///         node => path::to::node => node::<Type> => field
///     }
/// }
/// ```
///
/// The struct is an ordinary one: make a value of it, and keep it in an `Arc` or a `static`. A chain names a node by
/// its path, or, where the node has state, by the field that holds it. A field's name hides a function of the same
/// name. A node in a module of the same name is named by both, `login::login`: a type of the node's name comes with it,
/// so it cannot be imported beside the module. A macro of the node's name comes with it, too: where another macro or
/// node of that name is in scope (a `macro_rules!`, one behind a glob, one of an outer scope), rustc calls the other one
/// or says that the name is ambiguous (E0659). Then the node is declared in a module of its own, `mod stand_ins`, which may
/// stand in a function as well, and is named `stand_ins::last`, or imported by its name: `use stand_ins::last;` hides a
/// node behind a glob and one of an outer scope. (Where a `macro_rules!` or a variable of a function around the chain has
/// the name, only a path helps, `self::last`.) A plain function of a node's name in scope is called in the node's place
/// if both have one signature. The `fn` has no name, as it becomes `run`. It has no type parameters, as
/// these stand on the struct. It may declare one lifetime, which is that of the run.
///
/// For `pub struct Gateway { .. } async fn(request: Request) -> Response { .. }` the macro emits the struct as it is
/// written, and
///
/// ```text
/// impl Gateway {
///     pub async fn run<'r>(&'r self, request: Request) -> Response;
///
///     pub const NODES: &'static [NodeInfo];                    // each node: name, file and line, what it needs and provides
///     pub const CHAIN: &'static describe::ChainInfo;           // the same with inputs, fields, reply and blocks
///     pub const fn drawing() -> Drawing;                       // `Display`, and `.mermaid()`
///     pub const fn future_size() -> usize;                     // bytes of `run`'s future; `async fn` only
///     pub const fn node_sizes() -> [usize; N];                 // bytes of each node's own future on its way in
///     pub const fn toggles(&self) -> toggle::Switches<'_>;     // if the chain has a `#[toggle]`
///     pub const fn sheds(&self) -> shed::Sheds<'_>;            // if the chain has a `#[shed(..)]`
/// }
/// ```
///
/// and, where users do not see them, the scope and the checks of the nodes' order. The checks are constants:
/// `cargo check` evaluates them. The checks of a chain with type parameters have to be evaluated with some types.
///
/// - If its bounds ask nothing unusual of a parameter, the macro chooses opaque types. Such bounds are: lifetimes,
///   `Sized`, `Send`, `Sync`, `Unpin`, the traits that can be derived, `Debug` and `Display`, `Error`, `AsRef`,
///   `AsMut`, `FromStr`, and the binary operators with itself; or one of `Fn`, `AsyncFn` and their kin, `Future`,
///   `Iterator`, `IntoIterator`, `Deref`, `Into`, `From`, `TryInto`, `TryFrom`, `Borrow`, with those that its type has
///   besides. A const parameter may be a number, a `bool` or a `char`.
/// - Otherwise, for example where a bound is a trait of yours, the checks are evaluated for each type that
///   `#[check(..)]` names.
/// - In `cargo build` they are evaluated, too, with the types with which `run` is used.
///
/// All items are as visible as the struct. The future of `run` is `Send` if the values that it holds across an await
/// are.
///
/// ```
/// use chain_runtime::{chain, node};
///
/// pub struct Celsius(pub f64);
/// pub struct Fahrenheit(f64);
///
/// #[node]
/// fn convert(celsius: &Celsius) -> Fahrenheit { Fahrenheit(celsius.0 * 1.8 + 32.0) }
///
/// #[node]
/// fn print(fahrenheit: &Fahrenheit) -> String { format!("{} °F", fahrenheit.0) }
///
/// chain! {
///     /// Docs, derives and other attributes are kept.
///     #[derive(Clone, Copy, Debug, Default)]
///     pub struct Thermometer;
///
///     fn(celsius: Celsius) -> String { convert => print }
/// }
///
/// assert_eq!(Thermometer.run(Celsius(20.0)), "68 °F");
/// assert_eq!(Thermometer::NODES[1].name, "print");
/// println!("{}", Thermometer::drawing());
/// ```
///
/// # Fields that hold a node
///
/// A field holds its node by itself, in an `Arc`, an `Rc` or a `Box` (feature `alloc`), or by reference. So two chains
/// share one limiter: each has a field `limiter: Arc<Limiter>`.
///
/// A field `limiter: Option<Limiter>`, or `Option<Arc<Limiter>>`, holds a node or none. The chain skips a node that is
/// `None`. So the node provides an `Option<T>`, and a later node that asks for the `T` does not compile. `limiter else
/// { .. }` says what runs instead. The conditions before a node that is `None` are not asked. A node that wraps a
/// block, or whose value decides what runs, cannot be in an `Option`. The macro sees the `Option` in the text of the
/// field's type. An alias that hides the `Option` is refused.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
///
/// use chain_runtime::{IntoReply, chain, node};
///
/// /// Lets so many requests through.
/// pub struct Limiter(AtomicU32);
/// pub struct Exhausted;
///
/// impl IntoReply<String> for Exhausted {
///     fn into_reply(self) -> String { "429".to_owned() }
/// }
///
/// #[node]
/// impl Limiter {
///     fn enter(&self) -> Result<(), Exhausted> {
///         self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).map(|_| ()).map_err(|_| Exhausted)
///     }
/// }
///
/// #[node]
/// fn page(path: &str) -> String { format!("200 {path}") }
///
/// chain! { struct Pages { limiter: Arc<Limiter> } fn(path: &'static str) -> String { limiter => page } }
/// chain! { struct Admin { limiter: Option<Arc<Limiter>> } fn(path: &'static str) -> String { limiter => page } }
///
/// let limiter = Arc::new(Limiter(AtomicU32::new(2)));
/// let pages = Pages { limiter: Arc::clone(&limiter) };
/// let admin = Admin { limiter: Some(limiter) };
/// assert_eq!((pages.run("/a"), admin.run("/b")), ("200 /a".to_owned(), "200 /b".to_owned()));
/// assert_eq!((pages.run("/c"), admin.run("/d")), ("429".to_owned(), "429".to_owned()));
/// assert_eq!(Admin { limiter: None }.run("/d"), "200 /d");
/// ```
///
/// # A chain that is a node
///
/// A chain with `#[node]` before its struct is a node of other chains, like any node with state. A chain without fields
/// is named by its type.
///
/// - It needs its inputs: `&T` is lent, `&mut T` is lent for writing, and `T` is taken. The values that its own nodes
///   provide stay in it.
/// - It gives its reply. A `Result<T, E>` or a `ControlFlow<R, T>` provides the `T` or breaks. Any other reply is
///   provided, or is the reply of the outer chain, if the node is the last one.
/// - The outer chain awaits it if it is an `async fn`, and calls it if it is a `fn`. Its own nodes are left as in any
///   run, even if the outer run is dropped.
/// - The outer chain draws and observes it as one node. Its own `#[observe(..)]` and `#[deny(spawn)]` are about its own
///   nodes, and those of the outer chain are not.
/// - `#[node(last)]`, `#[node(rejects)]`, `#[node(wanted)]` and `#[node(once)]` mean the same as before any other
///   [`node`](macro@node).
///
/// A [segment](#segments) is the other way to use nodes in several chains. The nodes of a segment become nodes of the
/// chain, and provide values for it. A chain that is a node keeps its fields and its nodes' values to itself. It can be
/// run alone, for example in a test.
///
/// ```
/// use chain_runtime::{IntoReply, chain, node};
///
/// pub struct Request { token: &'static str }
/// pub struct User(&'static str);
/// pub struct Session(&'static str);
/// pub struct Sessions;
/// pub struct Unauthorized;
///
/// impl IntoReply<String> for Unauthorized {
///     fn into_reply(self) -> String { "401".to_owned() }
/// }
///
/// #[node]
/// fn session(request: &Request, _sessions: &Sessions) -> Result<Session, Unauthorized> {
///     request.token.strip_prefix("session-of-").map(Session).ok_or(Unauthorized)
/// }
///
/// #[node]
/// fn look_up(session: &Session) -> User { User(session.0) }
///
/// #[node]
/// fn greet(user: &User) -> String { format!("hello, {}", user.0) }
///
/// chain! {
///     /// Who sends the request.
///     #[node]
///     pub struct Auth { sessions: Sessions }
///
///     fn(request: &Request) -> Result<User, Unauthorized> { session => look_up }
/// }
///
/// chain! {
///     struct Site { auth: Auth }
///
///     fn(request: Request) -> String { auth => greet }
/// }
///
/// let site = Site { auth: Auth { sessions: Sessions } };
/// assert_eq!(site.run(Request { token: "session-of-Ada" }), "hello, Ada");
/// assert_eq!(site.run(Request { token: "" }), "401");
/// assert!(site.auth.run(&Request { token: "" }).is_err());
/// ```
///
/// # Chains inside of chains
///
/// | written | does |
/// | --- | --- |
/// | `{ a => b }` | a block: what its nodes provide stays in it, and they are left where it ends |
/// | `deadline { a => b }` | a block that the node `deadline` wraps; the ready around nodes are in [`around`](crate::around) |
/// | `match route { Route::Api(api: Api) => a => b, Route::Files if quick => c, _ => {} }` | one of several arms, chosen by the value of `route` |
/// | `if is_local { a } else if is_known { b } else { c }` | one of several blocks, chosen by nodes that give a `bool` |
/// | `if let Some(user: User) = session { a } else { b }` | one of two blocks, chosen by a pattern |
/// | `if has_bearer { a } else { b } -> User`, `match route { .. } -> User`, `{ a => b } -> User`, `deadline { a } -> User` | the block provides the `User` that the last node of each of its arms gives. See [below](#what-a-block-provides) |
/// | `#[when(is_local)] a` | `a` only where the node `is_local` gives `true` |
/// | `#[toggle] a`, `#[toggle("name", off)] { a => b }` | runs only while the switch of that name is on; `off` is how the switch begins |
/// | `#[shed(high)] a`, `#[shed(high)] a else { b }`, `#[shed(high, "name")] { a => b }` | given up from that level of pressure on: `elevated`, `high`, `critical`. See [below](#what-is-given-up-under-pressure) |
/// | `#[shed(elevated, sample = 1 / 100)] a` | from that level on, runs only for a share of the requests, drawn anew for each |
/// | `#[shed(high, detach)] a` | from that level on, the request does not wait for the node's work: it goes on a bounded queue, behind the request |
/// | `#[sample(1 / 100)] a` | runs for a share of the requests, drawn anew for each |
/// | `#[split(5)] a else { b }` | runs for five percent of the keys, by the [`StickyKey`](crate::share::StickyKey) that an earlier node provides: always for the same keys |
/// | `#[timeout(250ms)] a` | runs no longer than that; [`Expired`](crate::around::Expired) becomes the reply. Units: `us`, `ms`, `s`, `min`; or an expression for a `Duration` |
/// | `#[open] a`, `#[open(Unavailable)] a`, `#[open(Unavailable, late)] a` | if `a` breaks, the run goes on without it: for all breaks, for those that match the pattern, and for a timeout. See [below](#failing-open) |
/// | `#[cancel(finish)] a` | its work goes on to its end even when the request is dropped: in a place of the chain's [`Tasks`](crate::tasks), if the chain has such a field |
/// | `#[cancel(detach)] a` | the request does not wait for its work, which takes a place in the same way |
/// | `#[no_alloc] a` | in a debug build, a run panics and names `a` if it allocates (feature `telemetry`) |
/// | `#[cfg(..)] a`, `#[cfg(..)] Pattern => a` | as in Rust; it may also stand before an input, and in a segment |
/// | `..front` | the nodes of the segment `front`, as if they were written here |
///
/// A block at the **end** of a chain ends with the reply, in all of its arms. A block that other nodes come after
/// **goes on**: it [provides a value](#what-a-block-provides), or its last node gives `()`. If it provides nothing, an arm
/// may be empty, and an `else` may be left out. Its nodes may break, as everywhere, and then the whole chain has its reply. The nodes of such a block are left before there is a reply, so
/// their `exit` cannot ask for it.
///
/// A value that a **pattern binds** joins the scope of its arm if the binding is written with its type, as a parameter
/// is: `Route::Api(api: Api)`, or, in the braces of a struct, `Route::File { name: name: Name }`. Bindings without a
/// type are for guards. The pattern takes the node's value apart, so the value itself does not join the scope. A node of the
/// arm may take a value that is bound by value. rustc checks whether the arms cover everything.
///
/// Several **attributes** may stand together. All of them have to hold, and they are asked in the order in which they
/// are written. A single node that may be skipped provides an `Option<T>`. A node that asks for the `T` is then
/// refused. `else { .. }` may follow any of them, and a field that is an `Option`. The switches of `#[toggle]` are in a field of the type
/// [`Toggles`](crate::Toggles), which the chain has to have. `gateway.toggles()` reads and sets them by name, and a
/// request sees them as they were when it began. A node whose work may outlive its request, with `#[cancel(..)]`,
/// returns work that owns what it needs: `fn audit(user: &User) -> impl Future<Output = ()> + Send + 'static`.
///
/// A field of the type `Reloadable<T>` (feature `arc-swap`) is lent as `&T`. A run sees one version of it to its end,
/// also while another version is stored.
///
/// ```
/// use chain_runtime::{Toggles, chain, node};
///
/// pub struct Path(pub &'static str);
/// struct Id(u32);
/// struct Hits(u32);
///
/// enum Route { Item(Id), Index }
///
/// #[node]
/// fn route(path: &Path) -> Route {
///     path.0.strip_prefix("/item/").and_then(|id| id.parse().ok()).map_or(Route::Index, |id| Route::Item(Id(id)))
/// }
///
/// #[node]
/// fn count() -> Hits { Hits(7) }
///
/// #[node]
/// fn item(id: &Id, hits: &Option<Hits>) -> String {
///     match hits {
///         Some(hits) => format!("item {}, seen {} times", id.0, hits.0),
///         None => format!("item {}", id.0),
///     }
/// }
///
/// #[node]
/// fn index() -> String { "index".to_owned() }
///
/// chain! {
///     #[derive(Default)]
///     pub struct Site { toggles: Toggles }
///
///     fn(path: Path) -> String {
///         match route {
///             Route::Item(id: Id) => #[toggle] count => item,
///             Route::Index => index,
///         }
///     }
/// }
///
/// let site = Site::default();
/// assert_eq!(site.run(Path("/item/3")), "item 3, seen 7 times");
/// assert_eq!(site.run(Path("/")), "index");
/// site.toggles().set("count", false).unwrap();
/// assert_eq!(site.run(Path("/item/3")), "item 3");
/// ```
///
/// ## What a block provides
///
/// A block with `-> T` behind it provides a `T` to the nodes after it, like a node that returns a `T`. The last node of
/// each of its arms gives the `T`. It returns `T`, `Result<T, E>` or `ControlFlow<R, T>`, or it always breaks.
///
/// - A node finds the `T` by its type, as `&T` or `&mut T`. There is one `T` in the scope. With `-> &'r T`, the block
///   provides a `T`, as a node does that returns a reference. A lifetime in it that the chain does not declare is that
///   of the run.
/// - The values that other nodes in the block provide stay in the block. The block's nodes are left where the block
///   ends, before the nodes after it begin. The `T` lives to the end of the run.
/// - Every arm gives the `T`: there is an `else`, and no arm is empty. A block that may be skipped, by `#[toggle]` for
///   example, has an `else` as well.
/// - A block that ends the chain has no arrow: the value of its last node is the reply. A block that ends a block with
///   an arrow has none either.
/// - A node around the block passes the `T` on if it wraps any block: `around<B: Future>(..) -> Result<B::Output, E>`. A
///   node whose `around` names the reply, `B: Future<Output = Response>`, cannot.
///
/// ```
/// use chain_runtime::{IntoReply, chain, node};
///
/// pub struct Head { pub bearer: Option<&'static str>, pub cookie: Option<&'static str> }
/// struct User(&'static str);
/// struct Unauthorized;
///
/// impl IntoReply<String> for Unauthorized {
///     fn into_reply(self) -> String { "401".to_owned() }
/// }
///
/// #[node]
/// fn has_bearer(head: &Head) -> bool { head.bearer.is_some() }
///
/// #[node]
/// fn bearer(head: &Head) -> User { User(head.bearer.unwrap_or_default()) }
///
/// #[node]
/// fn cookie(head: &Head) -> Result<User, Unauthorized> { head.cookie.map(User).ok_or(Unauthorized) }
///
/// #[node]
/// fn greet(user: &User) -> String { format!("200 for {}", user.0) }
///
/// chain! {
///     pub struct Gateway;
///
///     fn(head: Head) -> String {
///         if has_bearer { bearer } else { cookie } -> User => greet
///     }
/// }
///
/// assert_eq!(Gateway.run(Head { bearer: Some("Ada"), cookie: None }), "200 for Ada");
/// assert_eq!(Gateway.run(Head { bearer: None, cookie: Some("Eve") }), "200 for Eve");
/// assert_eq!(Gateway.run(Head { bearer: None, cookie: None }), "401");
/// ```
///
/// ## Failing open
///
/// A node that breaks ends the run: it fails closed. With `#[open]` before it, the run goes on without the node.
///
/// - `#[open]` is for all breaks of the node, and for its `#[timeout(..)]`. `#[open(Unavailable | Refused::Overloaded(_))]`
///   is for the breaks that match the pattern; all other breaks end the run. The pattern is matched with the value with
///   which the node breaks. Its names mean what they mean where it is written, and it binds nothing.
///   `#[open(Unavailable, late)]` is for the timeout as well, and `#[open(late)]` for the timeout alone.
/// - The node provides an `Option<T>`, like any node that may be skipped. It is `None` if the run goes on without the
///   node. A node that asks for the `T` is refused.
/// - A node that broke was not entered, so neither its `exit` nor its `cancelled` runs. An input that it took by value
///   is gone.
/// - An [`Observer`](crate::observe::Observer) is told that the node `broke`, and then that it is `opened`. A meter
///   counts it.
/// - `#[open]` stands before a node that can break. It cannot stand before a node that gives the reply, or the value
///   that a block provides.
///
/// ```
/// use chain_runtime::{IntoReply, chain, node};
///
/// struct Permit(u32);
///
/// enum Refused { Full, Unavailable }
///
/// impl IntoReply<String> for Refused {
///     fn into_reply(self) -> String { "429".to_owned() }
/// }
///
/// pub enum Limiter { Of(u32), Full, Down }
///
/// #[node]
/// fn limit(limiter: &Limiter) -> Result<Permit, Refused> {
///     match limiter {
///         Limiter::Of(left) => Ok(Permit(*left)),
///         Limiter::Full => Err(Refused::Full),
///         Limiter::Down => Err(Refused::Unavailable),
///     }
/// }
///
/// #[node]
/// fn answer(permit: &Option<Permit>) -> String {
///     match permit {
///         Some(permit) => format!("200, {} left", permit.0),
///         None => "200".to_owned(),
///     }
/// }
///
/// chain! {
///     pub struct Gateway;
///     fn(limiter: Limiter) -> String { #[open(Refused::Unavailable)] limit => answer }
/// }
///
/// assert_eq!(Gateway.run(Limiter::Of(3)), "200, 3 left");
/// assert_eq!(Gateway.run(Limiter::Full), "429");
/// assert_eq!(Gateway.run(Limiter::Down), "200");
/// ```
///
/// ## What is given up under pressure
///
/// `#[shed(..)]` names the [`Level`](crate::shed::Level) from which on a node or a block is given up, so that no
/// request has to be given up. The chain needs a field of the type [`Shedding`](crate::Shedding), which knows the
/// current level. A run reads the level once, when it begins, and keeps it to its end.
///
/// - A node that may be shed provides an `Option<T>`, like any node that may be skipped. A node with an `else`, and a
///   block, provide nothing to the nodes after them. So the compiler knows that no node needs what is given up: a node
///   that asks for the `T` is refused.
/// - `else { .. }` runs in place of what is shed. A chain whose last node may be shed needs one.
/// - `sample = 1 / 100` is a share, like that of `#[sample(..)]` (feature `sample`): from the level on, the node runs
///   for that share of the requests and is shed for all others.
/// - `detach` stands before a node that returns nothing, and whose work owns what it needs:
///   `fn metrics(user: &User) -> impl Future<Output = ()> + Send + 'static`. Below the level, the work is awaited as
///   that of any node. From the level on, it goes on the queue of the chain's [`Tasks`](crate::tasks::Tasks) (feature
///   `tokio`), behind the request. Work that finds no place there is dropped, and counted. Only the node itself limits
///   its work in time there, so `#[timeout(..)]` cannot stand before it.
/// - Each shed node or block has a name: the node's, or the one that stands in quotes after the level.
///   `gateway.sheds()` reads and changes them by that name, forces a level on this chain alone, counts how often each
///   was shed, and prints a table of all of them. A chain has at most [`shed::MAX`](crate::shed::MAX) of them.
///
/// ```
/// use chain_runtime::shed::{Level, Override};
/// use chain_runtime::{Shedding, chain, node};
///
/// pub struct Path(pub &'static str);
/// struct Price(u32);
/// struct Related(&'static str);
///
/// #[node]
/// fn price(path: &Path) -> Price { Price(path.0.len() as u32) }
///
/// #[node]
/// fn cached_price() -> Price { Price(7) }
///
/// #[node]
/// fn related() -> Related { Related("chairs") }
///
/// #[node]
/// fn page(related: &Option<Related>) -> String {
///     match related {
///         Some(related) => format!("a table; see also {}", related.0),
///         None => "a table".to_owned(),
///     }
/// }
///
/// #[node]
/// fn offer(price: &Price) -> String { format!("for {}", price.0) }
///
/// chain! {
///     #[derive(Default)]
///     pub struct Shop { shedding: Shedding }
///
///     fn(path: Path) -> String {
///         if is_offer {
///             #[shed(critical, "price")] { price => offer } else { cached_price => offer }
///         } else {
///             #[shed(elevated)] related => page
///         }
///     }
/// }
///
/// #[node]
/// fn is_offer(path: &Path) -> bool { path.0.starts_with("/offer") }
///
/// let shop = Shop::default();
/// assert_eq!(shop.run(Path("/table")), "a table; see also chairs");
///
/// shop.sheds().force(Level::Critical);
/// assert_eq!(shop.run(Path("/table")), "a table");
/// assert_eq!(shop.run(Path("/offer/table")), "for 7");
///
/// shop.sheds().set("price", Override::Never).unwrap();
/// assert_eq!(shop.run(Path("/offer/table")), "for 12");
/// assert_eq!((shop.sheds().count("related"), shop.sheds().count("price")), (Ok(1), Ok(1)));
/// ```
///
/// ## Segments
///
/// `segment` declares a part of a chain. Any chain of this crate, and of other crates if the segment is `pub`, takes it
/// in by `..name`. Its nodes then belong to the chain: they provide for the nodes after them, keep their names, and are
/// drawn and observed like any other. Put it in a block, `{ ..front }`, to keep there what it provides. If one of its
/// nodes is a field of the chain, the segment names it in parentheses, with its type, and the chain has to have such a
/// field. Its nodes find everything else by type, in the scope of the chain that uses it.
///
/// A segment **keeps the meaning that it has where it is declared**: constants and variants in its patterns, guards,
/// the types of its bindings and fields, expressions in its attributes and `#[cfg(..)]` are resolved and checked there,
/// even if another crate uses the segment. Its nodes and the types of its bindings have to be as visible as the segment
/// is. A less visible one is an error where the segment is declared. Constants, and the items that guards and
/// expressions name, may be private. A segment stands in a module, not in a function.
///
/// It may have type and const parameters, which the chain then names:
/// `segment known<S: Store>(log: Log) { log => look::<S> }` is taken in by `..known::<Db>`. It declares no lifetimes:
/// every lifetime in it, with a name or `'_`, is that of the run.
///
/// ```
/// mod entry {
///     use chain_runtime::{chain, node};
///
///     pub struct Log;
///     pub struct User(pub &'static str);
///
///     #[node]
///     impl Log {
///         fn enter(&self, path: &str) { println!("{path}") }
///     }
///
///     #[node]
///     pub fn auth() -> User { User("Ada") }
///
///     chain! {
///         /// Logs the request, and provides its user.
///         pub segment front(log: Log) { log => auth }
///     }
/// }
///
/// use chain_runtime::{chain, node};
/// use entry::{Log, User};
///
/// #[node]
/// fn greet(user: &User) -> String { format!("hello, {}", user.0) }
///
/// chain! {
///     struct Greeting { log: Log }
///     fn(path: &'static str) -> String { ..entry::front => greet }
/// }
///
/// assert_eq!(Greeting { log: Log }.run("/"), "hello, Ada");
/// ```
///
/// # Attributes of its own
///
/// These stand on the struct or on the `fn`.
///
/// - `#[node]`: the chain is [a node of other chains](#a-chain-that-is-a-node).
/// - `#[observe(T)]`: the [`Observer`](crate::observe::Observer) `T` is told what happens in each run.
///   `#[observe(meter)]`: the field `meter`, which is lent to each run and implements
///   [`Observes`](crate::observe::Observes), is told as well. For several, name them with commas, or write the
///   attribute once more.
/// - `#[no_alloc]`: the same as before each of the chain's nodes.
/// - `#[send]`: the future of `run` has to be `Send`. The error names the node that prevents it, with the value that it
///   holds and the await across which it holds it. It also names a field that cannot be shared, an input that cannot be
///   sent, and a reply that waits for an `async fn exit`. Without the attribute, the error comes where the future is
///   spawned. A value that is lent as `&T` across an await has to be `Sync`. If it is not, ask for `&mut T`.
/// - `#[deny(spawn)]`: a node that calls `tokio::spawn`, `std::thread::spawn` or their kin in a hook is refused, at the
///   `spawn`, because nothing waits for the spawned work or ends it. Ask for `work: &Work` instead. See
///   [`tasks`](crate::tasks#refused-denyspawn) for which calls are seen. `spawn` stands alone in its attribute;
///   `#[deny(unused)]` and other lints are rustc's, as on any struct.
/// - `#[check(Memory)]`: a chain with type parameters is checked as if it were used with this type (a type for each
///   parameter). A library writes it where the chain's bounds are traits of the library. Without it, a wrong order of
///   nodes would be an error in the crates that use the chain.
/// - `#[budget(future = 2048)]`: a chain whose future of `run` takes more bytes than that does not compile. The error
///   names the largest node.
///
/// # The short form
///
/// `chain!(auth => limit: RateLimit = RateLimit::per_second(100) => greet)` is an expression: a chain over one
/// `&mut Context` (with the feature `http`), whose `run` returns an [`Ending`](crate::Ending). Nodes ask for the
/// `Context` or for its parts (`Request`, `Response`, `Scratch`) by type. The value with which a node breaks is written
/// into the context's response through `Respond`. A node with state is written with its type and its value. The value
/// is made once, where the chain is written. Blocks, branches and attributes before a node work in the short form as
/// well, except `#[toggle]` and `#[shed(..)]`. The attributes of a whole chain do not.
#[macro_export]
macro_rules! chain {
    ($($declaration:tt)*) => {
        $crate::__chain! { ($crate) $($declaration)* }
    };
}

/// Makes a macro that keeps the signatures of some functions of a long chain until all functions have told theirs, and
/// then goes on with them.
#[doc(hidden)]
#[macro_export]
macro_rules! __keep {
    ({ $($told:tt)* } $name:ident ($d:tt)) => {
        macro_rules! $name {
            ({ $d($before:tt)* } [$d($next:tt)*] $d($rest:tt)*) => { $d($next)* ! { { $d($before)* $($told)* } $d($rest)* } };
        }
    };
}

/// What `#[node]` puts beside a function that tells its signature: a type of the function's name, the types of the
/// signature, and the macro that tells it.
#[doc(hidden)]
#[macro_export]
macro_rules! __told {
    (
        $d:tt [$($docs:tt)*] [$($struct:tt)*] [$($vis:tt)*] $name:ident $made:ident [$($exported:tt)*] $call:lifetime
        [$($takes:tt)*] [$($returns:tt)*] [$($gives:tt)*] $told:tt
    ) => {
        $($docs)*
        #[allow(non_camel_case_types, missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
        $($struct)*
        #[automatically_derived]
        #[allow(private_interfaces)]
        impl<$call, ChainItself: ?$crate::private::Sized> $crate::told::Tells<$call, ChainItself> for $name {
            type Types = fn(&$call ()) -> (($($takes)*), $($returns)*, $($gives)*);
        }
        #[doc(hidden)]
        #[allow(unused_macros, non_local_definitions)]
        $($exported)*
        macro_rules! $made {
            ({ $d($d before:tt)* } [$d($d next:tt)*] $d($d rest:tt)*) => {
                $d($d next)* ! { { $d($d before)* $told } $d($d rest)* }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        $($vis)* use $made as $name;
    };
}

/// Stands for the macro of a field's type, if the type has none.
#[doc(hidden)]
#[macro_export]
macro_rules! __tells_nothing {
    ({ $($before:tt)* } [$($next:tt)*] $($rest:tt)*) => { $($next)* ! { { $($before)* [] } $($rest)* } };
}

/// The expansion of the short form, if the features that it needs are enabled.
#[cfg(feature = "http")]
#[doc(hidden)]
#[macro_export]
macro_rules! __short {
    ($($expansion:tt)*) => {
        $($expansion)*
    };
}

/// The same without them: one error, and not one for each item that is missing.
///
/// ```compile_fail
/// #[chain_runtime::node]
/// fn nothing() {}
///
/// let _ = chain_runtime::chain!(nothing);
/// ```
#[cfg(not(feature = "http"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __short {
    ($($expansion:tt)*) => {
        ::core::compile_error!("chain[E512]: the short form needs the feature `http` of chain-runtime\n  help: enable it in Cargo.toml, or declare the chain as an item: `chain! { struct Name; fn(input: Type) -> Reply { a => b } }`")
    };
}

/// The future of work that goes on without its request, if the feature that `#[cancel(..)]` needs is enabled.
#[cfg(feature = "tokio")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_tokio {
    ($($future:tt)*) => {
        $($future)*
    };
}

/// The same without it: one error, and none about the future.
///
/// ```compile_fail
/// #[chain_runtime::node]
/// async fn last(number: &u8) -> u8 { *number }
///
/// chain_runtime::chain! {
///     struct Cancelled;
///     async fn(number: u8) -> u8 { #[cancel(finish)] last }
/// }
/// ```
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_tokio {
    ($($future:tt)*) => {
        ::core::compile_error!(
            "chain[E512]: `#[cancel(..)]` needs the feature `tokio` of chain-runtime\n  help: enable it in Cargo.toml"
        )
    };
}

/// What is to be checked where a reply may be made of whatever can be converted: only axum's is.
#[cfg(feature = "axum")]
#[doc(hidden)]
#[macro_export]
macro_rules! __where_anything_replies {
    ([$reply:ty] $([($($check:tt)*) $name:literal $kind:ident $($out:tt)*])*) => {
        $(
            const _: () = {
                use $crate::private::Plainly as _;
                $($check)*(
                    $name,
                    $crate::private::Probe::<
                        <$crate::flow::kind::$kind as $crate::flow::Reads<$($out)*>>::Breaks,
                    >::IS_NOTHING,
                    $crate::private::Probe::<$reply>::IS_ANYTHING,
                );
            };
        )*
    };
}

/// The same without axum: nothing.
#[cfg(not(feature = "axum"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __where_anything_replies {
    ($($checks:tt)*) => {};
}
