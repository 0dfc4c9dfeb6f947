//! [`SharedMembers`]: the members of a registry that all machines share.

use core::fmt;
use core::time::Duration;
use std::string::{String, ToString as _};
use std::sync::{Arc, LazyLock};
use std::vec::Vec;

use super::redis::{Away, Redis};
use super::script::Script;
use super::settings::{BadSettings, is_word};
use crate::upstream::{Generation, Gone, Member, Refused, Registration};

mod kept;
mod line;
mod source;

pub use kept::Kept;
pub use source::SharedSource;

macro_rules! script {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(include_str!("members/begin.lua"), include_str!($file))));
    };
}

script!(REGISTER, "members/register.lua");
script!(HEARTBEAT, "members/heartbeat.lua");
script!(REMOVE, "members/remove.lua");
script!(LIST, "members/list.lua");

/// The most members of a group by default.
const LIMIT: usize = 4_096;

/// The members of a group, in Redis. Each process registers itself there, and each process with a
/// [`Registry`](crate::upstream::Registry) follows a [`source`](Self::source).
///
/// ```no_run
/// use std::net::SocketAddr;
/// use std::time::Duration;
///
/// use chain_runtime::shared::{Redis, Settings, SharedMembers};
/// use chain_runtime::upstream::{Member, Registry};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let redis = Redis::start(Settings::at("redis://10.0.0.5:6379/")?);
/// let orders = SharedMembers::new(&redis, "orders", Duration::from_secs(10))?;
///
/// // A server registers itself, and is renewed until it is told to end.
/// let myself = Member::new("10.0.0.7:8080", "10.0.0.7:8080").zone("a");
/// let end = async { /* a signal */ };
/// orders.keep(&myself, end, |kept| println!("{kept}")).await;
///
/// // A gateway follows.
/// let registry: Registry<SocketAddr> = Registry::new();
/// registry.follow(orders.source(), |told| println!("{told}")).await;
/// # Ok(())
/// # }
/// ```
///
/// # Guarantees
///
/// - Each change is one step of the server, which compares generations: a late heartbeat does not revive a member, and
///   an old owner does not remove one.
/// - **Leases are by the server's clock** alone. A machine's clock that jumps changes nothing.
/// - A [`Generation`] is greater than all earlier ones, even if the server has lost its data: it is the microseconds
///   since 1970 by the server's clock, or one more than the last. This does not hold if the server has lost its data
///   *and* its clock was set back.
/// - While the server cannot be reached, no member can renew. When it has been silent for half a lease, all members
///   have a whole lease from then on. A member that is gone then disappears within one lease.
///
/// | event | members |
/// | --- | --- |
/// | a process ends without a word | are without it after one lease |
/// | Redis is away | stay as they are, on each machine |
/// | Redis is there again | are renewed, and right within one lease |
/// | Redis was emptied | stay as they are for one lease: each that lives registers again within a third of it |
/// | Redis' clock is set | stay as they are, and are right within one lease |
/// | an entry in Redis is no member | are without that one; [`SharedSource::skipped`] counts it |
#[derive(Clone, Debug)]
pub struct SharedMembers {
    redis: Redis,
    keys: Arc<[String; 3]>,
    lease: Duration,
    limit: usize,
}

impl SharedMembers {
    /// The group of this name. All processes that name it use the same lease, of at least a second.
    ///
    /// # Errors
    ///
    /// If the name is not 1 to 64 letters, digits, `.`, `_` and `-`.
    pub fn new(redis: &Redis, group: &str, lease: Duration) -> Result<Self, BadSettings> {
        if !is_word(group) {
            return Err(BadSettings::no_name(group));
        }
        let key = |what: &str| std::format!("{}:members:{group}:{what}", redis.prefix());
        Ok(Self {
            redis: redis.clone(),
            keys: Arc::new([key("state"), key("entries"), key("leases")]),
            lease: lease.max(Duration::from_secs(1)),
            limit: LIMIT,
        })
    }

    /// Sets how many members there may be. The default is 4,096.
    #[must_use]
    pub const fn with_limit(mut self, members: usize) -> Self {
        self.limit = members;
        self
    }

    /// Registers a member for one lease, in place of the member that had its name. Its endpoint is written as text.
    ///
    /// # Errors
    ///
    /// Redis is away, or does not accept the member. If Redis is away, the member may be registered all the same, for a
    /// lease.
    pub async fn register<E: fmt::Display>(&self, member: &Member<E>) -> Result<Registration, NotRegistered> {
        let line = line::write(member)?;
        let rest = [self.limit.to_string(), member.name.to_string(), line];
        match self.run::<u64>(&REGISTER, rest).await? {
            0 => Err(NotRegistered::Refused(Refused::Full { limit: self.limit })),
            number => Ok(Registration { name: Arc::clone(&member.name), generation: Generation::new(number) }),
        }
    }

    /// Renews the lease.
    ///
    /// # Errors
    ///
    /// The registration is gone, or Redis is away.
    pub async fn heartbeat(&self, registration: &Registration) -> Result<(), Unchanged> {
        self.change(&HEARTBEAT, registration).await
    }

    /// Takes the member out.
    ///
    /// # Errors
    ///
    /// The registration is gone already, or Redis is away.
    pub async fn remove(&self, registration: &Registration) -> Result<(), Unchanged> {
        self.change(&REMOVE, registration).await
    }

    async fn change(&self, script: &Script, registration: &Registration) -> Result<(), Unchanged> {
        let Registration { name, generation } = registration;
        match self.run::<u8>(script, [name.to_string(), generation.to_string()]).await? {
            0 => Err(Unchanged::Gone(Gone)),
            _ => Ok(()),
        }
    }

    async fn run<T: redis::FromRedisValue>(
        &self,
        script: &Script,
        rest: impl IntoIterator<Item = String>,
    ) -> Result<T, Away> {
        let mut arguments = Vec::from([self.lease.as_micros().to_string()]);
        arguments.extend(rest);
        self.redis.run(script, &*self.keys, &arguments).await
    }
}

/// Why a member was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotRegistered {
    /// Redis is away.
    Away(Away),
    /// There are too many members, or a member cannot have this name.
    Refused(Refused),
    /// A part of the member cannot be written down: it is empty, or has white space in it.
    Unwritable(String),
}

impl From<Away> for NotRegistered {
    fn from(away: Away) -> Self {
        Self::Away(away)
    }
}

impl fmt::Display for NotRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(away) => away.fmt(f),
            Self::Refused(refused) => refused.fmt(f),
            Self::Unwritable(what) => {
                write!(f, "{what:?} cannot be written down: it is empty, or has white space in it")
            }
        }
    }
}

impl core::error::Error for NotRegistered {}

/// Why a registration was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unchanged {
    /// The registration is gone.
    Gone(Gone),
    /// Redis is away. The registration may be changed all the same.
    Away(Away),
}

impl From<Away> for Unchanged {
    fn from(away: Away) -> Self {
        Self::Away(away)
    }
}

impl fmt::Display for Unchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(gone) => gone.fmt(f),
            Self::Away(away) => away.fmt(f),
        }
    }
}

impl core::error::Error for Unchanged {}
