//! Permits that outlive the call that took them: their owner gives each of them back, once.

use core::mem;

use super::{Concurrency, Overloaded, Place, Shed};
#[cfg(feature = "tokio")]
use super::{Timer, Wait};

/// What a [`Concurrency`] does if no permit is free: [`Shed`], or, with the feature `tokio`, `Wait`. Other crates
/// cannot add one.
pub trait Patience: sealed::Sealed {}

mod sealed {
    pub trait Sealed {
        /// Gives a permit back.
        fn give_back(&self);
    }
}

impl Patience for Shed {}

impl sealed::Sealed for Shed {
    fn give_back(&self) {
        drop(Place(&self.permits));
    }
}

#[cfg(feature = "tokio")]
impl<T> Patience for Wait<T> {}

#[cfg(feature = "tokio")]
impl<T> sealed::Sealed for Wait<T> {
    fn give_back(&self) {
        self.permits.add_permits(1);
    }
}

impl<W: Patience> Concurrency<W> {
    pub(in crate::around) fn give_back(&self) {
        self.way.give_back();
    }
}

impl Concurrency {
    pub(in crate::around) fn take_for_good(&self) -> Result<(), Overloaded> {
        self.way.permits.take().map(mem::forget)
    }
}

#[cfg(feature = "tokio")]
impl<T: Timer> Concurrency<Wait<T>> {
    pub(in crate::around) async fn wait_for_good(&self) -> Result<(), Overloaded> {
        match self.way.permits.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(_) => self.way.acquire().await?.forget(),
        }
        Ok(())
    }
}
