//! [`Announce`]: a service that registers itself.

#[cfg(feature = "proxy")]
mod http;

use core::fmt;
use core::future::Future;
use core::pin::pin;
use core::time::Duration;
use std::collections::BTreeMap;
use std::string::{String, ToString as _};

use ::http::StatusCode;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, sleep_until, timeout};

#[cfg(feature = "proxy")]
pub use self::http::{HttpPost, Unposted};
use super::member::{Generation, Member};

/// Posts to a [`Registrar`](super::Registrar). With the feature `proxy`, `HttpPost` is one, over plain HTTP.
pub trait Post {
    /// Why there is no reply.
    type Error: fmt::Display;

    /// Posts this JSON as `action`: `register`, `heartbeat`, `drain` or `remove`. Completes with the status and the
    /// body. The future is dropped if it takes too long.
    fn post(
        &self,
        action: &'static str,
        json: String,
    ) -> impl Future<Output = Result<(StatusCode, Bytes), Self::Error>> + Send;
}

/// Registers a service at a [`Registrar`](super::Registrar), renews its lease after each third of it, registers it anew
/// if it is gone, and takes it out when the service stops.
///
/// ```no_run
/// use std::time::Duration;
///
/// use chain_runtime::upstream::{Announce, Member};
/// # use chain_runtime::upstream::{NotAnnounced, Post};
///
/// # async fn example(post: impl Post, stopping: impl Future<Output = ()>, idle: impl Future<Output = ()>) -> Result<(), NotAnnounced> {
/// let member = Member::new("10.0.0.7:8080", "http://10.0.0.7:8080".to_owned()).zone("a");
/// // `stopping` completes when the service is to stop, and `idle` when it has finished its requests.
/// Announce::new(member, Duration::from_secs(15)).run(post, stopping, idle, |news| println!("{news}")).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Announce {
    member: Member<String>,
    lease: Duration,
}

/// What has happened to an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum News {
    /// The service is registered.
    Registered(Generation),
    /// Its registration is gone: no heartbeat came in time, it was removed, or an earlier request to register, which
    /// got no reply, was carried out late. The service registers anew.
    Lost,
    /// This action failed. It is tried again.
    Failed {
        /// `register`, `heartbeat`, `drain` or `remove`.
        action: &'static str,
        /// The reason.
        why: String,
    },
    /// The service takes no new requests.
    Drained,
    /// The service was taken out.
    Removed,
}

/// Why a service is no longer announced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAnnounced {
    /// Its name was registered anew by another service. Two services that register one name would take it from each
    /// other for ever.
    Superseded,
    /// The registrar refuses the member.
    Refused {
        /// With this status.
        status: StatusCode,
        /// In the registrar's words.
        why: String,
    },
}

/// The first pause after a failure. Each pause after another failure is twice as long.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause after a failure.
const LONGEST: Duration = Duration::from_secs(10);

/// The longest time for a request.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many registrations without a reply are remembered for a lease. The service takes its name back from another one
/// at most so often.
const UNHEARD: u32 = 3;

/// And at most for this time.
const LONGEST_DOUBT: Duration = Duration::from_secs(60);

/// How often it tries to take the service out. After that, the lease takes it out.
const TRIES: u32 = 3;

#[derive(Serialize)]
struct Says<'a> {
    name: &'a str,
    endpoint: &'a str,
    zone: Option<&'a str>,
    weight: u32,
    metadata: &'a BTreeMap<String, String>,
    lease_ms: u64,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    generation: u64,
}

/// The parts of a reply that matter.
#[derive(Deserialize)]
struct Registered {
    generation: u64,
    lease_ms: u64,
}

/// A registration, and the lease that was given.
#[derive(Clone, Copy)]
struct Held {
    generation: u64,
    lease: Duration,
}

/// How a request failed.
enum Ended {
    /// It is unknown whether the request was carried out.
    Unheard(String),
    Failed(String),
    Gone,
    Final(NotAnnounced),
}

impl Announce {
    /// Announces this member. `lease` is how long it stays without a heartbeat.
    #[must_use]
    pub const fn new(member: Member<String>, lease: Duration) -> Self {
        Self { member, lease }
    }

    /// Announces the member until `stop` completes. Then the member is drained, kept until `idle` completes, and
    /// removed. `told` is called for each change.
    ///
    /// A request that fails is tried again, after random pauses that grow to at most 10 seconds. A request may take a
    /// third of the lease, and at most 5 seconds. If this future is dropped, the lease expires by itself.
    ///
    /// # Errors
    ///
    /// [`NotAnnounced`] if it makes no sense to try again. The service is then not registered, or not by this.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer.
    pub async fn run<P: Post>(
        &self,
        post: P,
        stop: impl Future<Output = ()>,
        idle: impl Future<Output = ()>,
        mut told: impl FnMut(&News),
    ) -> Result<(), NotAnnounced> {
        let (mut stop, mut idle) = (pin!(stop), pin!(idle));
        let mut held = None;
        if !self.keep(&post, &mut held, stop.as_mut(), &mut told).await? {
            return Ok(());
        }
        self.leave(&post, "drain", held, News::Drained, &mut told).await?;
        // Without heartbeats, the member would be gone while it finishes its requests. If it is lost now, it is not
        // registered anew.
        while let Some(Held { lease, .. }) = held {
            let pause = sleep(lease / 3);
            tokio::select! { biased; () = idle.as_mut() => break, () = pause => {} }
            match self.heartbeat(&post, held).await {
                Ok(()) => {}
                Err(Ended::Failed(why) | Ended::Unheard(why)) => told(&News::Failed { action: "heartbeat", why }),
                Err(Ended::Gone) => return Ok(()),
                Err(Ended::Final(why)) => return Err(why),
            }
        }
        self.leave(&post, "remove", held, News::Removed, &mut told).await
    }

    /// Keeps the member registered until it is to stop. Returns whether it is registered then.
    async fn keep<P: Post>(
        &self,
        post: &P,
        held: &mut Option<Held>,
        mut stop: core::pin::Pin<&mut impl Future<Output = ()>>,
        told: &mut impl FnMut(&News),
    ) -> Result<bool, NotAnnounced> {
        let mut failures = 0;
        let mut due = Instant::now();
        // Registrations that may still be carried out, and until when: the one that has superseded this one may be its
        // own.
        let (mut unheard, mut unheard_until) = (0_u32, due);
        loop {
            // A request under way goes on to its end, so that it is known whether the member is registered.
            tokio::select! { biased; () = stop.as_mut() => return Ok(held.is_some()), () = sleep_until(due) => {} }
            let (action, ended) = match *held {
                None => (
                    "register",
                    self.register(post).await.map(|registered| {
                        told(&News::Registered(Generation::new(registered.generation)));
                        *held = Some(registered);
                    }),
                ),
                Some(_) => ("heartbeat", self.heartbeat(post, *held).await),
            };
            let third = held.map_or(self.lease, |held| held.lease) / 3;
            due = Instant::now();
            match ended {
                Ok(()) => {
                    failures = 0;
                    due += third.mul_f64(0.9 + fastrand::f64() / 10.0);
                }
                Err(Ended::Gone) => {
                    told(&News::Lost);
                    *held = None;
                }
                Err(Ended::Final(NotAnnounced::Superseded)) if unheard > 0 && due < unheard_until => {
                    unheard -= 1;
                    told(&News::Lost);
                    *held = None;
                }
                Err(Ended::Final(why)) => return Err(why),
                Err(ended @ (Ended::Failed(_) | Ended::Unheard(_))) => {
                    if held.is_none() && matches!(ended, Ended::Unheard(_)) {
                        unheard = (unheard + 1).min(UNHEARD);
                        unheard_until = due + self.lease.min(LONGEST_DOUBT);
                    }
                    if let Ended::Failed(why) | Ended::Unheard(why) = ended {
                        told(&News::Failed { action, why });
                    }
                    let longest = if held.is_some() { third.min(LONGEST) } else { LONGEST };
                    due += pause(failures, longest);
                    failures += 1;
                }
            }
        }
    }

    async fn register<P: Post>(&self, post: &P) -> Result<Held, Ended> {
        let Member { name, endpoint, zone, weight, metadata } = &self.member;
        let lease_ms = u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX);
        let says = Says { name, endpoint, zone: zone.as_deref(), weight: weight.get(), metadata, lease_ms };
        let reply = self.ask(post, "register", &says, self.lease).await?;
        let said: Registered = serde_json::from_slice(&reply).map_err(|error| Ended::Unheard(error.to_string()))?;
        Ok(Held { generation: said.generation, lease: Duration::from_millis(said.lease_ms) })
    }

    async fn heartbeat<P: Post>(&self, post: &P, held: Option<Held>) -> Result<(), Ended> {
        self.of_held(post, "heartbeat", held).await
    }

    async fn of_held<P: Post>(&self, post: &P, action: &'static str, held: Option<Held>) -> Result<(), Ended> {
        let Some(Held { generation, lease }) = held else { return Ok(()) };
        self.ask(post, action, &Named { name: &self.member.name, generation }, lease).await.map(drop)
    }

    /// Drains or removes the member, in so many tries.
    async fn leave<P: Post>(
        &self,
        post: &P,
        action: &'static str,
        held: Option<Held>,
        news: News,
        told: &mut impl FnMut(&News),
    ) -> Result<(), NotAnnounced> {
        for failures in 0..TRIES {
            match self.of_held(post, action, held).await {
                Ok(()) => {
                    told(&news);
                    break;
                }
                // That is the wanted state.
                Err(Ended::Gone) => break,
                Err(Ended::Final(why)) => return Err(why),
                Err(Ended::Failed(why) | Ended::Unheard(why)) => told(&News::Failed { action, why }),
            }
            if failures + 1 < TRIES {
                sleep(pause(failures, LONGEST)).await;
            }
        }
        Ok(())
    }

    async fn ask<P: Post>(
        &self,
        post: &P,
        action: &'static str,
        says: &impl Serialize,
        lease: Duration,
    ) -> Result<Bytes, Ended> {
        let json = serde_json::to_string(says).map_err(|error| Ended::Failed(error.to_string()))?;
        let patience = (lease / 3).min(PATIENCE);
        let reply =
            timeout(patience, post.post(action, json)).await.map_err(|_| Ended::Unheard("it took too long".into()))?;
        let (status, body) = reply.map_err(|error| Ended::Unheard(error.to_string()))?;
        let why = || String::from_utf8_lossy(&body).into_owned();
        match status {
            status if status.is_success() => Ok(body),
            StatusCode::GONE => Err(Ended::Gone),
            StatusCode::CONFLICT => Err(Ended::Final(NotAnnounced::Superseded)),
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                Err(Ended::Final(NotAnnounced::Refused { status, why: why() }))
            }
            status => Err(Ended::Failed(std::format!("{status}: {}", why()))),
        }
    }
}

/// The pause after so many failures in a row and one more. Half of it is random, so that services that failed together
/// do not come back together.
fn pause(failures: u32, longest: Duration) -> Duration {
    let pause = FIRST.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(longest);
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered(generation) => write!(f, "registered by generation {generation}"),
            Self::Lost => f.write_str("the registration is gone, and is made anew"),
            Self::Failed { action, why } => write!(f, "{action} failed: {why}"),
            Self::Drained => f.write_str("drained"),
            Self::Removed => f.write_str("removed"),
        }
    }
}

impl fmt::Display for NotAnnounced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superseded => f.write_str("somebody else has registered the name"),
            Self::Refused { status, why } => write!(f, "the registrar refuses it, {status}: {why}"),
        }
    }
}

impl core::error::Error for NotAnnounced {}
