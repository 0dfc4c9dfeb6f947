//! Ready around nodes: a node that is given the block behind it as a future, which it polls, limits or abandons.
//!
//! The block is *one* future. It is pinned in the chain's own frame and lent as `Pin<&mut B>`, so nothing is stored twice and
//! nothing is boxed. Each of these types has the same inherent method, generic over the block:
//!
//! ```text
//! async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, E>
//! ```
//!
//! An `Err` abandons the block: its future is dropped where it stands, so the `cancelled` hooks of its nodes run as for any
//! request that dies midway, and `E` becomes the reply through [`IntoReply`](crate::IntoReply).
//!
//! | node | does | gives up with | as an `http::Response` | feature |
//! | --- | --- | --- | --- | --- |
//! | [`Deadline`] | limits the block in time; inner deadlines inherit it | [`Expired`] | 504 | `std` |
//! | [`CatchPanic`] | makes a panic a reply | [`Panicked`] | 500 | `std` |
//! | [`Concurrency`] | lets so many blocks run at once | [`Overloaded`] | 503 | none; `tokio` to wait |
//! | `Instrumented` | polls the block inside of a span | never | | `tracing` |
//! | `Retry` | says whether a block is run once more, and pauses before it | never | | `retry` |
//!
//! The responses have the empty body, `B::default()`, and need the feature `http`.
//!
//! What waits takes its clock from a [`Timer`]. With the feature `tokio` that is tokio's, unless another is named.
//!
//! # Cost
//!
//! None of them allocates for a request in which nothing fails, but what a timer of one's own allocates. Tokio's does not. A
//! timer is asked for only once the block has to wait, and is gone with the block. Bytes of each future beside the block's own,
//! on a 64-bit machine:
//!
//! | `around` of | bytes, at most |
//! | --- | --: |
//! | `CatchPanic` | 48 |
//! | `Instrumented` | 88 |
//! | `Concurrency`, shedding | 56 |
//! | `Concurrency`, waiting, on tokio | 480 |
//! | `Deadline`, on tokio | 256 |
//! | `Retry::again`, on tokio | 240 |

#[cfg(feature = "std")]
mod catch_panic;
mod concurrency;
#[cfg(feature = "std")]
mod deadline;
#[cfg(feature = "tracing")]
mod instrumented;
#[cfg(feature = "http")]
mod reply;
#[cfg(feature = "retry")]
mod retry;
#[cfg(feature = "std")]
mod timer;

#[cfg(feature = "std")]
pub use catch_panic::{CatchPanic, Panicked};
#[cfg(feature = "tokio")]
pub use concurrency::Wait;
pub use concurrency::{Concurrency, Overloaded, Shed};
#[cfg(feature = "std")]
pub use deadline::{Deadline, Expired};
#[cfg(feature = "tracing")]
pub use instrumented::Instrumented;
#[cfg(feature = "retry")]
pub use retry::{Backoff, Budget, Policy, Retry};
#[cfg(feature = "std")]
pub use timer::Timer;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
