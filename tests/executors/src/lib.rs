//! The package of the tests in `tests/`: executors other than tokio's, with chains on them.
