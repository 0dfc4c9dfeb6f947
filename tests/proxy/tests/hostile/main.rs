//! The proxies among the examples, as processes, against malicious clients and upstreams.
//!
//! `CHAIN_PROXY_GATEWAY`, `_EDGE` and `_FORWARD` name binaries to test instead of the ones that are built here.
//! `CHAIN_PROXY_ONLY=forward` runs the tables against one of them, and `CHAIN_PROXY_CASE` runs only the rows whose
//! names contain its value.

mod support;

mod conformance;
mod edge;
mod fields;
mod floods;
mod gateway;
mod http2;
mod identity;
mod pace;
mod passage;
mod property;
mod replies;
mod requests;
mod stale;
mod stop;
mod targets;
mod time;
mod trailers;
mod upgrade;
