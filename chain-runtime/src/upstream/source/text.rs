//! The format of a file of members.

use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;
use std::borrow::ToOwned as _;
use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

use crate::upstream::member::{Member, is_name};

/// Reads members from text: one on each line. The line begins with the name, and other items follow, with white space
/// between them.
///
/// ```text
/// # Comments begin with a number sign, and empty lines are skipped.
/// 10.0.0.7:8080
/// 10.0.0.8:8080   zone=a weight=3 meta.version=7
/// orders          at=http://orders.internal:80
/// ```
///
/// | | |
/// | --- | --- |
/// | `at=..` | the endpoint; the default is the name |
/// | `zone=..` | its zone |
/// | `weight=..` | its share, from 1; the default is 1 |
/// | `meta.key=..` | another fact about it, under `key` |
///
/// No other items are allowed, none twice, and no name on two lines. So a misspelt item is a mistake, and not a
/// default.
///
/// # Errors
///
/// All mistakes, each with its line.
///
/// ```
/// use std::net::SocketAddr;
///
/// use chain_runtime::upstream::read_members;
///
/// let members = read_members::<SocketAddr>("10.0.0.7:8080 weight=3 meta.version=7\n")?;
/// assert_eq!(members[0].metadata["version"], "7");
///
/// let mistakes = read_members::<SocketAddr>("10.0.0.7:8080 wieght=3\n10.0.0.8\n").unwrap_err();
/// assert_eq!(
///     mistakes.to_string(),
///     "line 1: `wieght=3` is none of `at=`, `zone=`, `weight=` and `meta.key=`\n\
///      line 2: `10.0.0.8` is no endpoint: invalid socket address syntax"
/// );
/// # Ok::<(), chain_runtime::upstream::Mistakes>(())
/// ```
pub fn read_members<T>(text: &str) -> Result<Vec<Member<T>>, Mistakes>
where
    T: FromStr<Err: fmt::Display>,
{
    let mut members = Vec::new();
    let mut mistakes = Vec::new();
    let mut lines_of = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let read = member(text).and_then(|member: Member<T>| match lines_of.insert(member.name.clone(), line) {
            Some(before) => Err(std::format!("`{}` is on line {before} already", member.name)),
            None => Ok(member),
        });
        match read {
            Ok(member) => members.push(member),
            Err(what) => mistakes.push(Mistake { line, what }),
        }
    }
    if mistakes.is_empty() { Ok(members) } else { Err(Mistakes(mistakes)) }
}

fn member<T>(line: &str) -> Result<Member<T>, String>
where
    T: FromStr<Err: fmt::Display>,
{
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    if !is_name(name) {
        return Err(std::format!("{name:?} is no name"));
    }
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    for word in words {
        let (key, value) = word
            .split_once('=')
            .filter(|(key, _)| {
                matches!(*key, "at" | "zone" | "weight") || key.strip_prefix("meta.").is_some_and(|key| !key.is_empty())
            })
            .ok_or_else(|| std::format!("`{word}` is none of `at=`, `zone=`, `weight=` and `meta.key=`"))?;
        if value.is_empty() {
            return Err(std::format!("`{word}` says nothing"));
        }
        if said.insert(key, value).is_some() {
            return Err(std::format!("`{key}=` is there twice"));
        }
    }
    let at = said.remove("at").unwrap_or(name);
    let endpoint = at.parse().map_err(|error| std::format!("`{at}` is no endpoint: {error}"))?;
    let mut member = Member::new(name, endpoint);
    if let Some(zone) = said.remove("zone") {
        member = member.zone(zone);
    }
    if let Some(weight) = said.remove("weight") {
        member.weight =
            weight.parse::<NonZeroU32>().map_err(|_| std::format!("`{weight}` is no weight: it is a number from 1"))?;
    }
    for (key, value) in said {
        member.metadata.insert(key["meta.".len()..].to_owned(), value.to_owned());
    }
    Ok(member)
}

/// All mistakes in a text of members. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

/// A mistake in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The line; the first one is 1.
    pub line: usize,
    /// The mistake.
    pub what: String,
}

/// How many mistakes are written out. Of the others, only the number is written.
const SHOWN: usize = 8;

impl Mistakes {
    /// The mistakes, from the first line to the last.
    #[must_use]
    pub fn all(&self) -> &[Mistake] {
        &self.0
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Mistake { line, what }) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}line {line}: {what}", if at == 0 { "" } else { "\n" })?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl core::error::Error for Mistakes {}
