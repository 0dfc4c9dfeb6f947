//! The reply of a chain that is served.

use chain_runtime::nodes::access_log::Entry;
use chain_runtime::proxy::Body;
use chain_runtime::tailed::Tailed;
use http::Response;

/// The line of the log goes with the reply's body, to its end.
pub(crate) type Reply = Response<Tailed<Body, Option<Entry>>>;
