//! The next version of the [`Rules`]: it is validated as a whole before it changes anything.

use std::cmp::Reverse;
use std::sync::Arc;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::nodes::auth::Auth;
use chain_runtime::proxy::{Tunnels, Upstream};
use chain_runtime::shared::Redis;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;

use super::cli::Flags;
use super::common::failure::Failure;
use super::common::group::{Group, Prepared};
use super::groups::{self, Grouped};
use super::limit::UserLimit;
use super::rules::{Passage, Route, Rules};

/// What no configuration changes.
pub(crate) struct Lasting {
    /// The gateway's own name.
    pub(crate) name: String,
    /// The default upstreams.
    pub(crate) embedded: Option<Upstream>,
    /// The default credentials.
    pub(crate) demo: Option<Arc<Auth>>,
    pub(crate) check: Option<PathAndQuery>,
    /// The Redis that several gateways share.
    pub(crate) redis: Option<Redis>,
    pub(crate) lines: Lines,
}

/// It changes nothing yet.
pub(crate) struct Next {
    rules: Rules,
    lists: Vec<(Arc<Group>, Prepared)>,
}

impl Next {
    /// The version for these flags. What is unchanged is kept: groups with their registries, connections to upstreams,
    /// and the used-up quotas of users.
    pub(crate) async fn new(
        flags: &Flags,
        lasting: &Lasting,
        tunnels: &Arc<Tunnels>,
        before: Option<&Rules>,
    ) -> Result<Self, Failure> {
        let auth = match (flags.auth()?, &lasting.demo) {
            (Some(auth), _) => Arc::new(auth),
            (None, Some(demo)) => Arc::clone(demo),
            (None, None) => return Err(Failure::usage("nothing says any more who may ask")),
        };
        let figures = flags.figures();
        let ratelimit = match before {
            Some(before) if before.figures == figures => Arc::clone(&before.ratelimit),
            _ => Arc::new(UserLimit::new(lasting.redis.as_ref(), figures)?),
        };
        let by = Passage {
            name: lasting.name.clone(),
            limits: flags.limits(),
            // An API key is a secret between the client and the gateway. `Authorization` has to be passed on unchanged
            // (RFC 9110, 11.6.2).
            hides: auth.fields().filter(|field| *field != AUTHORIZATION).cloned().collect(),
            tunnels: Arc::clone(tunnels),
        };
        let embedded: Vec<Grouped> = lasting.embedded.iter().cloned().map(Grouped::from).collect();
        let groups = groups::by_prefix(if flags.upstreams.is_empty() { &embedded } else { &flags.upstreams });
        if groups.is_empty() {
            return Err(Failure::usage("no upstream is named any more"));
        }
        let (mut routes, mut lists) = (Vec::new(), Vec::new());
        for (prefix, targets) in groups {
            let known = before.and_then(|before| before.routes.iter().find(|route| route.group.name == prefix));
            let route = match known {
                Some(route) if route.is_by(&by) => Arc::clone(route),
                known => {
                    let group = known.map(|route| Arc::clone(&route.group));
                    let group = group.unwrap_or_else(|| Arc::new(Group::new(prefix, &lasting.lines)));
                    Arc::new(Route::new(group, by.clone()).checked(lasting.check.clone(), &lasting.lines))
                }
            };
            let prepared =
                route.group.prepare(&targets, before.is_none()).await.map_err(|wrong| wrong.of("--upstream"))?;
            lists.push((Arc::clone(&route.group), prepared));
            routes.push(route);
        }
        routes.sort_by_key(|route| Reverse(route.group.name.len()));
        Ok(Self { rules: Rules { critical: flags.critical.clone(), auth, ratelimit, figures, routes }, lists })
    }

    /// Makes the members those of their groups, and logs the changes. The other new settings are in the rules.
    pub(crate) fn apply(self) -> (Rules, Vec<String>) {
        let told = self.lists.into_iter().flat_map(|(group, prepared)| group.apply(prepared)).collect();
        (self.rules, told)
    }
}
