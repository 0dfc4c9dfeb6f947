//! [`DnsError`]: why a name gives no members, or not all of them.

use core::fmt;
use core::mem::discriminant;
use core::time::Duration;
use std::string::String;
use std::sync::Arc;
use std::time::Instant;

use super::watch::Isolation;
use crate::upstream::clock::now;

/// Why a name gives no members, or not all of them. Members that were found before stay meanwhile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DnsError {
    /// This is not a name that can be asked for.
    Name {
        /// What was given.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// The system's configuration names no servers.
    System(String),
    /// The resolver was asked, and has failed. It is asked again, after 1 s at first and then after twice as long each
    /// time.
    Failed {
        /// The name that was asked for.
        name: Arc<str>,
        /// The failure.
        why: String,
    },
    /// The resolver was not asked, because it is isolated.
    Isolated {
        /// The name that was to be asked for.
        name: Arc<str>,
        /// Since when, and until when.
        isolation: Isolation,
    },
    /// The resolver says that there is no such name, or that the name has no addresses.
    Nobody {
        /// The name that was asked for.
        name: Arc<str>,
        /// The members that were found before stay until then. `None` if there are no members any more, or never were.
        until: Option<Instant>,
    },
    /// There are more addresses than are taken, or some of them cannot be used.
    LeftOut {
        /// The name that was asked for.
        name: Arc<str>,
        /// How many are left out.
        count: usize,
        /// How many are taken at most.
        limit: usize,
    },
}

impl DnsError {
    /// Whether the report would be the same, apart from its times and details.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nobody { until: one, .. }, Self::Nobody { until: other, .. }) => one.is_some() == other.is_some(),
            (Self::Failed { why: one, .. }, Self::Failed { why: other, .. }) => one == other,
            (Self::LeftOut { count: one, .. }, Self::LeftOut { count: other, .. }) => one == other,
            _ => discriminant(self) == discriminant(other),
        }
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, why } => write!(f, "`{name}` cannot be asked for: {why}"),
            Self::System(why) => write!(f, "the system names no name servers: {why}"),
            Self::Failed { name, why } => write!(f, "{name} is not resolved: {why}"),
            Self::Isolated { name, isolation: Isolation { since, until, failed, queries } } => {
                let now = now();
                let since = Seconds(now.saturating_duration_since(*since));
                let until = Seconds(until.saturating_duration_since(now));
                write!(
                    f,
                    "{name} is not asked for: the resolver is isolated for {since} now, as {failed} of {queries} queries had failed; \
                     it is probed in {until}"
                )
            }
            Self::Nobody { name, until: None } => write!(f, "{name} has no addresses"),
            Self::Nobody { name, until: Some(until) } => {
                let until = Seconds(until.saturating_duration_since(now()));
                write!(f, "{name} has no addresses any more; those that it had are kept for {until}")
            }
            Self::LeftOut { name, count, limit } => {
                write!(
                    f,
                    "{count} addresses of {name} are left out: at most {limit} are taken, and none where nobody can be"
                )
            }
        }
    }
}

impl core::error::Error for DnsError {}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} s", self.0.as_secs_f64())
    }
}
