//! State that several machines share, in Redis: there is no protocol and no server of this crate's own.
//!
//! A [`Redis`] is one connection of a process, with a bounded queue in front of it. These are built on it:
//!
//! - rate limits: [`nodes::shared_rate_limit`](crate::nodes::shared_rate_limit),
//! - the members of a registry: `SharedMembers`, with the feature `upstream`,
//! - work that only one of all machines does at a time: [`Exclusive`], a lease with a fencing token.
//!
//! ```no_run
//! use chain_runtime::shared::{Redis, Settings};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = Redis::start(Settings::at("redis://:secret@10.0.0.5:6379/")?.prefix("shop")?);
//! // Waiting is optional. Until Redis answers, a program that has just started decides as while Redis is away.
//! let _ = tokio::time::timeout(std::time::Duration::from_secs(1), redis.ready()).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds for all of these
//!
//! - **Time is the server's.** Times that machines compare with each other are measured by the server's clock, in the
//!   script that compares them. A machine measures only how long something takes on that machine, by its monotonic
//!   clock.
//! - **Each change is one script**, which the server runs as one step. The script is sent by its hash, and as a whole
//!   if the server does not know it.
//! - **Redis counts as away soon**: after one question without an answer in [`patience`](Settings::patience), after a
//!   connection that breaks, and after an answer that is an error or of another shape. Then no request waits for it
//!   until a new connection has answered. A process tries to connect ten times a second.
//! - **A number that has to grow does so even if Redis has lost its data**: it is the microseconds since 1970 by the
//!   server's clock, or one more than the last number.
//! - **All keys begin with a [prefix](Settings::prefix)**, and expire. A value of another program under such a key is
//!   overwritten.
//!
//! # What it needs
//!
//! One Redis from 5.0 on, or Valkey. A server that fails over to a replica behind one address counts as one that may
//! have lost its last writes. Redis Cluster is not supported: a script asks for several keys at once. Addresses with
//! TLS (`rediss://`) are refused.
//!
//! Commands: `EVAL`, `EVALSHA`, `PING`, and in scripts `DEL`, `EXISTS`, `GET`, `HDEL`, `HEXISTS`, `HGET`, `HLEN`,
//! `HSET`, `HVALS`, `PEXPIRE`, `PTTL`, `SET`, `TIME`, `TYPE`, `ZADD`, `ZRANGE`, `ZRANGEBYSCORE`, `ZREM`. A server that
//! also has other uses needs a `maxmemory` with the policy `volatile-ttl`: it then first forgets those quotas that are
//! nearly full.

mod exclusive;
#[cfg(feature = "upstream")]
mod members;
mod permits;
mod redis;
mod script;
mod settings;

pub use self::redis::{Away, Redis};
pub use exclusive::{Exclusive, Holding, Lost, NotRenewed};
#[cfg(feature = "upstream")]
pub use members::{Kept, NotRegistered, SharedMembers, SharedSource, Unchanged};
pub use settings::{BadSettings, Settings};

pub(crate) use permits::{Answer, Ask, Asks, Question, Want};
pub(crate) use settings::is_word;
