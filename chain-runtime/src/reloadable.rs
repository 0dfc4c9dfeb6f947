//! A value that is swapped while requests run.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// A value that always has one current version: configuration, routes, keys, a certificate.
///
/// In a chain, a field of type `Reloadable<T>` is lent as `&T`, like a field of type `T`. A request loads it once and
/// holds that version to its end: all of its nodes see the same version, even if another is stored meanwhile. Requests
/// that begin after a store see the new one. A version is freed when it is neither current nor held by any request.
///
/// # Contract
///
/// - Nothing locks: [`load`](Self::load) never waits for a store, and a store never waits for those that hold an old
///   version.
/// - A version is seen whole or not at all. Its readers also see everything that was done before it was stored.
/// - Code that has heard of a store, by a message, a lock or as a task spawned after it, sees the new version.
/// - The last holder of an old version drops it: a request, or the code that stores. If the drop takes long, keep what
///   [`swap`](Self::swap) returns until it is the only holder, and drop it there.
/// - Loading does not allocate, except for the first load on a thread, for which arc-swap sets up its part of that
///   thread. Storing allocates the version.
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

    /// Makes `value` the current version, and returns the one before it. Code that loaded that one may still hold it.
    #[must_use = "`store` drops what was there before"]
    pub fn swap(&self, value: T) -> Arc<T> {
        self.current.swap(Arc::new(value))
    }

    /// Makes a version from the current one. No other store is lost: if there was one meanwhile, `next` is called
    /// again, with the newer version.
    ///
    /// If `next` panics, the current version stays.
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

/// One version of a [`Reloadable`], held by a reader.
///
/// It may be held across awaits, for as long as the request lives, and on any thread.
pub struct Loaded<T> {
    // This is an `Arc` with a count of its own, and not arc-swap's `Guard`. A guard borrows one of eight places of its
    // thread, and arc-swap says not to hold it across awaits. A thread has more requests than that in flight, each
    // possibly with several fields, and while they hold the places, all other loads on that thread are slow as well.
    // These are measurements of a load and a drop, with so many others held on the thread:
    //
    //            instructions     ns, one thread   ns, on each of two
    //   held     guard   arc      guard   arc      guard   arc
    //   4        75      68       19      36       25      130
    //   16       123     68       41      36       90      130
    //   64       154     68       53      36       145     140
    //
    // The two threads do nothing else there, so this is the most that one shared count can cost.
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
