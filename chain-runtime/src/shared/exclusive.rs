//! [`Exclusive`]: what one of all machines does at a time, with a token that grows.

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

/// What one of all machines does at a time: who acquires it has a lease, and a **fencing token**.
///
/// A lease alone excludes nobody: its holder may be stopped between a look at the clock and what it then does, for longer than the lease. So each holder has a token, which is greater than any before it. Send it along with each write, and let what is written to
/// **refuse a token that is less than one that it has seen**. Where that cannot be, a lease saves work that would be done twice; nothing that must be right may rest on it. (Martin Kleppmann,
/// "How to do distributed locking", 2016.)
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
///     // The work is dropped where the lease may soon be another's.
///     holding.run(async |token| write(token).await).await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # What it does not promise
///
/// | what | two at a time | tokens grow |
/// | --- | --- | --- |
/// | a holder is stopped, and goes on | until it looks at the clock | yes |
/// | Redis loses its data, or a replica without the last writes takes over | until the first's lease would have ended | yes: a token is at least the microseconds since 1970 by the server's clock |
/// | the server's clock is set forward | until the first's lease would have ended | yes |
/// | the server's clock is set back | no: a lease takes longer then | yes |
/// | Redis loses its data, and its clock was set back, or a server with a slower clock takes over | as above | **no** |
///
/// While Redis is away nobody acquires, and a holder loses it when its lease has ended.
#[derive(Clone, Debug)]
pub struct Exclusive {
    redis: Redis,
    keys: Arc<[String; 2]>,
    lease: Duration,
}

impl Exclusive {
    /// What has this name, on all machines, for so long at a time: a second at least.
    ///
    /// # Errors
    ///
    /// It is no name: 1 to 64 letters, digits, `.`, `_` and `-` are.
    pub fn new(redis: &Redis, name: &str, lease: Duration) -> Result<Self, BadSettings> {
        if !is_word(name) {
            return Err(BadSettings::no_name(name));
        }
        let key = |what: &str| std::format!("{}:exclusive:{name}:{what}", redis.prefix());
        let keys = Arc::new([key("holder"), key("token")]);
        Ok(Self { redis: redis.clone(), keys, lease: lease.max(Duration::from_secs(1)) })
    }

    /// Acquires it, if nobody holds it. It does not wait for whoever does.
    ///
    /// Where the answer is lost, or this future is dropped, nobody may hold it for one lease.
    ///
    /// # Errors
    ///
    /// Redis is away.
    pub async fn acquire(&self) -> Result<Option<Holding>, Away> {
        let asked = Instant::now();
        let token = self.run::<u64>(&ACQUIRE, None).await?;
        Ok((token > 0).then(|| Holding { of: self.clone(), token, until: self.until(asked) }))
    }

    /// When a lease ends that was asked for at this moment, as its holder reckons: the server began to count after that. A tenth is for clocks that do not run at one speed.
    fn until(&self, asked: Instant) -> Instant {
        asked + self.lease * 9 / 10
    }

    async fn run<T: redis::FromRedisValue>(&self, script: &Script, token: Option<u64>) -> Result<T, Away> {
        let mut arguments = std::vec![self.lease.as_millis().to_string()];
        arguments.extend(token.map(|token| token.to_string()));
        self.redis.run(script, &*self.keys, &arguments).await
    }
}

/// What was acquired.
///
/// It is held until [`is_held`](Self::is_held) says otherwise. One that is dropped stays acquired to the end of its lease: [`release`](Self::release) lets it go.
#[derive(Debug)]
#[must_use = "it is held to the end of its lease"]
pub struct Holding {
    of: Exclusive,
    token: u64,
    until: Instant,
}

impl Holding {
    /// Greater than that of any holder before.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.token
    }

    /// Whether nobody else can have acquired it, by this machine's monotonic clock: nine tenths of a lease have not passed since it was asked for.
    #[must_use]
    pub fn is_held(&self) -> bool {
        Instant::now() < self.until
    }

    /// Holds it for a whole lease from now on.
    ///
    /// # Errors
    ///
    /// It is lost, or Redis is away: then it is held for as long as it was before.
    pub async fn renew(&mut self) -> Result<(), NotRenewed> {
        let asked = Instant::now();
        if self.of.run::<u8>(&RENEW, Some(self.token)).await? == 0 {
            self.until = asked;
            return Err(NotRenewed::Lost(Lost));
        }
        self.until = self.of.until(asked);
        Ok(())
    }

    /// Lets it go. If another holds it, it stays that one's.
    ///
    /// # Errors
    ///
    /// Redis is away: it is let go when its lease ends.
    pub async fn release(self) -> Result<(), Away> {
        self.of.run::<u8>(&RELEASE, Some(self.token)).await.map(drop)
    }

    /// Does this work, and renews meanwhile, three times in a lease. Then lets it go.
    ///
    /// # Errors
    ///
    /// It was lost, or could not be renewed in time. The work was dropped at the await where it stood, before another could acquire it; work that does not await is not
    /// dropped.
    pub async fn run<R>(mut self, work: impl AsyncFnOnce(u64) -> R) -> Result<R, Lost> {
        let token = self.token;
        let done = tokio::select! {
            biased;
            () = self.lost() => return Err(Lost),
            done = work(token) => done,
        };
        // Where this fails, the lease ends by itself.
        let _ = self.release().await;
        Ok(done)
    }

    /// Renews, and completes when it is lost.
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

/// Another may hold it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lease has ended, and another may have it now")
    }
}

impl core::error::Error for Lost {}

/// Why a lease is not renewed.
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
