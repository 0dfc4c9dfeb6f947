//! [`Exclusive`]: work that only one of all machines does at a time, with a token that grows.

use core::fmt;
use core::time::Duration;
use std::string::{String, ToString as _};
use std::sync::{Arc, LazyLock};

use tokio::time::{Instant, sleep, timeout_at};

use super::redis::{Away, Redis};
use super::script::Script;
use super::settings::{BadSettings, is_word};

static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("exclusive/acquire.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("exclusive/renew.lua")));
static RELEASE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("exclusive/release.lua")));

/// Work that only one of all machines does at a time: a machine that acquires it has a lease, and a **fencing token**.
///
/// A lease alone excludes no machine: its holder may be stopped between reading the clock and acting on it, for longer
/// than the lease. So each holder has a token, which is greater than all earlier tokens. Send it along with each write,
/// and let the target of the writes **refuse a token that is less than one that it has seen**. If the target cannot do
/// that, a lease saves double work, but nothing that must be right may depend on it. (Martin Kleppmann, "How to do
/// distributed locking", 2016.)
///
/// ```no_run
/// use std::time::Duration;
///
/// use chain_runtime::shared::{Exclusive, Redis};
///
/// # async fn write(token: u64) {}
/// # async fn example(redis: &Redis) -> Result<(), Box<dyn std::error::Error>> {
/// let nightly = Exclusive::new(redis, "nightly", Duration::from_secs(10))?;
/// if let Some(holding) = nightly.acquire().await? {
///     // The work is dropped when another machine may soon have the lease.
///     holding.run(async |token| write(token).await).await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Limits of the promise
///
/// | event | two at a time | tokens grow |
/// | --- | --- | --- |
/// | a holder is stopped, and goes on | until it reads the clock | yes |
/// | Redis loses its data, or a replica without the last writes takes over | until the first's lease would have ended | yes: a token is at least the microseconds since 1970 by the server's clock |
/// | the server's clock is set forward | until the first's lease would have ended | yes |
/// | the server's clock is set back | no: a lease takes longer then | yes |
/// | Redis loses its data, and its clock was set back, or a server with a slower clock takes over | as above | **no** |
///
/// While Redis is away, no machine acquires the work, and a holder loses it when its lease has ended.
#[derive(Clone, Debug)]
pub struct Exclusive {
    redis: Redis,
    keys: Arc<[String; 2]>,
    lease: Duration,
}

impl Exclusive {
    /// The work with this name, on all machines. A lease has this length: at least a second.
    ///
    /// # Errors
    ///
    /// If the name is not 1 to 64 letters, digits, `.`, `_` and `-`.
    pub fn new(redis: &Redis, name: &str, lease: Duration) -> Result<Self, BadSettings> {
        if !is_word(name) {
            return Err(BadSettings::no_name(name));
        }
        let key = |what: &str| std::format!("{}:exclusive:{name}:{what}", redis.prefix());
        let keys = Arc::new([key("holder"), key("token")]);
        Ok(Self { redis: redis.clone(), keys, lease: lease.max(Duration::from_secs(1)) })
    }

    /// Acquires the work, if no machine holds it. It does not wait for the holder.
    ///
    /// If the answer is lost, or this future is dropped, it may be that no machine can acquire the work for one lease.
    ///
    /// # Errors
    ///
    /// Redis is away.
    pub async fn acquire(&self) -> Result<Option<Holding>, Away> {
        let asked = Instant::now();
        let token = self.run::<u64>(&ACQUIRE, None).await?;
        Ok((token > 0).then(|| Holding { of: self.clone(), token, until: self.until(asked) }))
    }

    /// When a lease ends that was asked for at this moment, by the holder's clock: the server began to count after
    /// that. A tenth is subtracted, because clocks do not run at the same speed.
    fn until(&self, asked: Instant) -> Instant {
        asked + self.lease * 9 / 10
    }

    async fn run<T: redis::FromRedisValue>(&self, script: &Script, token: Option<u64>) -> Result<T, Away> {
        let mut arguments = std::vec![self.lease.as_millis().to_string()];
        arguments.extend(token.map(|token| token.to_string()));
        self.redis.run(script, &*self.keys, &arguments).await
    }
}

/// The acquired work.
///
/// It is held until [`is_held`](Self::is_held) is false. Dropping it keeps it acquired to the end of its lease:
/// [`release`](Self::release) ends it earlier.
#[derive(Debug)]
#[must_use = "it is held to the end of its lease"]
pub struct Holding {
    of: Exclusive,
    token: u64,
    until: Instant,
}

impl Holding {
    /// Greater than the token of any earlier holder.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.token
    }

    /// Whether no other machine can have acquired it, by this machine's monotonic clock: nine tenths of a lease have
    /// not passed since it was asked for.
    #[must_use]
    pub fn is_held(&self) -> bool {
        Instant::now() < self.until
    }

    /// Holds it for a whole lease from now on.
    ///
    /// # Errors
    ///
    /// It is lost, or Redis is away. If Redis is away, it is held for as long as before.
    pub async fn renew(&mut self) -> Result<(), NotRenewed> {
        let asked = Instant::now();
        if self.of.run::<u8>(&RENEW, Some(self.token)).await? == 0 {
            self.until = asked;
            return Err(NotRenewed::Lost(Lost));
        }
        self.until = self.of.until(asked);
        Ok(())
    }

    /// Releases it. If another machine holds it, that one keeps it.
    ///
    /// # Errors
    ///
    /// Redis is away: the lease then ends by itself.
    pub async fn release(self) -> Result<(), Away> {
        self.of.run::<u8>(&RELEASE, Some(self.token)).await.map(drop)
    }

    /// Does this work, and renews the lease meanwhile, three times in its length. Then it releases it.
    ///
    /// # Errors
    ///
    /// The lease was lost, or could not be renewed in time. The work was dropped at the await where it stood, before
    /// another machine could acquire it. Work that does not await is not dropped.
    pub async fn run<R>(mut self, work: impl AsyncFnOnce(u64) -> R) -> Result<R, Lost> {
        let token = self.token;
        let done = tokio::select! {
            biased;
            () = self.lost() => return Err(Lost),
            done = work(token) => done,
        };
        // If this fails, the lease ends by itself.
        let _ = self.release().await;
        Ok(done)
    }

    /// Renews, and completes when the lease is lost.
    async fn lost(&mut self) {
        let (often, soon) = (self.of.lease / 3, self.of.lease / 20);
        let mut pause = often;
        loop {
            let until = self.until;
            let renews = async {
                sleep(pause).await;
                self.renew().await
            };
            pause = match timeout_at(until, renews).await {
                Ok(Ok(())) => often,
                Ok(Err(NotRenewed::Away(_))) => soon,
                Ok(Err(NotRenewed::Lost(_))) | Err(_) => return,
            };
        }
    }
}

/// Another machine may hold it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lease has ended, and another may have it now")
    }
}

impl core::error::Error for Lost {}

/// Why a lease was not renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRenewed {
    /// It is lost.
    Lost(Lost),
    /// Redis is away.
    Away(Away),
}

impl From<Away> for NotRenewed {
    fn from(away: Away) -> Self {
        Self::Away(away)
    }
}

impl fmt::Display for NotRenewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(lost) => lost.fmt(f),
            Self::Away(away) => away.fmt(f),
        }
    }
}

impl core::error::Error for NotRenewed {}
