//! Request chains that the compiler builds: `chain!` turns `log => auth => greet` into one monomorphized state machine.
//!
//! A [`node`](macro@node) is a function or a struct with hooks. A [`chain!`] is an ordered composition of nodes, run once for
//! each request. Each node's parameters are found *by type* among what is there at its place: the chain's inputs, its fields,
//! and what earlier nodes returned. There is no box, no `dyn`, no closure and no allocation behind it; what is missing, comes
//! too late or lives too short is a compile error at the node's name.
//!
//! ```
//! use chain_runtime::{IntoReply, chain, node};
//!
//! struct Request { path: &'static str, token: &'static str }
//! struct Keys { ada: &'static str }
//! struct User(&'static str);
//! struct Unauthorized;
//!
//! /// Says who asks, or breaks.
//! #[node]
//! async fn auth(request: &Request, keys: &Keys) -> Result<User, Unauthorized> {
//!     if request.token == keys.ada { Ok(User("Ada")) } else { Err(Unauthorized) }
//! }
//!
//! /// What `auth` breaks with, as a reply.
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
//!     /// Greets those who are known.
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
//! | around node | a node that wraps a block, as a future: it limits it in time, runs it again, abandons it |
//! | segment | a part of a chain, declared once and used in several |
//!
//! # The language
//!
//! 1. **A node's parameters are found by type.** `&T` is lent, `&mut T` is lent for writing, and `T` by value takes an input
//!    out of the scope. Inputs that the chain owns (`name: T`), inputs by `&mut` and provided values can be lent for
//!    writing; inputs by `&` and the chain's fields, which all requests share, only for reading. An input that was taken is
//!    gone: no later node, and no `exit` of an earlier one, may ask for it.
//! 2. **A node's result says how it goes on.** `T` is provided; `()` provides nothing; `Result<T, E>` provides `T` or breaks
//!    with `E`; `ControlFlow<R, T>` provides `T` or breaks with `R`; a node that returns `!` never does either. What breaks
//!    becomes the reply through [`IntoReply`]. Where the reply is itself a `Result<_, X>`, an `E` becomes `Err(X::from(e))`,
//!    as `?` would do it.
//! 3. **The last node gives the reply**, directly or through [`IntoReply`].
//! 4. **One type, one provider.** Two nodes, inputs or fields of the same type in one scope are refused: wrap one in a type of
//!    its own. A reference is found by what it refers to: what is provided as `&'r T`, an input `name: &T` and a field `name: &'c T`
//!    are a `T` like one that is owned, and are lent as `&T`. So the reference has to show: an alias that hides one is refused. A field that is used as a node may have twins: it is known by its name, and is not lent by its type then.
//! 5. **Every node that was entered is left.** `exit` runs in reverse order for exactly the nodes that were entered, on a reply
//!    and on a break. It is lent what `enter` could be lent, its own node's value, an [`Ending`] that says who replied or
//!    broke, and the reply, through the parameter *called* `reply` (`&Reply` or `&mut Reply`). `cancelled` is synchronous and
//!    runs in reverse order where there is no reply. It is lent its own node's value and the chain's fields. A node that
//!    breaks was never entered.
//! 6. **`fn(..)` for `async fn(..)`** declares a chain whose `run` is an ordinary function. An `async` node in it is refused.
//! 7. **Chains stand inside of chains**: in blocks `{ a => b }`, in blocks that a node wraps, `deadline { a => b }`, and in the arms
//!    of `match` and `if`; attributes before a node or a block say when it runs, and for how long. What is provided in a block
//!    stays in it, and its nodes are left where it ends. See [`chain!`](chain!#chains-inside-of-chains).
//! 8. **What is written on the chain is kept**: attributes, doc comments, visibility, lifetimes, generics, where-clauses. An
//!    input may be a reference (`head: &'r Head`), and a node may then provide what borrows from it (`Token<'r>`), or from a
//!    field of the chain. What is borrowed cannot outlive the run.
//!
//! In signatures, `'r` is the life of one run (the chain's fields, its inputs by reference), `'s` that of one call of a hook.
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
//! Where `gate` breaks, `inner` and `work` are never reached, `gate` itself was never entered, and `outer` is left with the reply
//! that the break became. Where the future is dropped at an await inside of `work`, or `work` panics, `cancelled` of `inner`
//! runs, and then that of `gate` and of `outer`.
//!
//! | the run | which nodes | which hook, in reverse order | what `exit` sees |
//! | --- | --- | --- | --- |
//! | is **replied**: the last node gave a value | all | `exit` | the reply; [`Ending`]: replied, by the last node |
//! | is **cut short**: a node broke | those before it | `exit` | the reply made from the break; [`Ending`]: cut short, by that node |
//! | is **cancelled**: its future was dropped at an await | those that were entered and not left | `cancelled` | |
//! | **panics** in a node | those that were entered and not left | `cancelled`; the panic goes on | |
//!
//! - Exactly one of `exit` and `cancelled` runs to its end for a node that was entered and has the hook. An `exit` that is itself
//!   cut off, by a drop or a panic, does not count as having left: that node's `cancelled` runs, and then those before it.
//! - The last node's value becomes the reply, so nobody holds it: its own `cancelled` never runs. Its `exit` does.
//! - A `cancelled` hook can tell a panic from a dropped future by `std::thread::panicking()`.
//! - A `cancelled` hook that panics itself does not keep those of earlier nodes from running. Its panic goes on from where the run was dropped; where that was
//!   a block that an around node abandoned, it is a panic of the run. Where a panic is under way already, Rust aborts the process. The same holds for
//!   a value that panics when it is dropped.
//! - Values are dropped in reverse order of being provided, each after its node was left.
//!
//! # A chain about itself
//!
//! `Hello::NODES` and `Hello::CHAIN` are `&'static` [data](describe), `Hello::drawing()` makes a [`Drawing`] of them,
//! `Hello::future_size()` and `Hello::node_sizes()` are the bytes that a run takes. See [`chain!`]. An
//! [`Observer`](observe::Observer) is told of every node being entered and left.
//!
//! # Where a chain runs
//!
//! In tower, hyper, axum, tonic, actix-web and ntex, on sockets without HTTP, behind a queue, on any executor, in a pool of threads, on a device: see the page
//! `embedding` of this documentation. How to come there from other libraries, before and after: the page `migrate`. Upstreams that come and
//! go: the page `live_upstreams`.
//!
//! # Features
//!
//! | feature | brings | with the crates |
//! | --- | --- | --- |
//! | none | the language: chains, nodes, hooks, observers, [`Reset`] for the types of `core`. `#![no_std]`, without `alloc` | |
//! | `std` (default) | [`Reset`] for the types of `std`, `observe::Recorder` for tests, `around::Deadline`, `around::CatchPanic` | |
//! | `http` | the short form's `Context`; replies that are `http` responses (modules `reply` and `failure`); `Reset` for `http` and `bytes` types | `http`, `bytes` |
//! | `http-body` | what is sent of a reply, and what follows its body to its end (modules `framing`, `tailed`, `timed`); `around::WholeDeadline`, `around::WholeConcurrency` | `http-body`, `http-body-util`, `pin-project-lite`; those of `http` |
//! | `access-log` | `nodes::access_log`: a line for each request, which nobody waits for | `crossbeam-queue`, `humantime`; those of `http-body` |
//! | `governor` | `nodes::rate_limit`: by user, by peer, by anything | `governor`; those of `http` |
//! | `idempotency` | `nodes::idempotency`: what is sent twice is carried out once | `http-body-util`, `siphasher`; those of `http-body` |
//! | `jsonwebtoken` | `nodes::auth` by JSON Web Tokens | `jsonwebtoken`, `base64`, `serde`, `serde_json`; those of `http` |
//! | `request-id` | `nodes::request_id` | those of `http` |
//! | `serde_json` | `nodes::json`: what a body says | `serde`, `serde_json`; those of `http` |
//! | `subtle` | `nodes::auth` by API keys | `subtle`; those of `http` |
//! | `whole-body` | `nodes::whole_body`: a body, read whole within limits | those of `http-body` and `tokio` |
//! | `pool` | `Pool` and `Lease`: contexts that outlive their requests | `crossbeam-queue`, `thread_local` |
//! | `tokio` | tokio's timer for the nodes in [`around`]; `around::Concurrency` that waits; work that belongs to a request, and work that outlives it (modules `tasks`, `cancel`) | `pin-project-lite`, `tokio`, `tokio-util` |
//! | `upstream` | who can be asked, from leases, lists and files, who is well, and whose turn it is (module `upstream`) | `arc-swap`, `fastrand`, `siphasher`, `tokio` |
//! | `redis` | what machines share, in Redis: limits (`nodes::shared_rate_limit`), members, what one does at a time (module `shared`) | `redis` for tokio alone, `fastrand`, `sha1_smol`; those of `http` and `tokio` |
//! | `hickory-resolver` | `upstream::Dns`: members that a name leads to | `hickory-resolver`, `futures-util`; those of `upstream` |
//! | `upstream-http` | `upstream::Registrar`: the registry's HTTP interface; `upstream::Announce`: a service that registers there | `percent-encoding`, `serde_path_to_error`; those of `serde_json` and `upstream` |
//! | `retry` | `around::Retry` and `around::Hedge`, with a budget | `fastrand` |
//! | `pressure` | how hard it is to serve, measured, and what is done about it (module `pressure`) | `fastrand`, on Linux `nix`; those of `tokio` |
//! | `proxy` | a forwarding node with its server (module `proxy`) | `hyper`, `hyper-util`, `tokio-util`, `tower-service`; those of `http-body`, `pool` and `tokio` |
//! | `rustls` | TLS to upstreams, for `proxy` | `tokio-rustls`, without a provider of cryptography |
//! | `actix-web` | a chain as a handler or as middleware (module `actix_web`) | `actix-web` without features |
//! | `axum` | a chain as a handler, a service or a layer (module `axum`) | `axum` without features; those of `http-body` and `tower` |
//! | `hyper` | a chain as a hyper service (module `hyper`) | `hyper` without features; those of `http-body` |
//! | `ntex` | a chain as a handler or as middleware (module `ntex`) | `ntex` without features |
//! | `tonic` | a chain in front of gRPC services, and as a method's body (module `tonic`) | `tonic` without features; those of `http-body` and `tower` |
//! | `tower` | a chain as a `Service` or a `Layer`, services as nodes (module `tower`) | `tower-service`, `tower-layer` |
//! | `tracing` | `around::Instrumented`; with `telemetry`, spans for a run and its nodes (`telemetry::spans`) | `tracing` |
//! | `arc-swap` | `Reloadable`: a field that is swapped while requests run | `arc-swap` |
//! | `telemetry` | what nodes take of time and memory, and what pauses them (module `telemetry`) | `chain-counting`, `crossbeam-queue`, `fastrand`, `histogram`, `nix` on Linux, `pin-project-lite`, `quanta`, `thread_local` |
//! | `jemalloc` | `telemetry::Jemalloc`: allocations by jemalloc's own counters | `tikv-jemalloc-ctl`; those of `telemetry` |
//! | `telemetry-page` | `telemetry::page`: a live page, for any server | `serde`, `serde_json`; those of `telemetry` |
//! | `trace-context` | `telemetry::TraceContexts`: which trace a request belongs to | those of `http` and `telemetry` |
//! | `prometheus-client` | `telemetry::prometheus`: figures for Prometheus; `telemetry::dashboard` | `prometheus-client`, `serde_json`; those of `telemetry` |
//! | `opentelemetry` | `telemetry::otlp`: runs as OpenTelemetry's spans | `opentelemetry`, `opentelemetry_sdk`; those of `telemetry` and `tokio` |
//! | `pprof` | `telemetry::pprof`: profiles for `go tool pprof` | `prost`; those of `telemetry` |
//! | `split` | a [`share`] of the requests by a key: the same ones each time | `siphasher` |
//! | `sample` | a [`share`] of the requests, drawn anew for each; `#[shed(.., sample = ..)]` | `fastrand` |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

// The macros of this crate name it `::chain_runtime`, also when they are used in it.
#[allow(unused_extern_crates, reason = "used where a feature brings a derive")]
extern crate self as chain_runtime;

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
mod embed;
#[cfg(any(doc, doctest))]
pub mod embedding;
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
// Not by `http` alone: rustc shortens a type's path where its name is the only one of all crates, and these names are everybody's.
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
#[cfg(any(feature = "pool", feature = "pressure", feature = "upstream"))]
mod sync;
#[cfg(feature = "http-body")]
pub mod tailed;
#[cfg(feature = "tokio")]
pub mod tasks;
#[cfg(feature = "telemetry")]
pub mod telemetry;
#[cfg(feature = "http-body")]
pub mod timed;
pub mod toggle;
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
pub use embed::{Chain, ChainOver, Inputs};
#[cfg(feature = "http")]
pub use failure::{Failure, Render};
pub use flow::{IntoReply, Never, NeverSuspends};
pub use node::{Cancel, IsNode, Joins, Node, Nothing, OnCancel, Signature, Stateless};
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
/// Makes a function, or an `impl` block with hooks, a node of chains.
///
/// # On a function
///
/// The function stays as it is, so that a test can call it. Beside it stands a type of the same name, which is how a chain
/// names it.
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
/// Any of three methods make the type a node; other items in the block are left alone. All take `&self`, since a node serves
/// every request. A method that is called almost like a hook (`canceled`, `on_exit`) is refused in this block, and a hook in another
/// `impl` block of the type as well: no chain would call it.
///
/// | hook | runs | may be lent | returns |
/// | --- | --- | --- | --- |
/// | `enter` | on the way in; without one, the node is entered and provides nothing | the scope; may take inputs by value | what the node provides, or breaks with |
/// | `exit` | on the way out of a node that was entered | the scope, its own node's value, [`Ending`], the reply | nothing |
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
/// /// What the node provides: its way out is lent it again.
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
/// Each is found by its type in the scope; its name does not matter, with one exception. In `exit`, the parameter called
/// `reply` is the chain's reply, by name, because an input and the reply may be of one type. (`_reply` is not `reply`.) Its
/// type may be a type parameter of `exit`, for a node that fits chains with different replies:
/// `fn exit<R: Status>(&self, reply: &R)`.
///
/// | parameter | |
/// | --- | --- |
/// | `&T` | lent |
/// | `&mut T` | lent for writing: inputs that are not `&T`, and provided values |
/// | `&&T` | lent: a reference, made for the call, to the `&T` that is found by `T` |
/// | `T` | an input, taken out of the scope |
/// | `&mut Option<T>` | what may be skipped, for writing; not where its node has `exit` or `cancelled`, which need the value |
/// | `&'a T` with `'a` in the result | kept for the run, since what is provided borrows from it: inputs by `&'r`, the chain's fields, and what is borrowed from these |
///
/// # Results
///
/// `Result<T, E>` and `ControlFlow<R, T>` may break, `()` provides nothing, `!` never returns. Anything else is provided; `&'a T` as a `T`, which is lent
/// as `&T`. The two that may break are known by name, and by what they are where another name has type arguments, such as `Outcome<User>`. A name
/// without arguments that stands for one (`type Allowed = Result<(), Refused>`), or one in a node with type parameters, is refused.
///
/// # Generics
///
/// A function's type parameters are the node's (`node::<T>` in a chain), and so are those of the `impl` block. Lifetimes in a
/// function's signature are those of the run where the result has them too, and otherwise those of the call. In a parameter they may be left out, as
/// in any function: `&Token` for `&Token<'_>`. In what a function returns they are written, if only as `Token<'_>`.
///
/// # `#[cfg(..)]`
///
/// On a hook, a parameter or a type parameter, and on the item itself, before or behind `#[node]`.
///
/// # Options
///
/// - `#[node(stateless)]`, on an `impl` block: the type has no fields, so a chain may name it by its type, without a field. A
///   type with `exit` or `cancelled` begins with a capital letter then: for what is named like a function a chain has no way out.
/// - `#[node(last)]`: what the node gives is the reply, and a chain that goes on after it is refused. What hands a request on is such a node.
/// - `#[node(rejects)]`: the node turns requests away, a limit for example, so it comes before anything is done for them. A chain in which a node before it has
///   taken an input by value, such as the request's body, is refused.
/// - `#[node(wanted)]`: what the node provides is of no use but to a later node, a lease for example. A chain in which none asks for it is refused.
/// - `#[node(once)]`: the node stands for the whole request, and a chain in which it stands in a block that may run again is refused.
/// - `#[node(crate = path)]`: where this crate is, for macros that re-export it. Under another name in `Cargo.toml` it is found.
///
/// What it implements is described in [`mod@node`]; a node can be written by hand as well.
pub use chain_macros::node;
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
/// The struct is an ordinary one: make a value, keep it in an `Arc` or a `static`. A node is named by its path, or, where it has
/// state, by the field that holds it. A field's name hides a function of the same name. A node that lies in a module of its own name is named by both,
/// `login::login`: it brings a type of its name along, so it cannot be imported beside the module. The `fn` has no name, as it becomes
/// `run`, and no type parameters, as these stand on the struct; it may declare one lifetime, the run's.
///
/// For `pub struct Gateway { .. } async fn(request: Request) -> Response { .. }` it emits the struct as it is written, and
///
/// ```text
/// impl Gateway {
///     pub async fn run<'r>(&'r self, request: Request) -> Response;
///
///     pub const NODES: &'static [NodeInfo];                    // each node: name, file and line, what it needs and provides
///     pub const CHAIN: &'static describe::ChainInfo;           // the same with inputs, fields, reply and blocks
///     pub const fn drawing() -> Drawing;                       // `Display`, and `.mermaid()`
///     pub const fn future_size() -> usize;                     // bytes of what `run` returns; `async fn` only
///     pub const fn node_sizes() -> [usize; N];                 // bytes of each node's own future on its way in
///     pub const fn toggles(&self) -> toggle::Switches<'_>;     // where a `#[toggle]` stands in it
///     pub const fn sheds(&self) -> shed::Sheds<'_>;            // where a `#[shed(..)]` stands in it
/// }
/// ```
///
/// and, where nobody sees it, the scope and the checks of the nodes' order. The checks are constants: `cargo check` evaluates
/// them. Of a chain with type parameters they are evaluated with opaque types, if these are all that its bounds ask of a parameter: lifetimes, `Sized`, `Send`, `Sync`,
/// `Unpin`, what can be derived, `Debug` and `Display`, `Error`, `AsRef`, `AsMut`, `FromStr`, and the binary operators with itself; or one of `Fn`, `AsyncFn`
/// and their kin, `Future`, `Iterator`, `IntoIterator`, `Deref`, `Into`, `From`, `TryInto`, `TryFrom`, `Borrow`, with what its type has besides. A const parameter may be a number, a `bool` or
/// a `char`. Otherwise, as where a trait of yours is asked for, they are evaluated for each type that `#[check(..)]` names; and with the types that its `run` is used with, in `cargo build`. All items are as visible as
/// the struct. The future of `run` is `Send` if what it holds at an await is.
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
/// # Chains inside of chains
///
/// | written | does |
/// | --- | --- |
/// | `{ a => b }` | a block: what its nodes provide stays in it, and they are left where it ends |
/// | `deadline { a => b }` | a block that the node `deadline` wraps; the ready ones are in [`around`](crate::around) |
/// | `match route { Route::Api(api: Api) => a => b, Route::Files if quick => c, _ => {} }` | one of several, by what `route` gives |
/// | `if is_local { a } else if is_known { b } else { c }` | by a node that gives a `bool` |
/// | `if let Some(user: User) = session { a } else { b }` | by a pattern |
/// | `#[when(is_local)] a` | `a` only where the node `is_local` gives `true` |
/// | `#[toggle] a`, `#[toggle("name", off)] { a => b }` | only while the switch of that name is on; `off` is how it begins |
/// | `#[shed(high)] a`, `#[shed(high)] a else { b }`, `#[shed(high, "name")] { a => b }` | given up from that level of pressure on: `elevated`, `high`, `critical`. See [below](#what-is-given-up-under-pressure) |
/// | `#[shed(elevated, sample = 1 / 100)] a` | from that level on, only for a share of the requests, drawn anew for each |
/// | `#[shed(high, detach)] a` | from that level on, nobody waits for its work: it goes on a bounded queue behind the request |
/// | `#[sample(1 / 100)] a` | for a share of the requests, drawn anew for each |
/// | `#[split(5)] a else { b }` | for five percent, by the [`StickyKey`](crate::share::StickyKey) that a node before it provides: the same ones each time |
/// | `#[timeout(250ms)] a` | no longer than that; [`Expired`](crate::around::Expired) becomes the reply. Units: `us`, `ms`, `s`, `min`; or an expression for a `Duration` |
/// | `#[cancel(finish)] a` | its work goes on to its end also when the request is dropped: in a place of the chain's [`Tasks`](crate::tasks), if it has such a field |
/// | `#[cancel(detach)] a` | nobody waits for its work; there it has a place as well |
/// | `#[no_alloc] a` | in a debug build a run panics where `a` allocates, and names it (feature `telemetry`) |
/// | `#[cfg(..)] a`, `#[cfg(..)] Pattern => a` | as in Rust; so it is before an input, and in a segment |
/// | `..front` | the nodes of the segment `front`, as if they were written here |
///
/// A block at the **end** of a chain ends with the reply, in all of its arms. A block that other nodes come after **goes on**: its last
/// node gives `()`, an arm may be empty and an `else` left out; nodes in it may break, as everywhere, and then the whole chain has its
/// reply. Since its nodes are left before there is one, their `exit` cannot ask for it.
///
/// What a **pattern binds** joins the scope of its arm where it is written with its type, as a parameter is: `Route::Api(api: Api)`, in
/// the braces of a struct `Route::File { name: name: Name }`. Other bindings are for guards. The node's value is taken apart, and is
/// no part of the scope. Whether the arms cover everything, rustc says.
///
/// **Attributes** may stand together; all have to hold, and are asked in the order in which they are written. A lone node that may be
/// skipped provides an `Option<T>`, and who asks for the `T` is refused. `else { .. }` may stand behind any of them. The switches of
/// `#[toggle]` are in a field of the type [`Toggles`](crate::Toggles), of which the chain needs one; `gateway.toggles()` reads and
/// sets them by name, and a request sees them as they were when it began. What outlives its request with `#[cancel(..)]` has to own what
/// it needs: `fn audit(user: &User) -> impl Future<Output = ()> + Send + 'static`.
///
/// A field of the type `Reloadable<T>` (feature `arc-swap`) is lent as `&T`: one version of it for the whole run, also while another
/// is stored.
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
/// ## What is given up under pressure
///
/// `#[shed(..)]` says from which [`Level`](crate::shed::Level) on a node or a block is given up, so that requests are not. The chain needs a field of the type
/// [`Shedding`](crate::Shedding), which knows where the level stands. A run reads that once, as it begins, and keeps it to its end.
///
/// - A node that may be shed provides an `Option<T>`, as any that may be skipped; with an `else`, or as a block, it provides nothing to what comes after. So the compiler knows that nothing needs what is given up: a node that asks for the `T` is refused.
/// - `else { .. }` runs instead. A chain whose last node may be shed has one.
/// - `sample = 1 / 100` is a share as that of `#[sample(..)]` (feature `sample`): from the level on it runs for that share, and is shed for all others.
/// - `detach` stands before a node whose work owns what it needs, and that returns nothing: `fn metrics(user: &User) -> impl Future<Output = ()> + Send + 'static`.
///   Below the level it is awaited as any node. From the level on its work goes on the queue of the chain's [`Tasks`](crate::tasks::Tasks) (feature `tokio`), behind the
///   request; work that finds no place there is dropped, and counted. Nothing limits it there in time but the node itself, so no `#[timeout(..)]` stands before it.
/// - Each has a name: the node's, or the one that stands in quotes behind the level. `gateway.sheds()` reads and moves them by that name, forces a level on this chain alone, says how often
///   each was shed, and is a table of all of it. A chain has at most [`shed::MAX`](crate::shed::MAX) of them.
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
/// `segment` declares a part of a chain, which any chain of this crate, and of others if it is `pub`, takes in by `..name`. Its nodes
/// are then the chain's: they provide for the nodes behind them, keep their names, and are drawn and observed like any. Put it in a
/// block, `{ ..front }`, to keep what it provides there. A node of it that is a field of the chain is written in parentheses, with
/// its type, and a chain has to have such a field; everything else its nodes find by type, in the scope of the chain that uses it.
///
/// A segment **means what it means where it is declared**: constants and variants in its patterns, guards, the types of its bindings and fields,
/// expressions in its attributes and `#[cfg(..)]` are resolved and checked there, also where another crate uses it. Nodes and types of bindings have
/// to be as visible as the segment is: less is an error where it is declared. Constants, and what guards and expressions name, may be
/// private. A segment stands in a module, not in a function.
///
/// It may have type and const parameters, which the chain names: `segment known<S: Store>(log: Log) { log => look::<S> }` is taken in by
/// `..known::<Db>`. It declares no lifetimes: any name of one, and `'_`, is the run's.
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
///         /// Who comes in is written down, and known.
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
/// They stand on the struct or on the `fn`.
///
/// - `#[observe(T)]`: the [`Observer`](crate::observe::Observer) `T` is told what happens in each run. `#[observe(meter)]`: so is the field `meter`, which is lent to each run and
///   implements [`Observes`](crate::observe::Observes). For several, name them with commas, or write the attribute once more.
/// - `#[no_alloc]`: as before each of its nodes.
/// - `#[send]`: the future of `run` has to be `Send`; the node that keeps it from that is told, with what it holds across which await, and so is a field that cannot be shared, an input that cannot
///   be sent, and a reply that waits for an `async fn exit`. Without it, the error comes where
///   the future is spawned. What is lent as `&T` across an await has to be `Sync`: where it is not, ask for `&mut T`.
/// - `#[deny(spawn)]`: a node that calls `tokio::spawn`, `std::thread::spawn` or their kin in a hook is refused, at the `spawn`: nobody would wait for what it begins, or
///   end it. It asks for `work: &Work` instead. See [`tasks`](crate::tasks#refused-denyspawn) for what is seen. It stands by itself; `#[deny(unused)]` and other lints are
///   rustc's, as on any struct.
/// - `#[check(Memory)]`: a chain with type parameters is checked as if it were used with this type (a type for each parameter). A library writes it, where
///   the chain's bounds are traits of its own: else a chain whose nodes are in the wrong order would be an error in the crates that use it.
/// - `#[budget(future = 2048)]`: a future of `run` over so many bytes does not compile; the error names the largest node.
///
/// # The short form
///
/// `chain!(auth => limit: RateLimit = RateLimit::per_second(100) => greet)` is an expression: a chain over one `&mut Context`
/// (with the feature `http`), whose `run` returns an [`Ending`](crate::Ending). Nodes ask for the `Context` or for its parts
/// (`Request`, `Response`, `Scratch`) by type; what breaks is written into its response through `Respond`. A node with
/// state is written with its type and its value, which is made once, where the chain is written. Blocks, branches and attributes
/// before a node stand in it as well, but for `#[toggle]` and `#[shed(..)]`; attributes of the chain do not.
#[macro_export]
macro_rules! chain {
    ($($declaration:tt)*) => {
        $crate::__chain! { ($crate) $($declaration)* }
    };
}
