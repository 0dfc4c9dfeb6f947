//! [`Lease`]: a value on loan.

use std::boxed::Box;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread;

use super::{Pool, Slot};
use crate::Reset;

/// A value of a [`Pool`], on loan: dropping the lease resets the value, exactly once, and puts it back.
///
/// It is the value's only handle, so that whatever borrows from the value has ended before it is reset. It may be
/// dropped on another thread than it was taken on, and is `Send` if `T` is.
///
/// Dropped while its thread panics, it discards the value. A lease that is forgotten ([`mem::forget`](std::mem::forget))
/// keeps its value from the pool, and counts as in use for good.
///
/// Do not keep a lease in a `thread_local!`: a thread that ends may have left the pool by the time it drops it, and
/// then the drop panics.
#[must_use = "a lease that is not used puts its value back at once"]
pub struct Lease<'p, T: Reset + Send> {
    /// `None` only from the lease's end on.
    slot: Option<Box<Slot<T>>>,
    home: Home<'p, T>,
}

const HELD: &str = "a lease holds its value until it ends";

enum Home<'p, T: Reset + Send> {
    Borrowed(&'p Pool<T>),
    Owned(Arc<Pool<T>>),
}

impl<T: Reset + Send> Home<'_, T> {
    #[inline]
    fn pool(&self) -> &Pool<T> {
        match self {
            Home::Borrowed(pool) => pool,
            Home::Owned(pool) => pool,
        }
    }
}

impl<'p, T: Reset + Send> Lease<'p, T> {
    #[inline]
    pub(super) fn borrowed(pool: &'p Pool<T>, slot: Box<Slot<T>>) -> Self {
        Lease { slot: Some(slot), home: Home::Borrowed(pool) }
    }

    #[inline]
    pub(super) fn owned(pool: Arc<Pool<T>>, slot: Box<Slot<T>>) -> Self {
        Lease { slot: Some(slot), home: Home::Owned(pool) }
    }

    /// Takes the value out of the pool for good, as it is: it is not reset.
    ///
    /// An associated function, so that it does not hide a method of `T`: `Lease::into_inner(lease)`.
    pub fn into_inner(mut lease: Self) -> T {
        let slot = lease.slot.take().expect(HELD);
        lease.home.pool().detach(slot)
    }
}

impl<T: Reset + Send> Drop for Lease<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        if thread::panicking() {
            self.home.pool().give_up(slot);
        } else {
            self.home.pool().put(slot);
        }
    }
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
