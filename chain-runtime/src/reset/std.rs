//! [`Reset`] for the types of `std` that allocate.

use core::hash::{BuildHasher, Hash};
use std::boxed::Box;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;
use std::string::String;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, TryLockError};
use std::vec::Vec;

use super::{Reset, elements};

/// Buffers of bytes: their capacity is counted in bytes already.
macro_rules! text {
    ($($ty:ty)+) => {$(
        impl Reset for $ty {
            #[inline]
            fn reset(&mut self) {
                self.clear();
            }

            #[inline]
            fn trim(&mut self, limit: usize) {
                self.shrink_to(limit);
            }
        }
    )+};
}

text! { String OsString PathBuf }

macro_rules! sequences {
    ($($ty:ident $(: $bound:ident)?;)+) => {$(
        /// Empties it: the elements are dropped, their room is kept.
        impl<T $(: $bound)?> Reset for $ty<T> {
            #[inline]
            fn reset(&mut self) {
                self.clear();
            }

            #[inline]
            fn trim(&mut self, limit: usize) {
                self.shrink_to(elements::<T>(limit));
            }
        }
    )+};
}

sequences! {
    Vec;
    VecDeque;
    BinaryHeap: Ord;
}

/// Empties it: the entries are dropped; their room and the hasher are kept.
impl<K: Eq + Hash, V, S: BuildHasher> Reset for HashMap<K, V, S> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        self.shrink_to(elements::<(K, V)>(limit));
    }
}

/// Empties it: the elements are dropped; their room and the hasher are kept.
impl<T: Eq + Hash, S: BuildHasher> Reset for HashSet<T, S> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        self.shrink_to(elements::<T>(limit));
    }
}

/// Empties it. A B-tree keeps no room for entries that it does not have.
impl<K, V> Reset for BTreeMap<K, V> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }
}

/// Empties it. A B-tree keeps no room for elements that it does not have.
impl<T> Reset for BTreeSet<T> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }
}

/// Resets the value in its place: the box is kept.
impl<T: Reset + ?Sized> Reset for Box<T> {
    #[inline]
    fn reset(&mut self) {
        (**self).reset();
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        (**self).trim(limit);
    }

    #[inline]
    fn renew(&mut self) {
        (**self).renew();
    }
}

impl<T> Reset for OnceLock<T> {
    #[inline]
    fn reset(&mut self) {
        self.take();
    }
}

macro_rules! locks {
    ($($ty:ident $lock:ident)+) => {$(
        /// Resets the value, and heals a poisoned lock: `reset` copes with whatever state a panic left behind. If a
        /// guard was forgotten, the contents of the lock that stays locked move into a new one.
        impl<T: Reset + Default> Reset for $ty<T> {
            #[inline]
            fn reset(&mut self) {
                self.clear_poison();
                if matches!(self.$lock(), Err(TryLockError::WouldBlock)) {
                    *self = Self::new(core::mem::take(self.get_mut().unwrap_or_else(PoisonError::into_inner)));
                }
                self.get_mut().unwrap_or_else(PoisonError::into_inner).reset();
            }

            #[inline]
            fn trim(&mut self, limit: usize) {
                self.get_mut().unwrap_or_else(PoisonError::into_inner).trim(limit);
            }

            #[inline]
            fn renew(&mut self) {
                self.get_mut().unwrap_or_else(PoisonError::into_inner).renew();
            }
        }
    )+};
}

locks! { Mutex try_lock RwLock try_write }
