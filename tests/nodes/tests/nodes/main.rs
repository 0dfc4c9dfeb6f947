//! The ready nodes, each in a chain.

mod auth;
mod request_id;
