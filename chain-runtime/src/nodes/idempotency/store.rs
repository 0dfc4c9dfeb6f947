//! [`Store`]: what knows of the keys that were used.

use core::future::Future;
use std::sync::Arc;

use super::Kept;

/// 128 bits of a keyed hash (SipHash-1-3): of who sent a key and the key, or of the request that came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

/// What tells one run with a key from a later one with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// What came of a key.
#[derive(Clone, Debug)]
pub enum Begun {
    /// It is new, and is now under way. Whoever has the ticket will finish it or give it back.
    First(Ticket),
    /// It is under way elsewhere.
    Running,
    /// It is done; with the reply, if that was kept.
    Finished(Option<Arc<Kept>>),
    /// It came with another request.
    Another,
    /// There is no room for it, or the store cannot be asked.
    Unavailable,
}

/// What knows of the keys that were used. [`Memory`](super::Memory) is one for a single process; one that processes share looks the same.
///
/// A store is bounded, and forgets what has finished after its window. Of the requests that begin with one key at the same time, it lets one be the first.
pub trait Store: Send + Sync + 'static {
    /// Begins with a key, where it is new. `print` tells the request that came with it from others.
    fn begin(&self, id: Digest, print: Digest) -> impl Future<Output = Begun> + Send;

    /// It is done, with this reply or with one that cannot be kept. Ignored where the ticket is no longer the one that is under way.
    fn finish(&self, id: Digest, ticket: Ticket, kept: Option<Arc<Kept>>) -> impl Future<Output = ()> + Send;

    /// It will not be done: the key is as good as new. Ignored where the ticket is no longer the one that is under way.
    ///
    /// Called from a `Drop`, so it cannot wait: a store that is elsewhere sends this on, and lets what gets lost run out by itself.
    fn give_back(&self, id: Digest, ticket: Ticket);
}
