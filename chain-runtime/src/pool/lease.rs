//! [`Lease`]: a value on loan.

use std::boxed::Box;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread;

use super::{Pool, Slot};
use crate::Reset;

/// A value on loan from a [`Pool`]. It was [renewed](Reset::renew) when it was lent. Dropping the lease
/// [resets](Reset::reset) it, exactly once, and puts it back.
///
/// The lease is the value's only handle, so all borrows of the value have ended before it is reset. It may be dropped
/// on another thread than the one that took it, and is `Send` if `T` is.
///
/// A lease that is dropped while its thread panics discards the value. A lease that is forgotten
/// ([`mem::forget`](std::mem::forget)) keeps its value from the pool, and counts as in use for good.
///
/// Do not keep a lease in a `thread_local!`: a thread that ends may have left the pool by the time it drops it, and
/// then the drop panics.
#[must_use = "a lease that is not used puts its value back at once"]
pub struct Lease<'p, T: Reset + Send> {
    /// `None` only after the end of the lease.
    slot: Option<Box<Slot<T>>>,
    /// `None` if the slot keeps the pool. So a lease is two words, which are returned in registers.
    pool: Option<&'p Pool<T>>,
}

const HELD: &str = "a lease holds its value until it ends";

impl<'p, T: Reset + Send> Lease<'p, T> {
    #[inline]
    pub(super) fn borrowed(pool: &'p Pool<T>, slot: Box<Slot<T>>) -> Self {
        Lease { slot: Some(slot), pool: Some(pool) }
    }

    #[inline]
    pub(super) fn owned(pool: Arc<Pool<T>>, mut slot: Box<Slot<T>>) -> Self {
        slot.keeps = Some(pool);
        Lease { slot: Some(slot), pool: None }
    }

    /// Resets and trims the value as if it had gone back to the pool, and keeps it lent.
    #[cfg(feature = "hyper")]
    pub(crate) fn recycle(lease: &mut Self) {
        let slot = lease.slot.as_mut().expect(HELD);
        let high_water = match lease.pool {
            Some(pool) => pool.high_water,
            None => slot.keeps.as_ref().expect(HELD).high_water,
        };
        slot.value.reset();
        slot.value.trim(high_water);
    }

    /// Takes the value out of the pool for good. It is not reset.
    ///
    /// An associated function, so that it does not hide a method of `T`: `Lease::into_inner(lease)`.
    pub fn into_inner(mut lease: Self) -> T {
        let mut slot = lease.slot.take().expect(HELD);
        match lease.pool {
            Some(pool) => pool.detach(slot),
            None => slot.keeps.take().expect(HELD).detach(slot),
        }
    }
}

impl<T: Reset + Send> Drop for Lease<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        match self.pool {
            Some(pool) => end(pool, slot),
            None => end_owned(slot),
        }
    }
}

#[inline(always)]
fn end<T: Reset + Send>(pool: &Pool<T>, slot: Box<Slot<T>>) {
    if thread::panicking() { pool.give_up(slot) } else { pool.put(slot) }
}

/// A function of its own, so that a lease that borrows its pool ends without what this needs.
#[inline(never)]
fn end_owned<T: Reset + Send>(mut slot: Box<Slot<T>>) {
    let pool = slot.keeps.take();
    end(pool.as_ref().expect(HELD), slot);
}

impl<T: Reset + Send> Deref for Lease<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.slot.as_ref().expect(HELD).value
    }
}

impl<T: Reset + Send> DerefMut for Lease<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.slot.as_mut().expect(HELD).value
    }
}

impl<T: Reset + Send + fmt::Debug> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
