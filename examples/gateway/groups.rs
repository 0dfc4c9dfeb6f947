//! Where requests go: groups of upstreams, by how the path begins. Who is in a group, and well, its registry knows.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::proxy::Upstream;
use chain_runtime::upstream::{Changes, Checks, Health, HttpCheck, Listed, Member, Refused, Registry};
use http::uri::PathAndQuery;
use tokio::task::JoinSet;

use super::common::failure::Failure;
use super::common::logging;

/// One upstream of a group, as a flag says it: `[/PREFIX=]URL[*WEIGHT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    prefix: String,
    upstream: Upstream,
    weight: NonZeroU32,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (prefix, text) = match text.split_once('=') {
            Some((prefix, rest)) if text.starts_with('/') => (prefix, rest),
            None if text.starts_with('/') => return Err("behind a prefix, =http://host:port is wanted".to_owned()),
            _ => ("/", text),
        };
        let (url, weight) = match text.rsplit_once('*') {
            Some((url, weight)) => {
                (url, weight.parse().map_err(|_| format!("`{weight}` is no weight: a number from 1 on is"))?)
            }
            None => (text, NonZeroU32::MIN),
        };
        Ok(Self { prefix: super::units::path(prefix)?, upstream: url.parse()?, weight })
    }
}

impl From<Upstream> for Target {
    fn from(upstream: Upstream) -> Self {
        Self { prefix: "/".to_owned(), upstream, weight: NonZeroU32::MIN }
    }
}

/// The members of each group, by its prefix.
pub(crate) type Members = BTreeMap<String, Vec<Member<Upstream>>>;

/// Sorts upstreams into groups. One that is in its group twice is a mistake.
pub(crate) fn members(targets: &[Target]) -> Result<Members, Failure> {
    let mut groups = Members::new();
    for Target { prefix, upstream, weight } in targets {
        let group = groups.entry(prefix.clone()).or_default();
        let name = upstream.to_string();
        if group.iter().any(|member| *member.name == *name) {
            return Err(Failure::usage(format_args!("--upstream: {name} is in the group {prefix} twice")));
        }
        group.push(Member::new(name, upstream.clone()).weight(weight.get()));
    }
    Ok(groups)
}

/// Upstreams that serve the same paths.
pub(crate) struct Group {
    pub(crate) prefix: String,
    pub(crate) registry: Arc<Registry<Upstream>>,
    listed: Mutex<Listed<Upstream>>,
    /// They end with the group.
    _tasks: JoinSet<()>,
}

impl Group {
    /// A group without members. They are asked for `check`, if there is one, besides being judged by how requests end.
    pub(crate) fn new(prefix: &str, check: Option<PathAndQuery>, lines: &Lines) -> Self {
        let registry = Arc::new(Registry::new().with_health(Health::new()));
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
        Self { prefix: prefix.to_owned(), registry, listed, _tasks: tasks }
    }

    /// Makes these its members. Those that stay keep their health and their latencies.
    pub(crate) fn replace(&self, members: Vec<Member<Upstream>>) -> Result<Changes, Refused> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).replace(members)
    }

    /// Whether it serves this path: the prefix, and what is below it.
    pub(crate) fn serves(&self, path: &str) -> bool {
        let below = path.strip_prefix(self.prefix.as_str());
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.prefix.ends_with('/'))
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.prefix)?;
        for entry in self.registry.snapshot().members() {
            write!(f, "  {}", entry.seat().name())?;
            if entry.weight() != NonZeroU32::MIN {
                write!(f, "*{}", entry.weight())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_may_have_a_prefix_and_a_weight() {
        let read = |text: &str| text.parse::<Target>();
        let plain = read("http://a:1").expect("a URL");
        assert_eq!((plain.prefix.as_str(), plain.weight.get()), ("/", 1));
        let all = read("/api=h2c://a:1*3").expect("all of it");
        assert_eq!(
            (all.prefix.as_str(), all.upstream.to_string().as_str(), all.weight.get()),
            ("/api", "h2c://a:1", 3)
        );
        for wrong in
            ["/api", "/api=", "api=http://a:1", "/a?b=http://a:1", "http://a:1*", "http://a:1*0", "http://a:1*x", "*3"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
