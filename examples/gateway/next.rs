//! The next version of the [`Rules`]: it is valid as a whole before anything is changed by it.

use std::cmp::Reverse;
use std::sync::Arc;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::nodes::auth::Auth;
use chain_runtime::nodes::rate_limit::RateLimit;
use chain_runtime::proxy::{Tunnels, Upstream};
use chain_runtime::upstream::Member;
use http::header::AUTHORIZATION;
use http::uri::PathAndQuery;

use super::cli::Flags;
use super::common::failure::Failure;
use super::common::group::Group;
use super::groups::{self, Grouped};
use super::rules::{Passage, Route, Rules};

/// What no configuration changes.
pub(crate) struct Lasting {
    /// What the gateway calls itself.
    pub(crate) name: String,
    /// Where requests go, where nothing is said.
    pub(crate) embedded: Option<Upstream>,
    /// Who may ask, where nothing is said.
    pub(crate) demo: Option<Arc<Auth>>,
    pub(crate) check: Option<PathAndQuery>,
    pub(crate) lines: Lines,
}

/// It changes nothing yet.
pub(crate) struct Next {
    rules: Rules,
    lists: Vec<(Arc<Group>, Vec<Member<Upstream>>)>,
}

impl Next {
    /// The version that these flags ask for. What is the same as before is kept: groups with their registries, connections to upstreams, and what users have used up
    /// of their rate.
    pub(crate) fn new(
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
        let rate = [flags.rate, flags.burst];
        let ratelimit = match before {
            Some(before) if before.rate == rate => Arc::clone(&before.ratelimit),
            _ => Arc::new(RateLimit::per_second(flags.rate).burst(flags.burst)),
        };
        let by = Passage {
            name: lasting.name.clone(),
            limits: flags.limits(),
            // An API key is a secret between the client and the gateway. `Authorization` has to be passed on as it is (RFC 9110, 11.6.2).
            hides: auth.fields().filter(|field| *field != AUTHORIZATION).cloned().collect(),
            tunnels: Arc::clone(tunnels),
        };
        let embedded: Vec<Grouped> = lasting.embedded.iter().cloned().map(Grouped::from).collect();
        let members = groups::members(if flags.upstreams.is_empty() { &embedded } else { &flags.upstreams })?;
        if members.is_empty() {
            return Err(Failure::usage("no upstream is named any more"));
        }
        let (mut routes, mut lists) = (Vec::new(), Vec::new());
        for (prefix, list) in members {
            let known = before.and_then(|before| before.routes.iter().find(|route| route.group.name == prefix));
            let route = match known {
                Some(route) if route.is_by(&by) => Arc::clone(route),
                Some(route) => Arc::new(Route::new(Arc::clone(&route.group), by.clone())),
                None => {
                    let group = Group::new(prefix, lasting.check.clone(), &lasting.lines);
                    Arc::new(Route::new(Arc::new(group), by.clone()))
                }
            };
            lists.push((Arc::clone(&route.group), list));
            routes.push(route);
        }
        routes.sort_by_key(|route| Reverse(route.group.name.len()));
        Ok(Self { rules: Rules { critical: flags.critical.clone(), auth, ratelimit, rate, routes }, lists })
    }

    /// Makes the lists those of their groups, and tells what that changes. What else is new is in the rules.
    pub(crate) fn apply(self, mut told: impl FnMut(String)) -> Result<Rules, Failure> {
        for (group, list) in self.lists {
            let changes = group.replace(list).map_err(Failure::failed)?;
            if changes.added + changes.removed + changes.reweighed > 0 {
                told(format!("group {}: {changes}", group.name));
            }
        }
        Ok(self.rules)
    }
}
