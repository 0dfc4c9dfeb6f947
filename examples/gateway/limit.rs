//! How often each user may ask: one gateway alone, or several together, for which Redis counts.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use chain_runtime::nodes::User;
use chain_runtime::nodes::access_log::Lines;
use chain_runtime::nodes::rate_limit::RateLimit;
use chain_runtime::nodes::shared_rate_limit::{
    Bound, Closed, Limited, LocalShare, Open, Quota, SharedRateLimit, WhenAway,
};
use chain_runtime::shared::Redis;
use tokio::time::{Instant, timeout};

use super::common::failure::Failure;
use super::common::logging;

/// The settings of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) rate: NonZeroU32,
    pub(crate) burst: NonZeroU32,
    pub(crate) gateways: NonZeroU32,
    pub(crate) away: Away,
}

/// What it does while Redis is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    Share,
    Closed,
    Open,
}

impl FromStr for Away {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "share" => Ok(Self::Share),
            "closed" => Ok(Self::Closed),
            "open" => Ok(Self::Open),
            _ => Err("share, closed or open is wanted"),
        }
    }
}

/// The limit.
pub(crate) enum UserLimit {
    Own(RateLimit<User>),
    Share(SharedRateLimit<User, LocalShare>),
    Closed(SharedRateLimit<User, Closed>),
    Open(SharedRateLimit<User, Open>),
}

impl UserLimit {
    /// With these figures; with a Redis, for all gateways together.
    pub(crate) fn new(redis: Option<&Redis>, figures: Figures) -> Result<Self, Failure> {
        let Figures { rate, burst, gateways, away } = figures;
        let Some(redis) = redis else { return Ok(Self::Own(RateLimit::per_second(rate).burst(burst))) };
        let quota = Quota::per_second(rate, gateways).burst(burst);
        match away {
            Away::Share => shared(redis, quota).map(Self::Share),
            Away::Closed => shared(redis, quota).map(Self::Closed),
            Away::Open => shared(redis, quota).map(Self::Open),
        }
    }

    /// How much is let through, if Redis counts.
    pub(crate) fn bound(&self) -> Option<Bound> {
        match self {
            Self::Own(_) => None,
            Self::Share(limit) => Some(limit.bound()),
            Self::Closed(limit) => Some(limit.bound()),
            Self::Open(limit) => Some(limit.bound()),
        }
    }

    pub(crate) async fn check(&self, user: &User) -> Result<(), Limited> {
        match self {
            Self::Own(limit) => limit.check(user).map_err(Limited::TooMany),
            Self::Share(limit) => limit.check(user).await,
            Self::Closed(limit) => limit.check(user).await,
            Self::Open(limit) => limit.check(user).await,
        }
    }
}

/// Logs when Redis goes away, and when it is back.
pub(crate) async fn tell(redis: Redis, away: impl Fn() -> Away, lines: Lines) {
    let mut outages = 0;
    // At the start it may take a moment.
    let mut is_up = timeout(Duration::from_secs(1), redis.ready()).await.is_ok();
    loop {
        if is_up {
            outages = redis.lost(outages).await;
        }
        let (why, since) = (redis.last_error().unwrap_or_else(|| "it is not reached".to_owned()), Instant::now());
        let meanwhile = match away() {
            Away::Share => "each user has this gateway's share of the rate meanwhile",
            Away::Closed => "users' requests are refused meanwhile",
            Away::Open => "users' requests are not limited meanwhile",
        };
        logging::warn(&lines, format_args!("Redis is away: {why}; {meanwhile}"));
        redis.ready().await;
        is_up = true;
        logging::info(&lines, format_args!("Redis is back after {:.1} s", since.elapsed().as_secs_f64()));
    }
}

fn shared<A: WhenAway>(redis: &Redis, quota: Quota) -> Result<SharedRateLimit<User, A>, Failure> {
    SharedRateLimit::new(redis, "users", quota).map_err(|wrong| Failure::usage(wrong).of("--rate"))
}
