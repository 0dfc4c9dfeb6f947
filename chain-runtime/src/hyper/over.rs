//! Services over memory that serves one request after another.

use core::convert::Infallible;
use core::future::Future;
use core::mem;
use core::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use ::hyper::service::Service;
use bytes::Bytes;
use http_body_util::Full;

use super::Answers;
use crate::embed::{ChainOver, Inputs};
use crate::framing::{Asked, Sent};
use crate::{Lease, Pool, Reset};

/// A chain that also has a `&mut X` among its inputs: memory that serves one request after another.
///
/// **A clone of the service is for another connection**, and keeps an `X` of its own from its first request on, which it [resets](Reset::reset) and
/// trims after each, by the pool's high-water mark, and [renews](Reset::renew) for the next. That is all that HTTP/1 needs, where requests come one at a time. Requests that are in flight beside each other, as over
/// HTTP/2, have theirs from the pool, where a connection's own also goes when that ends. Once warm, no request allocates
/// for it. Where a request is dropped midway its `X` goes back to the pool at once, and is reset there.
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
    H: Deref<Target = C> + Clone,
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

/// A chain of the short form, over one [`Context`](crate::Context) for each connection, as [`service_over`] has it.
///
/// The request's head is loaded into the context, and the response is taken out of it. The short form knows no body: the request's is
/// dropped when the chain begins. A chain that reads it has it among its inputs.
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
    H: Deref<Target = C> + Clone,
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

/// What [`context_service`] replies with.
type Written = http::Response<Sent<Full<Bytes>>>;

/// What a connection keeps between its requests.
struct Own<X: Reset + Send + 'static>(Mutex<Option<Lease<'static, X>>>);

impl<X: Reset + Send + 'static> Default for Own<X> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<X: Reset + Send + 'static> Own<X> {
    /// What the connection has, for the next request.
    fn take(&self) -> Option<Lease<'static, X>> {
        let own = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        own.map(|mut own| {
            own.renew();
            own
        })
    }

    fn keep(&self, mut over: Lease<'static, X>) {
        // As when it goes back to the pool: an idle connection holds no more than an idle value.
        Lease::recycle(&mut over);
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two that were in flight beside each other, the second goes to the pool, behind the lock.
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
