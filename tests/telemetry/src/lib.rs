//! A chain whose nodes take what they are told to, by a clock of the test. The tests are in `tests/`.

use std::cell::Cell;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chain_runtime::telemetry::{Allocated, Allocations, Manual, Meter, NotInstalled, TraceContexts};
use chain_runtime::{IntoReply, Toggles, chain, node};
use http::request::Parts;
use http::{Request, Response};

thread_local! {
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated::NOTHING) };
}

/// Allocations that nodes say they do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said;

impl Allocations for Said {
    const BYTES: bool = true;
    const CALLS: bool = true;

    fn now(&self) -> Allocated {
        ALLOCATED.get()
    }
    fn check(&self) -> Result<(), NotInstalled> {
        Ok(())
    }
}

/// The node allocates that much at once.
fn allocates(bytes: u64) {
    let Allocated { bytes: so_far, calls } = ALLOCATED.get();
    ALLOCATED.set(Allocated { bytes: so_far + bytes, calls: calls + 1 });
}

/// Time passes in whoever runs.
pub fn works(clock: &Manual, micros: u64) {
    clock.advance(Duration::from_micros(micros));
}

/// Returns `Pending` once.
async fn waits() {
    let mut waited = false;
    poll_fn(move |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

/// A 403.
pub struct Refused;
impl IntoReply<Response<String>> for Refused {
    fn into_reply(self) -> Response<String> {
        reply(403)
    }
}

/// Refuses who says `x-refused`.
pub struct Gate;
#[node]
impl Gate {
    /// 20 µs, 64 bytes.
    pub fn enter(&self, request: &Parts, clock: &Manual) -> Result<(), Refused> {
        works(clock, 20);
        allocates(64);
        let refuses = request.headers.contains_key("x-refused");
        if refuses { Err(Refused) } else { Ok(()) }
    }
    /// 5 µs.
    pub fn exit(&self, clock: &Manual) {
        works(clock, 5);
    }
}

/// Runs its block once more where the reply is a 503.
pub struct Again;
/// The clock, while it wraps.
pub struct Wraps(Manual);
#[node]
impl Again {
    /// Takes no time.
    pub fn enter(&self, clock: &Manual) -> Wraps {
        Wraps(clock.clone())
    }
    /// 3 µs before its block, 4 µs behind it.
    pub async fn around<B: Future>(&self, Wraps(clock): &Wraps, block: Pin<&mut B>) -> B::Output {
        works(clock, 3);
        let output = block.await;
        works(clock, 4);
        output
    }
    /// Three times at most.
    pub fn again(&self, attempt: u32, reply: &Response<String>) -> bool {
        reply.status() == 503 && attempt < 3
    }
}

/// It is off.
#[node]
pub fn extra(clock: &Manual) {
    works(clock, 1);
}

/// Works for 40 µs, waits, and works for 2 µs; panics where the request says `x-panics`.
#[node]
pub async fn slow(request: &Parts, clock: &Manual) {
    works(clock, 40);
    allocates(4_096);
    waits().await;
    works(clock, 2);
    assert!(!request.headers.contains_key("x-panics"), "as it is told");
}

/// Which page.
pub enum Route {
    /// `/`
    Page,
    /// Anything else.
    Order,
}

/// By the path.
#[node]
pub fn route(request: &Parts) -> Route {
    if request.uri.path() == "/" { Route::Page } else { Route::Order }
}

/// 100 µs, 1024 bytes.
#[node]
pub fn page(request: &Parts, clock: &Manual) -> Response<String> {
    works(clock, 100);
    allocates(1_024);
    reply(if request.headers.contains_key("x-fails") { 503 } else { 200 })
}

/// Waits, and works for 7 µs.
#[node]
pub async fn order(clock: &Manual) -> Response<String> {
    waits().await;
    works(clock, 7);
    reply(201)
}

fn reply(status: u16) -> Response<String> {
    let mut reply = Response::new(String::new());
    *reply.status_mut() = status.try_into().expect("a status");
    reply
}

chain! {
    /// The chain.
    #[observe(meter)]
    #[send]
    pub struct Shop {
        /// What is tested.
        pub meter: Meter<Manual, Said>,
        /// Samples next to none.
        pub traces: TraceContexts,
        /// `extra`.
        pub toggles: Toggles,
        /// See [`Gate`].
        pub gate: Gate,
        /// See [`Again`].
        pub again: Again,
    }
    async fn(request: Parts, clock: Manual) -> Response<String> {
        traces => gate => #[toggle] extra => again {
            slow => match route { Route::Page => page, Route::Order => order }
        }
    }
}

/// A shop whose meter is made so.
pub fn shop(clock: &Manual, meter: impl FnOnce(Builder) -> Builder) -> Shop {
    let builder = Meter::builder(Shop::CHAIN).clock(clock.clone()).allocations(Said).expect("it is always there");
    let traces = TraceContexts::new().samples(NonZeroU32::MAX);
    let shop = Shop { meter: meter(builder).build(), traces, toggles: Toggles::default(), gate: Gate, again: Again };
    shop.toggles().set("extra", false).expect("a toggle");
    shop
}

/// What a meter of a shop is made of.
pub type Builder = chain_runtime::telemetry::Builder<Manual, Said>;

/// A request with these fields.
pub fn request(path: &str, fields: &[(&str, &str)]) -> Parts {
    let request = fields.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    request.body(()).expect("a request").into_parts().0
}

/// Drives a run to its end. Between two polls, so many microseconds pass.
pub fn drive<F: Future>(clock: &Manual, run: F, between: u64) -> F::Output {
    let (mut run, mut context) = (pin!(run), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(output) = run.as_mut().poll(&mut context) {
            return output;
        }
        works(clock, between);
    }
}
