//! Holds what is tested: executors that are not tokio's, with chains on them in `tests/`.
