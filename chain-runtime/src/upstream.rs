//! Upstreams: their members, which members are healthy, and which one gets the next request.
//!
//! A [`Registry`] has its *write side* behind one lock: members are registered with a lease, renewed by heartbeats,
//! drained, removed, and evicted when their leases end. It publishes a [`Snapshot`], which never changes: all members
//! with their states and weights at one moment. Readers get the current snapshot by one atomic load, so picking takes
//! no lock and allocates nothing. The endpoint is a type parameter: an address, a client, a `proxy::Upstream`.
//!
//! ```
//! use std::net::SocketAddr;
//! use std::time::Duration;
//!
//! use chain_runtime::upstream::{Gone, Member, Registry, State};
//!
//! let registry: Registry<SocketAddr> = Registry::new();
//! let endpoint = "10.0.0.7:8080".parse()?;
//! let lease = Duration::from_secs(10);
//! let first = registry.register(Member::new("10.0.0.7:8080", endpoint).zone("a"), lease)?;
//!
//! // A pick looks at one snapshot, and begins a request at a seat in it.
//! let snapshot = registry.snapshot();
//! let entry = snapshot.get("10.0.0.7:8080").unwrap();
//! assert_eq!((entry.state(), entry.seat().endpoint()), (State::Ready, &endpoint));
//! let request = entry.seat().begin().unwrap();
//!
//! // The process is restarted, and registers again. The old owner can no longer change anything.
//! let second = registry.register(Member::new("10.0.0.7:8080", endpoint), lease)?;
//! assert!(second.generation > first.generation);
//! assert_eq!(registry.heartbeat(&first), Err(Gone));
//! assert_eq!(registry.remove(&first), Err(Gone));
//! registry.heartbeat(&second)?;
//!
//! // No request begins at the old seat, even from an old snapshot. Requests in flight go on.
//! assert!(entry.seat().begin().is_none());
//! assert_eq!(request.seat().in_flight(), 1);
//! # drop(snapshot);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! - **A registration returns a [`Generation`]**, a number from one counter for the whole registry. A call that changes
//!   a member names a generation, which is compared under the lock. So a late heartbeat does not revive a member, and
//!   an old owner does not remove one.
//! - **A lease that ends at a moment is over at that moment**: a heartbeat is then too late, even if the member was not
//!   evicted yet.
//! - **A member that is drained, removed or evicted takes no new requests** after the call has returned, whatever
//!   snapshot a reader holds: [`Seat::begin`] refuses them. Requests in flight go on, and [`Registry::drained`]
//!   completes when they have ended.
//! - **A [`Seat`] stays** from snapshot to snapshot as long as its generation lives. It holds the state that changes
//!   with each request.
//! - **A heartbeat changes no snapshot.**
//! - **Changes are published in groups**: one thread publishes what others have changed meanwhile. If a task
//!   [keeps](Registry::keep) the registry, snapshots are at least a millisecond apart.
//!
//! # Health
//!
//! [`Health`] says when a member is ejected for how its requests end. The call that [notes](Seat::note) one failure too
//! many ejects the member, so no task stands between a failure and the next pick. [`Registry::check`] asks members how
//! they are, by a [`Check`] of your own or a ready one. Both change states in the snapshot. For a pick, all of this is
//! one number, [`Snapshot::share`], which includes slow start and panic.
//!
//! # Where members come from
//!
//! Members register themselves, by [`Registry::register`]. Or they come from a list that is replaced as a whole, by
//! [`Registry::listed`]. Or a [`Source`] that the registry [follows](Registry::follow) brings them: a [`Static`] list,
//! a [`File`] that is watched, or the addresses of a name (`Dns`, feature `hickory-resolver`). The page [`sources`]
//! says how these work, and what happens when they fail. With the feature `upstream-http`, services register over HTTP,
//! at a `Registrar`; `Announce` does this in a service.
//!
//! # Counters
//!
//! [`Seat::totals`] counts the requests of a member by their outcomes. [`Seat::expected`] is the expected time of a
//! request. [`Registry::totals`] counts the members that came, went, were refused and were ejected.
//! `telemetry::prometheus::Upstreams` exposes them, and `telemetry::page` shows them.
//!
//! # Picking
//!
//! A [`Pick`] is a node that picks a member and provides a [`Lease`] on it. Later nodes borrow the lease and report how
//! the request went. The lease is returned once, on each of the four ways out. For HTTP, `proxy::Forward` is such a
//! later node, by `proxy::ByLease`; or it contains the `Pick` itself. A [`Balance`] chooses the member: [`PeakEwma`],
//! [`LeastRequests`], [`RoundRobin`], a [`Ring`], or one of these by [zones](Zoned) or in a [part](Subset) of the
//! members. In a block that runs again, an [`Untried`] pick avoids the members that the request has [`Tried`].

#[cfg(feature = "upstream-http")]
mod announce;
mod balance;
mod book;
mod clock;
mod health;
#[cfg(all(test, chain_loom))]
mod interleavings;
mod keep;
mod latency;
mod lease;
mod listed;
mod member;
mod outcome;
mod pace;
mod pick;
#[cfg(feature = "upstream-http")]
mod registrar;
mod registry;
mod seat;
mod snapshot;
mod source;
pub mod sources;
mod swap;
mod totals;

#[cfg(feature = "upstream-http")]
pub use announce::{Announce, News, NotAnnounced, Post};
#[cfg(all(feature = "proxy", feature = "upstream-http"))]
pub use announce::{HttpPost, Unposted};
pub use balance::{Ask, Balance, Candidate, LeastRequests, PeakEwma, Ring, RoundRobin, Subset, Zoned};
pub use health::{Check, Checks, Connect, Found, Health, Ill};
#[cfg(feature = "proxy")]
pub use health::{HttpCheck, HttpIll};
pub use lease::Lease;
pub use listed::Listed;
pub use member::{Changes, Generation, Gone, Member, Refused, Registration};
pub use outcome::Outcome;
pub use pick::{NoUpstream, Pick, PickBy, Tried, Untried, tried};
#[cfg(feature = "upstream-http")]
pub use registrar::Registrar;
pub use registry::Registry;
pub use seat::{InFlight, Seat};
pub use snapshot::{Counts, Entry, Snapshot, State};
#[cfg(feature = "hickory-resolver")]
pub use source::{Asked, Dns, DnsError, Family, Isolation, Resolved, Resolver};
pub use source::{File, FileError, Mistake, Mistakes, Source, Static, Told, read_members};
pub use swap::Current;
pub use totals::{Ejected, RegistryTotals, Totals};
