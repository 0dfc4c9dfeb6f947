//! [`Reset`]: how a request's memory is made as good as new, without giving it back.

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "std")]
mod std;

use core::cell::{Cell, OnceCell, RefCell};
use core::marker::{PhantomData, PhantomPinned};
use core::num::{Saturating, Wrapping};
use core::time::Duration;

/// A value that is used for one request after another.
///
/// # The contract
///
/// After [`reset`](Reset::reset):
///
/// 1. the value is **equal to a fresh one as far as anyone can observe**, apart from capacities and addresses, whatever
///    state it was in: nothing of the last request can be read from it, and nothing it does later depends on the last
///    request. If a type implements [`Default`], a fresh value is `Default::default()`. A choice that was made with the
///    value and does not belong to a request (such as a map's hasher) stays;
/// 2. **its allocations are kept** if the type has a way to keep them, and none are made;
/// 3. resetting it again changes nothing.
///
/// `reset` runs when a value comes **back**, which may be long before the next request begins. A value that has to be
/// made when a request begins, such as the time of that moment, is made by [`renew`](Reset::renew), which runs when the
/// value is **lent**. `reset` may leave alone whatever `renew` sets.
///
/// An implementation that breaks the contract leaks one user's data into another's request. The pool and the generated
/// code trust it.
///
/// `reset` and `renew` should not panic. If one does (the `Drop` of an element may), a [`Pool`](crate::Pool) discards
/// the value.
///
/// # Deriving
///
/// `#[derive(Reset)]` takes the value apart with an exhaustive pattern and resets every field in its place. So a field
/// that is added later cannot be forgotten: it is reset, or it is an error.
///
/// ```
/// # #[cfg(feature = "std")] {
/// use chain_runtime::Reset;
///
/// #[derive(Default, Reset)]
/// struct Visit {
///     user: Option<String>,
///     path: String,
///     tried: Vec<u16>,
///     /// Attempts that are left.
///     #[reset(value = 3)]
///     attempts: u8,
/// }
///
/// let mut visit = Visit { path: "/about".to_owned(), attempts: 0, ..Visit::default() };
/// visit.tried.extend([8080, 8081]);
/// let room = visit.tried.capacity();
///
/// visit.reset();
///
/// assert_eq!((visit.path.as_str(), visit.attempts), ("", 3));
/// assert!(visit.tried.is_empty());
/// assert_eq!(visit.tried.capacity(), room);
/// # }
/// ```
///
/// | on a field | |
/// | --- | --- |
/// | (nothing) | reset through the `Reset` of its type, trimmed through its [`trim`](Reset::trim), and renewed through its [`renew`](Reset::renew) |
/// | `#[reset(value = expr)]` | assigned `expr`; its type needs no `Reset` |
/// | `#[reset(with = path::to_fn)]` | handed to a `fn(&mut T)`, which must keep the contract; its type needs no `Reset` |
/// | `#[reset(keep)]` | left as it is, for values that do not belong to a request, such as a handle or a connection's address. This is a promise that no request writes to it; say why in a comment |
///
/// | `#[reset(renew = expr)]` | assigned `expr` when the value is lent: `renew = Instant::now()`; its type needs no `Reset`. To let a value go when it comes back, add `value`: `value = None, renew = Some(..)` |
///
/// `value`, `with` and `keep` exclude each other, and a field with one of them is not trimmed. A `value` that reads a
/// clock, `value = Instant::now()`, is refused: it would be the time at which the last request ended. On the type,
/// `#[reset(crate = path)]` names this crate, for macros that re-export it.
///
/// A type parameter gets no bound of its own. A field whose type mentions one adds the bound `FieldType: Reset`, which
/// for a `Vec<T>` asks nothing of `T`.
///
/// **Enums** are reset to one variant, which carries no fields and is marked `#[reset(to)]`, or `#[default]` beside
/// `#[derive(Default)]`. The fields of one variant cannot become those of another, so they are dropped, and their
/// memory with them. A buffer that should stay belongs beside the enum. **Unions** are refused, since it is unknown
/// which of their fields is alive.
///
/// # What `Option` does
///
/// An `Option<T>` becomes `None`, and the value in it is dropped. Resetting the value instead would keep its memory,
/// but leave `Some` of an empty value where a fresh `Option` is `None`: the next request would find an empty user. If
/// the memory matters, keep the buffer beside a flag.
#[diagnostic::on_unimplemented(
    message = "chain[E901]: `{Self}` does not say how it is reset between requests",
    label = "`Reset` is not implemented for this type",
    note = "derive it where the type is declared: `#[derive(Reset)]`",
    note = "or say on the field what happens to it: `#[reset(value = ..)]`, `#[reset(with = path::to_fn)]`, or `#[reset(keep)]` for what is not a request's"
)]
pub trait Reset {
    /// Makes the value as good as new, and keeps its allocations. See the [contract](Reset#the-contract).
    fn reset(&mut self);

    /// Gives back memory past `limit`: every buffer of more than `limit` bytes shrinks to `limit` bytes, or to its
    /// contents if these are longer.
    ///
    /// One request with a large body would otherwise hold on to its memory for as long as the pool lives. The limit is
    /// for each buffer by itself, not for their sum. Contents are never changed; no buffer grows. A type that has no
    /// buffers, or whose buffers cannot shrink, does nothing, which is the default.
    fn trim(&mut self, limit: usize) {
        let _ = limit;
    }

    /// Makes the values that begin with a request. It runs when the value is lent, before any node sees it, even if the
    /// value was just made.
    ///
    /// A [`Pool`](crate::Pool) calls it for each lease, and so does every other part of this crate that lends a value
    /// to one request after another. Code that keeps a value over requests and resets it by hand calls `renew` when the
    /// next request has come. By default it does nothing, and costs nothing.
    ///
    /// ```
    /// # #[cfg(feature = "pool")] {
    /// use std::time::{Duration, Instant};
    ///
    /// use chain_runtime::{Pool, Reset};
    ///
    /// #[derive(Reset)]
    /// struct Visit {
    ///     #[reset(renew = Instant::now())]
    ///     began: Instant,
    ///     path: String,
    /// }
    ///
    /// let pool = Pool::new(|| Visit { began: Instant::now(), path: String::new() });
    /// drop(pool.get());
    /// // However long that was ago: the next request begins now.
    /// let asked = Instant::now();
    /// assert!(pool.get().began >= asked);
    /// # }
    /// ```
    fn renew(&mut self) {}
}

/// How many elements of `T` fit in `limit` bytes.
#[cfg(feature = "std")]
const fn elements<T>(limit: usize) -> usize {
    match size_of::<T>() {
        0 => limit,
        size => limit / size,
    }
}

/// Types that are reset by assigning one value, because they have no memory to keep.
macro_rules! assigned {
    ($($fresh:expr => $($ty:ty),+;)+) => {$($(
        impl $crate::Reset for $ty {
            #[inline]
            fn reset(&mut self) {
                *self = $fresh;
            }
        }
    )+)+};
}
#[cfg(feature = "http")]
use assigned;

assigned! {
    0 => u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize;
    0.0 => f32, f64;
    false => bool;
    '\0' => char;
    () => ();
    "" => &str;
    Duration::ZERO => Duration;
}

impl<T> Reset for &[T] {
    #[inline]
    fn reset(&mut self) {
        *self = &[];
    }
}

/// Becomes `None`; see [what `Option` does](Reset#what-option-does).
impl<T> Reset for Option<T> {
    #[inline]
    fn reset(&mut self) {
        *self = None;
    }
}

impl<T: ?Sized> Reset for PhantomData<T> {
    #[inline]
    fn reset(&mut self) {}
}

impl Reset for PhantomPinned {
    #[inline]
    fn reset(&mut self) {}
}

impl<T> Reset for OnceCell<T> {
    #[inline]
    fn reset(&mut self) {
        self.take();
    }
}

/// Types that are as good as new once their contents are.
macro_rules! through {
    ($($wrapper:ident, $inner:ident => $access:expr;)+) => {$(
        impl<T: Reset> Reset for $wrapper<T> {
            #[inline]
            fn reset(&mut self) {
                let $inner = self;
                $access.reset();
            }

            #[inline]
            fn trim(&mut self, limit: usize) {
                let $inner = self;
                $access.trim(limit);
            }

            #[inline]
            fn renew(&mut self) {
                let $inner = self;
                $access.renew();
            }
        }
    )+};
}

through! {
    Wrapping, number => number.0;
    Saturating, number => number.0;
    Cell, cell => cell.get_mut();
}

/// This also works if a guard was forgotten: the contents of the cell move into a new one, which can be borrowed.
impl<T: Reset + Default> Reset for RefCell<T> {
    #[inline]
    fn reset(&mut self) {
        if self.try_borrow_mut().is_err() {
            *self = Self::new(core::mem::take(self.get_mut()));
        }
        self.get_mut().reset();
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        self.get_mut().trim(limit);
    }

    #[inline]
    fn renew(&mut self) {
        self.get_mut().renew();
    }
}

impl<T: Reset, const N: usize> Reset for [T; N] {
    #[inline]
    fn reset(&mut self) {
        self.as_mut_slice().reset();
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        self.as_mut_slice().trim(limit);
    }

    #[inline]
    fn renew(&mut self) {
        self.as_mut_slice().renew();
    }
}

/// Resets each element. A slice cannot change its length.
impl<T: Reset> Reset for [T] {
    #[inline]
    fn reset(&mut self) {
        for element in self {
            element.reset();
        }
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        for element in self {
            element.trim(limit);
        }
    }

    #[inline]
    fn renew(&mut self) {
        for element in self {
            element.renew();
        }
    }
}

macro_rules! tuples {
    ($($($name:ident)+;)+) => {$(
        impl<$($name: Reset),+> Reset for ($($name,)+) {
            #[inline]
            #[allow(non_snake_case, reason = "each element is named like its type")]
            fn reset(&mut self) {
                let ($($name,)+) = self;
                $($name.reset();)+
            }

            #[inline]
            #[allow(non_snake_case, reason = "each element is named like its type")]
            fn trim(&mut self, limit: usize) {
                let ($($name,)+) = self;
                $($name.trim(limit);)+
            }

            #[inline]
            #[allow(non_snake_case, reason = "each element is named like its type")]
            fn renew(&mut self) {
                let ($($name,)+) = self;
                $($name.renew();)+
            }
        }
    )+};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}

macro_rules! atomics {
    ($($width:literal $($name:ident)+;)+) => {$($(
        #[cfg(target_has_atomic = $width)]
        impl Reset for core::sync::atomic::$name {
            #[inline]
            fn reset(&mut self) {
                self.get_mut().reset();
            }
        }
    )+)+};
}

atomics! {
    "8" AtomicBool AtomicU8 AtomicI8;
    "16" AtomicU16 AtomicI16;
    "32" AtomicU32 AtomicI32;
    "64" AtomicU64 AtomicI64;
    "ptr" AtomicUsize AtomicIsize;
}
