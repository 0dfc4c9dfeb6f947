//! The chain, and what the upstream is told about the user.

use std::sync::Arc;

use chain_runtime::nodes::access_log::{AccessLog, Visit};
use chain_runtime::nodes::auth::Unauthorized;
use chain_runtime::nodes::rate_limit::FailureLimit;
use chain_runtime::nodes::request_id::{RequestId, RequestIds};
use chain_runtime::nodes::shared_rate_limit::Limited;
use chain_runtime::nodes::{Peer, User, peer};
use chain_runtime::pressure::{Adaptive, ByPriority, Elsewhere, Limit, Priority};
use chain_runtime::proxy::{Body, Client, Error, Sender, Statements, Unstatable};
use chain_runtime::tasks::Tasks;
use chain_runtime::telemetry::{Counted, Meter, TraceContexts, Tsc};
use chain_runtime::{Failure, IntoReply, Reloadable, Render, Shedding, Toggles, chain, node};
use http::request::Parts;
use http::{HeaderName, Response, StatusCode};
use hyper::body::Incoming;

pub(crate) use super::common::serve::Reply;
use super::rules::{Route, Rules};

/// What each node takes, for the admin address.
pub(crate) type Measured = Meter<Tsc, Counted>;

chain! {
    /// Every request to the gateway passes through here.
    #[observe(meter)]
    pub(crate) struct Gateway {
        pub(crate) meter: Option<Arc<Measured>>,
        pub(crate) toggles: Toggles,
        pub(crate) shedding: Shedding,
        pub(crate) tasks: Tasks,
        pub(crate) traces: TraceContexts,
        pub(crate) ids: RequestIds,
        pub(crate) log: AccessLog,
        pub(crate) admission: Adaptive<ByPriority, Box<dyn Limit + Send>>,
        pub(crate) failures: FailureLimit<Peer>,
        pub(crate) elsewhere: Elsewhere,
        pub(crate) rules: Reloadable<Rules>,
    }

    async fn(request: Parts, body: Incoming, client: Client) -> Reply {
        #[toggle("traces", off)] traces => ids => peer => #[shed(elevated, sample = 1 / 100)] log => log_cut
        => priority => admission {
            #[toggle("failures")] failures
            => auth => log_user
            => #[toggle("ratelimit")] ratelimit
            => route => visitor => elsewhere { proxy }
        }
    }
}

/// The operator decides which requests matter more. A client is believed if it says that it can wait, since it gains
/// nothing by that: by `Sec-Purpose: prefetch`, or by an urgency of 6 or 7, the two least (RFC 9218).
#[node]
fn priority(request: &Parts, rules: &Rules) -> Priority {
    if rules.critical.iter().any(|path| path == request.uri.path()) {
        return Priority::Critical;
    }
    // Mostly none says so, and one look at the names takes less than two searches.
    let can_wait = request.headers.iter().any(|(name, said)| {
        let what: &[&str] = match name.as_str() {
            "sec-purpose" => &["prefetch"],
            "priority" => &["u=6", "u=7"],
            _ => return false,
        };
        said.to_str().is_ok_and(|said| said.split([',', ';']).any(|word| what.contains(&word.trim())))
    });
    if can_wait { Priority::Sheddable } else { Priority::Default }
}

#[node]
fn auth(request: &Parts, rules: &Rules) -> Result<User, Unauthorized> {
    rules.auth.user(request)
}

#[node]
async fn ratelimit(user: &User, rules: &Rules) -> Result<(), Limited> {
    rules.ratelimit.check(user).await
}

/// Which group serves the path.
#[node]
fn route(request: &Parts, rules: &Rules) -> Result<Arc<Route>, NoRoute> {
    rules.route(request.uri.path()).cloned().ok_or(NoRoute)
}

/// No group serves it.
struct NoRoute;

impl<B: Render> IntoReply<Response<B>> for NoRoute {
    fn into_reply(self) -> Response<B> {
        B::render(&Failure::new(StatusCode::NOT_FOUND, "no-route", "no group of upstreams serves this path"))
    }
}

#[node]
async fn proxy(request: Parts, body: Incoming, visitor: &Visitor, route: &Arc<Route>) -> Result<Response<Body>, Error> {
    route.forward.enter(request, body, visitor).await
}

/// Tells the log what cuts the connection, if there is a line.
#[node]
fn log_cut(client: &Client, visit: &Option<Visit>) {
    if let Some(visit) = visit {
        visit.cut_by(client.cut());
    }
}

/// Tells the log who the user is, if there is a line.
#[node]
fn log_user(user: &User, visit: &Option<Visit>) {
    if let Some(visit) = visit {
        visit.user(user);
    }
}

/// The field that tells the upstream who the user is. A client's own value of it is replaced.
pub(crate) const FORWARDED_USER: HeaderName = HeaderName::from_static("x-forwarded-user");

/// The field that carries a request's id, all the way.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The sender of a request.
pub(crate) struct Visitor {
    client: Client,
    user: User,
    id: RequestId,
}

#[node]
fn visitor(client: &Client, user: &User, id: &RequestId) -> Visitor {
    Visitor { client: client.clone(), user: user.clone(), id: id.clone() }
}

impl Sender for Visitor {
    fn client(&self) -> &Client {
        &self.client
    }

    fn state(&self, statements: &mut Statements<'_>) -> Result<(), Unstatable> {
        statements.text(&FORWARDED_USER, self.user.name())?;
        statements.value(&REQUEST_ID, self.id.value().clone())
    }
}
