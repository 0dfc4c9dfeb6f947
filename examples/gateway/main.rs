//! A reverse proxy whose every request passes `auth => ratelimit => log => proxy`.
//!
//! ```text
//! cargo run --release --example gateway             # brings its own upstream and credentials, and says what to try
//! cargo run --release --example gateway -- --help   # the flags; each has an environment variable
//! ```
//!
//! The chain is declared in `gateway.rs`; each of its nodes has a file of its own. What it does not do: TLS, `Upgrade`
//! (WebSocket), caching, health checks of upstreams. A request is not sent a second time when an upstream refuses it,
//! since its body is streamed and gone.

use std::io::{self, Write as _};
use std::process::ExitCode;

mod auth;
mod body;
mod cli;
mod demo;
mod embedded;
mod failure;
mod fields;
mod gateway;
mod hop;
mod limit;
mod listen;
mod log;
mod proxy;
mod scratch;
mod serve;
mod units;
mod upload;
mod upstream;
mod visit;

use auth::Keys;
use cli::Flags;
use demo::Demo;
use failure::Failure;
use gateway::Gateway;
use limit::Limiter;
use log::AccessLog;
use serve::Server;
use upstream::{Upstream, Upstreams};
use visit::RequestIds;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::failed);
    match runtime.and_then(|runtime| runtime.block_on(run())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gateway: {failure}");
            failure.code()
        }
    }
}

async fn run() -> Result<(), Failure> {
    let mut flags = Flags::read()?;
    log::to_stdout();
    let (keys, demo) = keys(&flags)?;
    let listener = listen::listen(flags.listen).await?;
    let at = listener.local_addr().map_err(Failure::failed)?;
    let embedded = flags.upstreams.is_empty();
    if embedded {
        let upstream = format!("http://{}", embedded::start().await?);
        flags.upstreams.push(Upstream::parse(&upstream).map_err(Failure::failed)?);
    }
    let stop = serve::signals()?;

    say(format_args!("{}\n", Gateway::drawing()));
    for upstream in &flags.upstreams {
        say(format_args!("upstream {upstream}{}", if embedded { " (embedded)" } else { "" }));
    }
    if let Some(demo) = &demo {
        say(format_args!("credentials for this run, since no flag names any; to try:\n"));
        say(format_args!("{}\n", demo.lines(at, flags.burst, embedded)));
    }
    say(format_args!("listening on http://{at} (HTTP/1.1 and h2c); Ctrl-C stops"));

    let gateway = Gateway {
        keys,
        limiter: Limiter::new(flags.rate, flags.burst),
        log: AccessLog,
        upstreams: Upstreams::new(flags.upstreams, flags.timeout, flags.max_body),
    };
    let ids = RequestIds::new(u32::from_ne_bytes(demo::random()?));
    Server::new(gateway, ids, flags.head_timeout, flags.grace).run(listener, stop).await;
    Ok(())
}

/// The credentials that the flags name, or ones for this run.
fn keys(flags: &Flags) -> Result<(Keys, Option<Demo>), Failure> {
    let (bearer, api) = (flags.bearer()?, flags.api_keys()?);
    if bearer.is_some() || !api.is_empty() {
        return Ok((Keys::new(bearer, api), None));
    }
    let (demo, bearer, api) = Demo::new(&flags.jwt_audience)?;
    Ok((Keys::new(Some(bearer), api), Some(demo)))
}

/// Prints a line, unless nobody reads it any more, which is no reason to stop.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
