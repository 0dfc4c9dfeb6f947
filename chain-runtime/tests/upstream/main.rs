//! The registry of upstreams: its behaviour against a model, under load, and the sources of its members.
#![cfg(feature = "upstream")]

mod allocations;
#[cfg(feature = "upstream-http")]
mod announce;
#[cfg(feature = "proxy")]
mod asked_over_http;
mod checks;
mod health;
mod health_model;
mod kept;
mod model;
#[cfg(all(feature = "proxy", feature = "upstream-http"))]
mod registered_over_http;
#[cfg(feature = "upstream-http")]
mod registrar;
mod registry;
mod sources;
mod stress;
#[path = "../support/mod.rs"]
mod support;
mod totals;
