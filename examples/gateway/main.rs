//! A reverse proxy: each request's user is identified, counted and logged, and then the request is passed on.
//!
//! ```text
//! cargo run --release --example gateway             # brings its own upstream and credentials, and says what to try
//! cargo run --release --example gateway -- --help   # the flags; each has an environment variable
//! ```
//!
//! The chain is in `gateway.rs`. Its nodes are ready ones, so that only flags and wiring are left here. The admin
//! address, which is printed at the start, shows live what each node takes: `admin.rs`. If memory is tight, the log
//! goes first, and requests beyond the capacity are turned away: `pressure.rs`. Upstreams are in groups by path, each a
//! registry that knows its members and their health: `groups.rs`. A new configuration takes effect while requests run:
//! `reload.rs`. `--otlp` sends spans of a share of the requests to a collector: `spans.rs`. `rules.rs` is the part of it that a request sees. Each of the `--workers` is a thread that shares with the others only
//! what has to be one: `serving.rs`. It has no TLS towards clients, and no caching.
//!
//! | a new | a request in flight | other requests |
//! | --- | --- | --- |
//! | upstream, prefix, weight | ends where it is | members that stay keep their health and latencies |
//! | rate, burst | has been counted | users begin with a full burst; where both are as before, what they have used up is kept |
//! | key, secret, path, time-out | has the old one | holds from the next request on |
//! | address, limit of connections | ends at the old server, within `--grace` | the new one is there before the old one goes |
//! | admin address, log, Redis, spans, `--check`, workers, .. | | is refused: it takes another start |

use std::alloc::System;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::nodes::access_log::AccessLog;
use chain_runtime::nodes::rate_limit::{FailureLimit, RateLimit};
use chain_runtime::nodes::request_id::RequestIds;
use chain_runtime::pressure::Elsewhere;
use chain_runtime::proxy::server::Workers;
use chain_runtime::shared::Redis;
use chain_runtime::tasks::Tasks;
use chain_runtime::telemetry::{Counted, Counting, Meter};
use chain_runtime::{Reloadable, Toggles};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

mod admin;
mod cli;
#[path = "../common/mod.rs"]
mod common;
mod demo;
mod gateway;
mod groups;
mod limit;
mod next;
mod pauses;
mod pressure;
mod reload;
mod rules;
mod said;
mod serving;
mod spans;
mod units;
mod watched;

use cli::Flags;
use common::failure::Failure;
use common::{embedded, listen, logging, say, signals};
use demo::Demo;
use gateway::Gateway;
use next::{Lasting, Next};
use pauses::Pauses;
use reload::{Running, Watch};
use serving::Serving;
use spans::Sent;
use watched::Operated;

/// The allocations of each node are counted, which costs some nanoseconds for each.
#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

fn main() -> ExitCode {
    // What serves requests has threads of its own: `--workers`.
    common::run("gateway", &mut tokio::runtime::Builder::new_current_thread(), run())
}

async fn run() -> Result<(), Failure> {
    let flags = Flags::read()?;
    let admin = flags.admin()?;
    let mut watch = Watch::new(flags.config.as_deref())?;
    let lines = logging::lines(flags.log.as_deref())?;
    let demo = if flags.auth()?.is_none() { Some(Demo::new(&flags.jwt_audience)?) } else { None };
    let embedded = match flags.upstreams.is_empty() {
        true => Some(embedded::start("upstream").await?),
        false => None,
    };
    let (demo, demo_auth) = demo.unzip();
    let lasting = Lasting {
        name: flags.name.clone().unwrap_or_else(|| common::name("chain-gateway")),
        embedded,
        demo: demo_auth.map(Arc::new),
        check: flags.check.clone(),
        redis: flags.redis.clone().map(Redis::start),
        lines: lines.clone(),
    };
    let tunnels = flags.tunnels(None);
    let (rules, _) = Next::new(&flags, &lasting, &tunnels, None).await?.apply();
    let listeners = serving::listen(&flags)?;
    let at = listeners.local_addr().map_err(Failure::failed)?;
    let admin = match admin {
        Some((at, door)) => Some((admin::listen(at).map_err(|error| listen::failed("--admin", at, &error))?, door)),
        None => None,
    };
    let (stop, cut) = signals::stop_and_cut()?;

    say(format_args!("{}\n", Gateway::drawing()));
    for group in rules.groups() {
        say(format_args!("upstreams of {group}{}", if lasting.embedded.is_some() { "  (embedded)" } else { "" }));
    }
    if let Some(bound) = rules.ratelimit.bound() {
        say(format_args!("each user, at all gateways together: {bound}"));
    }
    if let Some(demo) = &demo {
        say(format_args!("credentials for this run, since no flag names any; to try:\n"));
        say(format_args!("{}\n", demo.lines(at, flags.burst, lasting.embedded.is_some())));
    }
    if let Some((admin, _)) = &admin {
        say(format_args!("admin on {}", admin::link(admin.local_addr().map_err(Failure::failed)?)));
    }
    if let Some(collector) = &flags.otlp {
        say(format_args!("spans of requests: {}, to {collector}", flags.spans));
    }
    if let Some(file) = &flags.config {
        say(format_args!("configured by {}: change it, or kill -HUP {}", file.display(), std::process::id()));
    }
    say(format_args!("listening on http://{at} (HTTP/1.1 and h2c); Ctrl-C stops"));

    let workers = Workers::start(flags.workers).map_err(Failure::failed)?;
    let sent = flags.otlp.as_ref().map(|collector| Sent::to(collector, &lasting.name, &lines));
    // Where nobody can look, nothing is measured.
    let pauses = (admin.is_some() || sent.is_some()).then(|| Pauses::look(&workers));
    let meter = match &pauses {
        Some(pauses) => {
            let mut meter = Meter::builder(Gateway::CHAIN).pauses(Arc::clone(&pauses.ledger));
            if let Some(sent) = &sent {
                meter = meter.sink(sent.spans.clone());
            }
            Some(Arc::new(meter.allocations(Counted).map_err(Failure::failed)?.build()))
        }
        None => None,
    };
    let (pressure, sampler, moves) = flags.pressure(&lines)?;
    // It has a thread of its own, since it has to notice that the other threads do not get to it.
    let _sampling = sampler.on_thread().map_err(Failure::failed)?;
    let tasks = Tasks::default();
    // It lives as long as the process. So a request's future borrows it, and need not stand in another one that holds it.
    let gateway: &'static Gateway = Box::leak(Box::new(Gateway {
        meter: meter.clone(),
        toggles: Toggles::new(),
        shedding: pressure.shedding(),
        tasks: tasks.clone(),
        traces: spans::traces(flags.spans),
        ids: RequestIds::new(),
        log: AccessLog::new(lines.clone()),
        admission: flags.admission().under(Arc::clone(pressure.cell())),
        failures: FailureLimit::new(RateLimit::per_minute(flags.failures)),
        elsewhere: Elsewhere::new(),
        rules: Reloadable::new(rules),
    }));
    if sent.is_some() {
        let _ = gateway.toggles().set("traces", true);
    }
    let mut telling = JoinSet::new();
    if let Some(redis) = lasting.redis.clone() {
        telling.spawn(limit::tell(redis, move || gateway.rules.load().figures.away, lines.clone()));
    }
    let stopping = CancellationToken::new();
    if let (Some((listener, door)), Some(meter)) = (admin, meter) {
        let operated = Operated { gateway, meter, pressure, moves, redis: lasting.redis.clone() };
        admin::start(listener, door, Arc::new(operated), stopping.clone());
    }
    let serving = Serving::start(gateway, (workers, listeners), &flags, &tunnels, (lines.clone(), stopping));
    let mut running = Running { gateway, serving: serving.map_err(Failure::failed)?, flags, lasting, tunnels };
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            () = watch.changed() => running.reload().await,
        }
    }
    let Running { serving, flags, .. } = running;
    let (stopped, _workers) = serving.stop(cut).await;
    logging::info(&lines, stopped);
    let left = tasks.stop(flags.grace).await;
    if !left.is_empty() {
        logging::info(&lines, format_args!("work that had to be left: {left}"));
    }
    if let Some(sent) = &sent {
        sent.flush(Duration::from_millis(500)).await;
    }
    // Nobody may read it.
    lines.flush(Duration::from_millis(500));
    Ok(())
}
