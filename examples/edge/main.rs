//! A realistic gateway: API and static routes, a canary, deadlines, retries with a budget, load shedding, nodes that
//! are switched off and limits that are changed while requests run.
//!
//! ```text
//! cargo run --release --example edge             # brings its own upstreams, and says what to try
//! cargo run --release --example edge -- --help   # the flags
//! ```
//!
//! The chain is in `edge.rs`. It has no TLS towards clients, no authentication (see the example `gateway`), and does
//! not stream requests: it reads their bodies whole, since a request that is tried again has to be there. A reply is
//! read ahead by 1 MiB, and streamed from there.

use std::future::ready;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::around::{Budget, Concurrency, Deadline, Retry};
use chain_runtime::nodes::access_log::AccessLog;
use chain_runtime::proxy::server::{self, Server};
use chain_runtime::proxy::{Paths, is_unseen, worth_repeating};
use chain_runtime::upstream::{PeakEwma, Pick};
use chain_runtime::{Reloadable, Toggles};
use clap::Parser;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

mod admin;
#[path = "../common/mod.rs"]
mod common;
mod edge;
mod forward;
mod limits;
mod nodes;
mod serve;

use admin::Admin;
use common::failure::Failure;
use common::group::Group;
use common::target::Target;
use common::{embedded, flags, logging, say, signals, units};
use edge::{Edge, Reply};
use forward::Served;
use limits::Limits;

/// A gateway with API and static routes, a canary, deadlines, retries and load shedding.
///
/// Without upstreams it starts some of its own, and prints `curl` lines to try.
#[derive(Debug, Parser)]
#[command(name = "edge", version)]
struct Flags {
    /// A TOML file whose keys are these flags' long names. The command line takes precedence.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen, for HTTP/1.1 and h2c; port 0 takes any free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    listen: SocketAddr,
    /// The address for the operator's commands. No one else should reach it.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)))]
    admin: SocketAddr,
    /// Where /api/ goes, as http://host:port; several take turns.
    #[arg(long, value_name = "URL[*WEIGHT]", value_delimiter = ',')]
    stable: Vec<Target>,
    /// Where /api/ goes for 5 % of the clients.
    #[arg(long, value_name = "URL[*WEIGHT]", value_delimiter = ',')]
    canary: Vec<Target>,
    /// Where /static/ goes.
    #[arg(long, value_name = "URL[*WEIGHT]", value_delimiter = ',')]
    files: Vec<Target>,
    /// How long a request may take in all: 504 after that.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = units::duration)]
    deadline: Duration,
    /// How long one try of an upstream may take.
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = units::duration)]
    attempt: Duration,
    /// For how long an upstream may be silent in the middle of a reply.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = units::duration)]
    timeout: Duration,
    /// How many requests may run at once: 503 for further ones.
    #[arg(long, value_name = "N", default_value = "1024")]
    concurrency: usize,
    /// Requests a second that each client may send in the long run.
    #[arg(long, value_name = "N", default_value = "100")]
    rate: NonZeroU32,
    /// Requests that each client may send at once.
    #[arg(long, value_name = "N", default_value = "200")]
    burst: NonZeroU32,
    /// How large a request's body may be: 413 for a larger one.
    #[arg(long, value_name = "SIZE", default_value = "1m", value_parser = units::size)]
    max_body: u64,
    /// How long requests in flight may take to finish after the process is told to stop.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::duration)]
    grace: Duration,
    /// The target of the log: a file that is appended to, or `off`. The default is stdout.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

fn main() -> ExitCode {
    common::run("edge", &mut tokio::runtime::Builder::new_multi_thread(), run())
}

async fn run() -> Result<(), Failure> {
    let (flags, _) = flags::read::<Flags>()?;
    let lines = logging::lines(flags.log.as_deref())?;
    let listener = serve::listen("--listen", flags.listen).await?;
    let admin = serve::listen("--admin", flags.admin).await?;
    let address = |listener: &TcpListener| listener.local_addr().map_err(Failure::failed);
    let (at, admin_at) = (address(&listener)?, address(&admin)?);
    let (stop, cut) = signals::stop_and_cut()?;
    let group = async |name, targets: &[Target]| {
        let group = Group::new(name, &lines);
        let targets = match targets {
            [] => vec![embedded::start(name).await?.into()],
            targets => targets.to_vec(),
        };
        group.apply(group.prepare(&targets, true).await.map_err(|wrong| wrong.of(&format!("--{name}")))?);
        Ok::<_, Failure>(group)
    };
    let groups = [
        group("files", &flags.files).await?,
        group("stable", &flags.stable).await?,
        group("canary", &flags.canary).await?,
    ];
    let [files, stable, canary] =
        groups.each_ref().map(|group| Pick::new(Arc::clone(&group.registry), PeakEwma::new()));
    // One retry for ten requests, and ten a second in addition: an upstream in trouble does not get a multiple of its
    // load.
    let again = |worth: fn(&Reply) -> bool| Retry::new(worth).budget(Budget::new(Duration::from_secs(10), 10, 0.1));
    let edge = Arc::new(Edge {
        toggles: Toggles::new(),
        limits: Reloadable::new(Limits::new(
            flags.rate,
            flags.burst,
            usize::try_from(flags.max_body).unwrap_or(usize::MAX),
        )),
        log: AccessLog::new(lines.clone()).by("edge", "upstream"),
        paths: Paths::normalised(),
        deadline: Deadline::within(flags.deadline),
        attempt: Deadline::within(flags.attempt),
        room: Concurrency::shed(flags.concurrency),
        again: again(worth_repeating),
        again_unseen: again(is_unseen),
        files: files.untried(),
        stable: stable.untried(),
        canary,
        by_files: Served("files"),
        by_stable: Served("stable"),
        by_canary: Served("canary"),
        forward: forward::forward(&common::name("chain-edge"), flags.timeout),
        groups,
    });

    let [files, stable, canary] = &edge.groups;
    say(format_args!("{}\n\n{files}\n{stable}\n{canary}", Edge::drawing()));
    if let Some(file) = &flags.config {
        say(format_args!("configured by {}", file.display()));
    }
    say(format_args!("toggles {}\n\nto try:\n", edge.toggles()));
    say(format_args!("  curl -i -H 'x-client-id: ada' http://{at}/api/v1/users"));
    say(format_args!("  curl -i http://{at}/static/logo.svg"));
    say(format_args!("  curl http://{admin_at}/                           # what runs, and what can be changed"));
    say(format_args!("  curl -X PUT http://{admin_at}/toggles/canary/off"));
    say(format_args!("  curl -X PUT 'http://{admin_at}/limits?rate=1&burst=2'\n"));
    say(format_args!("admin on http://{admin_at}"));
    say(format_args!("listening on http://{at} (HTTP/1.1 and h2c); Ctrl-C stops"));

    let stopping = CancellationToken::new();
    let operate = {
        let edge = Arc::clone(&edge);
        move |request: Request<Incoming>, _| ready(Admin.run(&request.into_parts().0, &edge))
    };
    tokio::spawn(Server::default().serve(admin, operate, stopping.clone().cancelled_owned()));
    let on_stop = {
        let lines = lines.clone();
        move || {
            logging::info(&lines, "stopping: requests in flight may finish");
            stopping.cancel();
        }
    };
    let mut limits = server::Limits::within_descriptors();
    limits.grace = flags.grace;
    let stopped = serve::serve(edge, Server::new(limits).on_stop(on_stop), listener, stop, cut).await;
    logging::info(&lines, stopped);
    // No one may be reading it.
    lines.flush(Duration::from_millis(500));
    Ok(())
}
