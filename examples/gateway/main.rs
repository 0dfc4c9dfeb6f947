//! A reverse proxy: who asks is known, counted and logged, and then passed on.
//!
//! ```text
//! cargo run --release --example gateway             # brings its own upstream and credentials, and says what to try
//! cargo run --release --example gateway -- --help   # the flags; each has an environment variable
//! ```
//!
//! The chain is in `gateway.rs`: its nodes are ready ones, so that what is left here is flags and wiring. What each node takes is seen live at
//! the admin address, which is printed at the start: `admin.rs`. Where memory is tight, the log goes first, and more than it can serve is turned away:
//! `pressure.rs`. What it does not do: TLS towards clients,
//! caching, health checks of upstreams.

use std::alloc::System;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::Toggles;
use chain_runtime::nodes::access_log::AccessLog;
use chain_runtime::nodes::rate_limit::{FailureLimit, RateLimit};
use chain_runtime::nodes::request_id::RequestIds;
use chain_runtime::pressure::Elsewhere;
use chain_runtime::proxy::server::Server;
use chain_runtime::proxy::{Forward, Rotation, Settings, Tunnels};
use chain_runtime::tasks::Tasks;
use chain_runtime::telemetry::{Counted, Counting, Meter};
use tokio_util::sync::CancellationToken;

mod admin;
mod cli;
#[path = "../common/mod.rs"]
mod common;
mod demo;
mod gateway;
mod pauses;
mod pressure;
mod units;
mod watched;

use cli::Flags;
use common::failure::Failure;
use common::serve::serve;
use common::{embedded, listen, logging, say, signals};
use demo::Demo;
use gateway::{Critical, FORWARDED_USER, Gateway, REQUEST_ID};
use pauses::Pauses;
use watched::Operated;

/// What each node allocates is counted: some nanoseconds for each allocation.
#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

fn main() -> ExitCode {
    common::run("gateway", run())
}

async fn run() -> Result<(), Failure> {
    let mut flags = Flags::read()?;
    let lines = logging::lines(flags.log.as_deref())?;
    let mut demo = None;
    let auth = match flags.auth()? {
        Some(auth) => auth,
        None => {
            let (made, auth) = Demo::new(&flags.jwt_audience)?;
            demo = Some(made);
            auth
        }
    };
    let listener = listen::listen(flags.listen).await?;
    let at = listener.local_addr().map_err(Failure::failed)?;
    let admin = match flags.admin()? {
        Some((at, door)) => Some((admin::listen(at).map_err(|error| listen::failed(at, &error))?, door)),
        None => None,
    };
    let embedded = flags.upstreams.is_empty();
    if embedded {
        let upstream = format!("http://{}", embedded::start("upstream").await?);
        flags.upstreams.push(upstream.parse().map_err(Failure::failed)?);
    }
    let (stop, cut) = signals::stop_and_cut()?;

    say(format_args!("{}\n", Gateway::drawing()));
    for upstream in &flags.upstreams {
        say(format_args!("upstream {upstream}{}", if embedded { " (embedded)" } else { "" }));
    }
    if let Some(demo) = &demo {
        say(format_args!("credentials for this run, since no flag names any; to try:\n"));
        say(format_args!("{}\n", demo.lines(at, flags.burst, embedded)));
    }
    if let Some((admin, _)) = &admin {
        say(format_args!("admin on {}", admin::link(admin.local_addr().map_err(Failure::failed)?)));
    }
    say(format_args!("listening on http://{at} (HTTP/1.1 and h2c); Ctrl-C stops"));

    let tunnels = Tunnels::new(flags.max_tunnels, flags.tunnel_timeout);
    let name = flags.name.clone().unwrap_or_else(|| common::name("chain-gateway"));
    let settings = Settings::default()
        .via(&name)
        .limits(flags.limits())
        .reserves([FORWARDED_USER, REQUEST_ID])
        // An API key is a secret between the client and the gateway. `Authorization` has to be passed on as it is (RFC 9110, 11.6.2).
        .hides(auth.fields().filter(|field| *field != http::header::AUTHORIZATION).cloned())
        .tunnels(&tunnels);
    let pauses = Pauses::look();
    let meter = Meter::builder(Gateway::CHAIN).pauses(Arc::clone(&pauses.ledger));
    let meter = meter.allocations(Counted).map_err(Failure::failed)?.build();
    let (pressure, sampler, moves) = flags.pressure(&lines)?;
    // On a thread of its own: what is to be seen may be that the others do not come to it.
    let _sampling = sampler.on_thread().map_err(Failure::failed)?;
    let tasks = Tasks::default();
    let gateway = Arc::new(Gateway {
        meter,
        toggles: Toggles::new(),
        shedding: pressure.shedding(),
        tasks: tasks.clone(),
        ids: RequestIds::new(),
        log: AccessLog::new(lines.clone()),
        critical: Critical(flags.critical.drain(..).collect()),
        admission: flags.admission().under(Arc::clone(pressure.cell())),
        failures: FailureLimit::new(RateLimit::per_minute(flags.failures)),
        auth,
        ratelimit: RateLimit::per_second(flags.rate).burst(flags.burst),
        elsewhere: Elsewhere::new(),
        proxy: Forward::new(Rotation::new(flags.upstreams.drain(..)), settings),
    });
    let stopping = CancellationToken::new();
    if let Some((listener, door)) = admin {
        let operated = Operated { gateway: Arc::clone(&gateway), pressure, moves };
        admin::start(listener, door, Arc::new(operated), stopping.clone());
    }
    let server = Server::new(flags.server_limits()).tunnels(&tunnels).on_stop({
        let lines = lines.clone();
        move || {
            stopping.cancel();
            logging::info(&lines, "stopping: requests in flight may finish");
        }
    });
    let stopped = serve(gateway, server, listener, stop, cut).await;
    logging::info(&lines, stopped);
    let left = tasks.stop(flags.grace).await;
    if !left.is_empty() {
        logging::info(&lines, format_args!("work that had to be left: {left}"));
    }
    // Nobody may read it.
    lines.flush(Duration::from_millis(500));
    Ok(())
}
