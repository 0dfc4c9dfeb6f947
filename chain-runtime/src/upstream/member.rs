//! Who can be asked: [`Member`], and what tells one registration from another.

use core::fmt;
use core::num::NonZeroU32;
use std::collections::BTreeMap;
use std::string::String;
use std::sync::Arc;

/// One who can be asked: a server, a process, a shard.
///
/// ```
/// use std::net::SocketAddr;
///
/// use chain_runtime::upstream::Member;
///
/// let endpoint: SocketAddr = "10.0.0.7:8080".parse()?;
/// let member = Member::new("10.0.0.7:8080", endpoint).zone("a").weight(3).metadata("version", "7");
/// assert_eq!(member.weight.get(), 3);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member<T> {
    /// Who it is to the registry, `10.0.0.7:8080` for example: 1 to 255 bytes without whitespace and control characters.
    pub name: Arc<str>,
    /// What is asked: an address, a client, a `proxy::Upstream`.
    pub endpoint: T,
    /// Where it stands, so that those nearby can be preferred.
    pub zone: Option<Arc<str>>,
    /// Its share, beside the weights of the others. 1 where nothing is said.
    pub weight: NonZeroU32,
    /// What else is known of it. It is as large as the caller makes it.
    pub metadata: BTreeMap<String, String>,
}

impl<T> Member<T> {
    /// A member of weight 1, without a zone.
    pub fn new(name: impl Into<Arc<str>>, endpoint: T) -> Self {
        Self { name: name.into(), endpoint, zone: None, weight: NonZeroU32::MIN, metadata: BTreeMap::new() }
    }

    /// Says where it stands.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<Arc<str>>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Sets its share.
    ///
    /// # Panics
    ///
    /// If `weight` is 0. A member that is to take nothing new is [drained](super::Registry::drain).
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = NonZeroU32::new(weight).expect("a weight of 0: drain what is to take nothing");
        self
    }

    /// Adds what else is known of it.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// Bytes of a name, at most.
const NAME: usize = 255;

/// Whether somebody can be called so.
pub(super) fn is_name(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The number of a registration: later ones have greater numbers, whatever their names, and none is given twice.
///
/// A [`Registry`](super::Registry) begins with the microseconds since 1970. So it also goes on above what it gave before the process was started anew, unless
/// the clock was set back meanwhile, or a million were given each second. Where neither may be relied upon, say where to begin, by
/// [`Registry::starting_at`](super::Registry::starting_at).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    /// The generation of this number, as it was told to somebody over the network.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The one after it.
    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a registration returns, and what says later whose heartbeat it is.
///
/// It is plain data, so that it can be sent to whoever registered. It names one generation: where the same name is registered anew, the
/// registration before it is gone, and changes nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registration {
    /// Who was registered.
    pub name: Arc<str>,
    /// By which registration.
    pub generation: Generation,
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (generation {})", self.name, self.generation)
    }
}

/// The registration is gone: its lease ran out, it was removed, or its name was registered anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this registration is gone: its lease ran out, it was removed, or its name was registered anew")
    }
}

impl core::error::Error for Gone {}

/// Why a registry does not take a member, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// There would be more members than the registry's limit.
    Full {
        /// The limit.
        limit: usize,
    },
    /// Nobody can be called so.
    Name(Arc<str>),
    /// The list has this name twice.
    Twice(Arc<str>),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { limit } => write!(f, "more than {limit} members"),
            Self::Name(name) => {
                write!(f, "{name:?} is no name: 1 to {NAME} bytes without whitespace and control characters are")
            }
            Self::Twice(name) => write!(f, "`{name}` is in the list twice"),
        }
    }
}

impl core::error::Error for Refused {}
