//! The chain, and what the upstream is told of who asks.

use chain_runtime::nodes::access_log::{AccessLog, Entry, log_cut, log_user};
use chain_runtime::nodes::auth::Auth;
use chain_runtime::nodes::rate_limit::{FailureLimit, RateLimit};
use chain_runtime::nodes::request_id::{RequestId, RequestIds};
use chain_runtime::nodes::{Peer, User, peer};
use chain_runtime::proxy::{Body, Client, Forward, Rotation, Sender, Statements, Unstatable};
use chain_runtime::tailed::Tailed;
use chain_runtime::telemetry::{Counted, Meter, Tsc};
use chain_runtime::{Toggles, chain, node};
use http::request::Parts;
use http::{HeaderName, Response};
use hyper::body::Incoming;

/// The line of the log goes with the reply's body, to its end.
pub(crate) type Reply = Response<Tailed<Body, Option<Entry>>>;

chain! {
    /// Every request to the gateway passes through here.
    #[observe(meter)]
    pub(crate) struct Gateway {
        pub(crate) meter: Meter<Tsc, Counted>,
        pub(crate) toggles: Toggles,
        pub(crate) ids: RequestIds,
        pub(crate) log: AccessLog,
        pub(crate) failures: FailureLimit<Peer>,
        pub(crate) auth: Auth,
        pub(crate) ratelimit: RateLimit<User>,
        pub(crate) proxy: Forward<Rotation, Incoming, Visitor>,
    }

    async fn(request: Parts, body: Incoming, client: Client) -> Reply {
        ids => peer => log => log_cut
        => #[toggle("failures")] failures
        => auth => log_user
        => #[toggle("ratelimit")] ratelimit
        => visitor => proxy
    }
}

/// The field that tells the upstream who the user is. What a client puts there is replaced.
pub(crate) const FORWARDED_USER: HeaderName = HeaderName::from_static("x-forwarded-user");

/// The field that carries a request's id, on all of its way.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// For whom a request is forwarded.
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
