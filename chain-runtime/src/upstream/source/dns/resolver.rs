//! [`Resolver`]: the name servers, and the watch over them.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::string::ToString as _;
use std::sync::{Arc, PoisonError};
use std::vec::Vec;

use futures_util::future::join;
use hickory_resolver::Hosts;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::sync::Semaphore;
use tokio::sync::futures::Notified;

use super::answer::{Answer, least};
use super::query::{Failure, Shared, pool};
use super::search::Search;
use super::watch::{Isolation, Limits};
use super::{DnsError, LONGEST};
use crate::sync::atomic::Ordering::Relaxed;

/// The name servers that are asked, and a watch over how they answer. Clones are the same resolver.
///
/// It keeps no answers: [`Dns`](super::Dns) asks again when its answer has expired.
///
/// # When it fails
///
/// A query fails if no server answers in [time](Self::with_timeout), or if all servers say that they cannot or will not
/// answer. "There is no such name" is an answer. If [half of the queries of a minute](Self::with_threshold) have
/// failed, and at least 10, the resolver is *isolated*: it gets no queries, except for one after 5 s, 10 s, 20 s, up to
/// [one each minute](Self::with_rest). The first of these that succeeds ends the isolation, and all sources that have
/// waited ask at once. So a name server that is ill or overloaded is left in peace, and names that cannot be resolved
/// do not become a storm of questions.
///
/// ```no_run
/// use std::time::Duration;
///
/// use chain_runtime::upstream::Resolver;
///
/// let of_the_system = Resolver::system()?;
/// let own = Resolver::at(["10.0.0.2:53".parse()?, "10.0.0.3:53".parse()?]).with_timeout(Duration::from_secs(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Resolver {
    shared: Arc<Shared>,
}

/// What a resolver was asked so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// Queries that ended.
    pub queries: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Queries that are under way.
    pub under_way: usize,
}

/// The addresses of a name. Each kind may have failed by itself.
pub(super) struct Addresses {
    pub(super) v4: Result<Answer<IpAddr>, Failure>,
    pub(super) v6: Result<Answer<IpAddr>, Failure>,
}

/// Which addresses are asked for. The default is all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// A and AAAA.
    #[default]
    All,
    /// Only A: for machines without IPv6.
    V4,
    /// Only AAAA.
    V6,
}

/// The seconds for which an answer counts that does not come from a server: from `/etc/hosts`, or for `localhost`.
const LOCAL: u32 = u32::MAX;

impl Resolver {
    /// The name servers and the search list of `/etc/resolv.conf`, and before them the names of `/etc/hosts`. Both
    /// files are read now, and not again.
    ///
    /// # Errors
    ///
    /// `/etc/resolv.conf` cannot be read, or names no server.
    pub fn system() -> Result<Self, DnsError> {
        let (config, options) =
            hickory_resolver::system_conf::read_system_conf().map_err(|error| DnsError::System(error.to_string()))?;
        let search = Search { domains: config.search().to_vec(), ndots: options.ndots };
        Ok(Self::new(config, search, Hosts::from_system().unwrap_or_default()))
    }

    /// These name servers, over UDP, and over TCP if an answer is too long for that. There is no search list. A
    /// resolver without servers fails.
    pub fn at(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        let servers = servers.into_iter().map(|server| {
            let mut connections = Vec::from([ConnectionConfig::udp(), ConnectionConfig::tcp()]);
            connections.iter_mut().for_each(|connection| connection.port = server.port());
            NameServerConfig::new(server.ip(), true, connections)
        });
        Self::new(ResolverConfig::from_name_servers(servers.collect()), Search::default(), Hosts::default())
    }

    fn new(config: ResolverConfig, search: Search, hosts: Hosts) -> Self {
        Self { shared: Arc::new(Shared::new(config.name_servers, search, hosts)) }
    }

    /// Sets how long a query may take, with all servers that are tried for it. The default is 2 s.
    ///
    /// # Panics
    ///
    /// If the resolver was cloned already, or is in use. This holds for all methods that begin with `with_`.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        let shared = self.own();
        shared.timeout = timeout;
        shared.pool = pool(&shared.servers, timeout);
        self
    }

    /// Sets how many queries may be under way at once. Others wait for their turn. The default is 16.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[must_use]
    pub fn with_at_once(mut self, queries: usize) -> Self {
        assert!(queries > 0, "a resolver that is never asked");
        let own = self.own();
        own.limit = queries.min(Semaphore::MAX_PERMITS);
        own.at_once = Semaphore::new(own.limit);
        self
    }

    /// Isolates the resolver when this share of its queries has failed, of at least so many within this time. The
    /// default is half of at least 10 within a minute.
    ///
    /// # Panics
    ///
    /// If the share is not above 0.0 and up to 1.0, or there are no samples.
    #[must_use]
    pub fn with_threshold(mut self, share: f64, samples: u32, window: Duration) -> Self {
        assert!(0.0 < share && share <= 1.0, "a share of failures is above 0.0 and up to 1.0");
        assert!(samples > 0, "a share of nothing says nothing");
        let limits = &mut self.own().watch.get_mut().unwrap_or_else(PoisonError::into_inner).limits;
        *limits = Limits { share, samples, window, ..*limits };
        self
    }

    /// Sets how long an isolated resolver rests before it is probed, and how long at most: each failed probe doubles
    /// the time. The defaults are 5 s and a minute.
    #[must_use]
    pub fn with_rest(mut self, first: Duration, longest: Duration) -> Self {
        let limits = &mut self.own().watch.get_mut().unwrap_or_else(PoisonError::into_inner).limits;
        let first = first.min(LONGEST);
        *limits = Limits { rest: first, longest: longest.clamp(first, LONGEST), ..*limits };
        self
    }

    fn own(&mut self) -> &mut Shared {
        Arc::get_mut(&mut self.shared).expect("a resolver that was cloned, or is in use, stays as it is")
    }

    /// Why and how long the resolver is not asked. `None` if it is asked.
    #[must_use]
    pub fn isolation(&self) -> Option<Isolation> {
        self.shared.watch().isolation()
    }

    /// What the resolver was asked so far.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked {
            queries: self.shared.queries.load(Relaxed),
            failed: self.shared.failed.load(Relaxed),
            under_way: self.shared.limit - self.shared.at_once.available_permits(),
        }
    }

    /// Completes when the resolver is asked again after an isolation.
    pub(super) fn back(&self) -> Notified<'_> {
        self.shared.back.notified()
    }

    /// The addresses of this name, completed by the search list if it is not complete. The first name with addresses
    /// counts. A failure ends the search, since a later name is not meant if an earlier one exists.
    pub(super) async fn addresses(&self, name: &Name, family: Family) -> Addresses {
        let nothing = || Ok(Answer { records: Vec::new(), ttl: None });
        let mut best: Option<u32> = None;
        for name in self.shared.search.names(name) {
            let v4 = async { if family == Family::V6 { nothing() } else { self.address(&name, RecordType::A).await } };
            let v6 =
                async { if family == Family::V4 { nothing() } else { self.address(&name, RecordType::AAAA).await } };
            let (v4, v6) = match self.local(&name, family) {
                Some(records) => (Ok(Answer { records, ttl: Some(LOCAL) }), nothing()),
                None => join(v4, v6).await,
            };
            match (&v4, &v6) {
                (Ok(v4), Ok(v6)) if v4.records.is_empty() && v6.records.is_empty() => {
                    best = [best, v4.ttl, v6.ttl].into_iter().flatten().min();
                }
                _ => return Addresses { v4, v6 },
            }
        }
        Addresses { v4: Ok(Answer { records: Vec::new(), ttl: best }), v6: nothing() }
    }

    /// The records of this kind, for a name that is completed in the same way.
    pub(super) async fn records<R>(
        &self,
        name: &Name,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<R>,
    ) -> Result<Answer<R>, Failure> {
        let mut best = None;
        for name in self.shared.search.names(name) {
            let answer = self.shared.ask(name, kind, &pick).await?;
            if !answer.records.is_empty() {
                return Ok(answer);
            }
            best = least(best, answer.ttl);
        }
        Ok(Answer { records: Vec::new(), ttl: best })
    }

    async fn address(&self, name: &Name, kind: RecordType) -> Result<Answer<IpAddr>, Failure> {
        self.shared.ask(name.clone(), kind, RData::ip_addr).await
    }

    /// What is known without a server: `/etc/hosts`, and `localhost` (RFC 6761, section 6.3).
    fn local(&self, name: &Name, family: Family) -> Option<Vec<IpAddr>> {
        let mut found = Vec::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            if let Some(lookup) = self.shared.hosts.lookup_static_host(&Query::query(name.clone(), kind)) {
                found.extend(lookup.answers().iter().filter_map(|record| record.data.ip_addr()));
            }
        }
        if found.is_empty() && name.iter().next_back().is_some_and(|label| label.eq_ignore_ascii_case(b"localhost")) {
            found.extend([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        }
        let is_known = !found.is_empty();
        found.retain(|address| match family {
            Family::All => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        });
        is_known.then_some(found)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("servers", &self.shared.servers)
            .field("asked", &self.asked())
            .field("isolation", &self.isolation())
            .finish_non_exhaustive()
    }
}
