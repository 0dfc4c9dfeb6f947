//! A gateway as one would run it: API and static routes, a canary, deadlines, retries with a budget, load shedding, nodes that are
//! switched off and limits that are changed while requests run.
//!
//! ```text
//! cargo run --release --example edge             # brings its own upstreams, and says what to try
//! cargo run --release --example edge -- --help   # the flags
//! ```
//!
//! The chain is in `edge.rs`. What it does not do: TLS, authentication (see the example `gateway`), streaming: bodies are read
//! whole, since what is to be tried again has to be there.

use std::future::ready;
use std::io::{self, IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::around::{Budget, Concurrency, Deadline, Retry};
use chain_runtime::{Reloadable, Toggles};
use clap::Parser;
use http::uri::Authority;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

mod access;
mod admin;
mod edge;
#[allow(dead_code, reason = "the gateway's has more")]
#[path = "../gateway/failure.rs"]
mod failure;
#[path = "../gateway/hop.rs"]
mod hop;
mod limits;
#[path = "../gateway/listen.rs"]
mod listen;
mod nodes;
mod serve;
#[allow(dead_code, reason = "the gateway's has more")]
#[path = "../gateway/units.rs"]
mod units;
mod upstream;

use access::Access;
use admin::Admin;
use edge::Edge;
use failure::Failure;
use limits::Limits;
use listen::listen;
use upstream::Upstreams;

/// A gateway with API and static routes, a canary, deadlines, retries and load shedding.
///
/// Without upstreams it starts some of its own, and prints `curl` lines to try.
#[derive(Debug, Parser)]
#[command(name = "edge", version)]
struct Flags {
    /// Where to listen, for HTTP/1.1 and h2c; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    listen: SocketAddr,
    /// Where the operator's commands are taken. Nobody else should get there.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)))]
    admin: SocketAddr,
    /// Where /api/ goes, as http://host:port; several take turns.
    #[arg(long, value_name = "URL", value_delimiter = ',', value_parser = upstream::parse)]
    stable: Vec<Authority>,
    /// Where /api/ goes for 5 % of the clients.
    #[arg(long, value_name = "URL", value_delimiter = ',', value_parser = upstream::parse)]
    canary: Vec<Authority>,
    /// Where /static/ goes.
    #[arg(long, value_name = "URL", value_delimiter = ',', value_parser = upstream::parse)]
    files: Vec<Authority>,
    /// How long a request may take in all: 504 past that.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = units::duration)]
    deadline: Duration,
    /// How long one try of an upstream may take.
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = units::duration)]
    attempt: Duration,
    /// How many requests may run at once: 503 past that.
    #[arg(long, value_name = "N", default_value = "1024")]
    concurrency: usize,
    /// Requests a second that each client may send in the long run.
    #[arg(long, value_name = "N", default_value = "100")]
    rate: NonZeroU32,
    /// Requests that each client may send at once.
    #[arg(long, value_name = "N", default_value = "200")]
    burst: NonZeroU32,
    /// How large a request's body may be: 413 past that.
    #[arg(long, value_name = "BYTES", default_value = "1048576")]
    max_body: usize,
    /// How long requests in flight may take to finish once the process is told to stop.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration)]
    grace: Duration,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::failed);
    match runtime.and_then(|runtime| runtime.block_on(run(Flags::parse()))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("edge: {failure}");
            failure.code()
        }
    }
}

async fn run(mut flags: Flags) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(io::stdout().is_terminal()).with_target(false).init();
    let listener = listen(flags.listen).await?;
    let admin = listen(flags.admin).await?;
    let address = |listener: &TcpListener| listener.local_addr().map_err(Failure::failed);
    let (at, admin_at) = (address(&listener)?, address(&admin)?);
    let stop = stopped()?;
    for (name, group) in [("stable", &mut flags.stable), ("canary", &mut flags.canary), ("files", &mut flags.files)] {
        if group.is_empty() {
            group.push(embedded(name).await?);
        }
    }
    let edge = Arc::new(Edge {
        toggles: Toggles::new(),
        limits: Reloadable::new(Limits::new(flags.rate, flags.burst, flags.max_body)),
        access: Access,
        deadline: Deadline::within(flags.deadline),
        attempt: Deadline::within(flags.attempt),
        room: Concurrency::shed(flags.concurrency),
        // One retry for ten requests, and ten a second besides: an upstream in trouble is not given a multiple of its load.
        again: Retry::new(nodes::worth_retrying as fn(&edge::Reply) -> bool).budget(Budget::new(
            Duration::from_secs(10),
            10,
            0.1,
        )),
        files: Upstreams::new("files", &flags.files),
        stable: Upstreams::new("stable", &flags.stable),
        canary: Upstreams::new("canary", &flags.canary),
    });

    say(format_args!("{}\n\n{}\n{}\n{}", Edge::drawing(), edge.files, edge.stable, edge.canary));
    say(format_args!("toggles {}\n\nto try:\n", edge.toggles()));
    say(format_args!("  curl -i -H 'x-client-id: ada' http://{at}/api/v1/users"));
    say(format_args!("  curl -i http://{at}/static/logo.svg"));
    say(format_args!("  curl http://{admin_at}/                           # what runs, and what can be changed"));
    say(format_args!("  curl -X PUT http://{admin_at}/toggles/canary/off"));
    say(format_args!("  curl -X PUT 'http://{admin_at}/limits?rate=1&burst=2'\n"));
    say(format_args!("admin on http://{admin_at}"));
    say(format_args!("listening on http://{at} (HTTP/1.1 and h2c); Ctrl-C stops"));

    let operated = Arc::clone(&edge);
    let operate = move |request: Request<Incoming>| ready(Admin.run(&request.into_parts().0, &operated));
    let answer = move |request: Request<Incoming>| {
        let edge = Arc::clone(&edge);
        async move {
            let (request, body) = request.into_parts();
            edge.run(request, body).await
        }
    };
    let ended = tokio::join!(
        serve::serve(listener, answer, stop.clone(), flags.grace),
        serve::serve(admin, operate, stop, flags.grace),
    );
    if !ended.0 {
        tracing::warn!("stopped: requests in flight were cancelled");
    }
    Ok(())
}

/// Is cancelled when the process is asked to stop, by Ctrl-C or by `kill`.
fn stopped() -> Result<CancellationToken, Failure> {
    let failed = |error| Failure::failed(format_args!("cannot listen to signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: requests in flight may finish");
        told.cancel();
    });
    Ok(stop)
}

/// An upstream to try the gateway with: it says what it was asked.
async fn embedded(name: &'static str) -> Result<Authority, Failure> {
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let at = listener.local_addr().map_err(Failure::failed)?;
    let answer = move |request: Request<Incoming>| {
        ready(nodes::text(StatusCode::OK, format!("{name}: {} {}\n", request.method(), request.uri())))
    };
    tokio::spawn(serve::serve(listener, answer, CancellationToken::new(), Duration::ZERO));
    upstream::parse(&format!("http://{at}")).map_err(Failure::failed)
}

/// Prints a line, unless nobody reads it any more, which is no reason to stop.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
