//! A block whose panic becomes the reply.

use core::any::Any;
use core::error::Error;
use core::fmt;
use core::future::{Future, poll_fn};
use core::mem;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use core::task::Poll;
use std::boxed::Box;
use std::panic::{catch_unwind, resume_unwind};
use std::string::String;

use chain_macros::node;

/// Makes a panic in the block a reply.
///
/// # Contract
///
/// - A panic in a poll of the block gives [`Panicked`], which holds the panic's payload. The block is never polled
///   again.
/// - By then the panic has passed through the block's nodes: `cancelled` ran for those that were entered, in reverse
///   order, and `std::thread::panicking()` was true in them. For the nodes around the block it is a break like any
///   other: their `exit` runs.
/// - The panic hook runs as always, so the panic's message is still written.
/// - The values that the block shares with other requests are assumed to be unwind safe: a lock is poisoned as always,
///   but other requests see any value that was left half changed. That is why a chain has to ask for this node by name.
/// - A program that is built with `panic = "abort"` aborts. A program also aborts if a second panic begins while the
///   first unwinds, for example in a `cancelled` hook. Neither can be caught.
/// - A panic in the block's `Drop`, when the request was dropped midway, is not in a poll, and goes on.
/// - The payload may itself panic when it is dropped. That ends here as well: the payload of the second panic is
///   forgotten, and never dropped.
///
/// ```
/// use std::pin::pin;
///
/// use chain_runtime::around::CatchPanic;
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = std::pin::pin!(future);
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     loop {
/// #         if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) { return output }
/// #     }
/// # }
/// # block_on(async {
/// let divisor = 0;
/// let block = pin!(async { 42_u32.checked_div(divisor).expect("nothing divides by zero") });
/// let panicked = CatchPanic.around(block).await.unwrap_err();
/// assert_eq!(panicked.message(), Some("nothing divides by zero"));
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CatchPanic;

#[node(stateless, crate = crate)]
impl CatchPanic {
    /// Polls the block until it is ready or panics. See [`CatchPanic`].
    ///
    /// # Errors
    ///
    /// [`Panicked`] if the block panicked. The block must not be polled after that.
    pub async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> Result<B::Output, Panicked> {
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| block.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(payload) => Poll::Ready(Err(Panicked { payload: Some(payload) })),
        })
        .await
    }
}

impl Panicked {
    /// Calls this, and catches its panic.
    #[cfg(feature = "tokio")]
    pub(crate) fn caught<T>(called: impl FnOnce() -> T) -> Result<T, Self> {
        catch_unwind(AssertUnwindSafe(called)).map_err(|payload| Self { payload: Some(payload) })
    }
}

/// The block panicked: [`CatchPanic`] gives up with this. As an `http::Response`, a 500 that does not say why.
pub struct Panicked {
    /// `None` once it was taken out.
    payload: Option<Box<dyn Any + Send>>,
}

const HELD: &str = "what was panicked with is held until it is taken out";

impl Panicked {
    /// The panic's payload, if it is text: `panic!`, `unwrap`, `expect` and their like make such payloads.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        let payload = self.payload();
        match payload.downcast_ref::<&'static str>() {
            Some(text) => Some(text),
            None => payload.downcast_ref::<String>().map(String::as_str),
        }
    }

    /// The panic's payload.
    #[must_use]
    pub fn payload(&self) -> &(dyn Any + Send) {
        self.payload.as_deref().expect(HELD)
    }

    /// The panic's payload. Dropping it may panic.
    #[must_use]
    pub fn into_payload(mut self) -> Box<dyn Any + Send> {
        self.payload.take().expect(HELD)
    }

    /// Goes on with the panic, without calling the panic hook again.
    pub fn resume(self) -> ! {
        resume_unwind(self.into_payload())
    }
}

/// Ends a panic of the payload's own `Drop`, which would otherwise begin after the first panic was thought to be over.
impl Drop for Panicked {
    fn drop(&mut self) {
        let payload = self.payload.take();
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            // Its payload may panic as well when it is dropped.
            mem::forget(another);
        }
    }
}

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panicked").field("message", &self.message()).finish_non_exhaustive()
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            Some(message) => write!(f, "panicked: {message}"),
            None => f.write_str("panicked"),
        }
    }
}

impl Error for Panicked {}
