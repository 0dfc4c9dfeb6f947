//! A library of nodes: who visits, and whether there is room. The page `a_library_of_nodes` of `chain-runtime`'s documentation says why it is
//! written so.
//!
//! | node | kind | needs | provides | breaks with |
//! | --- | --- | --- | --- | --- |
//! | [`Limit`] | a field | | [`Place`] | [`Full`] |
//! | [`visitor::<R, S>`](visitor()) | a function | `&R`, `&Visitors<S>` | [`Visitor`] | [`Stranger`] |
//! | [`Door<S>`](Door) | a chain | `&str`, the token | [`Visitor`] | [`Refused`] |
//!
//! The segment `entrance` is `Limit` and `visitor`, one after the other.
#![no_std]
#![forbid(unsafe_code)]

mod door;
mod limit;
mod who;

pub use door::{Door, Refused, entrance};
pub use limit::{Full, Limit, Place};
pub use who::{Carries, Store, Stranger, Visitor, Visitors, known, visitor};

#[cfg(feature = "http")]
mod http_replies;
