//! [`Dns`]: the members to which a name resolves.

mod answer;
mod error;
mod found;
mod look;
mod name;
mod query;
mod resolver;
mod search;
mod watch;

use core::fmt;
use core::net::SocketAddr;
use core::pin::pin;
use core::time::Duration;
use std::string::ToString as _;
use std::sync::Arc;
use std::time::Instant;
use std::vec::Vec;

pub use error::DnsError;
pub use found::Resolved;
use found::{Entry, List};
use look::{Asking, Known, Looked, Question};
use name::{Host, host, name, written};
use query::Failure;
pub use resolver::{Asked, Family, Resolver};
pub use watch::Isolation;

use super::Source;
use crate::upstream::clock::now;
use crate::upstream::member::Member;

/// The members to which a name resolves: the addresses of a host (A and AAAA), or of a service (SRV). Each address is a
/// member, named like `10.0.0.7:8080`.
///
/// ```no_run
/// use std::net::SocketAddr;
///
/// use chain_runtime::upstream::{Dns, Registry, Resolver};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let registry: Registry<SocketAddr> = Registry::new();
/// let resolver = Resolver::system()?;
/// let orders = Dns::host(&resolver, "orders.internal", 8080, |found| found.address)?;
/// registry.follow(orders, |told| eprintln!("{told}")).await;
/// # Ok(())
/// # }
/// ```
///
/// - **It asks again when its answer has expired**, by the least time to live of all records on which the answer
///   depends, but not before 5 s and not later than 5 min ([`refresh`](Self::refresh)); and randomly up to a tenth
///   later, so that many processes do not ask at once.
/// - **An address that stays** keeps its seat, and with it its latency and its health. Neither the order of an answer
///   nor the case of a name is a change.
/// - **An address that is gone** takes no new requests from then on. Requests in flight there go on.
/// - **When the resolver fails**, the last good answer stays, however long. The failure is reported. The resolver does
///   not know whether a member is well; health decides that. If one of several questions fails (AAAA beside A, one
///   target of a service), only that question keeps its last good answer.
/// - **When a name has no addresses any more**, or does not exist, its members stay for 30 s ([`grace`](Self::grace)),
///   and are then removed. See below.
/// - **At most 1,000 addresses** are taken ([`at_most`](Self::at_most)): the lowest ones, so that the same ones are
///   taken each time. How many are left out is reported.
///
/// # A name without addresses
///
/// An empty answer or NXDOMAIN is the answer of the name's owner, and not a failure: RFC 8767, which lets resolvers
/// serve stale data, says that such an answer ends the earlier one. But a zone also gives this answer for a moment
/// while it is being written anew. So it is believed after 30 s, as in HAProxy (`hold nx`), and not at once as in
/// nginx. After that the list is empty, and a pick fails at once: an address that its owner has withdrawn may belong to
/// another owner by now, and requests must not go there. A service whose record says `.` is closed at once (RFC 2782).
///
/// # Services
///
/// Of the records of a service, those of the lowest priority are used while one of their targets has an address;
/// otherwise those of the next priority. An address has the weight of its record, and a record of weight 0 counts like
/// one of weight 1.
///
/// # Names
///
/// A literal address is its own answer: it is reported once, and no resolver is asked. An international name is written
/// in its ASCII form, `xn--..`. A name without a dot at its end is completed by the resolver's search list.
///
/// # Panics
///
/// [`next`](Source::next) panics outside of a tokio runtime with its timer and its sockets.
pub struct Dns<F> {
    /// `None` for a literal address.
    asking: Option<Asking>,
    /// As it is written.
    name: Arc<str>,
    make: F,
    zone: Option<Arc<str>>,
    least: Duration,
    most: Duration,
    grace: Duration,

    known: Known,
    /// The list that was last reported. A literal address has it from the beginning.
    list: Option<List>,
    /// What was wrong in the last round.
    trouble: Option<DnsError>,
    /// What has to be reported next.
    untold: Option<DnsError>,
    /// The time of the next round.
    due: Option<Instant>,
    /// The resolver refused the last round.
    is_refused: bool,
    /// Rounds in a row with a failure.
    failures: u32,
    /// Since when there are no addresses.
    gone: Option<Instant>,
    is_over: bool,
}

/// The time until it asks again after the first failure.
const RETRY: Duration = Duration::from_secs(1);

/// No time is longer than a year, whatever is set, so that none is beyond the range of the clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3_600);

impl<F> Dns<F> {
    /// All addresses of a host, with this port. `make` makes an endpoint of each. For an address that stays, it has to
    /// make the same endpoint as before.
    ///
    /// # Errors
    ///
    /// The host is neither an address nor a name, or the port is 0.
    pub fn host<T>(resolver: &Resolver, host_name: &str, port: u16, make: F) -> Result<Self, DnsError>
    where
        F: Fn(Resolved<'_>) -> T,
    {
        if port == 0 {
            return Err(DnsError::Name { name: host_name.to_string(), why: "a port of 0 is none" });
        }
        match host(host_name)? {
            Host::Address(address) => {
                let name: Arc<str> = address.to_string().into();
                let entry = Entry { target: Arc::clone(&name), weight: 1 };
                let mut own = Self::new(None, name, make);
                own.list = Some(List::from([(SocketAddr::new(address, port), entry)]));
                Ok(own)
            }
            Host::Name(host) => {
                let written = written(&host).into();
                Ok(Self::new(Some(Asking::new(resolver, Question::Host { name: host, port })), written, make))
            }
        }
    }

    /// All addresses of a service, `_http._tcp.orders.internal` for example, with the ports and weights of its records.
    ///
    /// # Errors
    ///
    /// It is not a valid name.
    pub fn service<T>(resolver: &Resolver, service: &str, make: F) -> Result<Self, DnsError>
    where
        F: Fn(Resolved<'_>) -> T,
    {
        let service = name(service)?;
        let written = written(&service).into();
        Ok(Self::new(Some(Asking::new(resolver, Question::Service(service))), written, make))
    }

    fn new(asking: Option<Asking>, name: Arc<str>, make: F) -> Self {
        Self {
            asking,
            name,
            make,
            zone: None,
            least: Duration::from_secs(5),
            most: Duration::from_secs(300),
            grace: Duration::from_secs(30),
            known: Known::default(),
            list: None,
            trouble: None,
            untold: None,
            due: None,
            is_refused: false,
            failures: 0,
            gone: None,
            is_over: false,
        }
    }

    /// Sets the zone of all of its members.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<Arc<str>>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Sets the share of each address. The weight of a service's record is multiplied by it.
    ///
    /// # Panics
    ///
    /// If `weight` is 0.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        assert!(weight > 0, "a weight of 0 takes nothing");
        match (&mut self.asking, &mut self.list) {
            (Some(asking), _) => asking.weight = weight,
            (None, Some(list)) => list.values_mut().for_each(|entry| entry.weight = weight),
            (None, None) => {}
        }
        self
    }

    /// Sets which addresses are asked for.
    #[must_use]
    pub fn family(mut self, family: Family) -> Self {
        if let Some(asking) = &mut self.asking {
            asking.family = family;
        }
        self
    }

    /// Sets how many addresses are taken at most. The default is 1,000.
    #[must_use]
    pub fn at_most(mut self, addresses: usize) -> Self {
        if let Some(asking) = &mut self.asking {
            asking.limit = addresses;
        }
        self
    }

    /// Sets how soon it asks again at the earliest, even if the time to live is 0, and at the latest. The defaults are
    /// 5 s and 5 min.
    #[must_use]
    pub fn refresh(mut self, least: Duration, most: Duration) -> Self {
        self.least = least.min(LONGEST);
        self.most = most.clamp(self.least, LONGEST);
        self
    }

    /// Sets how long the members stay when there are no addresses any more. The default is 30 s.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace.min(LONGEST);
        self
    }

    /// Takes the result of a round, and sets the time of the next one. Returns the list if it has to be reported.
    fn take(&mut self, looked: Looked, isolation: Option<Isolation>, limit: usize) -> Option<List> {
        let Looked { known, list, left_out, ttl, failure, is_closed } = looked;
        let now = now();
        self.known = known;
        let name = || Arc::clone(&self.name);
        // If no question was answered, no answer has expired.
        let unsaid = if failure.is_some() { u32::MAX } else { 0 };
        let ttl = Duration::from_secs(ttl.unwrap_or(unsaid).into()).clamp(self.least, self.most);
        let mut wait = ttl + ttl.mul_f64(fastrand::f64() / 10.0);
        let mut trouble = (left_out > 0).then(|| DnsError::LeftOut { name: name(), count: left_out, limit });

        // An empty list counts only if every question was answered.
        let mut list = Some(list).filter(|list| !list.is_empty() || failure.is_none());
        // The last failure before an isolation reports the isolation.
        let isolation = failure.as_ref().and(isolation);
        self.is_refused = isolation.is_some();
        self.failures = if failure.is_some() { self.failures.saturating_add(1) } else { 0 };
        match (failure, isolation) {
            (Some(Failure::Isolated(isolation)), None) | (Some(_), Some(isolation)) => {
                // If a probe takes longer than the rest, this time is past. The lower bound prevents that it asks again
                // and again until the probe has ended.
                let rest = isolation.until.saturating_duration_since(now).max(RETRY / 10);
                wait = rest + rest.mul_f64(fastrand::f64() / 10.0);
                trouble = Some(DnsError::Isolated { name: name(), isolation });
            }
            (Some(Failure::Failed(why)), None) => {
                let doubled = RETRY.saturating_mul(1 << (self.failures - 1).min(16)).min(self.most);
                wait = doubled.mul_f64(1.0 - fastrand::f64() / 10.0).min(wait);
                trouble = Some(DnsError::Failed { name: name(), why });
            }
            (None, _) => {}
        }

        if list.as_ref().is_some_and(List::is_empty) {
            let was = self.list.as_ref().is_some_and(|list| !list.is_empty());
            let until = *self.gone.get_or_insert(now) + self.grace;
            if !was {
                list = None;
                trouble = Some(DnsError::Nobody { name: name(), until: None });
            } else if now < until && !is_closed {
                list = None;
                wait = wait.min(until - now);
                trouble = Some(DnsError::Nobody { name: name(), until: Some(until) });
            } else {
                trouble = Some(DnsError::Nobody { name: name(), until: None });
            }
        } else if list.is_some() {
            self.gone = None;
        }

        self.due = Some(now + wait);
        let is_well_again = trouble.is_none() && self.trouble.is_some();
        if let Some(new) = &trouble
            && !self.trouble.as_ref().is_some_and(|old| old.is_as(new))
        {
            self.untold = Some(new.clone());
        }
        self.trouble = trouble;
        list.filter(|list| is_well_again || self.list.as_ref() != Some(list))
    }

    fn members<T>(&self) -> Vec<Member<T>>
    where
        F: Fn(Resolved<'_>) -> T,
    {
        // The labels before the name of a service begin with `_`.
        let mut name = &*self.name;
        while let Some((_, rest)) = name.split_once('.').filter(|(first, _)| first.starts_with('_')) {
            name = rest;
        }
        let member = |(&address, entry): (&SocketAddr, &Entry)| {
            let endpoint = (self.make)(Resolved { name, target: &entry.target, address });
            let mut member = Member::new(address.to_string(), endpoint).weight(entry.weight);
            member.zone.clone_from(&self.zone);
            member
        };
        self.list.iter().flatten().map(member).collect()
    }
}

impl Asking {
    fn new(resolver: &Resolver, question: Question) -> Self {
        Self { resolver: resolver.clone(), question, family: Family::All, limit: 1_000, weight: 1 }
    }

    /// Completes when it is time, or when an isolated resolver is back.
    async fn wait(&self, due: Instant, is_refused: bool) {
        let mut back = pin!(self.resolver.back());
        back.as_mut().enable();
        if !is_refused {
            tokio::time::sleep_until(due.into()).await;
        } else if self.resolver.isolation().is_some() {
            let _ = tokio::time::timeout_at(due.into(), back).await;
        }
    }
}

impl<T, F> Source<T> for Dns<F>
where
    F: Fn(Resolved<'_>) -> T + Send,
{
    type Error = DnsError;

    async fn next(&mut self) -> Option<Result<Vec<Member<T>>, DnsError>> {
        loop {
            if let Some(error) = self.untold.take() {
                return Some(Err(error));
            }
            let Some(asking) = &self.asking else {
                let is_over = core::mem::replace(&mut self.is_over, true);
                return (!is_over).then(|| Ok(self.members()));
            };
            if let Some(due) = self.due {
                asking.wait(due, self.is_refused).await;
            }
            // Nothing is changed before the last await: a round that is dropped midway has no effect.
            let looked = asking.look(&self.known).await;
            let (isolation, limit) = (asking.resolver.isolation(), asking.limit);
            // Its first question was the probe that ended an isolation, and the others were refused.
            if isolation.is_none() && matches!(looked.failure, Some(Failure::Isolated(_))) {
                continue;
            }
            if let Some(list) = self.take(looked, isolation, limit) {
                self.list = Some(list);
                return Some(Ok(self.members()));
            }
        }
    }
}

impl<F> fmt::Debug for Dns<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns").field("name", &self.name).field("list", &self.list).finish_non_exhaustive()
    }
}
