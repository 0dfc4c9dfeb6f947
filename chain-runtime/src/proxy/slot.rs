//! [`Slot`]: the place where an upstream keeps its connections.

use core::any::Any;
use core::fmt;
use std::boxed::Box;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::vec::Vec;

use super::server::Here;

/// The connections to an upstream, for each node that asks it, and each worker or runtime on which it does. They end with the
/// upstream: when no registry has the member any more, and no request is in flight there.
///
/// The connections of a node or a worker that is gone, or of a runtime, end when another one comes to ask, or by themselves when they
/// have been idle for their time.
#[derive(Default)]
pub(super) struct Slot {
    all: RwLock<Vec<Owned>>,
    /// How many requests the upstream had at its last check.
    #[cfg(feature = "upstream")]
    requests: core::sync::atomic::AtomicU64,
}

/// Tells which node it is.
#[derive(Debug, Default)]
pub(super) struct NodeId(Arc<()>);

struct Owned {
    /// It keeps the number from being reused for another node.
    node: Weak<()>,
    /// Whose runtime drives them.
    by: Here,
    clients: Box<dyn Any + Send + Sync>,
}

impl Slot {
    /// Uses this node's entry on this worker, and makes it first if it is not there yet.
    pub(super) fn with<C: Any + Send + Sync, R>(
        &self,
        node: &NodeId,
        make: impl FnOnce() -> C,
        serve: impl FnOnce(&C) -> R,
    ) -> R {
        let is_mine = |one: &Owned| one.node.as_ptr() == Arc::as_ptr(&node.0) && one.by.is_here();
        let has = |all: &[Owned]| all.iter().position(is_mine);
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(clients) = has(&all).and_then(|at| all[at].clients.downcast_ref()) {
            return serve(clients);
        }
        drop(all);
        let made = Owned { node: Arc::downgrade(&node.0), by: Here::new(), clients: Box::new(make()) };
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        // Unused entries are dropped after the lock is released.
        let mut unused: Vec<_> = all.extract_if(.., |one| one.node.strong_count() == 0 || one.by.has_ended()).collect();
        let at = match has(&all) {
            // Another thread was faster.
            Some(at) => {
                unused.push(made);
                at
            }
            None => {
                all.push(made);
                all.len() - 1
            }
        };
        let served = serve(all[at].clients.downcast_ref().expect("a node makes one type"));
        drop(all);
        drop(unused);
        served
    }
}

#[cfg(feature = "upstream")]
impl Slot {
    /// Whether the upstream had requests since the last call. `requests` is their present number.
    pub(super) fn was_used(&self, requests: u64) -> bool {
        self.requests.swap(requests, core::sync::atomic::Ordering::Relaxed) != requests
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
