//! How to publish nodes in a crate of your own: what is public, how errors become replies, and what a later version may
//! change. This page has no items.
//!
//! The repository has such a crate, `tests/library`, and two crates that use it, `tests/library/site` and
//! `tests/library/desk`. They are compiled and tested with everything else. The example on this page is a part of them.
//!
//! # What a library offers
//!
//! | it offers | write | the other crate writes | use it for |
//! | --- | --- | --- | --- |
//! | a step without state | `#[node] pub fn visitor(..)` | `visitor`, by its path | what depends on the request alone |
//! | a step with state or a way out | `pub struct Limit`, `#[node] impl Limit` | a field `limit: Limit`, or `limit: Arc<Limit>` | limits, pools, logs |
//! | steps in a row, as part of the chain | `chain! { pub segment entrance(limit: Limit) { .. } }` | `..entrance` | steps whose values later nodes need |
//! | steps in a row, as one step | `chain! { #[node] pub struct Door { .. } .. }` | a field `door: Door` | steps that have state of their own, and give one value |
//!
//! The crate depends on `chain-runtime`, which re-exports the macros. Both the library and the crates that use it may
//! rename this dependency in `Cargo.toml`.
//!
//! # A request that you do not know
//!
//! A node finds its parameters by type, and a library does not know the type of the request. There are three ways to
//! write such a node:
//!
//! - **Ask for a type that everybody knows**: `&http::request::Parts`, `&str`, or a type of your library that a node of
//!   the user provides. This is the best way if there is such a type.
//! - **Be generic.** The library declares what it needs as a trait, the user implements it, and names the node with the
//!   type: `visitor::<Request, Memory>`. The type parameters of a function or of an `impl` block are those of the node.
//!   A type parameter of a hook alone is refused, since a chain could not name it.
//! - **Hold what is yours in a field of your own type.** A chain finds its fields by type as well. A field `store: S`
//!   could have any type, so it is refused. Wrap it: `visitors: Visitors<S>`.
//!
//! ```
//! use chain_runtime::{IntoReply, chain, node};
//!
//! // The library.
//!
//! /// What carries the token of a visitor. Implement it for your requests.
//! pub trait Carries { fn token(&self) -> Option<&str>; }
//!
//! /// Where visitors are known.
//! pub trait Store { fn find(&self, token: &str) -> Option<Visitor>; }
//!
//! /// A field that has a store.
//! pub struct Visitors<S>(pub S);
//!
//! pub struct Visitor { pub id: u64 }
//!
//! /// Nobody knows the visitor.
//! #[non_exhaustive]
//! pub struct Stranger;
//!
//! /// Finds out who sends a request: `visitor::<Request, Memory>`.
//! #[node]
//! pub fn visitor<R: Carries, S: Store>(request: &R, visitors: &Visitors<S>) -> Result<Visitor, Stranger> {
//!     request.token().and_then(|token| visitors.0.find(token)).ok_or(Stranger)
//! }
//!
//! // The crate that uses it.
//!
//! struct Request { token: &'static str }
//! impl Carries for Request { fn token(&self) -> Option<&str> { Some(self.token) } }
//!
//! struct Memory;
//! impl Store for Memory { fn find(&self, token: &str) -> Option<Visitor> { (token == "ada").then_some(Visitor { id: 1 }) } }
//!
//! struct Reply(u16, String);
//! impl IntoReply<Reply> for Stranger { fn into_reply(self) -> Reply { Reply(401, "who are you?".to_owned()) } }
//!
//! #[node]
//! fn page(visitor: &Visitor) -> Reply { Reply(200, format!("number {}", visitor.id)) }
//!
//! chain! {
//!     struct Site { visitors: Visitors<Memory> }
//!     fn(request: Request) -> Reply { visitor::<Request, Memory> => page }
//! }
//!
//! let site = Site { visitors: Visitors(Memory) };
//! assert_eq!(site.run(Request { token: "ada" }).1, "number 1");
//! assert_eq!(site.run(Request { token: "eve" }).0, 401);
//! ```
//!
//! # Errors and replies
//!
//! A node of a library breaks with an error of the library. The chain makes the reply from it, by
//! [`IntoReply`](crate::IntoReply), or by `From` if the reply is a `Result`. Rust's orphan rule says who may write that
//! `impl`: the crate that owns one of the two types.
//!
//! | the error is of | the reply is of | who implements `IntoReply<Reply> for Error` |
//! | --- | --- | --- |
//! | the library | the user's crate | the user. Each chain says what an error looks like there. Nothing has to be done in the library. |
//! | the library | a third crate, such as `http::Response<B>` | only the library can. It does so behind a feature with that crate's name, for each body `B: Default`, or `B: From<..>`. |
//! | the library | a third crate that the library does not know | nobody. The user gives the reply a type of its own, or declares the chain as `Result<_, X>` with an own `X: From<Error>`. |
//! | a third crate | a third crate | nobody. The library's node maps it to an error of the library. |
//!
//! Do not implement `IntoReply<R>` for every `R`: every type is its own reply already, and the two would overlap. Give
//! each node an error of its own, and not one enum to all of them: then a user implements `IntoReply` only for the
//! errors of the nodes in use. A chain that is a node has one error, that of its reply. Make it an enum that is `From`
//! each error of its nodes.
//!
//! # Names and visibility
//!
//! - A `pub` node needs `pub` types: those of its parameters, its value and its error. They are part of the traits that
//!   the node implements, and rustc refuses private ones (E0446).
//! - Give each value that a node provides a type of its own. One type has one provider, so a node that provides a
//!   `String` would be the only one in its chain to do so.
//! - A `pub segment` needs `pub` nodes, and `pub` types in its bindings. Constants, guards and expressions in it may be
//!   private: they are resolved in the library.
//! - `pub use` re-exports a node's function and its type together. This fails beside a module of the same name (E0255),
//!   so do not name a file like its node.
//! - The value of a node may borrow from the node: `fn enter(&self) -> Place<'_>`. If the value has a `Drop` that gives
//!   back what was taken, the node needs no hook: the value is dropped on every way out.
//! - A macro of yours that writes `#[node]` says where the runtime is: `#[node(crate = $crate::chain_runtime)]`.
//!
//! # Features
//!
//! Depend on `chain-runtime` with `default-features = false`, and turn on the features that your nodes use. The core
//! needs neither `std` nor an allocator, so a library of plain nodes also works on devices. Make a crate that only some
//! users need optional, behind a feature with the crate's name. A feature may add nodes and `impl`s. It must not change
//! what a node needs or provides: cargo unites features, so another crate may have turned it on.
//!
//! # Chains with type parameters
//!
//! The macro checks the order of the nodes in a generic chain with opaque types, if its bounds are traits of core. If
//! they are traits of yours, only a type that implements them can stand for the parameter. Write `#[check(Nobody)]` on
//! the chain, with a type that does nothing. Without it, a mistake in the library would be an error in the crates that
//! use it.
//!
//! # Versions
//!
//! `chain-runtime` is a public dependency: your nodes implement its traits. Nodes for one major version of it are no
//! nodes for another, so a new major version of it is a new major version of your library.
//!
//! | a change | breaks |
//! | --- | --- |
//! | a node needs one more thing, or needs it `&mut` or by value | chains that do not have it |
//! | a node provides another type, or one where it provided nothing | chains that need the old type, or have the new one already |
//! | a node that could not break can, or breaks with another error | chains whose reply is not made from it |
//! | `fn` becomes `async fn` | chains that are a `fn` |
//! | a function becomes a struct with state | chains that name it |
//! | `exit` or `cancelled` is added, and needs nothing | nobody |
//! | a node is added to a segment | as if it were added to each chain: what it provides, needs and breaks with |
//! | a node is added inside of a chain that is a node | nobody, while the inputs and the reply stay |
//! | a variant is added to an error that is `#[non_exhaustive]` | nobody |
//!
//! So a chain that is a node hides the most, and a segment hides nothing. Offer a segment if users need the values of
//! its nodes.
//!
//! # Tests
//!
//! - Call a function: `visitor(&request, &visitors)`. It needs no chain.
//! - Put a node with hooks into a chain of the test, before a node that does what the test is about: it replies,
//!   breaks, panics, or waits for ever. Poll the run once, drop it, and check that everything was given back.
//!   [`Recorder`](crate::observe::Recorder) says in which order nodes are entered and left.
//! - Run a chain that is a node by itself.
//! - Use a segment, and everything generic, from a test in `tests/`, which is another crate: only there it shows
//!   whether all names can be reached.
//! - Write a doc test with `compile_fail`, or a case for `trybuild`, for a program that must not compile.
