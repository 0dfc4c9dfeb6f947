//! Chains that would answer `200 OK` to every request: none of them compiles.

/// These do not compile, under whatever name: an empty `200 OK`, and a reply that would be lost.
///
/// ```compile_fail,E0080
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// type Refused = ();
/// #[node]
/// fn check(request: &Request) -> Result<(), Refused> { Err(()) }
/// chain! { struct Guard; async fn(request: Request, inner: Next) -> Reply { check => next } }
/// ```
/// ```compile_fail,E0080
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// #[node]
/// fn check<E: Default>(request: &Request) -> Result<(), E> { Err(E::default()) }
/// chain! { struct Guard; async fn(request: Request, inner: Next) -> Reply { check::<()> => next } }
/// ```
/// ```compile_fail,E0080
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// # use std::pin::Pin;
/// struct Limit;
/// #[node]
/// impl Limit { async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, ()> { Err(()) } }
/// chain! { struct Guard { limit: Limit } async fn(request: Request, inner: Next) -> Reply { limit { next } } }
/// ```
/// ```compile_fail,E0080
/// # use axum::http::StatusCode;
/// # use chain_runtime::axum::{Reply, Request};
/// # use chain_runtime::{chain, node};
/// #[node]
/// fn check(request: &Request) {}
/// chain! { struct Guard; async fn(request: Request) -> Result<Reply, StatusCode> { check } }
/// ```
/// ```compile_fail,E0080
/// # use axum::response::{IntoResponse, Response};
/// # use axum::http::StatusCode;
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// #[node]
/// fn check(request: &Request) -> Response { StatusCode::UNAUTHORIZED.into_response() }
/// chain! { struct Guard; async fn(request: Request, inner: Next) -> Reply { check => next } }
/// ```
struct NoReply;
