//! How to move a program to chains: one page for each starting point, with the code before and after.
//!
//! | from | page | with the feature |
//! | --- | --- | --- |
//! | tower's `Layer` and `Service` | [`tower`] | `tower` |
//! | axum's `from_fn`, `Extension` and `State` | [`axum`] | `axum` |
//! | actix-web's `Transform` and `from_fn` | [`actix`] | `actix-web` |
//! | motore's `Service` and `Layer` | [`motore`] | |
//! | one function that has grown | [`by_hand`] | |
//!
//! The way is the same on every page, and the program runs after each step:
//!
//! 1. **One chain in the old stack.** Put it in the place of the first middleware, as a layer, and let its last node
//!    call what comes after it. Nothing else changes.
//! 2. **Grow it inwards.** Turn the body of the next middleware into a node. The node returns what the middleware put
//!    into a map of types, and other nodes ask for that value by its type. From then on, a value that is missing or
//!    comes too late is a compile error.
//! 3. **Leave the outside alone.** Connections, TLS, HTTP and routing belong to the server. Middleware that is good
//!    already stays in front of the chain, or goes into the chain as an around node.
//!
//! These modules contain only documentation.

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
