//! The chain.

use bytes::Bytes;
use chain_runtime::around::{CatchPanic, Concurrency, Deadline, Retry};
use chain_runtime::nodes::Peer;
use chain_runtime::nodes::access_log::{AccessLog, Entry, log_cut};
use chain_runtime::proxy::{Body, Client, Paths, sound};
use chain_runtime::tailed::Tailed;
use chain_runtime::{Reloadable, Toggles, chain};
use http::request::Parts;
use http_body_util::Full;
use hyper::body::Incoming;

use super::group::Group;
use super::limits::{Limits, quota};
use super::nodes::{Api, Route, faults, key, payload, repeatable, route, unknown, version, who};

/// The line of the log goes with the reply's body, to its end.
pub(crate) type Reply = http::Response<Tailed<Body, Option<Entry>>>;

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
        pub(crate) again: Retry<fn(&Reply) -> bool>,
        pub(crate) files: Group,
        pub(crate) stable: Group,
        pub(crate) canary: Group,
    }

    async fn(request: Parts, body: Incoming, client: Client, peer: Peer) -> Reply {
        log => log_cut => sound => paths
        => CatchPanic {
            room {
                match route {
                    Route::Files =>
                        payload
                        => deadline {
                            if repeatable { again { attempt { files } } } else { attempt { files } }
                        },
                    Route::Api(api: Api) =>
                        version => who => key
                        => #[toggle("quota")] quota
                        // A body that makes progress is no reason to end a request: the deadline begins behind it.
                        => payload
                        => deadline {
                            #[toggle("faults", off)] faults
                            => #[toggle("canary")] #[split(5)] attempt { canary }
                            else {
                                if repeatable { again { attempt { stable } } } else { attempt { stable } }
                            }
                        },
                    Route::Unknown => unknown,
                }
            }
        }
    }
}
