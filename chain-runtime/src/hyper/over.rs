//! Services over memory that is reused from request to request.

use core::convert::Infallible;
use core::future::Future;
use core::mem;
use std::sync::{Arc, Mutex, PoisonError};

use ::hyper::service::Service;
use bytes::Bytes;
use http_body_util::Full;

use super::Answers;
use crate::embed::{ChainOver, Handle, Inputs};
use crate::framing::{Asked, Sent};
use crate::{Lease, Pool, Reset};

/// A chain that has, besides the request, an input `&mut X`: memory that is reused from request to request.
///
/// **A clone of the service is for another connection**, and keeps an `X` of its own from its first request on. It
/// [resets](Reset::reset) the `X` after each request and trims it by the pool's high-water mark, and
/// [renews](Reset::renew) it for the next request. HTTP/1 needs no more than that, because its requests come one at a
/// time. Requests that are in flight beside each other, as over HTTP/2, take theirs from the pool. A connection's own
/// `X` goes to the pool when the connection ends. Once this is warm, no request allocates for it. If a request is
/// dropped midway, its `X` goes back to the pool at once, and is reset there.
///
/// ```
/// use std::sync::Arc;
///
/// use ::hyper::service::Service;
/// use chain_runtime::{Pool, chain, hyper, node};
///
/// struct Request(&'static str);
///
/// #[node]
/// fn shout(request: &Request, buffer: &mut String) -> String {
///     assert!(buffer.is_empty());
///     buffer.push_str(request.0);
///     buffer.make_ascii_uppercase();
///     buffer.clone()
/// }
///
/// chain! {
///     struct Shouting;
///     async fn(request: Request, buffer: &mut String) -> String { shout }
/// }
///
/// let pool = Arc::new(Pool::<String>::default());
/// let service = hyper::service_over(Arc::new(Shouting), Arc::clone(&pool));
/// let connection = service.clone();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// assert_eq!(connection.call(Request("hey")).await?, "HEY");
/// assert_eq!(connection.call(Request("you")).await?, "YOU");
/// assert_eq!(pool.stats().misses, 1);
/// # Ok::<_, std::convert::Infallible>(())
/// # }).unwrap();
/// ```
pub fn service_over<H, C, X, T, I, R>(
    chain: H,
    pool: Arc<Pool<X>>,
) -> impl Service<T, Response = R::Sent, Error = Infallible, Future = impl Future<Output = Result<R::Sent, Infallible>>>
+ Clone
where
    H: Handle<Chain = C>,
    C: ChainOver<X, I, R>,
    X: Reset + Send + 'static,
    I: Inputs<T>,
    R: Answers<T>,
{
    let run = |chain: H, own: Arc<Own<X>>, over: Lease<'static, X>, request: T| {
        let asked = R::asked(&request);
        async move {
            let (reply, over) = C::run_owned(chain, over, I::of(request)).await;
            own.keep(over);
            Ok(reply.sent(asked))
        }
    };
    Connection { chain, pool, own: Arc::default(), run }
}

/// A chain of the short form, over one [`Context`](crate::Context) for each connection, in the same way as
/// [`service_over`].
///
/// The request's head is loaded into the context, and the response is taken out of it. The short form knows no body:
/// the request's body is dropped when the chain begins. A chain that needs the body takes it as an input.
///
/// ```
/// use std::sync::Arc;
///
/// use chain_runtime::{Pool, Request, Response, chain, hyper, node};
/// # use ::hyper::service::Service;
///
/// #[node]
/// fn greet(request: &Request, response: &mut Response) {
///     response.body.extend_from_slice(request.uri.path().as_bytes());
/// }
///
/// let service = hyper::context_service(Arc::new(chain!(greet)), Arc::new(Pool::default()));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let request = http::Request::get("/ada").body(()).unwrap();
/// # let reply = runtime.block_on(service.call(request)).unwrap();
/// # assert_eq!(reply.status(), 200);
/// ```
pub fn context_service<H, C, B>(
    chain: H,
    pool: Arc<Pool<crate::Context>>,
) -> impl Service<
    http::Request<B>,
    Response = Written,
    Error = Infallible,
    Future = impl Future<Output = Result<Written, Infallible>>,
> + Clone
where
    H: Handle<Chain = C>,
    C: ChainOver<crate::Context, (), crate::Ending>,
{
    let run = |chain: H,
               own: Arc<Own<crate::Context>>,
               mut context: Lease<'static, crate::Context>,
               request: http::Request<B>| {
        let asked = Asked::of(&request);
        context.load(request.into_parts().0);
        async move {
            let (_, mut context) = C::run_owned(chain, context, ()).await;
            let response = context.take_response();
            own.keep(context);
            Ok(asked.sent(response.map(Full::new)))
        }
    };
    Connection { chain, pool, own: Arc::default(), run }
}

/// The reply of a [`context_service`].
type Written = http::Response<Sent<Full<Bytes>>>;

/// What a connection keeps between its requests.
struct Own<X: Reset + Send + 'static>(Mutex<Option<Lease<'static, X>>>);

impl<X: Reset + Send + 'static> Default for Own<X> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<X: Reset + Send + 'static> Own<X> {
    /// Takes the connection's `X`, for the next request.
    fn take(&self) -> Option<Lease<'static, X>> {
        let own = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        own.map(|mut own| {
            own.renew();
            own
        })
    }

    fn keep(&self, mut over: Lease<'static, X>) {
        // It is recycled as when it goes back to the pool: an idle connection holds no more memory than an idle value.
        Lease::recycle(&mut over);
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // If two requests were in flight beside each other, the second `X` goes to the pool, after the lock is
        // released.
        let more = own.replace(over);
        drop(own);
        drop(more);
    }
}

/// The service of one connection.
struct Connection<H, X: Reset + Send + 'static, F> {
    chain: H,
    pool: Arc<Pool<X>>,
    own: Arc<Own<X>>,
    run: F,
}

impl<H: Clone, X: Reset + Send + 'static, F: Clone> Clone for Connection<H, X, F> {
    fn clone(&self) -> Self {
        let Self { chain, pool, own: _, run } = self;
        Self { chain: chain.clone(), pool: Arc::clone(pool), own: Arc::default(), run: run.clone() }
    }
}

impl<H, X, F, T, R, Fut> Service<T> for Connection<H, X, F>
where
    H: Clone,
    X: Reset + Send + 'static,
    F: Fn(H, Arc<Own<X>>, Lease<'static, X>, T) -> Fut,
    Fut: Future<Output = Result<R, Infallible>>,
{
    type Response = R;
    type Error = Infallible;
    type Future = Fut;

    #[inline]
    fn call(&self, request: T) -> Fut {
        let over = self.own.take().unwrap_or_else(|| self.pool.get_owned());
        (self.run)(self.chain.clone(), Arc::clone(&self.own), over, request)
    }
}
