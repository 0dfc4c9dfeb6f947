//! Which upstreams serve which paths.

use std::collections::BTreeMap;
use std::str::FromStr;

use chain_runtime::proxy::Upstream;
use chain_runtime::upstream::Member;

use super::common::failure::Failure;
use super::common::group::Target;
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

/// The members of each group, by its prefix. One that is in its group twice is a mistake.
pub(crate) fn members(targets: &[Grouped]) -> Result<BTreeMap<String, Vec<Member<Upstream>>>, Failure> {
    let mut groups = BTreeMap::<String, Vec<Member<Upstream>>>::new();
    for Grouped { prefix, target } in targets {
        let (group, member) = (groups.entry(prefix.clone()).or_default(), target.member());
        if group.iter().any(|other| other.name == member.name) {
            return Err(Failure::usage(format_args!("--upstream: {} is in the group {prefix} twice", member.name)));
        }
        group.push(member);
    }
    Ok(groups)
}

/// Whether a group serves a path: its prefix, and what is below that.
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
        let Grouped { prefix, target } = read("/api=h2c://a:1*3").expect("all of it");
        let member = target.member();
        assert_eq!((prefix.as_str(), &*member.name, member.weight.get()), ("/api", "h2c://a:1", 3));
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
