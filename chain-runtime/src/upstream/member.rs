//! [`Member`]: one of an upstream's servers, and how one registration is told from another.

use core::fmt;
use core::num::NonZeroU32;
use std::collections::BTreeMap;
use std::string::String;
use std::sync::Arc;

/// One that can be asked: a server, a process, a shard.
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
    /// Its name in the registry, `10.0.0.7:8080` for example: 1 to 255 bytes without whitespace and control characters.
    pub name: Arc<str>,
    /// What requests use: an address, a client, a `proxy::Upstream`.
    pub endpoint: T,
    /// Its zone, so that nearby members can be preferred.
    pub zone: Option<Arc<str>>,
    /// Its share in relation to the weights of the others. The default is 1.
    pub weight: NonZeroU32,
    /// Other facts about it. There is no limit on its size.
    pub metadata: BTreeMap<String, String>,
}

impl<T> Member<T> {
    /// A member of weight 1, without a zone.
    pub fn new(name: impl Into<Arc<str>>, endpoint: T) -> Self {
        Self { name: name.into(), endpoint, zone: None, weight: NonZeroU32::MIN, metadata: BTreeMap::new() }
    }

    /// Sets its zone.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<Arc<str>>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Sets its share.
    ///
    /// # Panics
    ///
    /// If `weight` is 0. To give a member no new requests, [drain](super::Registry::drain) it.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = NonZeroU32::new(weight).expect("a weight of 0: drain what is to take nothing");
        self
    }

    /// Adds another fact about it.
    #[must_use]
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }
}

/// The most bytes of a name.
const NAME: usize = 255;

/// Whether this may be a name.
pub(super) fn is_name(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// The number of a registration: later ones have greater numbers, whatever their names, and no number is given twice.
///
/// A [`Registry`](super::Registry) begins with the microseconds since 1970. So it also continues above the numbers that
/// it gave before a restart, unless the clock was set back meanwhile, or a million numbers were given each second. If
/// neither can be relied upon, set the beginning with [`Registry::starting_at`](super::Registry::starting_at).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    /// The generation of this number, as received over the network.
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

/// The result of a registration. A later heartbeat names it.
///
/// It is plain data, so it can be sent to the service that registered. It names one generation: when the same name is
/// registered anew, the earlier registration is gone, and changes nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Registration {
    /// The name of the member.
    pub name: Arc<str>,
    /// The number of the registration.
    pub generation: Generation,
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (generation {})", self.name, self.generation)
    }
}

/// The registration is gone: its lease expired, it was removed, or its name was registered anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this registration is gone: its lease ran out, it was removed, or its name was registered anew")
    }
}

impl core::error::Error for Gone {}

/// Why a registry refuses a member, or a list of members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// There would be more members than the registry's limit.
    Full {
        /// The limit.
        limit: usize,
    },
    /// This cannot be a name.
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

/// What a list has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// How many members were registered, including those with a changed endpoint, zone or metadata.
    pub added: usize,
    /// How many were removed, including the same ones.
    pub removed: usize,
    /// How many are the same except for their weight.
    pub reweighed: usize,
    /// How many are the same.
    pub kept: usize,
}
