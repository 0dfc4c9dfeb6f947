//! What the tests, benches and examples of this workspace share.
