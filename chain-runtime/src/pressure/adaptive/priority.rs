//! The order in which requests are let in, and how they share.

use core::error::Error;
use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

/// How much a request matters, if not all requests can be served. An earlier node provides it.
///
/// ```
/// use chain_runtime::node;
/// use chain_runtime::pressure::Priority;
///
/// struct Request { path: &'static str }
///
/// #[node]
/// fn classify(request: &Request) -> Priority {
///     match request.path {
///         "/pay" => Priority::Critical,
///         "/suggestions" => Priority::Sheddable,
///         _ => Priority::Default,
///     }
/// }
///
/// assert_eq!(classify(&Request { path: "/pay" }), Priority::Critical);
/// assert!(Priority::Critical < Priority::Sheddable, "the first is served first");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Priority {
    /// It is served before all others.
    Critical = 0,
    /// The priority of a request for which none is given.
    #[default]
    Default = 1,
    /// It goes first if a request has to go.
    Sheddable = 2,
}

impl Priority {
    /// All priorities, in the order in which they are served.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Default, Self::Sheddable];

    /// `critical`, `default`, `sheddable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Default => "default",
            Self::Sheddable => "sheddable",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Priority {
    type Err = UnknownPriority;

    /// # Errors
    ///
    /// [`UnknownPriority`] if none has that [`name`](Self::name).
    fn from_str(name: &str) -> Result<Self, UnknownPriority> {
        Self::ALL.into_iter().find(|priority| priority.name() == name).ok_or(UnknownPriority)
    }
}

/// No priority has that name. The message lists the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPriority;

impl fmt::Display for UnknownPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the priorities are `critical`, `default` and `sheddable`")
    }
}

impl Error for UnknownPriority {}

/// For an [`Adaptive`](super::Adaptive) that treats all requests alike. It asks the scope for nothing.
#[derive(Clone, Copy, Debug)]
pub struct Anyone<At = ()>(PhantomData<fn(At)>);

/// For an [`Adaptive`](super::Adaptive) that asks the scope for a [`Priority`].
///
/// `At` tells apart two of these in one scope, if one stands around the other: each provides an [`Asked`], and a scope
/// has one value of each type. Any type will do: `struct Upstream; Adaptive<ByPriority<Upstream>>`.
#[derive(Clone, Copy, Debug)]
pub struct ByPriority<At = ()>(PhantomData<fn(At)>);

/// For an [`Adaptive`](super::Adaptive) that asks the scope for a `K` by which requests share: a user, a tenant, a
/// peer, or any [`Key`](crate::nodes::Key). `Fair<User, ByPriority>` asks for a [`Priority`] as well, and shares inside
/// of each priority.
#[derive(Clone, Copy, Debug)]
pub struct Fair<K, P = Anyone>(PhantomData<fn(K, P)>);

/// What an [`Adaptive`](super::Adaptive) of the form `Q` knows of a request. That node provides it, and only that node
/// can use it.
pub struct Asked<Q> {
    pub(super) by: By,
    of: PhantomData<fn(Q)>,
}

impl<Q> Asked<Q> {
    pub(super) const fn new(priority: Priority, share: u8) -> Self {
        Self { by: By { priority, share }, of: PhantomData }
    }

    /// The priority of the request.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.by.priority
    }
}

impl<Q> Clone for Asked<Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q> Copy for Asked<Q> {}

impl<Q> fmt::Debug for Asked<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("priority", &self.by.priority).finish_non_exhaustive()
    }
}

/// The properties by which a request is compared with others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct By {
    pub(super) priority: Priority,
    /// The number of its share, below [`SHARES`].
    pub(super) share: u8,
}

/// How many shares there are in each priority. Two keys may fall into one.
pub(super) const SHARES: usize = 128;
