//! What is given up when the process has no descriptors left: connections to upstreams that have no request.
//!
//! They are not counted in the limit of clients' connections, since a kept connection is worth less than any client. So
//! they go first.
//!
//! Those of hyper-util's clients (TLS, HTTP/2) are not among them. Its pool does not say which connections have a request,
//! and gives none away. To drop the whole client would close the idle ones, and also take HTTP/2 connections that are in
//! use from the requests that come next. These would need one more connection just when there is no descriptor. What
//! bounds them: over HTTP/2 the requests of a node and a worker share a connection to each upstream. Over HTTP/1.1 with TLS
//! there are at most as many idle ones as [`Limits`](super::Limits) says, each for its time.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::vec::Vec;

/// Keeps connections that no request has.
pub(super) trait Keeps: Send + Sync {
    /// Closes the half of them that was idle for longest, and says how many these were. The last one goes, too.
    fn give_up(&self) -> usize;
}

/// All of the process: descriptors are the process's.
static ALL: Mutex<Vec<Weak<dyn Keeps>>> = Mutex::new(Vec::new());

/// From now on its connections are given up as well.
pub(super) fn spare(one: Weak<dyn Keeps>) {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|one| one.strong_count() > 0);
    all.push(one);
}

/// Gives up half of all idle connections to upstreams. They are closed by the tasks that drive them, so that takes a
/// moment. Says whether there were any.
pub(super) fn give_up() -> bool {
    // The lock is not held while connections are dropped.
    let all: Vec<Arc<dyn Keeps>> =
        ALL.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
    all.iter().map(|one| one.give_up()).sum::<usize>() > 0
}

/// Whether this error says that the process, or the system, has no descriptors left: `EMFILE`, `ENFILE`.
pub(super) fn are_out(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}
