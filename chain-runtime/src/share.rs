//! A share of the requests: chosen by a key, so that it is always the same ones, or drawn anew.
//!
//! `Share::takes` (feature `split`) decides by a key of the request, so that a user who sees the canary goes on seeing
//! it. `Share::sample` (feature `sample`) draws anew for each request. Neither allocates.
//!
//! ```
//! # #[cfg(feature = "split")] {
//! use chain_runtime::share::{Share, StickyKey};
//!
//! const CANARY: Share = Share::percent(5);
//!
//! let ada = StickyKey::of("ada");
//! let taken = CANARY.takes(&ada, "canary");
//! assert_eq!(CANARY.takes(&ada, "canary"), taken);
//!
//! let in_canary = (0..10_000).filter(|user| CANARY.takes(&StickyKey::from_u64(*user), "canary")).count();
//! assert!((400..600).contains(&in_canary));
//! # }
//! ```

use core::fmt;
#[cfg(feature = "split")]
use {
    core::hash::{Hash, Hasher},
    siphasher::sip::SipHasher13,
};

#[cfg(all(test, any(feature = "split", feature = "sample")))]
mod ends;

/// A fraction of the requests, from 0 to 1.
///
/// A share of 0 takes exactly none, and a share of 1 takes exactly all. A share between them is kept to 2⁻⁶⁴, rounded
/// down. A share above 0 stays above 0, and one below 1 stays below 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    /// Of the values of a `u64`, the share takes those below this one; if it is the greatest value, it takes all. No
    /// fraction under 1 is rounded to that: the greatest one, `(u64::MAX - 1) / u64::MAX`, becomes `u64::MAX - 1`.
    below: u64,
}

impl Share {
    /// No request.
    pub const NONE: Self = Self { below: 0 };

    /// Every request.
    pub const ALL: Self = Self { below: u64::MAX };

    /// `part` in `whole` requests.
    ///
    /// ```
    /// use chain_runtime::share::Share;
    ///
    /// const ONE_IN_A_THOUSAND: Share = Share::of(1, 1000);
    /// assert_eq!(ONE_IN_A_THOUSAND, Share::of(5, 5000));
    /// ```
    ///
    /// # Panics
    ///
    /// If `whole` is 0 or less than `part`. In a constant, this happens while compiling.
    ///
    /// ```compile_fail
    /// use chain_runtime::share::Share;
    ///
    /// const MORE_THAN_ALL: Share = Share::of(3, 2);
    /// ```
    #[must_use]
    pub const fn of(part: u64, whole: u64) -> Self {
        assert!(whole != 0, "a share of nothing: the whole has to be 1 or more");
        assert!(part <= whole, "a share is at most the whole: the part is greater");
        if part == whole {
            return Self::ALL;
        }
        // The result is less than 2⁶⁴, since the part is less than the whole.
        Self { below: (((part as u128) << 64) / whole as u128) as u64 }
    }

    /// This many in a hundred requests.
    ///
    /// # Panics
    ///
    /// If it is more than 100. In a constant, this happens while compiling.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        assert!(percent <= 100, "a share is at most 100 percent");
        Self::of(percent as u64, 100)
    }

    /// Whether the request with this key is in the share.
    ///
    /// - **Sticky**: the same key and salt give the same answer, in each process, on each machine, and after each
    ///   restart.
    /// - **Monotone**: a key that is in a share is in every greater share with the same salt. So raising a share moves
    ///   no key out of it.
    /// - **Independent by salt**: a key that is in a share with one salt is in the share with another salt as likely as
    ///   any other key. Give the same salt to two splits that belong together, and different salts to those that do
    ///   not.
    ///
    /// It costs one SipHash-1-3 of the salt and 8 bytes.
    #[cfg(feature = "split")]
    #[must_use]
    pub fn takes(self, key: &StickyKey, salt: &str) -> bool {
        let mut hasher = stable_hasher();
        // The key is hashed first, and has a fixed length: so no two pairs of key and salt give the same bytes.
        hasher.write(&key.0.to_le_bytes());
        hasher.write(salt.as_bytes());
        self.contains(hasher.finish())
    }

    /// Whether this request is in the share: drawn anew each time, with the thread's own generator.
    ///
    /// ```
    /// use chain_runtime::share::Share;
    ///
    /// let logged = (0..10_000).filter(|_| Share::percent(20).sample()).count();
    /// assert!((1700..2300).contains(&logged));
    /// ```
    #[cfg(feature = "sample")]
    #[must_use]
    pub fn sample(self) -> bool {
        self.contains(fastrand::u64(..))
    }

    #[cfg(any(feature = "split", feature = "sample"))]
    #[inline]
    const fn contains(self, number: u64) -> bool {
        number < self.below || self.below == u64::MAX
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Share").field(&(self.below as f64 / u64::MAX as f64)).finish()
    }
}

/// The key by which a split is sticky: a user, a session, a tenant. A node provides it.
///
/// It is a hash, so it does not hold or show the value of which it was made. It is no secret, either: the key of the
/// hash is in this crate's source. A client that can choose the hashed value can choose its side of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StickyKey(u64);

impl StickyKey {
    /// The key of any value that can be hashed.
    ///
    /// It is SipHash-1-3 under a fixed key. Numbers are hashed by their little-endian bytes, `usize` by eight. So the
    /// result is the same in all processes, after each restart, and on all machines of one endianness (slices of
    /// numbers are hashed as they lie in memory).
    ///
    /// Under another release of Rust, or of the crate that defines the type, the result is the same as long as the
    /// type's `Hash` feeds the same bytes. The standard library does not promise that. A test pins it for numbers,
    /// strings, and tuples and slices of them. [`of_bytes`](Self::of_bytes) and [`from_u64`](Self::from_u64) do not
    /// depend on it.
    #[cfg(feature = "split")]
    #[must_use]
    pub fn of<K: Hash + ?Sized>(key: &K) -> Self {
        let mut hasher = Portable(stable_hasher());
        key.hash(&mut hasher);
        Self(hasher.finish())
    }

    /// The key of these bytes: SipHash-1-3 under a fixed key, the same everywhere and for good.
    ///
    /// The result differs from that of [`of`](Self::of), which also hashes where a string ends.
    #[cfg(feature = "split")]
    #[must_use]
    pub fn of_bytes(key: &[u8]) -> Self {
        Self(stable_hasher().hash(key))
    }

    /// Stands in for what the feature `split` brings, so that the error names the feature.
    #[cfg(not(feature = "split"))]
    #[doc(hidden)]
    #[must_use]
    pub fn of<K: HasKey + ?Sized>(key: &K) -> Self {
        key.key()
    }

    /// The same.
    #[cfg(not(feature = "split"))]
    #[doc(hidden)]
    #[must_use]
    pub fn of_bytes<K: HasKey + ?Sized>(key: &K) -> Self {
        key.key()
    }

    /// The key of a number that tells one user from another. The number need not be spread evenly: it is hashed with
    /// the salt.
    #[must_use]
    pub const fn from_u64(key: u64) -> Self {
        Self(key)
    }
}

/// Nothing implements it.
///
/// ```compile_fail,E0277
/// let key = chain_runtime::share::StickyKey::of("ada");
/// ```
#[cfg(not(feature = "split"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "chain[E512]: to hash a key needs the feature `split` of chain-runtime",
    label = "is hashed",
    note = "enable the feature in Cargo.toml"
)]
pub trait HasKey {
    #[doc(hidden)]
    fn key(&self) -> StickyKey;
}

/// Any key would do, but it may never change: the users in each share would change with it.
#[cfg(feature = "split")]
fn stable_hasher() -> SipHasher13 {
    SipHasher13::new_with_key(b"chain: sticky by")
}

/// Makes the hash independent of the machine, as far as a hasher can know: of the size of `usize`, and of the byte
/// order of a number.
#[cfg(feature = "split")]
struct Portable(SipHasher13);

#[cfg(feature = "split")]
impl Hasher for Portable {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    fn write_u16(&mut self, number: u16) {
        self.0.write(&number.to_le_bytes());
    }

    fn write_u32(&mut self, number: u32) {
        self.0.write(&number.to_le_bytes());
    }

    fn write_u64(&mut self, number: u64) {
        self.0.write(&number.to_le_bytes());
    }

    fn write_u128(&mut self, number: u128) {
        self.0.write(&number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as i64 as u64);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

/// The key that `#[split(..)]` asks for.
#[doc(hidden)]
#[chain_macros::node(crate = crate)]
pub fn split(key: &StickyKey) -> StickyKey {
    *key
}
