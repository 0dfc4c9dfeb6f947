//! The flags, read and checked: what comes out of here can be run.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

use super::auth::{ApiKey, Bearer};
use super::failure::Failure;
use super::units;
use super::upstream::Upstream;

/// A reverse proxy whose every request passes `auth => ratelimit => log => proxy`.
///
/// Without arguments it starts an upstream of its own, makes credentials for this run, and prints `curl` lines to try.
#[derive(Debug, Parser)]
#[command(name = "gateway", version)]
pub(crate) struct Flags {
    /// Where to listen, for HTTP/1.1 and h2c; port 0 takes any free one.
    #[arg(long, env = "GATEWAY_LISTEN", value_name = "ADDRESS:PORT",
        default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    pub(crate) listen: SocketAddr,

    /// Where requests go, as `http://host:port`; several take turns. Without one, an embedded upstream is started.
    #[arg(long = "upstream", env = "GATEWAY_UPSTREAM", value_name = "URL", value_delimiter = ',',
        value_parser = Upstream::parse)]
    pub(crate) upstreams: Vec<Upstream>,

    /// Accept JWTs that are signed with the secret in this file, by HS256 and by nothing else. At least 32 bytes.
    #[arg(long, env = "GATEWAY_JWT_SECRET_FILE", value_name = "FILE", conflicts_with = "jwks_file")]
    jwt_secret_file: Option<PathBuf>,

    /// Accept JWTs that are signed with a public key in this JWKS file, each by that key's own algorithm.
    #[arg(long, env = "GATEWAY_JWKS_FILE", value_name = "FILE")]
    jwks_file: Option<PathBuf>,

    /// The audience that a JWT must name.
    #[arg(long, env = "GATEWAY_JWT_AUDIENCE", value_name = "NAME", default_value = "gateway")]
    pub(crate) jwt_audience: String,

    /// Accept the API keys in this file: one user and one key a line, `#` begins a comment.
    #[arg(long, env = "GATEWAY_API_KEYS_FILE", value_name = "FILE")]
    api_keys_file: Option<PathBuf>,

    /// Requests a second that each user may send in the long run.
    #[arg(long, env = "GATEWAY_RATE", value_name = "N", default_value = "10")]
    pub(crate) rate: NonZeroU32,

    /// Requests that each user may send at once, before the rate counts.
    #[arg(long, env = "GATEWAY_BURST", value_name = "N", default_value = "20")]
    pub(crate) burst: NonZeroU32,

    /// How long an upstream may be silent: 504 before the reply's head, a broken reply after it.
    #[arg(long, env = "GATEWAY_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = units::duration)]
    pub(crate) timeout: Duration,

    /// How large a request's body may be: 413 past that.
    #[arg(long, env = "GATEWAY_MAX_BODY", value_name = "SIZE", default_value = "10m", value_parser = units::size)]
    pub(crate) max_body: u64,

    /// How long a client may take to send a request's head, and how long a connection may wait for the next one.
    #[arg(long, env = "GATEWAY_HEAD_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = units::duration)]
    pub(crate) head_timeout: Duration,

    /// How long requests in flight may take to finish once the gateway is told to stop.
    #[arg(long, env = "GATEWAY_GRACE", value_name = "TIME", default_value = "10s", value_parser = units::duration)]
    pub(crate) grace: Duration,
}

impl Flags {
    /// Reads the flags and the environment. `--help` and `--version` print, and end the program.
    pub(crate) fn read() -> Result<Self, Failure> {
        Self::try_parse().map_err(|error| {
            if !error.use_stderr() {
                error.exit();
            }
            // clap's report is several paragraphs long; what is wrong stands in the first.
            let report = error.render().to_string();
            let wrong = report.split("\n\n").next().unwrap_or_default();
            let line = wrong.split_whitespace().collect::<Vec<_>>().join(" ");
            Failure::usage(format_args!("{} (see --help)", line.trim_start_matches("error: ")))
        })
    }

    /// How JWTs are checked, if they are accepted at all.
    pub(crate) fn bearer(&self) -> Result<Option<Bearer>, Failure> {
        let audience = &self.jwt_audience;
        if let Some(file) = &self.jwt_secret_file {
            let secret = contents(file)?;
            return Bearer::from_secret(secret.trim_end().as_bytes(), audience)
                .map(Some)
                .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", file.display())));
        }
        let Some(file) = &self.jwks_file else {
            return Ok(None);
        };
        Bearer::from_jwks(&contents(file)?, audience)
            .map(Some)
            .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", file.display())))
    }

    /// The API keys that are accepted.
    pub(crate) fn api_keys(&self) -> Result<Vec<ApiKey>, Failure> {
        let Some(file) = &self.api_keys_file else {
            return Ok(Vec::new());
        };
        let text = contents(file)?;
        let mut keys = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                let wrong = |wrong| Failure::usage(format_args!("{}, line {}: {wrong}", file.display(), at + 1));
                keys.push(ApiKey::parse(line).map_err(wrong)?);
            }
        }
        if keys.is_empty() {
            return Err(Failure::usage(format_args!("{}: there is no API key in it", file.display())));
        }
        Ok(keys)
    }
}

fn contents(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::failed(format_args!("{}: {error}", file.display())))
}
