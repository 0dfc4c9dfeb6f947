//! Work that goes on when the client is gone: `#[cancel(finish)]` and `#[cancel(detach)]` on a node, and a plain
//! function for each.
//!
//! When the client of a request hangs up, the request's future is dropped, and with it the work that the future awaits.
//! Work that must not stop halfway (a payment, a write to two places) has to be a task of its own. So it owns its data,
//! `'static`, and may be polled on another thread, `Send`.
//!
//! |  | waits for a place | waits for the work | if the waiter is dropped | if the work panics |
//! | --- | --- | --- | --- | --- |
//! | `#[cancel(finish)]` | yes | for the output | the work goes on to its end, once it has begun | so does the waiter |
//! | `#[cancel(detach)]` | yes | no | the same | it is counted |
//! | [`finish`] | no | for the output | the work goes on to its end | so does the waiter |
//! | [`detach`] | no | no |  | only the panic hook is told |
//!
//! **The attributes** are for chains. Their work is counted and bounded in number, by the chain's [`Tasks`], or by
//! [`Tasks::of_process`] if the chain has none. A graceful [`stop`](crate::tasks::Tasks::stop) waits for it. A run that
//! is cancelled while it waits for a place drops the work unpolled.
//!
//! ```
//! use std::time::Duration;
//!
//! use chain_runtime::tasks::Tasks;
//! use chain_runtime::{chain, node};
//!
//! struct Order(u32);
//!
//! /// Its work owns its data.
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
//! // When there are no more requests, their work comes to its end. Work that does not is named by its node.
//! let left = shop.tasks.stop(Duration::from_secs(5)).await;
//! assert_eq!(left.to_string(), "nothing");
//! # });
//! ```
//!
//! **The functions** are for code outside of a chain. Nothing counts the tasks that they begin, and nothing limits
//! their number: use [`Tasks::finish`] and [`Tasks::detach`] for that.
//!
//! # What all have in common
//!
//! - **Nothing is inherited** of what a request has because it is polled: in the task, [`Deadline::current`] is `None`,
//!   and tokio's task-locals and the entered `tracing` span are not there. Deadlines and permits around the node end
//!   with the request. Only the work itself limits how long it runs.
//! - **At shutdown** of the runtime a task is dropped at the await where it stands, or before its first poll. To let
//!   work come to its end, [`stop`](crate::tasks::Tasks::stop) the `Tasks` before the runtime is dropped.
//! - **Outside of a tokio runtime** all panic, in tokio's words: "there is no reactor running, must be called from the
//!   context of a Tokio 1.x runtime".
//! - **Cost**: one allocation, for the task with the work in it, and its scheduling. Tokio boxes work over 16 KiB (2
//!   KiB in a debug build) first, which makes two.
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
/// - Nothing happens before the future is polled. The first poll spawns the task, on the runtime that polls. A future
///   that is dropped before that drops the work unpolled.
/// - When the future is dropped later, the work goes on to its end, and then drops its output.
/// - A panic of the work is resumed in the code that waits, without calling the panic hook again. If nothing waits any
///   more, only the panic hook is told.
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
/// If the work panics; outside of a tokio runtime; and if the work's runtime is shut down while code on another runtime
/// waits.
pub async fn finish<F>(work: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(output) => output,
        Err(ended) => match ended.try_into_panic() {
            Ok(payload) => resume_unwind(payload),
            // No other code has a handle with which to abort it.
            Err(_) => panic!("the runtime was shut down before the work was done"),
        },
    }
}

/// Begins the work as a task of its own, and does not wait: it is spawned when this returns.
///
/// Its output is dropped. Only the panic hook is told of a panic.
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
