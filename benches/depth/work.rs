//! The work of every contestant, and what a case is: one contestant, one variant, one depth.

use std::cell::Cell;
use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chain_benches::allocations::Asked;
use chain_benches::poll::block_on;
use chain_runtime::IntoReply;
use http::header::{ACCEPT, HOST, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, StatusCode};

/// What the nodes read.
static NAME: HeaderName = USER_AGENT;

/// What the nodes mix into, and read.
#[derive(Clone, Copy, Default)]
pub(crate) struct State(pub u64);

/// A request on its way in. Contestants pass it on by reference or by value.
pub(crate) struct Incoming {
    pub parts: Parts,
    pub state: State,
}

/// Why a node breaks. None does while it is measured, but only the request says so.
pub(crate) struct Refused;

impl IntoReply<StatusCode> for Refused {
    #[inline(always)]
    fn into_reply(self) -> StatusCode {
        StatusCode::FORBIDDEN
    }
}

/// What a node provides in `provide`: a type of its own.
#[derive(Clone, Copy)]
pub(crate) struct Value<const I: usize>(pub u64);

/// What a node holds between `enter` and `exit`.
#[derive(Clone, Copy)]
pub(crate) struct Held<const I: usize>(pub u64);

impl Incoming {
    pub(crate) fn new() -> Self {
        let (parts, ()) = Request::new(()).into_parts();
        let mut incoming = Self { parts, state: State(0) };
        fill(&mut incoming.parts.headers);
        incoming
    }

    /// The next request of a run: building its parts is nobody's work, so they are used again.
    #[inline(always)]
    pub(crate) fn begin(&mut self, index: u64) -> &mut Self {
        self.state = State(index);
        self
    }
}

/// The headers of a request.
pub(crate) fn fill(headers: &mut HeaderMap) {
    headers.insert(HOST, HeaderValue::from_static("localhost"));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(&NAME, black_box(HeaderValue::from_static("curl/8.9.1")));
}

// ---- the nodes' work

/// What a node reads. It is one function that is called by all, and LLVM may not make one look-up of two.
#[inline(never)]
pub(crate) fn read(headers: &HeaderMap) -> u64 {
    black_box(headers).get(&NAME).map_or(0, |value| first(value.as_bytes()))
}

#[inline(always)]
pub(crate) fn first(value: &[u8]) -> u64 {
    value.first().copied().unwrap_or_default().into()
}

/// The header, mixed into a sum; or a break, where it says so.
#[inline(always)]
pub(crate) fn mixed(sum: u64, header: u64) -> Result<u64, Refused> {
    if header == u64::from(b'!') { Err(Refused) } else { Ok(sum.rotate_left(5).wrapping_add(header)) }
}

/// One addition, and the break that it could take.
#[inline(always)]
pub(crate) fn added(sum: u64) -> Result<u64, Refused> {
    let sum = black_box(sum).wrapping_add(1);
    if sum == 0 { Err(Refused) } else { Ok(sum) }
}

/// The reply to a sum.
#[inline(always)]
pub(crate) fn status(sum: u64) -> StatusCode {
    StatusCode::from_u16(200 + (sum & 511) as u16).unwrap_or_default()
}

/// `ready` and `mixed`.
#[inline(always)]
pub(crate) fn mix<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
    request.state.0 = mixed(request.state.0, read(&request.parts.headers))?;
    Ok(())
}

/// `light`.
#[inline(always)]
pub(crate) fn add<const I: usize>(request: &mut Incoming) -> Result<(), Refused> {
    request.state.0 = added(request.state.0)?;
    Ok(())
}

/// `provide`.
#[inline(always)]
pub(crate) fn provide<const I: usize, const BEFORE: usize>(
    request: &Incoming,
    before: &Value<BEFORE>,
) -> Result<Value<I>, Refused> {
    Ok(Value(mixed(before.0, read(&request.parts.headers))?))
}

/// `hooks`, on the way in.
#[inline(always)]
pub(crate) fn enter<const I: usize>(request: &mut Incoming) -> Result<Held<I>, Refused> {
    mix::<I>(request)?;
    Ok(Held(request.state.0))
}

/// `hooks`, on the way out.
#[inline(always)]
pub(crate) fn exit<const I: usize>(held: &Held<I>, reply: &mut StatusCode) {
    *reply = status(u64::from(reply.as_u16()).wrapping_mul(5) ^ held.0);
}

/// The end of `ready`, `mixed`, `light` and `hooks`.
#[inline(always)]
pub(crate) fn last(request: &Incoming) -> StatusCode {
    status(request.state.0)
}

/// The end of `provide`.
#[inline(always)]
pub(crate) fn last_value(value: &Value<0>) -> StatusCode {
    status(value.0)
}

// ---- how a request travels

/// At the end of a chain that took the request by value: it goes back to where [`take`] finds it.
#[inline(always)]
pub(crate) fn give_back(request: Incoming) {
    SLOT.set(Some(request));
}

thread_local! {
    static SLOT: Cell<Option<Incoming>> = const { Cell::new(None) };
}

/// A request to move into a chain: the one that came back, or a new one.
#[inline(always)]
pub(crate) fn take(index: u64) -> Incoming {
    let mut request = SLOT.take().unwrap_or_else(Incoming::new);
    request.begin(index);
    request
}

// ---- cases

pub(crate) const VARIANTS: [&str; 5] = ["ready", "mixed", "light", "provide", "hooks"];

/// One contestant at one variant and depth.
pub(crate) struct Case {
    pub contestant: &'static str,
    pub variant: &'static str,
    pub depth: usize,
    pub run: fn(u64) -> Measured,
}

/// In what callgrind counts.
pub(crate) const COUNTED: &str = "counted_by_callgrind";

impl Case {
    /// Of which there is one.
    pub(crate) fn name(&self) -> String {
        format!("{} {} {}", self.variant, self.depth, self.contestant)
    }

    /// As many runs, counted.
    pub(crate) fn counted(&self, times: u64) -> Measured {
        // What is made once is made before.
        (self.run)(1);
        counted_by_callgrind(self.run, times)
    }
}

#[inline(never)]
fn counted_by_callgrind(run: fn(u64) -> Measured, times: u64) -> Measured {
    black_box(run(black_box(times)))
}

/// What so many runs came to.
#[derive(Default)]
pub(crate) struct Measured {
    /// Of all replies, in their order.
    pub replies: u64,
    pub took: Duration,
    pub asked: Asked,
    /// Bytes of the future.
    pub future: usize,
}

/// What a run ends with.
pub(crate) trait Reply {
    fn status(self) -> StatusCode;
}

impl Reply for StatusCode {
    #[inline(always)]
    fn status(self) -> StatusCode {
        self
    }
}

impl<R: Reply> Reply for Result<R, Infallible> {
    #[inline(always)]
    fn status(self) -> StatusCode {
        let Ok(reply) = self;
        reply.status()
    }
}

/// By hand, a break is an `Err`.
impl Reply for Result<StatusCode, Refused> {
    #[inline(always)]
    fn status(self) -> StatusCode {
        self.unwrap_or_else(Refused::into_reply)
    }
}

/// Polls to the end, and says how large the future was.
#[inline(always)]
pub(crate) fn driven<F: Future<Output: Reply>>(future: F) -> (StatusCode, usize) {
    (block_on(future).status(), size_of::<F>())
}

/// So many runs, on requests of which each has another index.
pub(crate) fn looped(times: u64, mut once: impl FnMut(u64) -> (StatusCode, usize)) -> Measured {
    let mut measured = Measured::default();
    let (asked, began) = (Asked::so_far(), Instant::now());
    for index in 0..times {
        let (reply, future) = once(black_box(index));
        measured.replies = measured.replies.wrapping_mul(31).wrapping_add(u64::from(reply.as_u16()));
        measured.future = future;
    }
    measured.took = began.elapsed();
    measured.asked = Asked::so_far() - asked;
    measured
}
