//! [`Spare`]: what stays in the place of a request while a layer has it.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

/// A value that can be copied well enough for the copy to stay in its place while a [`Layered`](super::Layered) layer
/// has the original.
///
/// A tower layer takes the request by value, and may never give it back: it refuses the request, it waits until a
/// deadline ends it, it panics. Code that looks at the request then (the `exit` of a node around it, or a second try)
/// finds what [`spare`](Spare::spare) made: the same request, and never an empty one.
///
/// | type | its spare |
/// | --- | --- |
/// | `http::Request<B>`, if `B` has one | the head, and the body's |
/// | `()`, text, bytes, `Full`, `Empty` | a copy, which shares memory if the type does |
/// | `axum::body::Body`, `tonic::body::Body`, `BoxBody`, `UnsyncBoxBody` | a body that fails with [`Gone`] when it is read; the empty body if this one is at its end |
///
/// For a request of your own:
///
/// ```
/// use chain_runtime::tower::Spare;
///
/// #[derive(Clone)]
/// struct Request { path: String }
///
/// impl Spare for Request {
///     fn spare(&self) -> Self { self.clone() }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "chain[E810]: nothing says what stays in the place of a `{Self}` while a layer has it",
    note = "implement `chain_runtime::tower::Spare` for it: `fn spare(&self) -> Self {{ self.clone() }}`; for a body that cannot be copied, make it a body that fails when it is read",
    note = "hyper's `Incoming` can be made an `axum::body::Body` or a `BoxBody` in front of the chain"
)]
pub trait Spare: Sized {
    /// Whether the spare is as good as the original.
    const IS_WHOLE: bool = true;

    /// Makes the value that stays.
    fn spare(&self) -> Self;

    /// `self` is what a layer made of `before`. Keeps `before` for a second try, if there is room for it.
    #[doc(hidden)]
    fn remember(&mut self, before: Self, passing: Passing) {
        drop((before, passing));
    }

    /// A layer is about to run, possibly once more: takes back the changes that layers made to the request in passages
    /// that are over.
    #[doc(hidden)]
    fn recall(&mut self) {}
}

/// One passage of a request through a layer.
#[doc(hidden)]
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only requests of HTTP ask"))]
pub struct Passing {
    /// How many passages of this station are over.
    over: Arc<AtomicU64>,
    number: u64,
}

impl Passing {
    /// The accesses are relaxed throughout: only one run asks, and only after the passage in it has ended.
    #[cfg(feature = "http")]
    fn is_over(&self) -> bool {
        self.over.load(Relaxed) != self.number
    }
}

/// The passages of one station, one after another.
#[cfg(feature = "pool")]
#[derive(Debug, Default)]
pub(super) struct Passages(Arc<AtomicU64>);

#[cfg(feature = "pool")]
impl Passages {
    pub(super) fn current(&self) -> Passing {
        Passing { over: Arc::clone(&self.0), number: self.0.load(Relaxed) }
    }

    pub(super) fn end(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

macro_rules! copied {
    ($($ty:ty)+) => {$(
        impl Spare for $ty {
            #[inline]
            fn spare(&self) -> Self {
                self.clone()
            }
        }
    )+};
}

copied! { () std::string::String std::vec::Vec<u8> &'static str &'static [u8] }

impl<T: Spare> Spare for Option<T> {
    const IS_WHOLE: bool = T::IS_WHOLE;

    fn spare(&self) -> Self {
        self.as_ref().map(T::spare)
    }
}

#[cfg(feature = "http")]
mod http {
    use core::mem;
    use std::sync::{Arc, Mutex, PoisonError};

    use ::http::Request;

    use super::{Passing, Spare};

    copied! { bytes::Bytes bytes::BytesMut }

    /// The request that a layer was given, for the next try. It goes with the request that the layer made of it, so
    /// that no other part has to know the run.
    struct Before<B> {
        // A body need not be `Sync`, but what goes with a request has to be.
        request: Arc<Mutex<Option<Request<B>>>>,
        passing: Passing,
    }

    impl<B> Clone for Before<B> {
        fn clone(&self) -> Self {
            Self { request: Arc::clone(&self.request), passing: self.passing.clone() }
        }
    }

    impl<B: Spare + Send + 'static> Spare for Request<B> {
        const IS_WHOLE: bool = B::IS_WHOLE;

        fn spare(&self) -> Self {
            let mut spare = Self::new(self.body().spare());
            spare.method_mut().clone_from(self.method());
            spare.uri_mut().clone_from(self.uri());
            *spare.version_mut() = self.version();
            spare.headers_mut().clone_from(self.headers());
            spare.extensions_mut().clone_from(self.extensions());
            spare
        }

        fn remember(&mut self, before: Self, passing: Passing) {
            let request = Arc::new(Mutex::new(Some(before)));
            self.extensions_mut().insert(Before { request, passing });
        }

        fn recall(&mut self) {
            while let Some(before) = self.extensions().get::<Before<B>>()
                && before.passing.is_over()
            {
                let before = before.request.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(before) = before else { return };
                let left = mem::replace(self, before);
                if !B::IS_WHOLE {
                    // A body of which the block's nodes have left something is better than none.
                    *self.body_mut() = left.into_body();
                }
            }
        }
    }
}

#[cfg(feature = "http-body")]
mod body {
    use core::convert::Infallible;
    use core::error::Error;
    use core::fmt;
    use core::pin::Pin;
    use core::task::{Context, Poll};

    use bytes::Bytes;
    use http_body::{Body, Frame};
    use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
    use http_body_util::{BodyExt as _, Empty, Full};

    use super::Spare;

    /// The body of a request is gone: a layer had it when the layer refused the request or was abandoned. Reading such
    /// a body fails with this.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Gone;

    impl fmt::Display for Gone {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the body of the request is gone: a layer had it when it was abandoned")
        }
    }

    impl Error for Gone {}

    /// The body that fails. It has no size, so a box of it allocates nothing.
    pub(crate) struct GoneBody;

    impl Body for GoneBody {
        type Data = Bytes;
        type Error = Gone;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
            Poll::Ready(Some(Err(Gone)))
        }
    }

    impl<D: Clone> Spare for Full<D> {
        fn spare(&self) -> Self {
            self.clone()
        }
    }

    impl<D> Spare for Empty<D> {
        fn spare(&self) -> Self {
            Self::new()
        }
    }

    fn never(never: Infallible) -> Gone {
        match never {}
    }

    macro_rules! boxed {
        ($($ty:ident by $boxed:ident;)+) => {$(
            impl<E: From<Gone> + 'static> Spare for $ty<Bytes, E> {
                const IS_WHOLE: bool = false;

                fn spare(&self) -> Self {
                    if self.is_end_stream() {
                        Empty::new().map_err(never).map_err(E::from).$boxed()
                    } else {
                        GoneBody.map_err(E::from).$boxed()
                    }
                }
            }
        )+};
    }

    boxed! {
        BoxBody by boxed;
        UnsyncBoxBody by boxed_unsync;
    }

    #[cfg(feature = "axum")]
    impl Spare for ::axum::body::Body {
        const IS_WHOLE: bool = false;

        fn spare(&self) -> Self {
            if self.is_end_stream() { Self::empty() } else { Self::new(GoneBody) }
        }
    }

    #[cfg(feature = "tonic")]
    impl Spare for ::tonic::body::Body {
        const IS_WHOLE: bool = false;

        fn spare(&self) -> Self {
            if self.is_end_stream() { Self::empty() } else { Self::new(GoneBody) }
        }
    }
}
#[cfg(feature = "http-body")]
pub use body::Gone;
