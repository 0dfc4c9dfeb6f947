//! Request chains as one monomorphized state machine.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

#[cfg(feature = "std")]
extern crate std;

// The macros of this crate name it `::chain_runtime`, also when they are used in it.
#[allow(unused_extern_crates, reason = "used where a feature brings a derive")]
extern crate self as chain_runtime;

pub mod check;
pub mod describe;
pub mod flow;
pub mod held;
pub mod node;
pub mod observe;
#[doc(hidden)]
pub mod private;
#[cfg(feature = "http")]
pub mod context;
#[cfg(feature = "pool")]
mod pool;
mod reset;
pub mod scope;
#[cfg(feature = "http")]
#[doc(hidden)]
pub mod short;

pub use describe::{Drawing, Ending, NodeInfo};
pub use flow::{IntoReply, Never, NeverSuspends};
pub use node::{Cancel, Joins, Node, Nothing, OnCancel, Signature, Stateless};
#[cfg(feature = "http")]
pub use context::{Context, Request, Respond, Response, Scratch};
#[cfg(feature = "pool")]
pub use pool::{Builder, Lease, Pool, Stats};
pub use reset::Reset;

#[doc(hidden)]
pub use chain_macros::chain as __chain;
pub use chain_macros::{Reset, node};

/// Declares a chain. See the crate's documentation for the language.
#[macro_export]
macro_rules! chain {
    ($($declaration:tt)*) => {
        $crate::__chain! { ($crate) $($declaration)* }
    };
}
