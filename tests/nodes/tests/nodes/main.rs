//! The ready nodes, each in a chain.

mod access_log;
mod auth;
mod body;
mod idempotency;
mod peek;
mod rate_limit;
mod request_id;
