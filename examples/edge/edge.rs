//! The chain.

use bytes::Bytes;
use chain_runtime::around::{CatchPanic, Concurrency, Deadline, Retry};
use chain_runtime::{Reloadable, Toggles, chain};
use http::request::Parts;
use http_body_util::Full;
use hyper::body::Incoming;

use super::access::Access;
use super::limits::{Limits, quota};
use super::nodes::{Api, Route, bodiless, client, faults, key, payload, repeatable, route, unknown, version};
use super::upstream::Upstreams;

/// A reply, read whole: one that breaks off midway can still be tried again.
pub(crate) type Reply = http::Response<Full<Bytes>>;

chain! {
    /// Every request passes through here.
    pub(crate) struct Edge {
        pub(crate) toggles: Toggles,
        pub(crate) limits: Reloadable<Limits>,
        pub(crate) access: Access,
        pub(crate) deadline: Deadline,
        pub(crate) attempt: Deadline,
        pub(crate) room: Concurrency,
        pub(crate) again: Retry<fn(&Reply) -> bool>,
        pub(crate) files: Upstreams,
        pub(crate) stable: Upstreams,
        pub(crate) canary: Upstreams,
    }

    async fn(request: Parts, body: Incoming) -> Reply {
        access
        => deadline {
            CatchPanic {
                room {
                    #[toggle("faults", off)] faults
                    => match route {
                        Route::Files => bodiless => again { attempt { files } },
                        Route::Api(api: Api) =>
                            version => client => key
                            => #[toggle("quota")] quota
                            => payload
                            => #[toggle("canary")] #[split(5)] attempt { canary }
                            else {
                                if repeatable { again { attempt { stable } } } else { attempt { stable } }
                            },
                        Route::Unknown => unknown,
                    }
                }
            }
        }
    }
}
