//! Who can be asked, who is well, whose turn it is.
//!
//! A [`Registry`] has the *write side* behind one lock: members are registered with a lease, renewed by heartbeats, drained, removed, and evicted when
//! their leases end. What it publishes is a [`Snapshot`], which never changes: all members with their states and weights, as they were at one moment. Readers find the current
//! one behind one atomic swap, so picking takes no lock and allocates nothing. An endpoint is a type parameter: an address, a client, a `proxy::Upstream`.
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
//! // Whoever picks looks into one snapshot, and begins a request at a seat that it finds there.
//! let snapshot = registry.snapshot();
//! let entry = snapshot.get("10.0.0.7:8080").unwrap();
//! assert_eq!((entry.state(), entry.seat().endpoint()), (State::Ready, &endpoint));
//! let request = entry.seat().begin().unwrap();
//!
//! // The process is started anew, and registers again. The old owner changes nothing any more.
//! let second = registry.register(Member::new("10.0.0.7:8080", endpoint), lease)?;
//! assert!(second.generation > first.generation);
//! assert_eq!(registry.heartbeat(&first), Err(Gone));
//! assert_eq!(registry.remove(&first), Err(Gone));
//! registry.heartbeat(&second)?;
//!
//! // Nothing begins at the old seat, also where it is found in an old snapshot. What had begun goes on.
//! assert!(entry.seat().begin().is_none());
//! assert_eq!(request.seat().in_flight(), 1);
//! # drop(snapshot);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - **A registration returns a [`Generation`]**, one counter for the whole registry. Whatever changes a member says of which generation, and the two are compared under the
//!   lock. So a late heartbeat revives nobody, and an old owner removes nobody.
//! - **A lease that ends at a moment is over at that moment**: a heartbeat then is too late, also where nobody has evicted the member yet.
//! - **What is drained, removed or evicted takes nothing new** from when the call returns, whatever snapshot a reader holds: [`Seat::begin`] says no. What is
//!   in flight goes on, and [`Registry::drained`] tells of its end.
//! - **A [`Seat`] stays** from snapshot to snapshot as long as its generation lives, with what moves at each request.
//! - **A heartbeat changes no snapshot.**
//! - **Changes are published in groups**: one thread publishes what others have changed meanwhile, and where somebody [keeps](Registry::keep) the registry, snapshots are a
//!   millisecond apart at least.
//!
//! # Who is well
//!
//! [`Health`] says when a member is ejected for how its requests end: whoever [notes](Seat::note) one failure too many does it, so no task is between a failure and
//! the next pick. [`Registry::check`] asks members how they are, by a [`Check`] of one's own or a ready one. Both change states in the snapshot. What this means to
//! whoever picks is one number, [`Snapshot::share`]: slow start and panic are in it.
//!
//! # Where members come from
//!
//! From themselves, by [`Registry::register`]; or from a list that is replaced as a whole, by [`Registry::listed`], or by a [`Source`] that the registry
//! [follows](Registry::follow): a [`Static`] one, a [`File`] that is watched, the addresses of a name (`Dns`, feature `hickory-resolver`). How these work, and what happens
//! when they fail, is on the page [`sources`]. With the feature `upstream-http`, services register over HTTP, at a `Registrar`, and `Announce` is what does so in a service.
//!
//! # What is counted
//!
//! [`Seat::totals`] are the requests of a member by their outcomes, [`Seat::expected`] is what one is expected to take, and [`Registry::totals`] are those that came, went, were refused
//! and were ejected. `telemetry::prometheus::Upstreams` exposes them, and `telemetry::page` shows them.
//!
//! # Whose turn it is
//!
//! A [`Pick`] is a node that picks a member and provides a [`Lease`] on it. Later nodes borrow the lease and say how the request went; it is returned once, on each of the four ways out.
//! To HTTP, `proxy::Forward` is such a node, by `proxy::ByLease`; or it has the `Pick` itself.
//! Who is picked, a [`Balance`] says: [`PeakEwma`], [`LeastRequests`], [`RoundRobin`], a [`Ring`], or one of these by [zones](Zoned) or in a [part](Subset) of
//! the members.
//! Where a block runs again, an [`Untried`] pick takes another member than those that the request has [`Tried`].

#[cfg(feature = "upstream-http")]
mod announce;
mod balance;
mod book;
mod health;
#[cfg(all(test, chain_loom))]
mod interleavings;
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
pub use listed::{Changes, Listed};
pub use member::{Generation, Gone, Member, Refused, Registration};
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
