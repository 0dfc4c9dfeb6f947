//! [`Chain`]: a chain, as generic code sees it.

use core::future::Future;
use core::ops::{Deref, DerefMut};

/// A chain of the item form, for code that is generic over chains. Its inputs are an `I`, as a tuple, and its reply is
/// an `R`.
///
/// [`chain!`](crate::chain) implements it for every chain that takes its inputs by value and whose reply does not
/// borrow from it, `fn` or `async fn`. The adapters of this crate use it. Code that knows the chain calls `run`, which
/// borrows its inputs and the chain.
///
/// A trait's method that returns a future cannot promise that the future is `Send`. But the future is `Send` if the
/// chain's own is, and so is what an adapter makes of it.
///
/// ```
/// use std::sync::Arc;
///
/// use chain_runtime::{Chain, chain, node};
///
/// struct Line(&'static str);
///
/// #[node]
/// fn count(line: &Line) -> usize { line.0.len() }
///
/// chain! {
///     struct Counting;
///     async fn(line: Line) -> usize { count }
/// }
///
/// /// Runs any chain of one input for a list of inputs, each in a task of its own.
/// async fn all<C, I, R>(chain: Arc<C>, inputs: Vec<I>) -> Vec<R>
/// where
///     C: Chain<(I,), R>,
/// {
///     let mut replies = Vec::new();
///     for input in inputs {
///         replies.push(C::run_owned(Arc::clone(&chain), (input,)).await);
///     }
///     replies
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
/// assert_eq!(all(Arc::new(Counting), vec![Line("one"), Line("three")]).await, [3, 5]);
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "chain[E801]: `{Self}` is no chain whose inputs are `{I}`",
    label = "does not take `{I}` and reply with `{R}`",
    note = "a chain can be embedded that takes all of its inputs by value: `async fn(request: Request) -> Response` is a `Chain<(Request,), Response>`"
)]
pub trait Chain<I, R> {
    /// Runs the chain behind this handle: an `Arc`, a `&'static` or an `Rc`. The future owns the handle and borrows
    /// nothing.
    ///
    /// It is larger than that of `run` by the handle and the inputs, which it holds until its first poll.
    #[inline]
    fn run_owned<H: Deref<Target = Self>>(chain: H, inputs: I) -> impl Future<Output = R> {
        async move { chain.run_lent(inputs).await }
    }

    /// `run`, with the inputs as a tuple.
    #[doc(hidden)]
    fn run_lent(&self, inputs: I) -> impl Future<Output = R>;
}

/// A chain with one input `&mut X`, such as memory that is reused from request to request, for code that is generic
/// over chains. Its other inputs are an `I`, as a tuple. See [`Chain`].
///
/// A chain of the short form is a `ChainOver<Context, (), Ending>`.
///
/// ```
/// use std::sync::Arc;
///
/// use chain_runtime::{ChainOver, chain, node};
///
/// struct Line(&'static str);
///
/// #[node]
/// fn shout(line: &Line, buffer: &mut String) -> usize {
///     buffer.push_str(line.0);
///     buffer.make_ascii_uppercase();
///     buffer.len()
/// }
///
/// chain! {
///     struct Shouting;
///     async fn(line: Line, buffer: &mut String) -> usize { shout }
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
/// let (letters, buffer) = Shouting::run_owned(Arc::new(Shouting), Box::new(String::new()), (Line("hey"),)).await;
/// assert_eq!((letters, buffer.as_str()), (3, "HEY"));
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "chain[E801]: `{Self}` is no chain over a `{X}` whose other inputs are `{I}`",
    label = "does not run over a `{X}` and reply with `{R}`",
    note = "`async fn(request: Request, scratch: &mut Scratch) -> Response` is a `ChainOver<Scratch, (Request,), Response>`, and `chain!(a => b)` a `ChainOver<Context, (), Ending>`"
)]
pub trait ChainOver<X: ?Sized, I, R> {
    /// Runs the chain behind this handle over the `X` that `over` points to, a `Box<X>` or a `Lease<X>`, and gives
    /// `over` back. The future owns all of them and borrows nothing. If the run is dropped midway, so is `over`.
    #[inline]
    fn run_owned<H: Deref<Target = Self>, C: DerefMut<Target = X>>(
        chain: H,
        mut over: C,
        inputs: I,
    ) -> impl Future<Output = (R, C)> {
        async move { (chain.run_lent(&mut *over, inputs).await, over) }
    }

    /// `run`, with the other inputs as a tuple.
    #[doc(hidden)]
    fn run_lent<'r>(&'r self, over: &'r mut X, inputs: I) -> impl Future<Output = R>;
}

/// The inputs that a chain takes from a request that comes as one value: the request itself, or, with the feature
/// `http`, the head and the body of an HTTP request, as two inputs.
pub trait Inputs<Request> {
    /// The chain's inputs.
    fn of(request: Request) -> Self;
}

impl<Request> Inputs<Request> for (Request,) {
    #[inline]
    fn of(request: Request) -> Self {
        (request,)
    }
}

#[cfg(feature = "http")]
impl<B> Inputs<http::Request<B>> for (http::request::Parts, B) {
    #[inline]
    fn of(request: http::Request<B>) -> Self {
        request.into_parts()
    }
}

/// A chain behind a handle, and the way to run it for one request. `F` is a closure without captures. It is there
/// because the type of its future has no other name.
#[cfg(any(feature = "actix-web", feature = "hyper", feature = "ntex", feature = "tower"))]
#[derive(Clone)]
pub(crate) struct Embedded<H, F> {
    pub(crate) chain: H,
    pub(crate) run: F,
}

/// A handle to a chain, through which an adapter runs the chain for many requests: an `Arc`, a `&'static`, or an `Rc`
/// if one thread does all the work.
///
/// Every type that dereferences to a chain and can be cloned is a handle.
#[diagnostic::on_unimplemented(
    message = "chain[E811]: `{Self}` is no handle, and an adapter runs a chain through one",
    label = "not an `Arc` or a `&'static`",
    note = "put the chain in an `Arc`: `Arc::new(chain)`"
)]
pub trait Handle: Deref<Target = Self::Chain> + Clone {
    /// The chain behind it.
    type Chain;
}

#[diagnostic::do_not_recommend]
impl<H: Deref<Target: Sized> + Clone> Handle for H {
    type Chain = H::Target;
}
