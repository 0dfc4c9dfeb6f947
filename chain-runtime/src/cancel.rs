//! Work that goes on when the client is gone: `#[cancel(finish)]` and `#[cancel(detach)]` on a node, and the bare forms of both.
//!
//! A request whose client hangs up is a future that is dropped, and with it the work that it awaits. Work that must not stop
//! halfway (a payment, a write to two places) has to be a task of its own: so it owns what it works on, `'static`, and may be
//! polled on another thread, `Send`.
//!
//! | | waits for a place | waits for the work | the waiter is dropped | the work panics |
//! | --- | --- | --- | --- | --- |
//! | `#[cancel(finish)]` | yes | for the output | the work goes on to its end, once it has begun | so does the waiter |
//! | `#[cancel(detach)]` | yes | no | the same | it is counted |
//! | [`finish`] | no | for the output | the work goes on to its end | so does the waiter |
//! | [`detach`] | no | no | | nobody is told but the panic hook |
//!
//! **The attributes** are what a chain uses. Their work is counted and bounded in number, by the chain's [`Tasks`], or by [`Tasks::of_process`]
//! where the chain has none, and a graceful [`stop`](crate::tasks::Tasks::stop) waits for it. A run that is cancelled while it waits for a place drops the work unpolled.
//!
//! ```
//! use std::time::Duration;
//!
//! use chain_runtime::tasks::Tasks;
//! use chain_runtime::{chain, node};
//!
//! struct Order(u32);
//!
//! /// Owns what it works on.
//! #[node]
//! fn charge(order: &Order) -> impl Future<Output = u32> + Send + 'static {
//!     let number = order.0;
//!     async move { number * 2 }
//! }
//!
//! #[node]
//! fn receipt(charged: &u32) -> String { format!("charged {charged}") }
//!
//! chain! {
//!     struct Shop { tasks: Tasks }
//!     async fn(order: Order) -> String { #[cancel(finish)] charge => receipt }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! # runtime.block_on(async {
//! let shop = Shop { tasks: Tasks::new(100) };
//! assert_eq!(shop.run(Order(21)).await, "charged 42");
//! // Once there are no more requests, what they have begun comes to its end; what does not is named by its node.
//! let left = shop.tasks.stop(Duration::from_secs(5)).await;
//! assert_eq!(left.to_string(), "nothing");
//! # });
//! ```
//!
//! **The functions** are for code outside of a chain. Nothing counts what they begin, and nothing limits how many tasks there are: [`Tasks::finish`] and
//! [`Tasks::detach`] do.
//!
//! # What all have in common
//!
//! - **Nothing is inherited** of what a request has by being polled: in the task, [`Deadline::current`] is `None`, and tokio's
//!   task-locals and the entered `tracing` span are not there. Deadlines and permits around the node end with the request. Nothing
//!   limits how long the work runs, unless the work does.
//! - **At shutdown** of the runtime a task is dropped at the await where it stands, be it before its first poll. To let work end,
//!   [`stop`](crate::tasks::Tasks::stop) the `Tasks` before the runtime is dropped.
//! - **Outside of a tokio runtime** all panic, in tokio's words: "there is no reactor running, must be called from the context of
//!   a Tokio 1.x runtime".
//! - **Cost**: one allocation, for the task with the work in it, and its scheduling. Work over 16 KiB (2 KiB in a debug build)
//!   is boxed by tokio first, so two.
//!
//! [`Deadline::current`]: crate::around::Deadline::current
//! [`Tasks`]: crate::tasks::Tasks
//! [`Tasks::of_process`]: crate::tasks::Tasks::of_process
//! [`Tasks::stop`]: crate::tasks::Tasks::stop
//! [`Tasks::finish`]: crate::tasks::Tasks::finish
//! [`Tasks::detach`]: crate::tasks::Tasks::detach

use core::future::Future;
use std::panic::resume_unwind;

/// Does the work as a task of its own, and waits for its output.
///
/// # Contract
///
/// - Nothing happens before the future is polled. The task is spawned, on the runtime that polls it, by the first poll; a future
///   that is dropped before that drops the work unpolled.
/// - When the future is dropped later, the work goes on to its end, and its output is dropped where it ends.
/// - A panic of the work is resumed in whoever waits, without calling the panic hook again. Where nobody waits any more, the
///   panic hook is all that hears of it.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chain_runtime::cancel::finish;
/// use tokio::sync::Notify;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
/// # runtime.block_on(async {
/// assert_eq!(finish(async { 6 * 7 }).await, 42);
///
/// let written = Arc::new(Notify::new());
/// let write = finish({
///     let written = Arc::clone(&written);
///     async move {
///         tokio::time::sleep(Duration::from_secs(1)).await;
///         written.notify_one();
///     }
/// });
/// // The client waits for a tenth of that, and is gone.
/// tokio::time::timeout(Duration::from_millis(100), write).await.unwrap_err();
/// written.notified().await;
/// # });
/// ```
///
/// # Panics
///
/// If the work does; outside of a tokio runtime; and if the work's runtime is shut down while another one waits.
pub async fn finish<F>(work: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(output) => output,
        Err(ended) => match ended.try_into_panic() {
            Ok(payload) => resume_unwind(payload),
            // Nobody else has a handle to abort it.
            Err(_) => panic!("the runtime was shut down before the work was done"),
        },
    }
}

/// Begins the work as a task of its own, and does not wait: it is spawned when this returns.
///
/// Its output is dropped; a panic in it is told to the panic hook, and to nobody else.
///
/// ```
/// use chain_runtime::cancel::detach;
/// use tokio::sync::oneshot;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let (audited, audit) = oneshot::channel();
/// detach(async move { audited.send("ada logged in") });
/// assert_eq!(audit.await, Ok("ada logged in"));
/// # });
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime.
#[track_caller]
pub fn detach<F>(work: F)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    drop(tokio::spawn(work));
}
