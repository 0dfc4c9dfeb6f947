//! Chains on executors that are not tokio's.
