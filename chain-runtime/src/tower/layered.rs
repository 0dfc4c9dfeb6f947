//! A layer as an around node: cut in two where it calls its inner service.

use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::Poll;
use std::boxed::Box;
use std::sync::Arc;

mod halves;
mod relay;

use chain_macros::node;
use tower_layer::Layer;
use tower_service::Service;

use halves::{Cut, Halves};
pub use relay::{Relay, Relayed};

use super::spare::{Passages, Spare};
use crate::{IntoReply, Lease, Pool, Reset};

/// Any [`Layer`] as an around node: the layer is around the block. `Q` is the request, and `R` is the chain's reply.
/// `V` is the response of the layer's inner service, into which a reply is turned; for most chains that is the reply.
///
/// The layer's future is cut in two where it calls its inner service. The first part runs on the way in. The request
/// that it made is then in the place of the old one, for the nodes of the block. The block's reply is the response of
/// the inner service, and the layer makes the reply of the node from it. While the block runs, the layer is polled
/// beside it. So a time limit of the layer ends the block, and the block's nodes are `cancelled`. A layer that does not
/// call the inner service, as on a CORS preflight, breaks with its own response.
///
/// ```
/// use chain_runtime::tower::Layered;
/// use chain_runtime::{chain, node};
/// use http::{Request, Response};
/// use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
///
/// type In = Request<String>;
/// type Out = Response<String>;
///
/// #[node]
/// fn answer(request: &In) -> Out {
///     Response::new(format!("you are {}", request.headers()["x-request-id"].len()))
/// }
///
/// chain! {
///     struct Gateway {
///         propagate: Layered<In, Out>,
///         identify: Layered<In, Out>,
///     }
///     async fn(request: In) -> Out { identify { propagate { answer } } }
/// }
///
/// let gateway = Gateway {
///     propagate: Layered::new(PropagateRequestIdLayer::x_request_id()),
///     identify: Layered::new(SetRequestIdLayer::x_request_id(MakeRequestUuid)),
/// };
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let reply = gateway.run(Request::new(String::new())).await;
/// assert_eq!(reply.body(), "you are 36");
/// assert_eq!(reply.headers()["x-request-id"].len(), 36);
/// # });
/// ```
///
/// # What it asks for
///
/// - The request is an input that the chain owns, or a provided value, and it is [`Spare`]: while the layer has the
///   request, a spare is in its place. hyper's `Incoming` has no spare: in front of the chain, turn it into a body that
///   has one, for example into an `axum::body::Body`.
/// - The layer calls its inner service with a `Q`. A layer that changes the type of the request's body stands in a
///   tuple with a layer that changes it back: `(RequestBodyLimitLayer::new(1024),
///   MapRequestBodyLayer::new(Body::new))`.
/// - Its response and its error become an `R` through [`IntoReply`]. In axum any type of the response's body will do;
///   see `axum::Layered`. The inner service's error is `Infallible`, so a reply of your own needs an
///   `impl IntoReply<Reply> for Infallible`.
/// - Its service is made once, and cloned for each request, as servers do it. State that clones share is shared, such
///   as the semaphore of a `ConcurrencyLimit`. What a clone reserved is given back with the clone.
///
/// # What others see of the request
///
/// Its place is never empty. If the layer refuses the request, is abandoned by a deadline, is cancelled or panics
/// before it calls its inner service, the spare stays: the request with its whole head. After that call, the request is
/// the one that the layer made.
///
/// If the layer is run **again**, by a `Retry` around it, it begins with the request as it was before the first try:
/// what the layer added then is not there a second time. A body that can be copied is whole. A body that cannot be
/// copied is what the nodes of the block have left of it. If the layer still had it, it is a body that fails with
/// `Gone` when it is read: it is never taken for an empty one. If the request is of a type of your own, the layer's
/// changes are not undone, unless the type has extensions to keep the old request in and its [`Spare`] does so.
///
/// # What does not fit
///
/// A layer that calls its inner service again, such as tower's `Retry`, or from another task, such as `Buffer`, does
/// not fit, because there is one block, for one request. Put these around a [`Call`](super::Call); here they panic. The
/// block is polled beside the layer, not inside of it. So a span of `TraceLayer` is not entered for the block, and
/// `CatchPanicLayer` does not see the block's panics. Use `Instrumented` and `CatchPanic` for these.
///
/// # Cost
///
/// Memory that is kept between requests is pooled. Once warm, a request allocates only what the layer and its spare
/// allocate: for an HTTP request, the spare is a copy of its map of fields and a few words. The layer's type is long
/// and often cannot be written, so the node's type does not contain it: each poll of the layer goes through one `dyn`.
/// The layer is polled each time that the block is.
///
/// # Panics
///
/// If the layer calls its inner service a second time, or from another task.
pub struct Layered<Q, R, V = R> {
    stations: Pool<Station<Q, R>>,
    relays: PhantomData<fn() -> V>,
}

impl<Q, R, V> Layered<Q, R, V>
where
    Q: Send + 'static,
    R: Into<V> + 'static,
    V: Send + 'static,
{
    /// Makes a node of this layer.
    pub fn new<L>(layer: L) -> Self
    where
        L: Layer<Relay<Q, V>>,
        L::Service: Service<Q, Response: IntoReply<R>, Error: IntoReply<R>, Future: Send + 'static>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let service = Arc::new(layer.layer(Relay { relays: PhantomData }));
        let stations = Pool::new(move || Station {
            cut: Box::new(Halves::new(Arc::clone(&service))),
            passages: Passages::default(),
        });
        Self { stations, relays: PhantomData }
    }
}

#[node(crate = crate)]
impl<Q: Spare + 'static, R: 'static, V> Layered<Q, R, V> {
    /// Runs the layer up to its call of the inner service, and puts the request of that call in the place of this
    /// request.
    ///
    /// # Errors
    ///
    /// The layer's reply, if it does not call the inner service.
    pub async fn enter(&self, request: &mut Q) -> Result<Passage<'_, Q, R>, R> {
        let mut station = self.stations.get();
        poll_fn(|context| station.cut.poll_ready(context)).await?;
        request.recall();
        // From here until the request arrives at the inner service, a spare is in its place, and stays there if the
        // request does not come back.
        let spare = request.spare();
        station.cut.begin(mem::replace(request, spare));
        let arrived = poll_fn(|context| station.cut.poll_arrived(context)).await?;
        let before = mem::replace(request, arrived);
        request.remember(before, station.passages.current());
        Ok(Passage { station })
    }

    /// Polls the block and the layer beside each other, and gives the layer the block's reply as that of its inner
    /// service.
    pub async fn around<B: Future<Output = R>>(&self, passage: &mut Passage<'_, Q, R>, mut block: Pin<&mut B>) -> R {
        let layer = &mut *passage.station.cut;
        let mut is_over = false;
        poll_fn(|context| {
            if !is_over && let Poll::Ready(reply) = block.as_mut().poll(context) {
                is_over = true;
                layer.answer(reply, context);
            }
            layer.poll_reply(context)
        })
        .await
    }
}

impl<Q, R, V> fmt::Debug for Layered<Q, R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layered").finish_non_exhaustive()
    }
}

/// A request on its way through a [`Layered`] node, between the two halves of the layer.
pub struct Passage<'r, Q: 'static, R: 'static> {
    station: Lease<'r, Station<Q, R>>,
}

/// This runs on every way out, also in a panic.
impl<Q, R> Drop for Passage<'_, Q, R> {
    fn drop(&mut self) {
        self.station.passages.end();
    }
}

impl<Q, R> fmt::Debug for Passage<'_, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passage").finish_non_exhaustive()
    }
}

/// What one request needs of the layer; it is kept for the next one.
struct Station<Q, R> {
    cut: Box<dyn Cut<Q, R> + Send>,
    passages: Passages,
}

impl<Q, R> Reset for Station<Q, R> {
    fn reset(&mut self) {
        self.cut.reset();
    }
}
