//! [`Key`]: the value by which requests are told apart.

use core::hash::{Hash as _, Hasher};
use std::string::String;

use super::{Peer, User};

/// A value in the scope by which requests are told apart, for example by user or by peer.
///
/// It is hashed, so that it can have any length. The node chooses the hash. A node that counts for itself draws a key
/// at random when it is made, so that a client cannot make up two values with one hash. Nodes on which several machines
/// have to agree hash alike on all of them: `PickBy` uses a secret that it is given, and `SharedRateLimit` names the
/// key in Redis by its SHA-1. Implement the trait for a type of your own, and let a node provide it before the node
/// that asks for it:
///
/// ```
/// use std::hash::{Hash, Hasher};
///
/// use chain_runtime::nodes::Key;
///
/// struct Tenant(u32);
///
/// impl Key for Tenant {
///     fn feed<H: Hasher>(&self, hasher: &mut H) {
///         self.0.hash(hasher);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "chain[E807]: requests are not told apart by `{Self}`",
    note = "implement `chain_runtime::nodes::Key` for `{Self}`: it feeds to a hasher what makes the difference"
)]
pub trait Key {
    /// Feeds to the hasher the bytes that make the difference.
    fn feed<H: Hasher>(&self, hasher: &mut H);
}

/// By the user's name.
impl Key for User {
    fn feed<H: Hasher>(&self, hasher: &mut H) {
        self.name().hash(hasher);
    }
}

/// By the peer's network: an IPv4 address, or the first 64 bits of an IPv6 address.
impl Key for Peer {
    fn feed<H: Hasher>(&self, hasher: &mut H) {
        self.network().hash(hasher);
    }
}

impl Key for String {
    fn feed<H: Hasher>(&self, hasher: &mut H) {
        self.hash(hasher);
    }
}

/// By both.
impl<A: Key, B: Key> Key for (A, B) {
    fn feed<H: Hasher>(&self, hasher: &mut H) {
        self.0.feed(hasher);
        self.1.feed(hasher);
    }
}
