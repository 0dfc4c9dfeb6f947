//! [`Slot`]: where an upstream keeps the connections to it.

use core::any::Any;
use core::fmt;
use std::boxed::Box;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::vec::Vec;

/// The connections to an upstream, of each node that asks it. They end with the upstream: when no registry has the member any more, and nothing is in flight there.
///
/// Those of a node that is gone end when another node comes to ask, or by themselves when they have been idle for their time.
#[derive(Default)]
pub(super) struct Slot {
    all: RwLock<Vec<Owned>>,
    /// How many requests the upstream had at its last check.
    #[cfg(feature = "upstream")]
    requests: core::sync::atomic::AtomicU64,
}

/// Says which node it is.
#[derive(Debug, Default)]
pub(super) struct NodeId(Arc<()>);

struct Owned {
    /// It keeps the number from being another node's.
    node: Weak<()>,
    clients: Box<dyn Any + Send + Sync>,
}

impl Slot {
    /// Uses what this node has here, and makes it before if it is not there yet.
    pub(super) fn with<C: Any + Send + Sync, R>(
        &self,
        node: &NodeId,
        make: impl FnOnce() -> C,
        serve: impl FnOnce(&C) -> R,
    ) -> R {
        let has = |all: &[Owned]| all.iter().position(|one| one.node.as_ptr() == Arc::as_ptr(&node.0));
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(clients) = has(&all).and_then(|at| all[at].clients.downcast_ref()) {
            return serve(clients);
        }
        drop(all);
        let made = Owned { node: Arc::downgrade(&node.0), clients: Box::new(make()) };
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        // What is let go of is dropped when nobody is kept waiting by it.
        let mut unused: Vec<_> = all.extract_if(.., |one| one.node.strong_count() == 0).collect();
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
    /// Whether it had requests since this was asked last. By now they are so many.
    pub(super) fn was_used(&self, requests: u64) -> bool {
        self.requests.swap(requests, core::sync::atomic::Ordering::Relaxed) != requests
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
