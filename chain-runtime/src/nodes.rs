//! Ready nodes: what most services have in front of what is their own, each on the crate that knows the trade.
//!
//! Each is behind a feature of its own, and none needs another. What one finds for another is a plain type: [`User`], [`Peer`], [`Whole`], which a node
//! of your own may provide as well.
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
//! | `json::ReadJson<T>` | `&Parts`, `&Whole` | `Json<T>` | 400, 415, 422 | `serde_json` |
//! | `idempotency::Idempotency<K>` | `&Parts`, `&K`, `&Whole` | `Turn` | what was kept; 400, 409, 422, 503 | `idempotency` |
//!
//! `Parts` is [`http::request::Parts`]. What they break with becomes an `http::Response` as the module [`failure`](crate::failure) says: a body renders all
//! of them in one place, by a code that stays the same.
//!
//! # In which order
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
//! /// The entry of the log goes with the body, to its end.
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
//!         ids: RequestIds,              // first, so that whoever is refused is told an id
//!         log: AccessLog,               // before all that can break
//!         by_peer: RateLimit<Peer>,     // before anything is known or costs much: generous, a peer may be an office
//!         guesses: FailureLimit<Peer>,  // only what failed counts
//!         auth: Auth,
//!         by_user: RateLimit<User>,
//!         read: ReadBody<Full<Bytes>>,  // once it is known for whom
//!         json: ReadJson<Order>,
//!         once: Idempotency<User>,      // last: what was refused before can be sent again under the same key
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
//! Once warm, none of them allocates, but: a token is ten allocations, nine of them jsonwebtoken's and one for the user's name; a body in several pieces is
//! copied into one; JSON is what serde makes of it; a reply that is kept is a copy of its head. `tests/nodes` counts it.
//!
//! # What is not here
//!
//! CORS, compression, decompression, time limits for bodies, files and spans are tower-http's, which does them well. Its layers are around nodes, by
//! `tower::Layered` (features `tower` and `pool`), in a chain whose input is the whole `http::Request`:
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
//! `CompressionLayer` stands in the same place, outside of what it compresses; a reply that is kept by `Idempotency` inside of it is kept as it was
//! before. A layer that changes the type of the request's body stands in a tuple with one that changes it back: see `Layered`.

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
