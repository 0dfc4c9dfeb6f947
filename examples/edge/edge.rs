//! The chain.

use bytes::Bytes;
use chain_runtime::around::{CatchPanic, Concurrency, Deadline, Retry};
use chain_runtime::nodes::access_log::{AccessLog, log_cut};
use chain_runtime::nodes::peer;
use chain_runtime::proxy::{Client, Paths, sound};
use chain_runtime::{Reloadable, Toggles, chain};
use http::request::Parts;
use http_body_util::Full;
use hyper::body::Incoming;

pub(crate) use super::common::serve::Reply;
use super::common::serve::Serves;
use super::group::Group;
use super::limits::{Limits, quota};
use super::nodes::{Api, Route, faults, key, payload, repeatable, route, unknown, version, who};

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

    async fn(request: Parts, body: Incoming, client: Client) -> Reply {
        peer => log => log_cut => sound => paths
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

impl Serves for Edge {
    fn log(&self) -> &AccessLog {
        &self.log
    }

    fn answer(&self, request: Parts, body: Incoming, client: Client) -> impl Future<Output = Reply> + Send {
        self.run(request, body, client)
    }
}
