//! [`Store`]: knows the keys that were used.

use core::future::Future;
use std::sync::Arc;

use super::Kept;

/// 128 bits of a keyed hash (SipHash-1-3): of the sender and the key, or of the request that came with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 16]);

/// Tells one run with a key from a later run with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// The state of a key when a request begins with it.
#[derive(Clone, Debug)]
pub enum Begun {
    /// The key is new, and is now under way. The holder of the ticket will finish it or give it back.
    First(Ticket),
    /// Another request with this key is under way.
    Running,
    /// The key's request is done; with its reply, if that was kept.
    Finished(Option<Arc<Kept>>),
    /// The key came with another request before.
    Another,
    /// There is no room for the key, or the store cannot be reached.
    Unavailable,
}

/// Knows the keys that were used. [`Memory`](super::Memory) is a store for a single process. A store that processes
/// share implements the same trait.
///
/// A store is bounded, and forgets a finished key after its window. Of the requests that begin with one key at the same
/// time, it lets exactly one be the first.
pub trait Store: Send + Sync + 'static {
    /// Begins with a key, if the key is new. `print` tells the request that came with it from others.
    fn begin(&self, id: Digest, print: Digest) -> impl Future<Output = Begun> + Send;

    /// The request is done, with this reply, or with one that cannot be kept. This is ignored if the ticket is no
    /// longer the one that is under way.
    fn finish(&self, id: Digest, ticket: Ticket, kept: Option<Arc<Kept>>) -> impl Future<Output = ()> + Send;

    /// The request will not be done: the key is as good as new. This is ignored if the ticket is no longer the one that
    /// is under way.
    ///
    /// It is called from a `Drop`, so it cannot wait: a store elsewhere sends this on, and lets a key expire by itself
    /// if the message is lost.
    fn give_back(&self, id: Digest, ticket: Ticket);
}
