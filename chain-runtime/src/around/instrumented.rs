//! A block inside of a span.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;

use chain_macros::node;
use tracing::Span;

/// Polls the block inside of a [`tracing`] span.
///
/// # Contract
///
/// - A span is made for each request, when the block begins; its parent is the span that is entered then.
/// - The span is entered for each poll of the block, and left after it, even if the poll panics. So it does not contain
///   what the thread does for others while the block waits.
/// - It is closed when the block is ready, or when the request is dropped. When the request is dropped, the chain drops
///   the block after this node: the block's `cancelled` hooks run outside of the span.
///
/// Beside [`Traced`](crate::telemetry::spans::Traced) it is of little use: that gives each node in the block a span of its
/// own, whose parent is the span of this node and not the one that is made here. So events of these nodes do not have
/// its fields. Use one of the two, or record the fields in a node of the block.
///
/// It never gives up. `F` is `fn() -> Span` unless it is named. A closure that captures nothing coerces to that.
///
/// ```
/// use std::pin::pin;
///
/// use chain_runtime::around::Instrumented;
/// use tracing::info_span;
///
/// struct Gateway {
///     upstream: Instrumented,
/// }
///
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = std::pin::pin!(future);
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     loop {
/// #         if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) { return output }
/// #     }
/// # }
/// # block_on(async {
/// let gateway = Gateway { upstream: Instrumented::new(|| info_span!("upstream")) };
/// let block = pin!(async {
///     tracing::info!("inside of the span");
///     200
/// });
/// assert_eq!(gateway.upstream.around(block).await, 200);
/// # });
/// ```
#[derive(Clone, Copy)]
pub struct Instrumented<F = fn() -> Span> {
    span: F,
}

#[node(crate = crate)]
impl<F: Fn() -> Span> Instrumented<F> {
    /// The node calls `span` once for each request.
    #[must_use]
    pub const fn new(span: F) -> Self {
        Self { span }
    }

    /// Polls the block until it is ready. See [`Instrumented`].
    pub async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> B::Output {
        let span = (self.span)();
        poll_fn(|context| {
            let _entered = span.enter();
            block.as_mut().poll(context)
        })
        .await
    }
}

impl<F> fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumented").finish_non_exhaustive()
    }
}
