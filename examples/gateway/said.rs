//! The texts of the flags, as they were given: to know what another configuration changes.

use std::collections::BTreeMap;
use std::fmt;

use clap::{ArgMatches, Command};

/// By the flags' long names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said(BTreeMap<String, String>);

impl Said {
    pub(crate) fn of(command: &Command, matches: &ArgMatches) -> Self {
        let all = command.get_arguments().filter_map(|flag| {
            let raw = matches.try_get_raw(flag.get_id().as_str()).ok().flatten()?;
            let values: Vec<_> = raw.map(|value| value.to_string_lossy()).collect();
            Some((flag.get_long()?.to_owned(), values.join(",")))
        });
        Self(all.collect())
    }

    /// The flags whose text differs.
    pub(crate) fn differs(&self, before: &Self) -> Vec<Change> {
        let names = self.0.keys().chain(before.0.keys().filter(|name| !self.0.contains_key(*name)));
        let of = |said: &Self, name: &String| said.0.get(name).cloned().unwrap_or_default();
        let change = |name: &String| Change { flag: name.clone(), from: of(before, name), to: of(self, name) };
        names.map(change).filter(|change| change.from != change.to).collect()
    }
}

/// A flag whose text differs.
pub(crate) struct Change {
    pub(crate) flag: String,
    from: String,
    to: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flag, from, to } = self;
        write!(f, "--{flag} {from:?} -> {to:?}")
    }
}
