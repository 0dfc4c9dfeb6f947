//! The inner service of a layer, and the line from it to the chain.

use core::convert::Infallible;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::any::Any;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tower_service::Service;

const TWICE: &str = "a layer called its inner service a second time; in a chain there is one block for one request: use `Retry`, or put the layer around a `Call`";
const ELSEWHERE: &str =
    "a layer called its inner service from another task, which is not the request's: put the layer around a `Call`";

/// The inner service of a [`Layered`](super::Layered) layer: it hands the request over to the chain, and waits for the
/// reply.
#[derive(Debug)]
pub struct Relay<Q, V> {
    pub(super) relays: PhantomData<fn(Q) -> V>,
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

    /// It panics if it is called a second time for one request, or from elsewhere than the layer's own call or future.
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

/// The connection between the relay and the chain, for one request.
#[derive(Debug)]
pub(super) struct Line<Q, V>(Mutex<OnLine<Q, V>>);

#[derive(Debug)]
pub(super) struct OnLine<Q, V> {
    pub(super) is_called: bool,
    pub(super) request: Option<Q>,
    pub(super) reply: Option<V>,
    /// The waker of the code that waits for the reply.
    pub(super) waker: Option<Waker>,
}

impl<Q, V> Default for Line<Q, V> {
    fn default() -> Self {
        Self(Mutex::new(OnLine { is_called: false, request: None, reply: None, waker: None }))
    }
}

impl<Q, V> Line<Q, V> {
    pub(super) fn lock(&self) -> MutexGuard<'_, OnLine<Q, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

std::thread_local! {
    /// The line of the request whose layer is being called or polled. The relay, of which the layer may have made
    /// clones, finds it here.
    static LINE: RefCell<Option<Arc<dyn Any + Send + Sync>>> = const { RefCell::new(None) };
}

/// Runs this for the request that has this line.
pub(super) fn on<T, Q: Send + 'static, V: Send + 'static>(line: &Arc<Line<Q, V>>, run: impl FnOnce() -> T) -> T {
    /// Restores the old line, also in a panic.
    struct Before(Option<Arc<dyn Any + Send + Sync>>);
    impl Drop for Before {
        fn drop(&mut self) {
            LINE.set(self.0.take());
        }
    }
    let _before = Before(LINE.replace(Some(Arc::clone(line) as Arc<dyn Any + Send + Sync>)));
    run()
}
