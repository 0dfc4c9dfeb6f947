//! The part of the gateway that a new configuration changes while requests run: a request has one version of it, to its
//! end.

use std::sync::Arc;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::nodes::auth::Auth;
use chain_runtime::proxy::{Forward, Limits, Settings, Tunnels, Upstream};
use chain_runtime::upstream::{Checks, PeakEwma, Pick};
use http::HeaderName;
use http::uri::PathAndQuery;
use hyper::body::Incoming;
use tokio::task::JoinSet;

use super::common::group::Group;
use super::common::logging;
use super::gateway::{FORWARDED_USER, REQUEST_ID, Visitor};
use super::groups::serves;
use super::limit::{Figures, UserLimit};

/// One version.
pub(crate) struct Rules {
    /// Paths whose requests are served before all others.
    pub(crate) critical: Vec<String>,
    pub(crate) auth: Arc<Auth>,
    pub(crate) ratelimit: Arc<UserLimit>,
    /// The settings of which it was made.
    pub(crate) figures: Figures,
    /// Those with the longest prefixes first.
    pub(crate) routes: Vec<Arc<Route>>,
}

impl Rules {
    /// The group for this path. A target that is no path, as in `OPTIONS *` and in `CONNECT`, belongs to the group with
    /// the shortest prefix.
    pub(crate) fn route(&self, path: &str) -> Option<&Arc<Route>> {
        if !path.starts_with('/') {
            return self.routes.last();
        }
        self.routes.iter().find(|route| serves(&route.group.name, path))
    }

    /// All groups, those with the longest prefixes first.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.routes.iter().map(|route| &route.group)
    }
}

/// A group, and how requests are passed on to it.
pub(crate) struct Route {
    /// Its name is its prefix.
    pub(crate) group: Arc<Group>,
    pub(crate) forward: Forward<Pick<Upstream>, Incoming, Visitor>,
    by: Passage,
    /// They end with the group.
    checks: JoinSet<()>,
}

/// How requests are passed on.
#[derive(Clone)]
pub(crate) struct Passage {
    /// The gateway's own name.
    pub(crate) name: String,
    pub(crate) limits: Limits,
    /// Fields that are between the client and the gateway.
    pub(crate) hides: Vec<HeaderName>,
    pub(crate) tunnels: Arc<Tunnels>,
}

impl Route {
    /// To this group, with these settings.
    pub(crate) fn new(group: Arc<Group>, by: Passage) -> Self {
        let settings = Settings::default()
            .via(&by.name)
            .limits(by.limits)
            .reserves([FORWARDED_USER, REQUEST_ID])
            .hides(by.hides.iter().cloned())
            .tunnels(&by.tunnels);
        let pick = Pick::new(Arc::clone(&group.registry), PeakEwma::new());
        Self { group, forward: Forward::new(pick, settings), by, checks: JoinSet::new() }
    }

    /// Checks members by this path, if there is one, in addition to judging them by how requests end.
    pub(crate) fn checked(mut self, path: Option<PathAndQuery>, lines: &Lines) -> Self {
        if let Some(path) = path {
            let (registry, lines) = (Arc::clone(&self.group.registry), lines.clone());
            let (check, group) = (self.forward.check(path), self.group.name.clone());
            self.checks.spawn(async move {
                registry
                    .check(check, Checks::new(), |found| {
                        let what = format_args!("group {group}: upstream {found}");
                        match found.why {
                            Some(_) => logging::warn(&lines, what),
                            None => logging::info(&lines, what),
                        }
                    })
                    .await
            });
        }
        self
    }

    /// Whether requests are passed on with these settings.
    pub(crate) fn is_by(&self, by: &Passage) -> bool {
        let Passage { name, limits, hides, tunnels } = by;
        let are_same = Arc::ptr_eq(&self.by.tunnels, tunnels);
        are_same && (&self.by.name, &self.by.limits, &self.by.hides) == (name, limits, hides)
    }
}
