//! Says what a reply means for the limit around it.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;

use chain_macros::node;

use super::own::{self, Verdict};

/// Looks at the reply `R`, and tells the [`Adaptive`](super::Adaptive) around it how to count it.
///
/// Without it, every reply counts. Then a failure that comes at once would look like speed:
///
/// ```
/// # #[cfg(feature = "http")] {
/// use std::time::Duration;
///
/// use chain_runtime::pressure::{Adaptive, Aimd, Anyone, Judge, Verdict};
/// use chain_runtime::{chain, node};
/// use http::{Request, Response};
///
/// type Reply = Response<String>;
///
/// #[node]
/// fn refused(_request: &Request<()>) -> Reply {
///     Response::builder().status(503).body(String::new()).unwrap()
/// }
///
/// fn by_status(reply: &Reply) -> Verdict {
///     match reply.status().as_u16() {
///         502..=504 => Verdict::Lost,
///         429 => Verdict::Ignored,
///         _ => Verdict::Replied,
///     }
/// }
///
/// chain! {
///     struct Upstream { limit: Adaptive<Anyone, Aimd>, judge: Judge<Reply> }
///     async fn(request: Request<()>) -> Reply { limit { judge { refused } } }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let limit = Adaptive::new(Aimd::new().initial(20)).window(Duration::ZERO).at_least(1);
/// let upstream = Upstream { limit, judge: Judge::new(by_status) };
/// upstream.run(Request::new(())).await;
/// assert_eq!(upstream.limit.status().limit, 18);
/// # });
/// # }
/// ```
pub struct Judge<R, F = fn(&R) -> Verdict> {
    judge: F,
    replies: PhantomData<fn(&R)>,
}

#[node(crate = crate)]
impl<R, F: Fn(&R) -> Verdict> Judge<R, F> {
    /// Calls this for each reply.
    #[must_use]
    pub const fn new(judge: F) -> Self {
        Self { judge, replies: PhantomData }
    }

    /// Polls the block, and looks at its reply.
    pub async fn around<B: Future<Output = R>>(&self, block: Pin<&mut B>) -> R {
        let reply = block.await;
        own::tell((self.judge)(&reply));
        reply
    }
}

impl<R, F> fmt::Debug for Judge<R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").finish_non_exhaustive()
    }
}
