//! From what you have to a chain: before and after, one page for each.
//!
//! | from | page | with the feature |
//! | --- | --- | --- |
//! | tower's `Layer` and `Service` | [`tower`] | `tower` |
//! | axum's `from_fn`, `Extension` and `State` | [`axum`] | `axum` |
//! | actix-web's `Transform` and `from_fn` | [`actix`] | `actix-web` |
//! | motore's `Service` and `Layer` | [`motore`] | |
//! | one function that has grown | [`by_hand`] | |
//!
//! In each of them the way is the same, and each step of it runs:
//!
//! 1. **One chain in the old stack.** Put it where the first middleware is, as a layer, and let its last node call what comes after it. Nothing else changes.
//! 2. **Grow it inwards.** Take the next middleware's body over as a node. What it put into a map of types it now returns, and what looked it up asks for it by
//!    type. What is not there, or comes too late, is a compile error from then on.
//! 3. **Let what is outside alone.** Connections, TLS, HTTP and routing are the server's. Middleware that is good as it is stays in front, or goes into the chain as an
//!    around node.
//!
//! These modules are documentation, and nothing but.

#[cfg(feature = "actix-web")]
#[doc = include_str!("migrate/actix.md")]
pub mod actix {}

#[cfg(feature = "axum")]
#[doc = include_str!("migrate/axum.md")]
pub mod axum {}

#[doc = include_str!("migrate/by_hand.md")]
pub mod by_hand {}

#[doc = include_str!("migrate/motore.md")]
pub mod motore {}

#[cfg(feature = "tower")]
#[doc = include_str!("migrate/tower.md")]
pub mod tower {}
