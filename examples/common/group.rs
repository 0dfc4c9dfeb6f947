//! A group of upstreams that serve the same: who is in it, and well, its registry knows.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::proxy::Upstream;
use chain_runtime::upstream::{Changes, Checks, Health, HttpCheck, Listed, Member, Refused, Registry};
use http::uri::PathAndQuery;
use tokio::task::JoinSet;

use super::logging;

/// An upstream as a flag says it: `URL[*WEIGHT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    upstream: Upstream,
    weight: NonZeroU32,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((url, weight)) = text.rsplit_once('*') else { return Ok(text.parse::<Upstream>()?.into()) };
        let wrong = |_| format!("`{weight}` is no weight: a number from 1 on is");
        Ok(Self { upstream: url.parse()?, weight: weight.parse().map_err(wrong)? })
    }
}

impl From<Upstream> for Target {
    fn from(upstream: Upstream) -> Self {
        Self { upstream, weight: NonZeroU32::MIN }
    }
}

impl Target {
    /// A member of this name.
    pub(crate) fn member(&self) -> Member<Upstream> {
        Member::new(self.upstream.to_string(), self.upstream.clone()).weight(self.weight.get())
    }
}

/// The group.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) registry: Arc<Registry<Upstream>>,
    listed: Mutex<Listed<Upstream>>,
    /// They end with the group.
    _tasks: JoinSet<()>,
}

impl Group {
    /// A group without members. They are asked for `check`, if there is one, besides being judged by how requests end.
    pub(crate) fn new(name: impl Into<String>, check: Option<PathAndQuery>, lines: &Lines) -> Self {
        // One that is back after a moment is soon asked again.
        let health = Health::new().ejection(Duration::from_millis(500), Duration::from_secs(30));
        let registry = Arc::new(Registry::new().with_health(health));
        let mut tasks = JoinSet::new();
        let kept = Arc::clone(&registry);
        tasks.spawn(async move { kept.keep().await });
        if let Some(path) = check {
            let (checked, lines) = (Arc::clone(&registry), lines.clone());
            let check = HttpCheck::get(path, |upstream: &Upstream| upstream.authority().to_string());
            tasks.spawn(async move {
                checked
                    .check(check, Checks::new(), |found| logging::info(&lines, format_args!("upstream {found}")))
                    .await
            });
        }
        let listed = Mutex::new(registry.listed());
        Self { name: name.into(), registry, listed, _tasks: tasks }
    }

    /// Makes these its members. Those that stay keep their health and their latencies.
    pub(crate) fn replace(&self, members: impl IntoIterator<Item = Member<Upstream>>) -> Result<Changes, Refused> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).replace(members)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let snapshot = self.registry.snapshot();
        for (at, entry) in snapshot.members().iter().enumerate() {
            write!(f, "{}{}", if at == 0 { ": " } else { " " }, entry.seat().name())?;
            if entry.weight() != NonZeroU32::MIN {
                write!(f, "*{}", entry.weight())?;
            }
        }
        Ok(())
    }
}
