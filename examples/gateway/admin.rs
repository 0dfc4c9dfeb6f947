//! What an operator sees and switches, at an address of its own: the live page, metrics, profiles, health. It is a
//! chain, too.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::describe::ChainInfo;
use chain_runtime::proxy::Rate;
use chain_runtime::proxy::server::{Limits, Server};
use chain_runtime::shared::Redis;
use chain_runtime::shed::Level;
use chain_runtime::telemetry::folded::Weight;
use chain_runtime::telemetry::prometheus::{
    Chains, Collector, Format, GroupReading, PressureReading, Pressures, Reading, RedisSeries, Upstreams, render_all,
};
use chain_runtime::telemetry::{Keeps, Snapshot, page, pprof};
use chain_runtime::toggle::Switches;
use chain_runtime::{chain, node};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

// The paths are written out, since tests include this file from elsewhere.
#[path = "admin/door.rs"]
mod door;
#[path = "admin/feed.rs"]
mod feed;
#[path = "admin/flame.rs"]
mod flame;
#[path = "admin/upstreams.rs"]
mod upstreams;

pub(crate) use door::Door;
use door::{host, site};
use feed::{Events, Feed};
pub(crate) use upstreams::Group;
use upstreams::{Sent, groups, registry};

/// What the page watches: a chain with a meter.
pub(crate) trait Watched: Send + Sync + 'static {
    fn chain(&self) -> &'static ChainInfo;
    fn snapshot(&self) -> Snapshot;
    fn kept(&self) -> Keeps;
    fn forget_kept(&self);
    /// `None`: it has no toggles.
    fn switches(&self) -> Option<Switches<'_>>;
    /// `None`: nothing is measured.
    fn pressure(&self) -> Option<page::Pressure> {
        None
    }
    /// Forces the level, or lets it follow what is measured. Returns whether anything is measured.
    fn force(&self, _to: Option<Level>) -> bool {
        false
    }
    /// What metrics say of pressure. `None`: nothing.
    fn pressure_reading(&self) -> Option<PressureReading> {
        None
    }
    /// The Redis that several gateways share.
    fn redis(&self) -> Option<Redis> {
        None
    }
    /// The present groups of upstreams, by their names.
    fn groups(&self) -> Vec<Group> {
        Vec::new()
    }
}

pub(crate) type Content = Either<Full<Bytes>, Events>;

chain! {
    /// Requests to the admin address pass through here.
    struct Admin {
        sealed: Sealed,
        door: Door,
        feed: Feed,
        watched: Arc<dyn Watched>,
        /// Cancelled when the gateway takes no more requests.
        stopping: CancellationToken,
    }

    fn(request: &Parts, sent: &Sent) -> Response<Content> {
        sealed => host => site => door => match wanted {
            Wanted::Page => html,
            Wanted::Events => events,
            Wanted::Toggle(switch: Switch) => toggle,
            Wanted::Force(level: Option<Level>) => force,
            Wanted::Forget => forget,
            Wanted::Groups => groups,
            Wanted::Registry(to: To) => registry,
            Wanted::Metrics => metrics,
            Wanted::Flame(weight: Weight) => flame_graph,
            Wanted::Profile => profile,
            Wanted::Alive => alive,
            Wanted::Ready => is_ready,
            Wanted::Unknown => unknown,
        }
    }
}

/// How many requests are answered at once. They run on the runtime's threads for blocking work, which others need too,
/// for example to resolve the names of upstreams.
const AT_ONCE: usize = 4;

/// Begins to listen. The kernel keeps little of what a client does not read, so that a client that has stopped reading
/// is noticed soon.
pub(crate) fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(16 << 10)?;
    socket.bind(at)?;
    socket.listen(64)
}

/// Serves it for as long as the runtime lives, so that the stopping can be watched.
pub(crate) fn start(listener: TcpListener, door: Door, watched: Arc<dyn Watched>, stopping: CancellationToken) {
    let notice = door.notice();
    let feed = Feed::start(Arc::clone(&watched), notice);
    let admin = Arc::new(Admin { sealed: Sealed, door, feed, watched, stopping });
    let mut limits = Limits::default();
    (limits.connections, limits.buffer) = (64, 16 << 10);
    limits.reading = Some(Rate::new(1_000, Duration::from_secs(10)));
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let answer = move |request: Request<Incoming>, _| {
        let (admin, at_once) = (Arc::clone(&admin), Arc::clone(&at_once));
        async move {
            let (request, body) = request.into_parts();
            let sent = Sent::read(&request, body).await;
            let place = at_once.acquire_owned().await;
            // Not on a thread that serves requests: a profile takes some milliseconds.
            let reply = spawn_blocking(move || {
                let _place = place;
                admin.run(&request, &sent)
            })
            .await;
            reply.unwrap_or_else(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "it panicked, or stops\n"))
        }
    };
    tokio::spawn(Server::new(limits).serve(listener, answer, pending()));
}

/// The link to it.
pub(crate) fn link(at: SocketAddr) -> String {
    format!("http://{at}/")
}

/// What is asked for.
enum Wanted {
    Page,
    Events,
    Toggle(Switch),
    /// `None`: it follows.
    Force(Option<Level>),
    Forget,
    Groups,
    Registry(To),
    Metrics,
    Flame(Weight),
    Profile,
    Alive,
    Ready,
    Unknown,
}

/// A toggle's name, and whether it shall be on.
struct Switch {
    name: String,
    on: bool,
}

/// A group of upstreams, and the call to its registry.
struct To {
    group: String,
    action: String,
}

#[node]
fn wanted(request: &Parts) -> Wanted {
    let path: Vec<&str> = request.uri.path().trim_start_matches('/').split('/').collect();
    // hyper leaves out the content of a reply to it.
    let method = if request.method == Method::HEAD { &Method::GET } else { &request.method };
    match (method, path.as_slice()) {
        (&Method::GET, [""]) => Wanted::Page,
        (&Method::GET, ["events"]) => Wanted::Events,
        (&Method::GET, ["metrics"]) => Wanted::Metrics,
        (&Method::GET, ["flame.svg"]) => flame::weight(request.uri.query()).map_or(Wanted::Unknown, Wanted::Flame),
        (&Method::GET, ["pprof"]) => Wanted::Profile,
        (&Method::GET, ["healthz"]) => Wanted::Alive,
        (&Method::GET, ["readyz"]) => Wanted::Ready,
        (&Method::GET, ["upstreams"]) => Wanted::Groups,
        (_, ["upstreams", group, action]) => {
            let group = percent_decode_str(group).decode_utf8_lossy().into_owned();
            Wanted::Registry(To { group, action: (*action).to_owned() })
        }
        (&Method::POST, ["toggles", name, state @ ("on" | "off")]) => {
            let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
            Wanted::Toggle(Switch { name, on: *state == "on" })
        }
        (&Method::POST, ["pressure", "follow"]) => Wanted::Force(None),
        (&Method::POST, ["pressure", level]) => {
            level.parse().map_or(Wanted::Unknown, |level| Wanted::Force(Some(level)))
        }
        (&Method::POST, ["kept", "forget"]) => Wanted::Forget,
        _ => Wanted::Unknown,
    }
}

#[node]
fn html() -> Response<Content> {
    let mut reply = reply(StatusCode::OK, "text/html; charset=utf-8", page::HTML);
    reply.headers_mut().insert("content-security-policy", HeaderValue::from_static(page::POLICY));
    reply
}

#[node]
fn events(feed: &Feed) -> Response<Content> {
    let Some(events) = feed.events() else {
        return text(StatusCode::SERVICE_UNAVAILABLE, "too many look at this already\n");
    };
    let mut reply = Response::new(Either::Right(events));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    reply
}

#[node]
fn toggle(switch: &Switch, watched: &Arc<dyn Watched>) -> Response<Content> {
    let Some(switches) = watched.switches() else { return text(StatusCode::NOT_FOUND, "the chain has no toggles\n") };
    match switches.set(&switch.name, switch.on) {
        Ok(_) => text(StatusCode::OK, format!("{switches}\n")),
        Err(unknown) => text(StatusCode::NOT_FOUND, format!("{unknown}\n")),
    }
}

#[node]
fn force(level: &Option<Level>, watched: &Arc<dyn Watched>) -> Response<Content> {
    match (watched.force(*level), level) {
        (false, _) => text(StatusCode::NOT_FOUND, "no pressure is measured\n"),
        (true, None) => text(StatusCode::OK, "it follows\n"),
        (true, Some(level)) => text(StatusCode::OK, format!("{level}\n")),
    }
}

#[node]
fn forget(watched: &Arc<dyn Watched>) -> Response<Content> {
    watched.forget_kept();
    text(StatusCode::OK, "forgotten\n")
}

/// In OpenMetrics where it is asked for.
#[node]
fn metrics(request: &Parts, watched: &Arc<dyn Watched>) -> Response<Content> {
    let accept = request.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let format = Format::accepted_by(accept);
    let mut reading = Reading::from(watched.snapshot());
    reading.keeps = watched.kept();
    let groups: Vec<_> =
        watched.groups().iter().map(|group| GroupReading::of(group.name.clone(), &group.registry)).collect();
    let mut all: Vec<Box<dyn Collector>> = vec![Box::new(Chains::new(move || vec![reading.clone()]))];
    if let Some(pressure) = watched.pressure_reading() {
        all.push(Box::new(Pressures::new(move || pressure.clone())));
    }
    if let Some(redis) = watched.redis() {
        all.push(Box::new(RedisSeries::new(redis)));
    }
    if !groups.is_empty() {
        all.push(Box::new(Upstreams::new(move || groups.clone())));
    }
    reply(StatusCode::OK, format.content_type(), render_all(format, all))
}

/// For `go tool pprof`.
#[node]
fn profile(watched: &Arc<dyn Watched>) -> Response<Content> {
    reply(StatusCode::OK, "application/octet-stream", pprof::encode(&watched.snapshot()))
}

#[node]
fn flame_graph(weight: &Weight, watched: &Arc<dyn Watched>) -> Response<Content> {
    match flame::draw(&watched.snapshot(), *weight) {
        Ok(drawn) => {
            let mut reply = reply(StatusCode::OK, "image/svg+xml", drawn);
            reply.headers_mut().insert("content-security-policy", HeaderValue::from_static(flame::POLICY));
            reply
        }
        Err(why) => text(StatusCode::NOT_FOUND, format!("there is nothing to draw yet: {why}\n")),
    }
}

#[node]
fn alive() -> Response<Content> {
    text(StatusCode::OK, "alive\n")
}

#[node]
fn is_ready(stopping: &CancellationToken) -> Response<Content> {
    if stopping.is_cancelled() {
        text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
    } else {
        text(StatusCode::OK, "ready\n")
    }
}

#[node]
fn unknown() -> Response<Content> {
    text(
        StatusCode::NOT_FOUND,
        "there is GET /, /events, /metrics, /flame.svg?of=running|waiting|time|bytes|allocations, /pprof, /healthz, /readyz, \
         POST /toggles/NAME/on, /toggles/NAME/off, /pressure/calm|elevated|high|critical, /pressure/follow, /kept/forget, \
         and GET /upstreams, /upstreams/GROUP/members, POST /upstreams/GROUP/register, /upstreams/GROUP/heartbeat, \
         /upstreams/GROUP/drain, /upstreams/GROUP/remove; of the group /api, GROUP is %2Fapi\n",
    )
}

/// This keeps others from storing these replies, or making them a part of another page.
struct Sealed;

#[node]
impl Sealed {
    fn enter(&self) {}

    fn exit(&self, reply: &mut Response<Content>) {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
        ] {
            reply.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Content> {
    reply(status, "text/plain; charset=utf-8", text)
}

fn reply(status: StatusCode, kind: &'static str, content: impl Into<Bytes>) -> Response<Content> {
    let mut reply = Response::new(Either::Left(Full::new(content.into())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply
}
