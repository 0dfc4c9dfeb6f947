//! The errors of [`chain!`](crate::chain), [`#[node]`](macro@crate::node) and [`#[derive(Reset)]`](macro@crate::Reset):
//! what each one means, an example, and the way out.
//!
//! Each message begins with its code:
//!
//! ```text
//! error[E0080]: evaluation panicked: chain[E102]: `ratelimit` needs a `User`, which `auth` provides, but `auth` comes after it: ..
//! ```
//!
//! `E0080` is rustc's, and says only that a constant could not be evaluated. `chain[E102]` is explained here. A code
//! keeps its meaning; the words of its message may change. An error without such a code is rustc's own:
//! `rustc --explain E0308` explains it.
//!
//! | codes | about |
//! | --- | --- |
//! | E0.. | how a chain is [written] |
//! | E1.. | how nodes find what they need: [`wiring`] |
//! | E2.. | how a run ends: [`endings`] |
//! | E3.. | what a node is: [`nodes`] |
//! | E4.. | blocks and [`branches`] |
//! | E5.. | [`attributes`] |
//! | E6.. | [`segments`] |
//! | E7.. | what a chain [promises] |
//! | E8.. | [`ready`] nodes, and the code around a chain |
//! | E9.. | [`reset`] |
//!
//! Some mistakes are seen by rustc before the library can say anything. Then the error is rustc's own as well:
//!
//! | rustc says | what it means here |
//! | --- | --- |
//! | E0119, "conflicting implementations of trait `Provides<'_, '_, User>`" | two things in the chain are a `User`, at least one of which comes from a node with state or stands behind an alias of another module: [`wiring`], E111 |
//! | "cannot find macro `auth` in this scope" | no node of this name is in scope: it is misspelt, not imported (`use other::auth`), or a function of another file without `#[node]`: [`nodes`], E301 |
//! | E0433, "`nodes::audit` is not a macro, but a function, try to remove `!`" | the function has no `#[node]`: [`nodes`], E301 |
//! | E0659, "`auth` is ambiguous" | two nodes of this name are in scope, one of them behind a glob or in an outer scope: put one into a module of its own, and name it by its path, `stand_ins::auth` |
//! | E0428, "the name `auth` is defined multiple times" | two functions with `#[node]` have one name |
//!
//! These modules contain documentation only.

#[doc = include_str!("errors/attributes.md")]
pub mod attributes {}

#[doc = include_str!("errors/branches.md")]
pub mod branches {}

#[doc = include_str!("errors/endings.md")]
pub mod endings {}

#[doc = include_str!("errors/nodes.md")]
pub mod nodes {}

#[doc = include_str!("errors/promises.md")]
pub mod promises {}

#[doc = include_str!("errors/ready.md")]
pub mod ready {}

#[doc = include_str!("errors/reset.md")]
pub mod reset {}

#[doc = include_str!("errors/segments.md")]
pub mod segments {}

#[doc = include_str!("errors/wiring.md")]
pub mod wiring {}

#[doc = include_str!("errors/written.md")]
pub mod written {}
