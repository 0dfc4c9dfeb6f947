//! Work that goes on when the client is gone: what `#[cancel(finish)]` and `#[cancel(detach)]` on a node stand on.
//!
//! A request whose client hangs up is a future that is dropped, and with it the work that it awaits. Work that must not stop
//! halfway (a payment, a write to two places) has to be a task of its own: so it owns what it works on, `'static`, and may be
//! polled on another thread, `Send`.
//!
//! | | waits | the waiter is dropped | the work panics |
//! | --- | --- | --- | --- |
//! | [`finish`] | for the output | the work goes on to its end | so does the waiter |
//! | [`detach`] | no | | nobody is told but the panic hook |
//!
//! # What both have in common
//!
//! - **Nothing is inherited** of what a request has by being polled: in the task, [`Deadline::current`] is `None`, and tokio's
//!   task-locals and the entered `tracing` span are not there. Deadlines and permits around the node end with the request. Nothing
//!   limits how many tasks there are, or how long they run, unless the work does.
//! - **At shutdown** of the runtime a task is dropped at the await where it stands, be it before its first poll. To let work end,
//!   wait for it before the runtime is dropped, with tokio-util's `TaskTracker`, say.
//! - **Outside of a tokio runtime** both panic, in tokio's words: "there is no reactor running, must be called from the context of
//!   a Tokio 1.x runtime".
//! - **Cost**: one allocation, for the task with the work in it, and its scheduling. Work over 16 KiB (2 KiB in a debug build)
//!   is boxed by tokio first, so two.
//!
//! [`Deadline::current`]: crate::around::Deadline::current

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
