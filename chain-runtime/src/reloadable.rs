//! A value that is swapped while requests run.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// A value of which there is always one current version: configuration, routes, keys, a certificate.
///
/// In a chain, a field of type `Reloadable<T>` is lent as `&T`, like a field of type `T`. A request loads it once and holds that
/// version to its end: all of its nodes see the same one, whatever is stored meanwhile. Requests that begin after a store see the
/// new one. A version is freed when it is neither current nor held by any request.
///
/// # Contract
///
/// - Nothing locks: [`load`](Self::load) never waits for a store, nor a store for those who hold an old version.
/// - A version is seen whole or not at all, with everything that was done before it was stored.
/// - Whoever has heard of a store, by a message, a lock or as a task spawned after it, sees it.
/// - An old version is dropped by whoever lets go of it last: a request, or the one who stores. Where that takes long, keep what
///   [`swap`](Self::swap) returns until it is the only one, and drop it there.
/// - Loading does not allocate, but for the first load on a thread, for which arc-swap sets up its part of that thread. Storing
///   allocates the version.
///
/// ```
/// use chain_runtime::Reloadable;
///
/// struct Limits { body: usize }
///
/// let limits = Reloadable::new(Limits { body: 1024 });
///
/// let in_flight = limits.load();
/// limits.store(Limits { body: 4096 });
/// assert_eq!(in_flight.body, 1024);
/// assert_eq!(limits.load().body, 4096);
///
/// limits.update(|now| Limits { body: now.body * 2 });
/// assert_eq!(limits.load().body, 8192);
/// ```
pub struct Reloadable<T> {
    current: ArcSwap<T>,
}

impl<T> Reloadable<T> {
    /// `value` is the first version.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { current: ArcSwap::from_pointee(value) }
    }

    /// The current version, for as long as it is held.
    #[inline]
    #[must_use]
    pub fn load(&self) -> Loaded<T> {
        Loaded { version: self.current.load_full() }
    }

    /// Makes `value` the current version.
    pub fn store(&self, value: T) {
        self.current.store(Arc::new(value));
    }

    /// Makes `value` the current version, and returns the one before it. Who loaded that one may still hold it.
    #[must_use = "`store` drops what was there before"]
    pub fn swap(&self, value: T) -> Arc<T> {
        self.current.swap(Arc::new(value))
    }

    /// Makes a version from the current one, so that no other store is lost: if there was one meanwhile, `next` is asked again, with
    /// that.
    ///
    /// Where `next` panics, the current version stays.
    pub fn update(&self, mut next: impl FnMut(&T) -> T) {
        self.current.rcu(|now| next(now));
    }
}

impl<T: Default> Default for Reloadable<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Reloadable<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Reloadable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reloadable").field(&*self.load()).finish()
    }
}

/// One version of a [`Reloadable`], held.
///
/// It may be held across awaits, for as long as the request lives, and on any thread.
pub struct Loaded<T> {
    // A count of our own, and not arc-swap's `Guard`. A guard borrows one of eight places of its thread, and arc-swap says
    // not to hold it across awaits: a thread has more requests than that in flight, each perhaps with several fields, and
    // while they hold the places, whatever else loads on that thread is slow as well. Load and drop, measured with so many
    // others held on the thread:
    //
    //            instructions     ns, one thread   ns, on each of two
    //   held     guard   arc      guard   arc      guard   arc
    //   4        75      68       19      36       25      130
    //   16       123     68       41      36       90      130
    //   64       154     68       53      36       145     140
    //
    // The two threads there do nothing else, which is the most that can be lost to one count.
    version: Arc<T>,
}

impl<T> Deref for Loaded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.version
    }
}

impl<T: fmt::Debug> fmt::Debug for Loaded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
