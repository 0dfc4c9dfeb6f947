//! Nested services at every depth: tower by reference, by value and boxed, motore by reference and by value.
//!
//! Each node is a type of its own around the one before it, and not a generic one around any service: rustc then proves
//! once for each that it is a service, and that its future is `Send`. With generic types, as a library has to write
//! them, this bench compiled only to depth 10, and tower by reference not at all.

use std::convert::Infallible;
use std::future::{Ready as Done, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use chain_benches::poll::{Suspend, suspend};
use chain_runtime::IntoReply;
use http::StatusCode;

use crate::peers::{Hooks, Light, Mixed, Provide, Ready, Variant};
use crate::work::{self, Case, Incoming, Refused, driven, looped};

/// How a request is passed on.
pub(crate) trait Passed: Unpin {
    fn incoming(&mut self) -> &mut Incoming;
    /// At the end.
    fn done(self);
}

impl Passed for &mut Incoming {
    #[inline(always)]
    fn incoming(&mut self) -> &mut Incoming {
        self
    }
    #[inline(always)]
    fn done(self) {}
}

impl Passed for Incoming {
    #[inline(always)]
    fn incoming(&mut self) -> &mut Incoming {
        self
    }
    #[inline(always)]
    fn done(self) {
        work::give_back(self);
    }
}

/// A request whose services return boxed futures.
pub(crate) struct ToBox(Incoming);

type Boxed = Pin<Box<dyn Future<Output = Result<StatusCode, Infallible>> + Send>>;

/// What all nodes are around.
#[derive(Clone, Copy, Default)]
pub(crate) struct Last<V>(V);

impl<V: Variant, R: Passed> tower::Service<R> for Last<V> {
    type Response = StatusCode;
    type Error = Infallible;
    type Future = Done<Result<StatusCode, Infallible>>;
    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    #[inline]
    fn call(&mut self, mut request: R) -> Self::Future {
        let reply = V::last(request.incoming());
        request.done();
        ready(Ok(reply))
    }
}

impl<V: Variant> tower::Service<ToBox> for Last<V> {
    type Response = StatusCode;
    type Error = Infallible;
    type Future = Boxed;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, ToBox(mut request): ToBox) -> Boxed {
        Box::pin(async move {
            let reply = V::last(&mut request);
            work::give_back(request);
            Ok(reply)
        })
    }
}

impl<V: Variant> motore::Service<Incoming, ()> for Last<V> {
    type Response = StatusCode;
    type Error = Infallible;
    #[inline]
    async fn call(&self, request: &mut Incoming, (): ()) -> Result<StatusCode, Infallible> {
        Ok(V::last(request))
    }
}

impl<V: Variant> motore::Service<(), Incoming> for Last<V> {
    type Response = StatusCode;
    type Error = Infallible;
    #[inline]
    async fn call(&self, _: &mut (), mut request: Incoming) -> Result<StatusCode, Infallible> {
        let reply = V::last(&mut request);
        work::give_back(request);
        Ok(reply)
    }
}

/// A node's future, written by hand.
pub(crate) enum Around<F, R, S> {
    Paused { pause: Suspend, request: Option<R>, inner: S },
    Inner { inner: F, held: u64 },
    Refused,
}

macro_rules! nodes {
    ($inner:ident $inner_future:ty;) => {};
    ($inner:ident $inner_future:ty; $node:ident $future:ident $i:literal $slow:literal; $($rest:tt)*) => {
        #[derive(Clone, Copy, Default)]
        pub(crate) struct $node<V>($inner<V>);

        pub(crate) struct $future<R: Passed, V: Variant>(Around<<$inner<V> as tower::Service<R>>::Future, R, $inner<V>>);

        impl<R: Passed, V: Variant> $future<R, V> {
            #[inline]
            fn entered(mut request: R, inner: &mut $inner<V>) -> Self {
                Self(match V::enter::<$i, { $i + 1 }>(request.incoming()) {
                    Ok(held) => Around::Inner { inner: tower::Service::call(inner, request), held },
                    Err(Refused) => {
                        request.done();
                        Around::Refused
                    }
                })
            }
        }

        // Nothing in it is pinned: all the way in there are references, numbers and requests.
        impl<R: Passed, V: Variant> Unpin for $future<R, V> {}

        impl<R: Passed, V: Variant> Future for $future<R, V> {
            type Output = Result<StatusCode, Infallible>;
            #[inline]
            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                loop {
                    match &mut self.0 {
                        Around::Paused { pause, request, inner } => match Pin::new(pause).poll(context) {
                            Poll::Pending => return Poll::Pending,
                            Poll::Ready(()) => {
                                let next = Self::entered(request.take().expect("polled once more"), inner);
                                *self = next;
                            }
                        },
                        Around::Inner { inner, held } => {
                            return Pin::new(inner).poll(context).map(|reply| {
                                let Ok(mut reply) = reply;
                                V::exit::<$i>(*held, &mut reply);
                                Ok(reply)
                            });
                        }
                        Around::Refused => return Poll::Ready(Ok(Refused.into_reply())),
                    }
                }
            }
        }

        impl<R: Passed, V: Variant> tower::Service<R> for $node<V> {
            type Response = StatusCode;
            type Error = Infallible;
            type Future = $future<R, V>;
            #[inline]
            fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                tower::Service::<R>::poll_ready(&mut self.0, context)
            }
            #[inline]
            fn call(&mut self, request: R) -> Self::Future {
                if $slow && V::SUSPENDS {
                    return $future(Around::Paused { pause: suspend(1), request: Some(request), inner: self.0 });
                }
                $future::entered(request, &mut self.0)
            }
        }

        impl<V: Variant> tower::Service<ToBox> for $node<V> {
            type Response = StatusCode;
            type Error = Infallible;
            type Future = Boxed;
            fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                tower::Service::<ToBox>::poll_ready(&mut self.0, context)
            }
            fn call(&mut self, ToBox(mut request): ToBox) -> Boxed {
                let mut inner = self.0;
                Box::pin(async move {
                    if $slow && V::SUSPENDS {
                        suspend(1).await;
                    }
                    let Ok(held) = V::enter::<$i, { $i + 1 }>(&mut request) else {
                        return Ok(Refused.into_reply());
                    };
                    let Ok(mut reply) = tower::Service::call(&mut inner, ToBox(request)).await;
                    V::exit::<$i>(held, &mut reply);
                    Ok(reply)
                })
            }
        }

        impl<V: Variant> motore::Service<Incoming, ()> for $node<V> {
            type Response = StatusCode;
            type Error = Infallible;
            #[inline]
            async fn call(&self, request: &mut Incoming, (): ()) -> Result<StatusCode, Infallible> {
                if $slow && V::SUSPENDS {
                    suspend(1).await;
                }
                let Ok(held) = V::enter::<$i, { $i + 1 }>(request) else {
                    return Ok(Refused.into_reply());
                };
                let Ok(mut reply) = motore::Service::call(&self.0, request, ()).await;
                V::exit::<$i>(held, &mut reply);
                Ok(reply)
            }
        }

        impl<V: Variant> motore::Service<(), Incoming> for $node<V> {
            type Response = StatusCode;
            type Error = Infallible;
            #[inline]
            async fn call(&self, context: &mut (), mut request: Incoming) -> Result<StatusCode, Infallible> {
                if $slow && V::SUSPENDS {
                    suspend(1).await;
                }
                let Ok(held) = V::enter::<$i, { $i + 1 }>(&mut request) else {
                    return Ok(Refused.into_reply());
                };
                let Ok(mut reply) = motore::Service::call(&self.0, context, request).await;
                V::exit::<$i>(held, &mut reply);
                Ok(reply)
            }
        }

        nodes! { $node $future<R, V>; $($rest)* }
    };
}

nodes! {
    Last Done<Result<StatusCode, Infallible>>;
    N0 F0 0 false;
    N1 F1 1 false;
    N2 F2 2 false;
    N3 F3 3 false;
    N4 F4 4 false;
    N5 F5 5 false;
    N6 F6 6 true;
    N7 F7 7 false;
    N8 F8 8 false;
    N9 F9 9 false;
    N10 F10 10 false;
    N11 F11 11 false;
    N12 F12 12 false;
    N13 F13 13 true;
    N14 F14 14 false;
    N15 F15 15 false;
    N16 F16 16 false;
    N17 F17 17 false;
    N18 F18 18 false;
    N19 F19 19 false;
    N20 F20 20 true;
    N21 F21 21 false;
    N22 F22 22 false;
    N23 F23 23 false;
    N24 F24 24 false;
    N25 F25 25 false;
    N26 F26 26 false;
    N27 F27 27 true;
    N28 F28 28 false;
    N29 F29 29 false;
    N30 F30 30 false;
    N31 F31 31 false;
    N32 F32 32 false;
    N33 F33 33 false;
    N34 F34 34 true;
    N35 F35 35 false;
    N36 F36 36 false;
    N37 F37 37 false;
    N38 F38 38 false;
    N39 F39 39 false;
    N40 F40 40 false;
    N41 F41 41 true;
    N42 F42 42 false;
    N43 F43 43 false;
    N44 F44 44 false;
    N45 F45 45 false;
    N46 F46 46 false;
    N47 F47 47 false;
    N48 F48 48 true;
    N49 F49 49 false;
    N50 F50 50 false;
    N51 F51 51 false;
    N52 F52 52 false;
    N53 F53 53 false;
    N54 F54 54 false;
    N55 F55 55 true;
    N56 F56 56 false;
    N57 F57 57 false;
    N58 F58 58 false;
    N59 F59 59 false;
    N60 F60 60 false;
    N61 F61 61 false;
    N62 F62 62 true;
    N63 F63 63 false;
    N64 F64 64 false;
    N65 F65 65 false;
    N66 F66 66 false;
    N67 F67 67 false;
    N68 F68 68 false;
    N69 F69 69 true;
    N70 F70 70 false;
    N71 F71 71 false;
    N72 F72 72 false;
    N73 F73 73 false;
    N74 F74 74 false;
    N75 F75 75 false;
    N76 F76 76 true;
    N77 F77 77 false;
    N78 F78 78 false;
    N79 F79 79 false;
    N80 F80 80 false;
    N81 F81 81 false;
    N82 F82 82 false;
    N83 F83 83 true;
    N84 F84 84 false;
    N85 F85 85 false;
    N86 F86 86 false;
    N87 F87 87 false;
    N88 F88 88 false;
    N89 F89 89 false;
    N90 F90 90 true;
    N91 F91 91 false;
    N92 F92 92 false;
    N93 F93 93 false;
    N94 F94 94 false;
    N95 F95 95 false;
    N96 F96 96 false;
    N97 F97 97 true;
    N98 F98 98 false;
    N99 F99 99 false;
}

macro_rules! cases {
    ($cases:ident; $($depth:literal $node:ident)*) => { $(
        cases! { @ $cases $depth $node Ready Mixed Light Provide Hooks }
    )* };
    (@ $cases:ident $depth:literal $node:ident $($v:ident)*) => { $({
        let mut case = |contestant, run| $cases.push(Case { contestant, variant: $v::NAME, depth: $depth, run });
        case("tower, by reference", |times| {
            let (mut service, mut request) = ($node::<$v>::default(), Incoming::new());
            looped(times, |index| driven(tower::Service::call(&mut service, request.begin(index))))
        });
        case("tower, by value", |times| {
            let mut service = $node::<$v>::default();
            looped(times, |index| driven(tower::Service::call(&mut service, work::take(index))))
        });
        case("tower, boxed futures", |times| {
            let mut service = $node::<$v>::default();
            looped(times, |index| driven(tower::Service::call(&mut service, ToBox(work::take(index)))))
        });
        case("motore, by reference", |times| {
            let (service, mut request) = ($node::<$v>::default(), Incoming::new());
            looped(times, |index| driven(motore::Service::call(&service, request.begin(index), ())))
        });
        case("motore, by value", |times| {
            let service = $node::<$v>::default();
            looped(times, |index| driven(motore::Service::call(&service, &mut (), work::take(index))))
        });
    })* };
}

pub(crate) fn cases(cases: &mut Vec<Case>) {
    cases! { cases; 1 N0 5 N4 10 N9 20 N19 37 N36 100 N99 }
}
