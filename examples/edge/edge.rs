//! The chain.

use bytes::Bytes;
use chain_runtime::around::{CatchPanic, Concurrency, Deadline, Retry};
use chain_runtime::nodes::access_log::{AccessLog, log_cut};
use chain_runtime::nodes::peer;
use chain_runtime::proxy::{ByLease, Client, Paths, Repeatable, Upstream, idempotent, sound};
use chain_runtime::upstream::{Pick, Untried, tried};
use chain_runtime::{Reloadable, Toggles, chain};
use http::request::Parts;
use http_body_util::Full;
use hyper::body::Incoming;

use super::common::group::Group;
pub(crate) use super::common::serve::Reply;
use super::forward::{Asker, Served, asker};
use super::limits::{Limits, quota};
use super::nodes::{Api, Route, faults, key, payload, route, unknown, version, who};

/// A request's body, whole: it can be sent more than once.
pub(crate) type Payload = Full<Bytes>;

chain! {
    /// Every request passes through here.
    pub(crate) struct Edge {
        pub(crate) toggles: Toggles,
        pub(crate) limits: Reloadable<Limits>,
        pub(crate) log: AccessLog,
        pub(crate) paths: Paths,
        pub(crate) deadline: Deadline,
        pub(crate) attempt: Deadline,
        pub(crate) room: Concurrency,
        /// One for requests that may be carried out twice, and one for requests that no upstream may have seen.
        pub(crate) again: Retry<fn(&Reply) -> bool>,
        pub(crate) again_unseen: Retry<fn(&Reply) -> bool>,
        pub(crate) files: Untried<Pick<Upstream>>,
        pub(crate) stable: Untried<Pick<Upstream>>,
        pub(crate) canary: Pick<Upstream>,
        pub(crate) by_files: Served,
        pub(crate) by_stable: Served,
        pub(crate) by_canary: Served,
        pub(crate) forward: Repeatable<ByLease, Payload, Asker>,
        /// Who is in each of them.
        pub(crate) groups: [Group; 3],
    }

    async fn(request: Parts, body: Incoming, client: Client) -> Reply {
        peer => log => log_cut => sound => paths
        => CatchPanic {
            room {
                match route {
                    Route::Files =>
                        payload => asker => tried
                        => deadline {
                            if idempotent { again { attempt { files => by_files => forward } } }
                            else { again_unseen { attempt { files => by_files => forward } } }
                        },
                    Route::Api(api: Api) =>
                        version => who => key
                        => #[toggle("quota")] quota
                        // The deadline begins after the body: a body that makes progress is no reason to end a request.
                        => payload => asker => tried
                        => deadline {
                            #[toggle("faults", off)] faults
                            => #[toggle("canary")] #[split(5)] attempt { canary => by_canary => forward }
                            else {
                                if idempotent { again { attempt { stable => by_stable => forward } } }
                                else { again_unseen { attempt { stable => by_stable => forward } } }
                            }
                        },
                    Route::Unknown => unknown,
                }
            }
        }
    }
}
