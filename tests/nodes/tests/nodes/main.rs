//! The ready nodes, each in a chain.

mod auth;
mod rate_limit;
mod request_id;
