//! One client's connection.
//!
//! ```text
//!   Start ──first byte──▶ Head ──request──▶ Busy ──reply sent──▶ Idle ──first byte──▶ Head ..
//!     │ head                │ head            │ the chain's        │ idle
//!     ▼                     ▼                 ▼ own limits         ▼
//!   closed               closed, told        ..                  closed
//! ```
//!
//! In every state but Busy the connection may be closed: when its time is up, when another connection needs its place,
//! and when the server stops.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::boxed::Box;
use std::net::SocketAddr;
use std::string::ToString as _;
use std::sync::Arc;

use ::hyper::body::Incoming;
use ::hyper::service::service_fn;
use bytes::Bytes;
use http::{Method, Request, Response, Version};
use http_body::Body;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::futures::Notified;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use super::answering::{Answering, Reply};
use super::places::Place;
use super::socket::Socket;
use super::{Limits, Refusal, Shared};
use crate::framing::Asked;
use crate::proxy::Client;
use crate::proxy::pace::later;
use crate::proxy::target::HasFragment;
use crate::tailed::Cut;

/// After an HTTP/2 client was told that no more requests are accepted, requests may arrive that it had sent before it
/// heard this. A client that has just come is waited for as long.
const LINGER: Duration = Duration::from_millis(500);

/// What a connection and its requests share.
struct State {
    /// The requests of this connection that are under way.
    underway: AtomicUsize,
    /// The requests since the connection began.
    begun: AtomicUsize,
    is_http2: AtomicBool,
    /// The requests of the whole server.
    requests: Arc<AtomicUsize>,
}

/// A request that is under way until its reply has been sent or given up.
pub(super) struct Underway(Arc<State>);

impl Underway {
    fn begin(state: &Arc<State>) -> Self {
        state.begun.fetch_add(1, Ordering::Relaxed);
        Self::go_on(state)
    }

    /// A request whose reply hyper has whole, and has not sent to its end.
    fn go_on(state: &Arc<State>) -> Self {
        state.underway.fetch_add(1, Ordering::Relaxed);
        state.requests.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(state))
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.underway.fetch_sub(1, Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts a connection that would close if another one needs its place, while it exists.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a connection ended.
enum Ended {
    /// hyper is done with it.
    Over(Result<(), Box<dyn core::error::Error + Send + Sync>>),
    /// The client left while its request was under way.
    Gone,
    /// It was closed by this server, between requests.
    Closed,
    /// The head of a request did not come in time.
    SlowHead,
}

/// Serves a connection to its end, and gives its place back.
pub(super) async fn serve<A, F, B>(shared: Arc<Shared<A, F>>, stream: TcpStream, peer: SocketAddr, place: Place)
where
    A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
{
    let _place = place;
    // Heads are small, and bodies are passed on as they come: to wait for more would only delay them.
    let _ = stream.set_nodelay(true);
    let client = Client::at(peer);
    let socket = Socket::new(stream, shared.limits.reading, client.cut().clone());
    let state = Arc::new(State {
        underway: AtomicUsize::new(0),
        begun: AtomicUsize::new(0),
        is_http2: AtomicBool::new(false),
        requests: Arc::clone(&shared.requests),
    });
    let answer = service_fn(|mut request: Request<Incoming>| {
        let underway = Underway::begin(&state);
        let is_http2 = request.version() == Version::HTTP_2;
        if is_http2 {
            state.is_http2.store(true, Ordering::Relaxed);
        }
        if !is_http2 && socket.has_fragment() {
            request.extensions_mut().insert(HasFragment);
        }
        let asked = Asked::of(&request);
        // The bytes that a client sends after it were meant for the tunnel, and are no request.
        let ends = request.method() == Method::CONNECT && !is_http2;
        let client = if is_http2 { client.with_cut(Cut::default()) } else { client.clone() };
        let cut = client.cut().clone();
        let reply = Reply::to(|| (shared.answer)(request, client), &shared.replies);
        Answering { reply, ends, cut: is_http2.then_some(cut), asked, underway: Some(underway) }
    });
    let mut http = pin!(shared.http.serve_connection_with_upgrades(TokioIo::new(socket.clone()), answer));
    let mut stopping = pin!(shared.stopping.cancelled());
    let mut cutting = pin!(shared.cutting.cancelled());
    let mut crowded = pin!(None::<Notified<'_>>);
    let (mut counted, mut unsent) = (None, None);
    let mut between = Between::new(&shared.limits);
    let (mut is_stopping, mut has_said_so) = (false, false);
    // Who is woken when the server stops. A connection is polled for each request, and mostly by the same task: then it
    // is enough to look.
    let mut woken: Option<Waker> = None;
    let ended = poll_fn(|context| {
        if woken.as_ref().is_none_or(|woken| !woken.will_wake(context.waker())) {
            woken = Some(context.waker().clone());
            between.is_heard = false;
            let _ = (stopping.as_mut().poll(context), cutting.as_mut().poll(context));
        }
        is_stopping = is_stopping || shared.stopping.is_cancelled();
        // A client that has just come is answered once: its request may be on the way, and nobody else would answer it.
        let is_new = state.begun.load(Ordering::Relaxed) == 0;
        let is_over = is_stopping && !is_new || between.is_closing;
        if is_over && !has_said_so {
            has_said_so = true;
            http.as_mut().graceful_shutdown();
        }
        if let Poll::Ready(ended) = http.as_mut().poll(context) {
            return Poll::Ready(Ended::Over(ended));
        }
        if shared.cutting.is_cancelled() {
            return Poll::Ready(Ended::Closed);
        }
        if !socket.is_unsent() {
            unsent = None;
        } else if unsent.is_none() && state.begun.load(Ordering::Relaxed) > 0 {
            unsent = Some(Underway::go_on(&state));
        }
        let is_http2 = state.is_http2.load(Ordering::Relaxed);
        if state.underway.load(Ordering::Relaxed) > 0 {
            counted = None;
            // The notification came while a request was under way: another connection has to go.
            if crowded.as_mut().as_pin_mut().is_some_and(|crowded| crowded.poll(context).is_ready()) {
                crowded.set(None);
                shared.make_room();
            }
            between.is_busy(&socket);
            if !is_http2 && socket.poll_gone(context).is_ready() {
                return Poll::Ready(Ended::Gone);
            }
            return Poll::Pending;
        }
        if is_stopping && !is_http2 && state.begun.load(Ordering::Relaxed) > 0 {
            return Poll::Ready(Ended::Closed);
        }
        if crowded.is_none() {
            crowded.set(Some(shared.room.crowded.notified()));
        }
        if counted.is_none() {
            counted = Some(Waiting::new(&shared.room.waiting));
        }
        if crowded.as_mut().as_pin_mut().is_some_and(|crowded| crowded.poll(context).is_ready()) {
            return Poll::Ready(Ended::Closed);
        }
        between.poll(context, &state, &socket, is_stopping)
    })
    .await;
    match ended {
        _ if socket.was_cut() => (shared.refused)(peer, &Refusal::SlowReader),
        Ended::SlowHead => (shared.refused)(peer, &Refusal::SlowHead),
        Ended::Over(Err(error)) => {
            // A client that hangs up in the middle of a head was not refused.
            let said = error.downcast_ref::<::hyper::Error>();
            if said.is_some_and(|error| error.is_parse() || error.is_parse_too_large()) {
                (shared.refused)(peer, &Refusal::Malformed(error.to_string().into()));
            }
        }
        _ => {}
    }
}

/// The time in which no request is under way.
struct Between {
    head: Duration,
    idle: Duration,
    idle_http2: Duration,
    phase: Phase,
    /// How many requests had begun at the last look.
    begun: usize,
    /// Its time is up, and the client has been told so.
    is_closing: bool,
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    /// The timer has this task's waker.
    is_heard: bool,
}

#[derive(Clone, Copy)]
enum Phase {
    Start(Instant),
    Busy,
    Idle(Instant),
    Head(Instant),
    /// An HTTP/2 client was told to leave, or the server stops and the client has sent no request yet.
    Leaving(Instant),
}

impl Between {
    fn new(limits: &Limits) -> Self {
        let Limits { head, idle, idle_http2, .. } = *limits;
        let phase = Phase::Start(Instant::now());
        Self { head, idle, idle_http2, phase, begun: 0, is_closing: false, timer: None, is_heard: false }
    }

    /// A request is under way. Bytes that were read until now are part of it.
    fn is_busy(&mut self, socket: &Socket) {
        self.phase = Phase::Busy;
        socket.has_read();
    }

    /// Before it closes, the client is told, so that a request on its way is answered or sent elsewhere.
    fn tell(&mut self, context: &Context<'_>) {
        self.is_closing = true;
        self.phase = Phase::Leaving(Instant::now());
        self.timer = None;
        context.waker().wake_by_ref();
    }

    /// Ready when the connection's time is up.
    fn poll(&mut self, context: &mut Context<'_>, state: &State, socket: &Socket, is_stopping: bool) -> Poll<Ended> {
        let begun = state.begun.load(Ordering::Relaxed);
        let has_read = socket.has_read();
        let is_http2 = state.is_http2.load(Ordering::Relaxed);
        if begun != self.begun || matches!(self.phase, Phase::Busy) {
            self.begun = begun;
            self.phase = Phase::Idle(Instant::now());
            socket.begins();
        } else if has_read && !is_http2 && matches!(self.phase, Phase::Idle(_)) {
            self.phase = Phase::Head(Instant::now());
        }
        if is_stopping && !matches!(self.phase, Phase::Leaving(_)) {
            self.phase = Phase::Leaving(Instant::now());
        }
        loop {
            let due = match self.phase {
                Phase::Start(since) | Phase::Head(since) => later(since, self.head),
                Phase::Busy | Phase::Idle(_) if self.is_closing => return Poll::Ready(Ended::Closed),
                Phase::Busy => return Poll::Pending,
                Phase::Idle(since) => later(since, if is_http2 { self.idle_http2 } else { self.idle }),
                Phase::Leaving(since) => since + LINGER,
            };
            let (armed, timer) = self.timer.get_or_insert_with(|| {
                self.is_heard = false;
                (due, Box::pin(sleep_until(due)))
            });
            // A timer that is too early may fire, and is looked at then: that is rarer than a request.
            if *armed > due {
                *armed = due;
                timer.as_mut().reset(due);
            }
            // A timer keeps the waker until it goes off. To poll it takes more than to look. The task's budget must not
            // prevent that it gets the waker.
            if !self.is_heard {
                let polled = unconstrained(poll_fn(|context| timer.as_mut().poll(context)));
                let _ = pin!(polled).poll(context);
                self.is_heard = true;
            }
            if !timer.is_elapsed() {
                return Poll::Pending;
            }
            self.is_heard = false;
            if Instant::now() < due {
                *armed = due;
                timer.as_mut().reset(due);
                continue;
            }
            match self.phase {
                Phase::Head(_) => return Poll::Ready(Ended::SlowHead),
                Phase::Idle(_) if is_http2 => self.tell(context),
                // A new client, which was not told of the stop.
                Phase::Leaving(_) if begun == 0 && !self.is_closing => self.tell(context),
                _ => return Poll::Ready(Ended::Closed),
            }
        }
    }
}
