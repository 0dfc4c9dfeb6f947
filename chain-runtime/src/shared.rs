//! What several machines have in common, in Redis: no protocol of our own, and no server.
//!
//! A [`Redis`] is one connection of a process, with a bounded queue in front of it. On it stand
//!
//! - rate limits: [`nodes::shared_rate_limit`](crate::nodes::shared_rate_limit),
//! - the members of a registry: `SharedMembers`, with the feature `upstream`,
//! - what one of all machines does at a time: [`Exclusive`], a lease with a fencing token.
//!
//! ```no_run
//! use chain_runtime::shared::{Redis, Settings};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let redis = Redis::start(Settings::at("redis://:secret@10.0.0.5:6379/")?.prefix("shop")?);
//! // Nobody has to wait for it. But a program that has just started lets through, until then, what it does while Redis is away.
//! let _ = tokio::time::timeout(std::time::Duration::from_secs(1), redis.ready()).await;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds for all of it
//!
//! - **Time is the server's.** Whatever machines compare with each other is measured by the server's clock, in the script that compares it. A machine measures only how long
//!   something takes on it, by its monotonic clock.
//! - **Each change is one script**, which the server runs as one step. It is sent by its hash, and as a whole where the server does not know it.
//! - **Redis is away soon**: after one question without an answer in [`patience`](Settings::patience), after a connection that breaks, and after an answer that is an error or of another shape. Then nobody
//!   waits for it, until a new connection has answered; a process tries ten times a second.
//! - **A number that has to grow grows also when Redis has lost its data**: it is the microseconds since 1970 by the server's clock, or one more than the last.
//! - **All keys begin with a [prefix](Settings::prefix)**, and expire. What stands under one and is none of ours is overwritten.
//!
//! # What it needs
//!
//! One Redis from 5.0 on, or Valkey; what fails over to a replica behind one address counts as one that may have lost its last writes. Redis Cluster is none: a script asks for several keys at once.
//! Addresses with TLS (`rediss://`) are refused.
//!
//! Commands: `EVAL`, `EVALSHA`, `PING`, and in scripts `DEL`, `EXISTS`, `GET`, `HDEL`, `HEXISTS`, `HGET`, `HLEN`, `HSET`, `HVALS`, `PEXPIRE`, `PTTL`, `SET`, `TIME`, `TYPE`, `ZADD`, `ZRANGE`, `ZRANGEBYSCORE`, `ZREM`.
//! A server that is not for this alone has a `maxmemory` with the policy `volatile-ttl`: it then forgets first those quotas that are nearly full.

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
