//! [`Place`]: memory for a pinned value, which the values of several requests use one after another.

use core::pin::Pin;
use std::boxed::Box;
use std::sync::Arc;

use crate::pool::Lease;
use crate::{Pool, Reset};

/// Room for one value. Who has the lease has two words, however large the value is, and moving these is cheap.
#[derive(Debug)]
pub(super) struct Place<T>(Pin<Box<Option<T>>>);

impl<T: Send + 'static> Place<T> {
    /// Puts a value into a place of its own. It is made here, so that it is moved once.
    pub(super) fn of(make: impl FnOnce() -> T, places: &Arc<Pool<Self>>) -> Lease<'static, Self> {
        let mut place = places.get_owned();
        place.0.as_mut().set(Some(make()));
        place
    }
}

impl<T> Place<T> {
    /// The value, if it is there.
    pub(super) fn get(&self) -> Option<&T> {
        (*self.0).as_ref()
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self) -> Option<Pin<&mut T>> {
        self.0.as_mut().as_pin_mut()
    }

    /// Drops the value.
    pub(super) fn clear(&mut self) {
        self.0.as_mut().set(None);
    }
}

impl<T> Default for Place<T> {
    fn default() -> Self {
        Self(Box::pin(None))
    }
}

impl<T> Reset for Place<T> {
    /// The request was given up, or its value has served.
    fn reset(&mut self) {
        self.clear();
    }
}
