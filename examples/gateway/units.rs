//! Values of flags that only the gateway has: sizes, paths, names, addresses.

use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chain_runtime::shared::Settings;
use http::Uri;
use http::uri::{PathAndQuery, Scheme};

use super::common::units::size;

/// Reads a size of which something can be a share.
pub(crate) fn some_size(text: &str) -> Result<u64, String> {
    match size(text)? {
        0 => Err("of 0 bytes there is no share".to_owned()),
        bytes => Ok(bytes),
    }
}

/// Reads where to listen.
pub(crate) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "address:port is wanted, such as 127.0.0.1:8080 or [::]:80")
}

/// Reads a number of which 0 would make no sense.
pub(crate) fn number(text: &str) -> Result<NonZeroU32, &'static str> {
    text.parse().map_err(|_| "a whole number from 1 to 4294967295 is wanted")
}

/// Reads how many threads serve. Each has a socket of its own, so a number far beyond that of cores would only use up
/// the descriptors.
pub(crate) fn workers(text: &str) -> Result<NonZeroUsize, &'static str> {
    let read = text.parse().ok().filter(|workers: &NonZeroUsize| workers.get() <= MOST_WORKERS);
    read.ok_or("a whole number from 1 to 1024 is wanted")
}

/// More than the cores of any machine of today.
const MOST_WORKERS: usize = 1024;

/// Reads how many connections of clients there may be.
pub(crate) fn connections(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|connections| *connections > 0).ok_or("a whole number from 1 on is wanted")
}

/// Reads how many tunnels there may be.
pub(crate) fn tunnels(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "a whole number is wanted, or 0 for none")
}

/// How many cores the process may use.
pub(crate) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Reads the path of a request. A text that does not look like one would never match.
pub(crate) fn path(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    if is_path { Ok(text.to_owned()) } else { Err("a path such as /pay is wanted, without a query".to_owned()) }
}

/// Reads the path of the checks, which may have a query.
pub(crate) fn path_and_query(text: &str) -> Result<PathAndQuery, String> {
    let read = Some(text).filter(|text| text.starts_with('/')).and_then(|text| text.parse().ok());
    read.ok_or_else(|| "a path such as /health is wanted".to_owned())
}

/// Reads a name that can stand in a field.
pub(crate) fn token(text: &str) -> Result<String, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_plain { Ok(text.to_owned()) } else { Err("a name of letters, digits, `-`, `.` and `_` is wanted".to_owned()) }
}

/// Reads where Redis is. The text may contain a password, so an error does not repeat it.
pub(crate) fn redis(text: &str) -> Result<Settings, String> {
    Settings::at(text).map_err(|wrong| format!("redis://host:port is wanted ({wrong})"))
}

/// Reads where a collector is.
pub(crate) fn collector(text: &str) -> Result<Uri, &'static str> {
    let is_plain = |uri: &Uri| {
        let has_host = uri.authority().is_some_and(|at| {
            // A port that is too large is read as none.
            let has_port = at.as_str() != at.host();
            !at.host().is_empty()
                && !at.as_str().contains('@')
                && (!has_port || at.port_u16().is_some_and(|port| port > 0))
        });
        uri.scheme() == Some(&Scheme::HTTP) && has_host && uri.path() == "/" && uri.query().is_none()
    };
    text.parse().ok().filter(is_plain).ok_or("http://host:port is wanted, without a path or a user")
}

/// A share of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    None,
    OneIn(NonZeroU32),
}

impl FromStr for Share {
    type Err = &'static str;

    /// The nearest share that is one in so many.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        match percent {
            Some(0.0) => Ok(Self::None),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 1 and 10^6")]
            Some(percent @ 0.0001..=100.0) => {
                NonZeroU32::new((100.0 / percent).round() as u32).map(Self::OneIn).ok_or("it is not 0")
            }
            _ => Err("0%, or 0.0001% to 100% is wanted"),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::OneIn(NonZeroU32::MIN) => f.write_str("all"),
            Self::OneIn(many) => write!(f, "one in {many}"),
        }
    }
}

/// An address, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdminAt(pub(crate) Option<SocketAddr>);

impl FromStr for AdminAt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse().map(|at| Self(Some(at))).map_err(|_| "address:port is wanted, or off")
    }
}

/// A number, or `auto`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MaxConcurrent {
    Auto,
    Of(usize),
}

impl FromStr for MaxConcurrent {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(limit @ 1..)) => Ok(Self::Of(limit)),
            _ => Err("a number is wanted that is not 0, or auto"),
        }
    }
}

/// Where the kernel has it, if it is mounted.
pub(crate) const CGROUP: &str = "/sys/fs/cgroup";

/// A directory, or `off`. That a machine has no control groups is no mistake of who starts the gateway; that there is not what was named is one.
pub(crate) fn cgroup(text: &str) -> Result<PathBuf, &'static str> {
    let is_known = matches!(text, "off" | CGROUP) || Path::new(text).is_dir();
    if is_known { Ok(text.into()) } else { Err("a directory is wanted, or off") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_no_bytes_there_is_no_share() {
        assert_eq!((some_size("1k"), some_size("0k").is_err()), (Ok(1024), true));
    }

    #[test]
    fn a_share_is_one_in_so_many() {
        for (text, says) in
            [("1%", "one in 100"), ("100%", "all"), ("0%", "none"), ("0.5%", "one in 200"), ("30%", "one in 3")]
        {
            assert_eq!(text.parse::<Share>().map(|share| share.to_string()), Ok(says.to_owned()), "{text}");
        }
        for text in ["", "1", "%", "-1%", "101%", "0.00001%", "NaN%", "half"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_collector_is_a_host_and_a_port() {
        assert!(collector("http://127.0.0.1:4318").is_ok() && collector("http://collector/").is_ok());
        for text in [
            "",
            "collector:4318",
            "https://collector",
            "http://",
            "http://a/v1/traces",
            "http://a?b",
            "http://u@a",
            "http://a:0",
            "http://a:65536",
        ] {
            assert!(collector(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_are_those_of_requests() {
        assert_eq!(path("/pay/%20"), Ok("/pay/%20".to_owned()));
        for text in ["", "pay", "http://here/pay", "/pay?now", "/pay#now", "/p ay", "*", "/pä"] {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
