//! Ready around nodes. Such a node is given the block after it as a future, which it polls, limits or abandons.
//!
//! The block is *one* future. It is pinned in the chain's own frame and lent as `Pin<&mut B>`, so nothing is stored
//! twice and nothing is boxed. Each of these types has the same method, generic over the block:
//!
//! ```text
//! async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, E>
//! ```
//!
//! `#[node]` on the `impl` block with this method makes the type a node that wraps a block: it implements [`Around`].
//!
//! A node that needs to see the reply names its type: `B: Future<Output = Response>`. It may return another reply.
//!
//! An `Err` abandons the block: the block's future is dropped where it stands, so the `cancelled` hooks of its nodes
//! run as for any request that dies midway. `E` becomes the reply through [`IntoReply`](crate::IntoReply).
//!
//! | node | does | gives up with | as an `http::Response` | feature |
//! | --- | --- | --- | --- | --- |
//! | [`Deadline`] | limits the block in time; inner deadlines inherit it | [`Expired`] | 504 | `std` |
//! | [`CatchPanic`] | makes a panic a reply | [`Panicked`] | 500 | `std` |
//! | [`Concurrency`] | lets a limited number of blocks run at once | [`Overloaded`] | 503 | none; `tokio` to wait |
//! | `Instrumented` | polls the block inside of a span | never | | `tracing` |
//! | `Retry` | decides whether a block is run once more, and pauses before that | never |  | `retry` |
//!
//! | [`WholeDeadline`] | limits the block, and then the body of its reply, in time | [`Expired`] | 504 | `http-body` |
//! | [`WholeConcurrency`] | lets a limited number of replies be made and sent at once | [`Overloaded`] | 503 | `http-body`; `tokio` to wait |
//!
//! With the feature `retry`, `Hedge` makes a second try if the first one takes long. It wraps no block: a node of your
//! own calls it.
//!
//! With the feature `pressure`, `pressure::Adaptive` finds out by itself how many blocks may run at once.
//!
//! The responses are [`Failure`](crate::failure::Failure)s, which the reply's body renders, and need the feature
//! `http`.
//!
//! # A reply whose body is streamed
//!
//! A block is over when it gives its reply. For an HTTP response, that is when its **head** is there. The server sends
//! the body after that, and none of these nodes sees it, except the two that begin with `Whole`. A `Deadline` does not
//! end a body that takes too long, a `Concurrency` gives its permit back before the body is sent, `CatchPanic` does not
//! catch the panic of a stream, and a span of `Instrumented` is closed. Other things that have to follow the body to
//! its end go along as its tail: see [`tailed`](crate::tailed).
//!
//! Nodes that wait take the time from a [`Timer`]. With the feature `tokio` that is tokio's timer, unless another one
//! is named.
//!
//! # Cost
//!
//! None of them allocates for a request in which nothing fails, apart from what a timer of your own allocates. Tokio's
//! timer does not allocate. A timer is made only when the block has to wait, and is dropped with the block. The bytes
//! of each future, besides those of the block, on a 64-bit machine:
//!
//! | `around` of | bytes, at most |
//! | --- | --: |
//! | `CatchPanic` | 48 |
//! | `Instrumented` | 88 |
//! | `Concurrency`, shedding | 56 |
//! | `Concurrency`, waiting, on tokio | 480 |
//! | `Deadline`, on tokio | 256 |
//! | `Retry::again`, on tokio | 240 |

use core::future::Future;
use core::ops::ControlFlow;
use core::pin::Pin;

use crate::describe::Hook;
use crate::flow::Reads;
use crate::node::{Gives, Signature};

/// What a node does that wraps a block. The block's output is an `O`, and the chain's reply is an `R`. `#[node]` writes
/// it for an `impl` block that has `around`.
///
/// The output of a block that ends the chain is the reply. The output of a block that goes on is `ControlFlow<R, T>`:
/// a reply, or the `T` that the block provides to the nodes after it; where it provides nothing, `()`. Most nodes do
/// not look at their block's output, and wrap any block. A node whose `around` names the output,
/// `around<B: Future<Output = Response>>(..) -> Response`, sees the reply and may replace it. It wraps only blocks that
/// end a chain with that reply.
#[diagnostic::on_unimplemented(
    message = "chain[E411]: `{Self}` does not wrap this block",
    label = "does not wrap a block that gives `{O}`",
    note = "write `=>` between `{Self}` and the block; a node that wraps has `async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, E>`",
    note = "where `around` says what its block gives, `B: Future<Output = Response>`, the block has to end the chain, with just that reply"
)]
pub trait Around<'r, R, O>: Signature<'r> {
    /// What `around` returns: an `O`, or `Result<O, E>` if it may give up.
    type Outcome;
    /// How that result is read.
    type Kind: Reads<Self::Outcome, Gives = O, Breaks = Self::GivesUp>;
    /// The value with which it gives up, in place of the block's output; [`Never`](crate::Never) if it never does.
    type GivesUp;
    /// Whether the node may ask for the block to be run again.
    const AGAIN: Hook = Hook::Absent;

    /// Polls the block as often as it likes; `entered` is what the node's own `enter` gave.
    ///
    /// If it returns before the block is ready, the block is abandoned: it is dropped where it stands.
    fn around<B: Future<Output = O>>(
        &'r self,
        entered: &mut Gives<'r, Self>,
        block: Pin<&mut B>,
    ) -> impl Future<Output = Self::Outcome>;

    /// Whether the block is to be run once more, after it replied with `reply` in run number `attempt`, from 1. It is
    /// not asked for a block that goes on.
    ///
    /// `None` keeps the reply. After `Some(pause)` the reply is dropped, with whatever it holds of an upstream. Then
    /// the pause is awaited, and then the block is made anew. What is returned does not borrow the reply.
    fn again(&'r self, attempt: u32, reply: &R) -> Option<impl Future<Output = ()> + use<'r, Self, R, O>> {
        let _ = (attempt, reply);
        None::<core::future::Ready<()>>
    }
    /// The same, for a node without a pause.
    fn again_now(&'r self, attempt: u32, reply: &R) -> bool {
        let _ = (attempt, reply);
        false
    }
    /// The future that is awaited for a pause; nothing, if the node never pauses.
    #[doc(hidden)]
    fn pause<P: Future<Output = ()>>(pause: P) -> impl Future<Output = ()> {
        pause
    }
}

/// The reply of a block that may go on instead.
#[doc(hidden)]
#[inline(always)]
pub const fn reply_in<R, T>(flow: &ControlFlow<R, T>) -> Option<&R> {
    match flow {
        ControlFlow::Break(reply) => Some(reply),
        ControlFlow::Continue(_) => None,
    }
}

#[cfg(feature = "std")]
mod catch_panic;
mod concurrency;
#[cfg(feature = "std")]
mod deadline;
#[cfg(feature = "retry")]
mod hedge;
#[cfg(feature = "tracing")]
mod instrumented;
#[cfg(feature = "http")]
mod reply;
#[cfg(feature = "retry")]
mod retry;
#[cfg(feature = "std")]
mod timer;
#[cfg(feature = "http-body")]
mod whole;

#[cfg(feature = "std")]
pub use catch_panic::{CatchPanic, Panicked};
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
pub use concurrency::CanWait;
#[cfg(feature = "http-body")]
pub use concurrency::Patience;
#[cfg(feature = "tokio")]
pub use concurrency::Wait;
pub use concurrency::{Concurrency, Overloaded, Shed};
#[cfg(feature = "std")]
pub use deadline::{Deadline, Expired};
#[cfg(feature = "retry")]
pub use hedge::Hedge;
#[cfg(feature = "tracing")]
pub use instrumented::Instrumented;
#[cfg(feature = "retry")]
pub use retry::{Backoff, Budget, Policy, Retry};
#[cfg(feature = "std")]
pub use timer::Timer;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
#[cfg(all(feature = "std", not(feature = "tokio")))]
#[doc(hidden)]
pub use timer::{IsEnabled, NoTimer};
#[cfg(feature = "http-body")]
pub use whole::{Permit, WholeConcurrency, WholeDeadline};
