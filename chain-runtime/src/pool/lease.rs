//! [`Lease`]: a value on loan.

use std::boxed::Box;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::Pool;
use crate::Reset;

/// A value of a [`Pool`], on loan: dropping the lease resets the value, exactly once, and puts it back.
///
/// It is the value's only handle, so that whatever borrows from the value has ended before it is reset. It may be
/// dropped on another thread than it was taken on, and is `Send` if `T` is.
///
/// Dropped while its thread panics, it discards the value. A lease that is forgotten ([`mem::forget`](std::mem::forget))
/// keeps its value from the pool, and counts as in use for good.
#[must_use = "a lease that is not used puts its value back at once"]
pub struct Lease<'p, T: Reset + Send> {
    /// `None` only from the lease's end on.
    value: Option<Box<T>>,
    home: Home<'p, T>,
    /// When the lease began, for the few that are timed.
    since: Option<Instant>,
}

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
    pub(super) fn borrowed(pool: &'p Pool<T>, value: Box<T>, since: Option<Instant>) -> Self {
        Lease {
            value: Some(value),
            home: Home::Borrowed(pool),
            since,
        }
    }

    #[inline]
    pub(super) fn owned(pool: Arc<Pool<T>>, value: Box<T>, since: Option<Instant>) -> Self {
        Lease {
            value: Some(value),
            home: Home::Owned(pool),
            since,
        }
    }

    /// Takes the value out of the pool for good, as it is: it is not reset.
    ///
    /// An associated function, so that it does not hide a method of `T`: `Lease::into_inner(lease)`.
    pub fn into_inner(mut lease: Self) -> T {
        let value = lease
            .value
            .take()
            .expect("a lease holds its value until it ends");
        lease.home.pool().detach(lease.since);
        *value
    }
}

impl<T: Reset + Send> Drop for Lease<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Some(value) = self.value.take() else {
            return;
        };
        if thread::panicking() {
            self.home.pool().give_up(value);
        } else {
            self.home.pool().put(value, self.since);
        }
    }
}

impl<T: Reset + Send> Deref for Lease<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value
            .as_ref()
            .expect("a lease holds its value until it ends")
    }
}

impl<T: Reset + Send> DerefMut for Lease<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.value
            .as_mut()
            .expect("a lease holds its value until it ends")
    }
}

impl<T: Reset + Send + fmt::Debug> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
