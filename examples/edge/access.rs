//! One line a request, also for those whose client left.

use std::time::Instant;

use chain_runtime::{Ending, node};
use http::request::Parts;
use http::{Method, Uri};

use super::edge::Reply;
use super::upstream::SERVED_BY;

/// The node that writes the lines.
pub(crate) struct Access;

/// What is known when the request comes.
pub(crate) struct Started {
    method: Method,
    uri: Uri,
    at: Instant,
}

#[node]
impl Access {
    pub(crate) fn enter(&self, request: &Parts) -> Started {
        Started { method: request.method.clone(), uri: request.uri.clone(), at: Instant::now() }
    }

    pub(crate) fn exit(&self, started: &Started, ending: &Ending, reply: &Reply) {
        let by = reply.headers().get(SERVED_BY).and_then(|by| by.to_str().ok()).unwrap_or("edge");
        let Started { method, uri, at } = started;
        let (status, ms, ended) = (reply.status().as_u16(), at.elapsed().as_millis(), ending.by().name);
        tracing::info!(%method, path = uri.path(), status, ms, by, ended, "served");
    }

    pub(crate) fn cancelled(&self, started: &Started) {
        let Started { method, uri, at } = started;
        tracing::info!(%method, path = uri.path(), ms = at.elapsed().as_millis(), "the client left");
    }
}
