//! The upstreams for each path.

use std::collections::BTreeMap;
use std::str::FromStr;

use chain_runtime::proxy::Upstream;

use super::common::target::Target;
use super::units;

/// An upstream of a group, as a flag says it: `[/PREFIX=]URL[*WEIGHT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grouped {
    prefix: String,
    target: Target,
}

impl FromStr for Grouped {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (prefix, target) = match text.split_once('=') {
            Some((prefix, target)) if text.starts_with('/') => (prefix, target),
            None if text.starts_with('/') => return Err("behind a prefix, =http://host:port is wanted".to_owned()),
            _ => ("/", text),
        };
        Ok(Self { prefix: units::path(prefix)?, target: target.parse()? })
    }
}

impl From<Upstream> for Grouped {
    fn from(upstream: Upstream) -> Self {
        Self { prefix: "/".to_owned(), target: upstream.into() }
    }
}

/// The upstreams of each group, by its prefix.
pub(crate) fn by_prefix(all: &[Grouped]) -> BTreeMap<String, Vec<Target>> {
    let mut groups = BTreeMap::<String, Vec<Target>>::new();
    for Grouped { prefix, target } in all {
        groups.entry(prefix.clone()).or_default().push(target.clone());
    }
    groups
}

/// Whether a group serves a path: its prefix, and the paths below it.
pub(crate) fn serves(prefix: &str, path: &str) -> bool {
    let below = path.strip_prefix(prefix);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_may_have_a_prefix_and_a_weight() {
        let read = |text: &str| text.parse::<Grouped>();
        assert_eq!(read("http://a:1"), Ok(Grouped::from("http://a:1".parse::<Upstream>().expect("a URL"))));
        assert!(read("http://a:1").is_ok_and(|name| name.target.member().is_none()));
        let Grouped { prefix, target } = read("/api=h2c://10.0.0.7:1*3").expect("all of it");
        let member = target.member().expect("no name");
        assert_eq!((prefix.as_str(), &*member.name, member.weight.get()), ("/api", "h2c://10.0.0.7:1", 3));
        for wrong in ["/api", "/api=", "api=http://a:1", "/a?b=http://a:1", "http://a:1*", "http://a:1*0", "*3"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_part_of_the_path_does() {
        for (prefix, path, is) in [("/", "/x", true), ("/a", "/a", true), ("/a", "/a/b", true), ("/a", "/ab", false)] {
            assert_eq!(serves(prefix, path), is, "{prefix} {path}");
        }
        assert!(serves("/a/", "/a/") && !serves("/a/", "/a"));
    }
}
