//! One round of questions: [`Asking`].

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::vec::Vec;

use futures_util::future::join_all;
use hickory_resolver::proto::rr::{Name, RecordType};

use super::answer::{Answer, least};
use super::found::{List, Service, groups, put};
use super::name::written;
use super::query::Failure;
use super::resolver::{Addresses, Family, Resolver};

/// The name that is asked for, and the resolver.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) resolver: Resolver,
    pub(super) question: Question,
    pub(super) family: Family,
    pub(super) limit: usize,
    /// The weight of an address. The weight of a record is multiplied by it.
    pub(super) weight: u32,
}

#[derive(Debug)]
pub(super) enum Question {
    Host { name: Name, port: u16 },
    Service(Name),
}

/// The last good answers to the questions of one round. They stand in for answers that fail in the next round.
#[derive(Debug, Default)]
pub(super) struct Known {
    services: Vec<Service>,
    addresses: BTreeMap<(Name, RecordType), Vec<IpAddr>>,
}

/// The result of a round.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) known: Known,
    pub(super) list: List,
    pub(super) left_out: usize,
    /// The least number of seconds for which its answers may be believed.
    pub(super) ttl: Option<u32>,
    /// Why a question was not answered. An isolation takes precedence over other reasons.
    pub(super) failure: Option<Failure>,
    /// The service says that it is not there.
    pub(super) is_closed: bool,
}

impl Asking {
    /// Asks all questions. A failed answer is replaced by the known one.
    pub(super) async fn look(&self, known: &Known) -> Looked {
        let mut looked = Looked::default();
        match &self.question {
            Question::Host { name, port } => {
                let addresses = self.resolver.addresses(name, self.family).await;
                let target = Arc::from(written(name));
                for address in looked.addresses(known, name, addresses) {
                    looked.put(self.limit, address, *port, &target, self.weight);
                }
            }
            Question::Service(name) => {
                let services = self.resolver.records(name, RecordType::SRV, Service::of).await;
                let mut services = looked.answer(services).unwrap_or_else(|| known.services.clone());
                looked.known.services.clone_from(&services);
                looked.is_closed = !services.is_empty();
                services.retain(Service::is_there);
                looked.is_closed &= services.is_empty();
                for group in groups(services) {
                    self.group(known, &group, &mut looked).await;
                    if !looked.list.is_empty() {
                        break;
                    }
                }
            }
        }
        looked
    }

    /// Finds the addresses of one group. The resolver bounds how many of its questions are under way at once.
    async fn group(&self, known: &Known, group: &[Service], looked: &mut Looked) {
        let targets: BTreeSet<&Name> = group.iter().map(|service| &service.target).collect();
        let targets: Vec<&Name> = targets.into_iter().take(self.limit).collect();
        let found = join_all(targets.iter().map(|target| self.resolver.addresses(target, self.family))).await;
        let found: BTreeMap<&Name, (Arc<str>, Vec<IpAddr>)> = targets
            .into_iter()
            .zip(found)
            .map(|(target, found)| (target, (written(target).into(), looked.addresses(known, target, found))))
            .collect();
        for service in group {
            match found.get(&service.target) {
                Some((target, addresses)) => {
                    for &address in addresses {
                        let weight = self.weight.saturating_mul(service.weight());
                        looked.put(self.limit, address, service.port, target, weight);
                    }
                }
                None => looked.left_out += 1,
            }
        }
    }
}

impl Looked {
    /// The records of an answer. `None` if there is no answer.
    fn answer<R>(&mut self, answer: Result<Answer<R>, Failure>) -> Option<Vec<R>> {
        match answer {
            Ok(answer) => {
                self.ttl = least(self.ttl, answer.ttl);
                Some(answer.records)
            }
            Err(failure) => {
                if !matches!(self.failure, Some(Failure::Isolated(_))) {
                    self.failure = Some(failure);
                }
                None
            }
        }
    }

    /// The addresses of a host. If a kind failed, the known addresses of that kind are used.
    fn addresses(&mut self, known: &Known, name: &Name, found: Addresses) -> Vec<IpAddr> {
        let mut all = Vec::new();
        // If a name has addresses of one kind, the absence of the other kind does not limit how long the first are
        // believed.
        let (v4, v6) = (found.v4, found.v6);
        let is_empty = |answer: &Result<Answer<_>, _>| answer.as_ref().is_ok_and(|answer| answer.records.is_empty());
        let both = is_empty(&v4) == is_empty(&v6);
        for (kind, answer) in [(RecordType::A, v4), (RecordType::AAAA, v6)] {
            let key = (name.clone(), kind);
            let addresses = if is_empty(&answer) && !both {
                Vec::new()
            } else {
                self.answer(answer).unwrap_or_else(|| known.addresses.get(&key).cloned().unwrap_or_default())
            };
            all.extend(&addresses);
            self.known.addresses.insert(key, addresses);
        }
        all
    }

    fn put(&mut self, limit: usize, address: IpAddr, port: u16, target: &Arc<str>, weight: u32) {
        if !put(&mut self.list, limit, (address, port).into(), target, weight) {
            self.left_out += 1;
        }
    }
}
