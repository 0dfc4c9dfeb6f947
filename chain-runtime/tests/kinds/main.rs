//! What may be a node: what a field holds in an `Arc`, a `Box`, by reference, or in an `Option`; and a chain.

mod chains;
mod drawn;
mod held;
