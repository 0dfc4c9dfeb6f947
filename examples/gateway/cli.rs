//! The flags, read and checked: what they describe can be run.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::nodes::auth::{ApiKeys, Auth, Tokens};
use chain_runtime::pressure::{Adaptive, ByPriority, Fixed, Gradient2, Limit, Pressure, Sampler};
use chain_runtime::proxy::server::Workers;
use chain_runtime::proxy::{Limits, Rate, Tunnels, server};
use chain_runtime::shared::Settings;
use clap::builder::NonEmptyStringValueParser;
use clap::{CommandFactory as _, Parser};
use http::Uri;
use http::uri::PathAndQuery;

use super::admin::Door;
use super::common::failure::Failure;
use super::common::flags;
use super::common::units::{duration, size};
use super::groups::Grouped;
use super::limit::{Away, Figures};
use super::pressure::{self, Moves};
use super::said::Said;
use super::units::{self, AdminAt, CGROUP, MaxConcurrent, Share};

/// A reverse proxy: each request's user is identified, counted and logged, and then the request is passed on.
///
/// Without arguments it starts an upstream of its own, makes credentials for this run, and prints `curl` lines to try.
#[derive(Debug, Parser)]
#[command(name = "gateway", version)]
pub(crate) struct Flags {
    /// Where to listen, for HTTP/1.1 and h2c; port 0 takes any free one.
    #[arg(long, env = "GATEWAY_LISTEN", value_name = "ADDRESS:PORT",
        default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), value_parser = units::address)]
    pub(crate) listen: SocketAddr,

    /// How many threads serve, each with a listener and connections to upstreams of its own. By default one for each
    /// core that the process may use.
    #[arg(long, env = "GATEWAY_WORKERS", value_name = "N", default_value_t = units::cores(), value_parser = units::workers)]
    pub(crate) workers: NonZeroUsize,

    /// A TOML file whose keys are these flags' long names. The command line and the environment take precedence. It is
    /// watched: a change of it, or SIGHUP, is checked as a whole, and then holds for requests that begin from then on.
    #[arg(long, env = "GATEWAY_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where requests go, as `http://host:port`, or `h2c://host:port` for HTTP/2. The flag may be repeated, and a value
    /// may have several URLs, separated by commas. A URL after `/PREFIX=` is in the group for such paths alone; the
    /// prefix does not apply to the URLs after the comma. The longest prefix wins. `*WEIGHT` counts under load: of two
    /// upstreams that are drawn, the one with less to do and the quicker replies is asked, where the work of each
    /// counts for each unit of its weight. Without this flag, an embedded upstream is started.
    #[arg(long = "upstream", env = "GATEWAY_UPSTREAM", value_name = "[/PREFIX=]URL[*WEIGHT]", value_delimiter = ',')]
    pub(crate) upstreams: Vec<Grouped>,

    /// Upstreams are checked with this path every 2 s, and get no requests while they do not answer with 200 to 299.
    /// Without it, they are only judged by how requests end.
    #[arg(long, env = "GATEWAY_CHECK", value_name = "PATH", value_parser = units::path_and_query)]
    pub(crate) check: Option<PathAndQuery>,

    /// The name by which the gateway calls itself in `Via`; a request that has it there has been here before, and is
    /// refused. The default is a name that no other gateway has.
    #[arg(long, env = "GATEWAY_NAME", value_name = "NAME", value_parser = units::token)]
    pub(crate) name: Option<String>,

    /// Accept JWTs that are signed with the secret in this file, by HS256 and by nothing else. At least 32 bytes.
    #[arg(long, env = "GATEWAY_JWT_SECRET_FILE", value_name = "FILE", conflicts_with = "jwks_file")]
    jwt_secret_file: Option<PathBuf>,

    /// Accept JWTs that are signed with a public key in this JWKS file, each by that key's own algorithm.
    #[arg(long, env = "GATEWAY_JWKS_FILE", value_name = "FILE")]
    jwks_file: Option<PathBuf>,

    /// The audience that a JWT must name.
    #[arg(long, env = "GATEWAY_JWT_AUDIENCE", value_name = "NAME", default_value = "gateway",
        value_parser = NonEmptyStringValueParser::new())]
    pub(crate) jwt_audience: String,

    /// Accept the API keys in this file: one user and one key a line, `#` begins a comment.
    #[arg(long, env = "GATEWAY_API_KEYS_FILE", value_name = "FILE")]
    api_keys_file: Option<PathBuf>,

    /// The address of the operator's page, metrics and profiles, and of the groups of upstreams (`/upstreams`); port 0
    /// takes any free one; `off` for none, and then no node is measured, unless for spans. An address that other machines
    /// reach needs a token.
    #[arg(long, env = "GATEWAY_ADMIN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    admin: AdminAt,

    /// The file with the token for the admin address, at least 16 characters: clients send it as a password, or as
    /// `Authorization: Bearer`. It is plain HTTP, so between machines it belongs in a tunnel or a network of its own.
    #[arg(long, env = "GATEWAY_ADMIN_TOKEN_FILE", value_name = "FILE")]
    admin_token_file: Option<PathBuf>,

    /// The OpenTelemetry collector for spans of requests, as `http://host:port`. They go to its `/v1/traces`, by OTLP over
    /// HTTP in protobuf. Upstreams are told the trace (`traceparent`). A client's own trace does not count, so that no
    /// client decides what is recorded. A collector that is away costs spans, and nothing else. Without this flag there
    /// are no spans.
    #[arg(long, env = "GATEWAY_OTLP", value_name = "URL", value_parser = units::collector)]
    pub(crate) otlp: Option<Uri>,

    /// The share of requests of which there are spans, `0%` to `100%`. Requests that take 500 ms or more always have
    /// some.
    #[arg(long, env = "GATEWAY_SPANS", value_name = "SHARE", default_value = "1%")]
    pub(crate) spans: Share,

    /// Requests a second that each user may send in the long run.
    #[arg(long, env = "GATEWAY_RATE", value_name = "N", default_value = "10", value_parser = units::number)]
    rate: NonZeroU32,

    /// Requests that each user may send at once, before the rate counts.
    #[arg(long, env = "GATEWAY_BURST", value_name = "N", default_value = "20", value_parser = units::number)]
    pub(crate) burst: NonZeroU32,

    /// The Redis in which all gateways together count the rate of each user, as `redis://host:port/`. The most that may
    /// be let through in addition is printed at the start.
    #[arg(long, env = "GATEWAY_REDIS", value_name = "URL", value_parser = units::redis)]
    pub(crate) redis: Option<Settings>,

    /// How many gateways share the rate.
    #[arg(long, env = "GATEWAY_GATEWAYS", value_name = "N", default_value = "1", value_parser = units::number)]
    gateways: NonZeroU32,

    /// What each gateway does while Redis is away: it lets its `share` of the rate through, or nothing (`closed`), or all (`open`).
    #[arg(long, env = "GATEWAY_REDIS_AWAY", value_name = "share|closed|open", default_value = "share")]
    redis_away: Away,

    /// Requests a minute without valid credentials that one address may send; after that it is refused unheard: 429.
    #[arg(long, env = "GATEWAY_FAILURES", value_name = "N", default_value = "60", value_parser = units::number)]
    pub(crate) failures: NonZeroU32,

    /// How long an upstream or a client may be silent: 504 or 408 before the reply's head, a broken reply after it.
    #[arg(long, env = "GATEWAY_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = duration)]
    timeout: Duration,

    /// How large a request's body may be: 413 for a larger one.
    #[arg(long, env = "GATEWAY_MAX_BODY", value_name = "SIZE", default_value = "10m", value_parser = size)]
    max_body: u64,

    /// The least bytes a second of a body: up, averaged over 10 s or the time-out if that is shorter; down, over 5 s to
    /// 30 s; 0 for any.
    #[arg(long, env = "GATEWAY_MIN_RATE", value_name = "SIZE", default_value = "240", value_parser = size)]
    min_rate: u64,

    /// How long a whole request may take, to the end of its reply. By default, as long as something moves.
    #[arg(long, env = "GATEWAY_REQUEST_TIMEOUT", value_name = "TIME", value_parser = duration)]
    request_timeout: Option<Duration>,

    /// How long a client may take to send a request's head, and how long a connection may wait for the next one; over HTTP/2, how long it may take to
    /// answer a ping.
    #[arg(long, env = "GATEWAY_HEAD_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = duration)]
    head_timeout: Duration,

    /// How long an HTTP/2 connection may wait for the next request.
    #[arg(long, env = "GATEWAY_IDLE_TIMEOUT", value_name = "TIME", default_value = "5m", value_parser = duration)]
    idle_timeout: Duration,

    /// The most connections of clients. The default is as many as there are descriptors for, and at most 10,000.
    #[arg(long, env = "GATEWAY_MAX_CONNECTIONS", value_name = "N", value_parser = units::connections)]
    max_connections: Option<usize>,

    /// The most tunnels (WebSocket); 0 for none.
    #[arg(long, env = "GATEWAY_MAX_TUNNELS", value_name = "N", default_value = "1024", value_parser = units::tunnels)]
    max_tunnels: usize,

    /// For how long a tunnel may be silent in both directions.
    #[arg(long, env = "GATEWAY_TUNNEL_TIMEOUT", value_name = "TIME", default_value = "5m", value_parser = duration)]
    tunnel_timeout: Duration,

    /// The most requests at once; further ones wait a moment, and are then turned away. `auto` finds the number out by
    /// the gateway's own time, without that of upstreams.
    #[arg(long, env = "GATEWAY_MAX_CONCURRENT", value_name = "N", default_value = "auto")]
    max_concurrent: MaxConcurrent,

    /// Paths whose requests are served before all others. A client can only say of its own requests that they can wait:
    /// `Sec-Purpose: prefetch`, `Priority: u=7`.
    #[arg(long, env = "GATEWAY_CRITICAL", value_name = "PATH", value_delimiter = ',', default_value = "/healthz",
        value_parser = units::path)]
    pub(crate) critical: Vec<String>,

    /// The tree of control groups. The gateway's own group in it says how much memory is left; `off` reads none. If
    /// memory is tight, the log goes first.
    #[arg(long, env = "GATEWAY_PRESSURE_CGROUP", value_name = "DIRECTORY", default_value = CGROUP, value_parser = units::cgroup)]
    pressure_cgroup: PathBuf,

    /// How much memory the gateway itself may have, if no control group limits it.
    #[arg(long, env = "GATEWAY_MEMORY_LIMIT", value_name = "SIZE", value_parser = units::some_size)]
    memory_limit: Option<u64>,

    /// The target of the log: a file that is appended to, or `off`. The default is stdout.
    #[arg(long, env = "GATEWAY_LOG", value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,

    /// How long requests in flight may take to finish after the gateway is told to stop.
    #[arg(long, env = "GATEWAY_GRACE", value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) grace: Duration,

    #[arg(skip)]
    pub(crate) said: Said,
}

impl Flags {
    /// Reads the flags, the environment and the file. `--help` and `--version` print, and end the program.
    pub(crate) fn read() -> Result<Self, Failure> {
        let (mut flags, matches) = flags::read::<Self>()?;
        flags.said = Said::of(&Self::command(), &matches);
        flags.is_counted_by_whom()?;
        Ok(flags)
    }

    /// What is said of a rate that gateways share is in vain if each counts by itself.
    fn is_counted_by_whom(&self) -> Result<(), Failure> {
        let in_vain = match (&self.redis, self.gateways, self.redis_away) {
            (Some(_), ..) | (None, NonZeroU32::MIN, Away::Share) => return Ok(()),
            (None, NonZeroU32::MIN, _) => "--redis-away",
            (None, ..) => "--gateways",
        };
        let says = "without --redis each gateway counts by itself: add --redis, or leave this out";
        Err(Failure::usage(format_args!("{in_vain}: {says}")))
    }

    /// How often each user may ask.
    pub(crate) const fn figures(&self) -> Figures {
        Figures { rate: self.rate, burst: self.burst, gateways: self.gateways, away: self.redis_away }
    }

    /// Room for tunnels, of which the server before has some.
    pub(crate) fn tunnels(&self, before: Option<&Tunnels>) -> Arc<Tunnels> {
        let (limit, idle) = (self.max_tunnels, self.tunnel_timeout);
        Arc::new(before.map_or_else(|| Tunnels::new(limit, idle), |before| before.following(limit, idle)))
    }

    /// The admin address, and who may use it.
    pub(crate) fn admin(&self) -> Result<Option<(SocketAddr, Door)>, Failure> {
        let AdminAt(Some(at)) = self.admin else { return Ok(None) };
        let door = match &self.admin_token_file {
            Some(file) => {
                let door = Door::with(&contents("--admin-token-file", file)?);
                door.map_err(|wrong| Failure::of_file("--admin-token-file", file, wrong))?
            }
            None if at.ip().is_loopback() => Door::open(),
            None => {
                let says = "whoever is not on this machine needs a token: add --admin-token-file";
                return Err(Failure::usage(format_args!("--admin {at}: {says}")));
            }
        };
        Ok(Some((at, door)))
    }

    /// Which requests are let in, and how many at once.
    pub(crate) fn admission(&self) -> Adaptive<ByPriority, Box<dyn Limit + Send>> {
        match self.max_concurrent {
            MaxConcurrent::Of(limit) => Adaptive::new(Box::new(Fixed(limit))),
            // Most of these wait for an upstream, and only take memory.
            MaxConcurrent::Auto => Adaptive::new(Box::new(Gradient2::new().initial(512).min(256).max(10_000))),
        }
    }

    /// The sources of the level of pressure.
    pub(crate) fn pressure(&self, lines: &Lines) -> Result<(Pressure, Sampler, Moves), Failure> {
        let cgroup = Some(self.pressure_cgroup.as_path()).filter(|root| *root != Path::new("off"));
        pressure::measure(cgroup, self.memory_limit, lines)
    }

    /// The limits of a request that is passed on.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        (limits.first_byte, limits.silence) = (self.timeout, self.timeout);
        (limits.upload, limits.body, limits.whole) = (self.rate(), self.max_body, self.request_timeout);
        if self.min_rate == 0 {
            limits.download = None;
        }
        limits
    }

    /// The limits of a client's connection.
    pub(crate) fn server_limits(&self) -> server::Limits {
        let mut limits = server::Limits::within_descriptors_beside(Workers::DESCRIPTORS * self.workers.get());
        (limits.head, limits.idle, limits.grace) = (self.head_timeout, self.head_timeout, self.grace);
        limits.idle_http2 = self.idle_timeout;
        // The kernel takes a client's data in pieces, so a short window would cut a client that only reads slowly.
        let window = self.timeout.clamp(Duration::from_secs(5), Duration::from_secs(30));
        limits.reading = (self.min_rate > 0).then(|| Rate::new(self.min_rate.saturating_mul(window.as_secs()), window));
        limits.connections = self.max_connections.unwrap_or(limits.connections);
        limits
    }

    /// The least speed of a client.
    fn rate(&self) -> Option<Rate> {
        let window = self.timeout.min(Duration::from_secs(10)).max(Duration::from_secs(1));
        (self.min_rate > 0).then(|| Rate::new(self.min_rate.saturating_mul(window.as_secs()), window))
    }

    /// How clients authenticate, if a flag says so.
    pub(crate) fn auth(&self) -> Result<Option<Auth>, Failure> {
        let auth = Auth::new("gateway");
        let (tokens, keys) = (self.tokens()?, self.api_keys()?);
        let is_asked_for = tokens.is_some() || keys.is_some();
        let auth = if let Some(tokens) = tokens { auth.tokens(tokens.audience(&self.jwt_audience)) } else { auth };
        let auth = if let Some(keys) = keys { auth.api_keys(keys) } else { auth };
        Ok(is_asked_for.then_some(auth))
    }

    /// How JWTs are checked, if they are accepted.
    fn tokens(&self) -> Result<Option<Tokens>, Failure> {
        let (flag, file) = match (&self.jwt_secret_file, &self.jwks_file) {
            (Some(file), _) => ("--jwt-secret-file", file),
            (None, Some(file)) => ("--jwks-file", file),
            (None, None) => return Ok(None),
        };
        let text = contents(flag, file)?;
        let tokens = match self.jwt_secret_file {
            Some(_) => Tokens::from_secret(text.trim_end().as_bytes()),
            None => Tokens::from_jwks(&text),
        };
        tokens.map(Some).map_err(|wrong| Failure::of_file(flag, file, wrong))
    }

    /// The API keys that are accepted.
    fn api_keys(&self) -> Result<Option<ApiKeys>, Failure> {
        let Some(file) = &self.api_keys_file else { return Ok(None) };
        let keys = ApiKeys::read(&contents("--api-keys-file", file)?);
        keys.map(Some).map_err(|wrong| Failure::of_file("--api-keys-file", file, wrong))
    }
}

fn contents(flag: &str, file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::of_file(flag, file, error))
}
