//! Ready nodes: what most services have in front of their own work. Each node uses the crate that does this best.
//!
//! Each is behind a feature of its own, and none needs another one. The values that one node finds for others have
//! plain types, [`User`], [`Peer`] and [`Whole`], which a node of your own may provide as well.
//!
//! | node | needs | provides | breaks with | feature |
//! | --- | --- | --- | --- | --- |
//! | `request_id::RequestIds` | `&mut Parts` | `RequestId` | | `request-id` |
//! | `access_log::AccessLog` | `&Parts`, `&Peer` | `Visit` | | `access-log` |
//! | `access_log::log_user` | `&User`, `&Visit` | | | `access-log` |
//! | `rate_limit::RateLimit<K>` | `&K` | | 429 | `governor` |
//! | `rate_limit::FailureLimit<K>` | `&K` | | 429 | `governor` |
//! | `shared_rate_limit::SharedRateLimit<K, A>` | `&K` | | 429, 503 | `redis` |
//! | `auth::Auth` | `&Parts` | [`User`] | 401 | `jsonwebtoken`, `subtle` |
//! | `whole_body::ReadBody<B>` | `&Parts`, `B` | [`Whole`] | 400, 408, 413 | `whole-body` |
//! | `peek::PeekBody<B>` | `B` | `Peeked<B>` | 400, 408 | `whole-body` |
//! | `json::ReadJson<T>` | `&Parts`, `&Whole` | `Json<T>` | 400, 415, 422 | `serde_json` |
//! | `idempotency::Idempotency<K>` | `&Parts`, `&K`, `&Whole` | `Turn` | what was kept; 400, 409, 422, 503 | the kept reply; 400, 409, 422, 503 |
//!
//! `Parts` is [`http::request::Parts`]. A break becomes an `http::Response` as the module [`failure`](crate::failure)
//! says: the body's type renders all breaks in one place, by codes that stay the same.
//!
//! # The order
//!
//! ```
//! # #[cfg(all(feature = "access-log", feature = "governor", feature = "idempotency", feature = "jsonwebtoken", feature = "request-id", feature = "serde_json", feature = "subtle", feature = "whole-body"))]
//! # mod page {
//! use bytes::Bytes;
//! use chain_runtime::nodes::access_log::{AccessLog, Entry, log_user};
//! use chain_runtime::nodes::auth::Auth;
//! use chain_runtime::nodes::idempotency::Idempotency;
//! use chain_runtime::nodes::json::{Json, ReadJson};
//! use chain_runtime::nodes::rate_limit::{FailureLimit, RateLimit};
//! use chain_runtime::nodes::request_id::RequestIds;
//! use chain_runtime::nodes::whole_body::ReadBody;
//! use chain_runtime::nodes::{Peer, User};
//! use chain_runtime::tailed::Tailed;
//! use chain_runtime::{chain, node};
//! use http::{Response, request::Parts};
//! use http_body_util::Full;
//!
//! /// The log's entry goes with the body, to the body's end.
//! type Reply = Response<Tailed<Full<Bytes>, Option<Entry>>>;
//! type Order = Vec<u64>;
//!
//! #[node]
//! async fn place(user: &User, order: &Json<Order>) -> Response<Full<Bytes>> {
//!     Response::new(format!("{} items for {user}", order.0.len()).into())
//! }
//!
//! chain! {
//!     pub struct Orders {
//!         ids: RequestIds,              // first, so that a refused client is told an id too
//!         log: AccessLog,               // before every node that can break
//!         by_peer: RateLimit<Peer>,     // before any costly work; generous, since a peer may be a whole office
//!         guesses: FailureLimit<Peer>,  // counts only failures
//!         auth: Auth,
//!         by_user: RateLimit<User>,
//!         read: ReadBody<Full<Bytes>>,  // after the user is known
//!         json: ReadJson<Order>,
//!         once: Idempotency<User>,      // last: a request that was refused before can be sent again with its key
//!     }
//!
//!     async fn(request: Parts, body: Full<Bytes>, peer: Peer) -> Reply {
//!         ids => log => by_peer => guesses => auth => log_user => by_user => read => json => once => place
//!     }
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! # What they cost
//!
//! Once warm, none of them allocates, with these exceptions. A token costs ten allocations, nine of them jsonwebtoken's
//! and one for the user's name. A body in several pieces is copied into one. JSON costs what serde allocates. A kept
//! reply copies its head. `tests/nodes` counts them.
//!
//! # What is not here
//!
//! tower-http does CORS, compression, decompression, time limits for bodies, files and spans, and does them well. Its
//! layers are around nodes, by `tower::Layered` (features `tower` and `pool`), in a chain whose input is the whole
//! `http::Request`:
//!
//! ```
//! # #[cfg(all(feature = "tower", feature = "pool", feature = "http"))]
//! # {
//! use chain_runtime::tower::Layered;
//! use chain_runtime::{chain, node};
//! use http::{HeaderValue, Method, Request, Response};
//! use tower_http::cors::CorsLayer;
//!
//! type Asked = Request<String>;
//! type Reply = Response<String>;
//!
//! #[node]
//! fn answer(request: &Asked) -> Reply {
//!     Response::new(request.uri().to_string())
//! }
//!
//! chain! {
//!     pub struct Site { cors: Layered<Asked, Reply> }
//!     async fn(request: Asked) -> Reply { cors { answer } }
//! }
//!
//! let cors = CorsLayer::new().allow_origin(HeaderValue::from_static("https://example.org")).allow_methods([Method::GET]);
//! let site = Site { cors: Layered::new(cors) };
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let reply = site.run(Request::get("/").header("origin", "https://example.org").body(String::new()).unwrap()).await;
//! assert_eq!(reply.headers()["access-control-allow-origin"], "https://example.org");
//! # });
//! # }
//! ```
//!
//! `CompressionLayer` stands in the same place, outside of the nodes whose replies it compresses. A reply that
//! `Idempotency` keeps inside of it is kept uncompressed. A layer that changes the type of the request's body stands in
//! a tuple with a layer that changes it back: see `Layered`.

#[cfg(feature = "access-log")]
pub mod access_log;
#[cfg(any(feature = "jsonwebtoken", feature = "subtle"))]
pub mod auth;
#[cfg(feature = "idempotency")]
pub mod idempotency;
#[cfg(feature = "serde_json")]
pub mod json;
mod key;
mod network;
#[cfg(feature = "whole-body")]
pub mod peek;
#[cfg(feature = "governor")]
pub mod rate_limit;
#[cfg(feature = "http")]
mod reply;
#[cfg(feature = "request-id")]
pub mod request_id;
#[cfg(feature = "redis")]
pub mod shared_rate_limit;
#[cfg(any(feature = "governor", feature = "redis"))]
mod too_many_requests;
mod user;
#[cfg(feature = "http")]
mod whole;
#[cfg(feature = "whole-body")]
pub mod whole_body;

pub use key::Key;
pub use network::Peer;
#[cfg(feature = "proxy")]
pub use network::peer;
#[cfg(feature = "http")]
pub use reply::Reply;
pub use user::{BadName, MAX_NAME, User};
#[cfg(feature = "http")]
pub use whole::Whole;
