//! A layer as an around node: cut in two where it calls its inner service.

use core::convert::Infallible;
use core::fmt;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::any::Any;
use std::boxed::Box;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chain_macros::node;
use tower_layer::Layer;
use tower_service::Service;

use super::spare::{Passages, Spare};
use crate::{IntoReply, Lease, Pool, Reset};

/// Any [`Layer`] as an around node: the block is what it is around. `Q` is the request, `R` the chain's reply, and
/// `V` the response of its inner service, which a reply is turned into; for most chains that is the reply.
///
/// The layer's future is cut in two where it calls its inner service. Up to there it runs on the way in: what it made of the request is
/// then in its place, for the nodes of the block. The block's reply is what the inner service gave; the layer makes of it the
/// reply of the block. While the block runs the layer is polled beside it, so a time limit of the layer's ends the block, and its nodes are
/// `cancelled`. A layer that does not call the inner service, as on a CORS preflight, breaks with its own response.
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
/// - The request is an input that the chain owns, or a provided value, and is [`Spare`]: while the layer has it, a spare is in its place.
///   hyper's `Incoming` is not: make the body an `axum::body::Body`, say, in front of the chain.
/// - The layer calls its inner service with a `Q`. One that changes the type of the request's body stands in a tuple with a layer that
///   changes it back: `(RequestBodyLimitLayer::new(1024), MapRequestBodyLayer::new(Body::new))`.
/// - Its response and its error become an `R` through [`IntoReply`]. In axum, whatever the response's body is; see `axum::Layered`.
///   The inner service's error is `Infallible`, so for a reply of your own there has to be an `impl IntoReply<Reply> for Infallible`.
/// - Its service is made once, and cloned for each request, as servers do it: what clones share, as a `ConcurrencyLimit` shares its
///   semaphore, is shared, and what a clone reserved is given back with it.
///
/// # What others see of the request
///
/// Its place is never empty. Where the layer refuses the request, is abandoned by a deadline, is cancelled or panics before it calls its inner
/// service, the spare stays: the request with its whole head. From then on it is what the layer made of the request.
///
/// Where the layer is run **again**, by a `Retry` around it, it begins with the request as it was before the first try: what the layer added then is not
/// there a second time. A body that can be copied is whole. Another one is what the nodes of the block have left of it, or, where the
/// layer still had it, one that fails with `Gone` when it is read: it is never taken for an empty one. Of a request type of your own, what the layer made of
/// it is not undone, unless [`Spare`] is implemented by one that has extensions to keep it in.
///
/// # What does not fit
///
/// A layer that calls its inner service again, such as tower's `Retry`, or from another task, such as `Buffer`: there is one block, and one
/// request's. These go around a [`Call`](super::Call); here they panic. The block is polled
/// beside the layer, not inside of it: a span of `TraceLayer` is not entered for it, and `CatchPanicLayer` does not see its panics. For these there are
/// `Instrumented` and `CatchPanic`.
///
/// # Cost
///
/// What is kept between requests is pooled: once warm, a request allocates only what the layer does, and what its spare does: for an HTTP request, a copy of
/// its map of fields and a few words. The layer's type, which is long and often
/// cannot be written, is not the node's: each poll of the layer goes through one `dyn`. The layer is polled each time that the block is.
///
/// # Panics
///
/// Where the layer calls its inner service a second time, or from another task.
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
    /// The node that this layer makes.
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
    /// Runs the layer up to where it calls its inner service, and puts the request that this is given in the place of this one.
    ///
    /// # Errors
    ///
    /// What the layer replies where it does not call it.
    pub async fn enter(&self, request: &mut Q) -> Result<Passage<'_, Q, R>, R> {
        let mut station = self.stations.get();
        poll_fn(|context| station.cut.poll_ready(context)).await?;
        request.recall();
        // From here to where it arrives, a spare is there, and stays there if the request does not come back.
        let spare = request.spare();
        station.cut.begin(mem::replace(request, spare));
        let arrived = poll_fn(|context| station.cut.poll_arrived(context)).await?;
        let before = mem::replace(request, arrived);
        request.remember(before, station.passages.current());
        Ok(Passage { station })
    }

    /// Polls the block and the layer beside each other, and gives the layer the block's reply for that of its inner service.
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

/// On every way out, a panic's as well.
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

/// What one request needs of the layer, kept for the next one.
struct Station<Q, R> {
    cut: Box<dyn Cut<Q, R> + Send>,
    passages: Passages,
}

impl<Q, R> Reset for Station<Q, R> {
    fn reset(&mut self) {
        self.cut.reset();
    }
}

/// A layer that is cut in two, whatever its type.
trait Cut<Q, R> {
    /// Whether the layer's service is ready.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R>>;
    /// Calls it.
    fn begin(&mut self, request: Q);
    /// The request that the inner service is called with, or what the layer replies without it.
    fn poll_arrived(&mut self, context: &mut Context<'_>) -> Poll<Result<Q, R>>;
    /// The inner service replies with this.
    fn answer(&mut self, reply: R, context: &Context<'_>);
    /// What the layer replies.
    fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<R>;
    /// The request is over.
    fn reset(&mut self);
}

struct Halves<S: Service<Q>, Q, R, V> {
    /// The layer's service, as it was made.
    first: Arc<S>,
    /// A clone of it, for one request: what it reserves, it gives back where it is dropped.
    service: Option<S>,
    future: Pin<Box<Option<S::Future>>>,
    line: Arc<Line<Q, V>>,
    replies: PhantomData<fn() -> R>,
}

const BEGUN: &str = "the layer was called";
const TWICE: &str = "a layer called its inner service a second time; in a chain there is one block for one request: use `Retry`, or put the layer around a `Call`";
const ELSEWHERE: &str =
    "a layer called its inner service from another task, which is not the request's: put the layer around a `Call`";

impl<S, Q, R, V> Halves<S, Q, R, V>
where
    S: Service<Q, Response: IntoReply<R>, Error: IntoReply<R>>,
    Q: Send + 'static,
    V: Send + 'static,
{
    fn new(first: Arc<S>) -> Self {
        Self { first, service: None, future: Box::pin(None), line: Arc::default(), replies: PhantomData }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<R> {
        let polled = on(&self.line, || self.future.as_mut().as_pin_mut().expect(BEGUN).poll(context));
        polled.map(|outcome| match outcome {
            Ok(response) => response.into_reply(),
            Err(error) => error.into_reply(),
        })
    }
}

impl<S, Q, R, V> Cut<Q, R> for Halves<S, Q, R, V>
where
    S: Service<Q, Response: IntoReply<R>, Error: IntoReply<R>> + Clone,
    Q: Send + 'static,
    R: Into<V>,
    V: Send + 'static,
{
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R>> {
        let service = self.service.get_or_insert_with(|| S::clone(&self.first));
        service.poll_ready(context).map_err(IntoReply::into_reply)
    }

    fn begin(&mut self, request: Q) {
        let service = self.service.as_mut().expect("it said that it is ready");
        let future = on(&self.line, || service.call(request));
        self.future.set(Some(future));
    }

    fn poll_arrived(&mut self, context: &mut Context<'_>) -> Poll<Result<Q, R>> {
        if !self.line.lock().is_called
            && let Poll::Ready(reply) = self.poll(context)
        {
            return Poll::Ready(Err(reply));
        }
        match self.line.lock().request.take() {
            Some(request) => Poll::Ready(Ok(request)),
            None => Poll::Pending,
        }
    }

    fn answer(&mut self, reply: R, context: &Context<'_>) {
        let mut on_line = self.line.lock();
        on_line.reply = Some(reply.into());
        let waker = on_line.waker.take();
        drop(on_line);
        // The layer is polled next, under this context; somebody else's waker has to be told.
        if let Some(waker) = waker.filter(|waker| !waker.will_wake(context.waker())) {
            waker.wake();
        }
    }

    fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<R> {
        self.poll(context)
    }

    fn reset(&mut self) {
        self.future.set(None);
        self.service = None;
        match Arc::get_mut(&mut self.line) {
            Some(line) => *line = Line::default(),
            // The layer has kept a relay's future past the end of its own: that hears of no other request.
            None => self.line = Arc::default(),
        }
    }
}

/// The inner service of a [`Layered`] layer: it hands the request over to the chain, and waits for the reply.
#[derive(Debug)]
pub struct Relay<Q, V> {
    relays: PhantomData<fn(Q) -> V>,
}

impl<Q, V> Clone for Relay<Q, V> {
    fn clone(&self) -> Self {
        Self { relays: PhantomData }
    }
}

impl<Q: Send + 'static, V: Send + 'static> Service<Q> for Relay<Q, V> {
    type Response = V;
    type Error = Infallible;
    type Future = Relayed<Q, V>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// Panics where it is called a second time for one request, or from elsewhere than the layer's own call or future.
    fn call(&mut self, request: Q) -> Relayed<Q, V> {
        let line = LINE.with_borrow(Clone::clone).expect(ELSEWHERE);
        let line: Arc<Line<Q, V>> = line.downcast().expect(ELSEWHERE);
        let mut on_line = line.lock();
        assert!(!on_line.is_called, "{TWICE}");
        on_line.is_called = true;
        on_line.request = Some(request);
        drop(on_line);
        Relayed { line }
    }
}

/// The reply of a block, on its way to the layer.
#[derive(Debug)]
pub struct Relayed<Q, V> {
    line: Arc<Line<Q, V>>,
}

impl<Q, V> Future for Relayed<Q, V> {
    type Output = Result<V, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut on_line = self.line.lock();
        let Some(reply) = on_line.reply.take() else {
            match &mut on_line.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            return Poll::Pending;
        };
        Poll::Ready(Ok(reply))
    }
}

/// Between the relay and the chain, for one request.
#[derive(Debug)]
struct Line<Q, V>(Mutex<OnLine<Q, V>>);

#[derive(Debug)]
struct OnLine<Q, V> {
    is_called: bool,
    request: Option<Q>,
    reply: Option<V>,
    /// Of who waits for the reply.
    waker: Option<Waker>,
}

impl<Q, V> Default for Line<Q, V> {
    fn default() -> Self {
        Self(Mutex::new(OnLine { is_called: false, request: None, reply: None, waker: None }))
    }
}

impl<Q, V> Line<Q, V> {
    fn lock(&self) -> MutexGuard<'_, OnLine<Q, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

std::thread_local! {
    /// The line of the request whose layer is being called or polled: its relay, of which the layer may have made clones, finds it here.
    static LINE: RefCell<Option<Arc<dyn Any + Send + Sync>>> = const { RefCell::new(None) };
}

/// Runs this for the request that has this line.
fn on<T, Q: Send + 'static, V: Send + 'static>(line: &Arc<Line<Q, V>>, run: impl FnOnce() -> T) -> T {
    /// Puts back what was there, also in a panic.
    struct Before(Option<Arc<dyn Any + Send + Sync>>);
    impl Drop for Before {
        fn drop(&mut self) {
            LINE.set(self.0.take());
        }
    }
    let _before = Before(LINE.replace(Some(Arc::clone(line) as Arc<dyn Any + Send + Sync>)));
    run()
}
