//! What a reply says about a name: [`Chain`] follows its aliases.

use std::vec::Vec;

use hickory_resolver::proto::op::{DnsResponse, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData};

/// The records of one kind that a name has. Without records, the name has none of this kind, or does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer<R> {
    pub(super) records: Vec<R>,
    /// The seconds for which the answer may be believed. `None` if it does not say.
    pub(super) ttl: Option<u32>,
}

/// A name, and the aliases on the way from it.
pub(super) struct Chain {
    names: Vec<Name>,
    /// The least time to live of the aliases.
    ttl: Option<u32>,
}

/// What to do after a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<R> {
    Answer(Answer<R>),
    /// The reply ends with an alias. This name has to be asked for.
    Ask(Name),
    /// The aliases lead in a circle, or too far.
    Endless,
}

/// The most aliases on the way to an answer. BIND follows 16, Unbound 11.
const ALIASES: usize = 11;

impl Chain {
    pub(super) fn new(name: Name) -> Self {
        Self { names: Vec::from([name]), ttl: None }
    }

    /// Reads a reply to a question for the last name. Only records for this name or its aliases count: other records in
    /// a reply were not asked for.
    pub(super) fn read<R>(&mut self, reply: &DnsResponse, pick: impl Fn(&RData) -> Option<R>) -> Next<R> {
        let before = self.names.len();
        while let Some((target, ttl)) = reply.answers.iter().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == *self.last() => Some((target.0.clone(), record.ttl)),
            _ => None,
        }) {
            if self.names.contains(&target) || self.names.len() > ALIASES {
                return Next::Endless;
            }
            self.names.push(target);
            self.ttl = least(self.ttl, Some(ttl));
        }
        let (mut records, mut ttl) = (Vec::new(), self.ttl);
        for record in &reply.answers {
            if record.name == *self.last()
                && let Some(picked) = pick(&record.data)
            {
                records.push(picked);
                ttl = least(ttl, Some(record.ttl));
            }
        }
        if records.is_empty() {
            let negative = reply.negative_ttl();
            // A server that knows only the aliases says neither that there are no records nor that the last name does
            // not exist.
            if self.names.len() > before && negative.is_none() && reply.response_code != ResponseCode::NXDomain {
                return Next::Ask(self.last().clone());
            }
            ttl = least(self.ttl, negative);
        }
        Next::Answer(Answer { records, ttl })
    }

    /// There is nothing for the last name, for this time.
    pub(super) fn nothing<R>(self, ttl: Option<u32>) -> Answer<R> {
        Answer { records: Vec::new(), ttl: least(self.ttl, ttl) }
    }

    pub(super) fn last(&self) -> &Name {
        self.names.last().expect("a chain begins with a name")
    }
}

/// The lesser of two times, each of which may be unknown.
pub(super) fn least<N: Ord>(one: Option<N>, other: Option<N>) -> Option<N> {
    one.into_iter().chain(other).min()
}
