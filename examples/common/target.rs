//! Upstreams as flags name them, and the members that they make.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::Duration;

use chain_runtime::proxy::Upstream;
use chain_runtime::upstream::{Dns, DnsError, Member, Resolved, Resolver, Source as _};
use tokio::time::timeout;

/// An upstream as a flag says it: `URL[*WEIGHT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    upstream: Upstream,
    weight: NonZeroU32,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((url, weight)) = text.rsplit_once('*') else { return Ok(text.parse::<Upstream>()?.into()) };
        let wrong = |_| format!("`{weight}` is no weight: a number from 1 on is");
        Ok(Self { upstream: url.parse()?, weight: weight.parse().map_err(wrong)? })
    }
}

impl From<Upstream> for Target {
    fn from(upstream: Upstream) -> Self {
        Self { upstream, weight: NonZeroU32::MIN }
    }
}

impl Target {
    /// Its URL, by which it is told from others.
    pub(crate) fn name(&self) -> String {
        self.upstream.to_string()
    }

    /// The member for an address. `None` for a name, which resolves to its members.
    pub(crate) fn member(&self) -> Option<Member<Upstream>> {
        let host = self.upstream.authority().host();
        host.trim_matches(['[', ']']).parse::<IpAddr>().ok()?;
        Some(Member::new(self.name(), self.upstream.clone()).weight(self.weight.get()))
    }

    /// Begins to follow a name.
    pub(crate) async fn follow(&self) -> Result<Followed, String> {
        static RESOLVER: LazyLock<Result<Resolver, DnsError>> = LazyLock::new(Resolver::system);
        let resolver = RESOLVER.as_ref().map_err(ToString::to_string)?;
        let (authority, upstream) = (self.upstream.authority(), self.upstream.clone());
        let make: Make = Box::new(move |found| upstream.clone().at(found.address));
        let dns = Dns::host(resolver, authority.host(), authority.port_u16().unwrap_or(80), make);
        let mut dns = dns.map_err(|error| error.to_string())?.weight(self.weight.get());
        let first = match timeout(PATIENCE, dns.next()).await {
            Ok(Some(Ok(members))) => Ok(members),
            Ok(Some(Err(error))) => Err(error.to_string()),
            Ok(None) | Err(_) => Err(format!("{}: there is no answer", authority.host())),
        };
        Ok(Followed { target: self.clone(), dns, first })
    }
}

/// The longest time for the first answer.
const PATIENCE: Duration = Duration::from_secs(5);

type Make = Box<dyn Fn(Resolved<'_>) -> Upstream + Send>;

/// A name, with its present members, or why it has none.
pub(crate) struct Followed {
    pub(crate) target: Target,
    pub(crate) dns: Dns<Make>,
    pub(crate) first: Result<Vec<Member<Upstream>>, String>,
}
