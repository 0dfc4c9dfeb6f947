//! [`Shared`]: makes one query after another, with a time limit, a turn and a note for each.

use core::time::Duration;
use std::string::{String, ToString as _};
use std::sync::{Arc, PoisonError};
use std::vec::Vec;

use hickory_resolver::config::{NameServerConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::{DnsHandle as _, FirstAnswer as _};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsRequestOptions, DnsResponse, Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, NameServerPool, PoolContext, TlsConfig};
use tokio::sync::{Notify, Semaphore};

use super::answer::{Answer, Chain, Next};
use super::search::Search;
use super::watch::{Isolation, Limits, Pass, Watch};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::upstream::clock::now;

type Pool = NameServerPool<TokioRuntimeProvider>;

pub(super) struct Shared {
    pub(super) servers: Vec<NameServerConfig>,
    pub(super) pool: Pool,
    pub(super) search: Search,
    pub(super) hosts: Hosts,
    pub(super) timeout: Duration,
    pub(super) at_once: Semaphore,
    pub(super) limit: usize,
    pub(super) watch: Mutex<Watch>,
    /// Notified when the resolver is asked again.
    pub(super) back: Notify,
    pub(super) queries: AtomicU64,
    pub(super) failed: AtomicU64,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Isolated(Isolation),
    Failed(String),
}

/// How long a query may take by default.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many queries run at once by default.
const AT_ONCE: usize = 16;

impl Shared {
    pub(super) fn new(servers: Vec<NameServerConfig>, search: Search, hosts: Hosts) -> Self {
        Self {
            pool: pool(&servers, TIMEOUT),
            servers,
            search,
            hosts,
            timeout: TIMEOUT,
            at_once: Semaphore::new(AT_ONCE),
            limit: AT_ONCE,
            watch: Mutex::new(Watch::new(Limits::DEFAULT)),
            back: Notify::new(),
            queries: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    pub(super) fn watch(&self) -> impl core::ops::DerefMut<Target = Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for one kind of records, along all aliases.
    pub(super) async fn ask<R>(
        &self,
        name: Name,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<R>,
    ) -> Result<Answer<R>, Failure> {
        let mut chain = Chain::new(name);
        loop {
            let reply = match self.query(chain.last().clone(), kind).await? {
                Ok(reply) => reply,
                Err(ttl) => return Ok(chain.nothing(ttl)),
            };
            match chain.read(&reply, |data| if data.record_type() == kind { pick(data) } else { None }) {
                Next::Answer(answer) => return Ok(answer),
                Next::Ask(_) => {}
                Next::Endless => return Err(Failure::Failed("its aliases lead in a circle, or too far".to_string())),
            }
        }
    }

    /// Asks one question. `Err` within `Ok` means that there is nothing, for so many seconds.
    async fn query(&self, name: Name, kind: RecordType) -> Result<Result<DnsResponse, Option<u32>>, Failure> {
        let _turn = self.at_once.acquire().await.expect("it is never closed");
        let entered = Entered::new(self)?;
        let mut options = DnsRequestOptions::default();
        options.use_edns = true;
        let reply = self.pool.lookup(Query::query(name, kind), options).first_answer();
        let reply = tokio::time::timeout(self.timeout, reply).await.unwrap_or(Err(NetError::Timeout));
        let reply = match reply {
            Ok(reply) => match reply.response_code {
                ResponseCode::NoError | ResponseCode::NXDomain => Ok(Ok(reply)),
                code => Err(std::format!("error response: {code}")),
            },
            Err(NetError::Dns(DnsError::NoRecordsFound(nothing)))
                if matches!(nothing.response_code, ResponseCode::NoError | ResponseCode::NXDomain) =>
            {
                Ok(Err(nothing.negative_ttl))
            }
            Err(error) => Err(error.to_string()),
        };
        entered.note(reply.is_err());
        reply.map_err(Failure::Failed)
    }
}

/// A query under way. If it is dropped before it was noted, it does not count, and a probe gives its place back.
struct Entered<'a> {
    shared: &'a Shared,
    pass: Option<Pass>,
}

impl<'a> Entered<'a> {
    fn new(shared: &'a Shared) -> Result<Self, Failure> {
        let pass = shared.watch().enter(now()).map_err(Failure::Isolated)?;
        Ok(Self { shared, pass: Some(pass) })
    }

    fn note(mut self, failed: bool) {
        let Some(pass) = self.pass.take() else { return };
        self.shared.queries.fetch_add(1, Relaxed);
        self.shared.failed.fetch_add(u64::from(failed), Relaxed);
        let changed = self.shared.watch().note(pass, now(), failed);
        if changed && !failed {
            self.shared.back.notify_waiters();
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(pass) = self.pass {
            self.shared.watch().cancelled(pass, now());
            // A question that waits for the end of the isolation may be the next probe.
            if pass == Pass::Probe {
                self.shared.back.notify_waiters();
            }
        }
    }
}

/// One try may take the whole time of the query: if a server is silent, the pool asks two at once, and the others after
/// that.
pub(super) fn pool(servers: &[NameServerConfig], timeout: Duration) -> Pool {
    let mut options = ResolverOpts::default();
    let rounds = servers.len().div_ceil(options.num_concurrent_reqs).max(1);
    options.timeout = timeout / u32::try_from(rounds).unwrap_or(u32::MAX);
    let tls = TlsConfig::new().expect("without TLS there is nothing to fail");
    NameServerPool::from_config(
        servers.iter().cloned(),
        Arc::new(PoolContext::new(options, tls)),
        TokioRuntimeProvider::default(),
    )
}
