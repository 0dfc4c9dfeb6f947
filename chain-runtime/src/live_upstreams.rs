//! Upstreams that come and go: what to choose, what happens when something fails, and what to look at. This is a page
//! to read; it has no items.
//!
//! The parts are in [`upstream`](crate::upstream), each with its contract. This page says how they go together.
//!
//! ```text
//!   a list, a file, DNS, Redis ──► follow ─┐                    ┌─► Snapshot ──► Pick ──► Lease ──► a node that asks
//!   a service, over HTTP ──► Registrar ────┼──► Registry ───────┤                  ▲                    │
//!   checks: TCP, HTTP, gRPC ───────────────┘        ▲           └─► list, page     │                    │ how it ended
//!                                                   └──── ejected, returned ◄──── Seat ◄────────────────┘
//! ```
//!
//! # Where members come from
//!
//! | they are | use | what happens when the source fails |
//! | --- | --- | --- |
//! | known when the program starts | [`Static`](crate::upstream::Static) | |
//! | in a file that is written anew | [`File`](crate::upstream::File) | a file with a mistake changes nothing; the mistake is told with its line |
//! | the addresses of a name | `Dns` (feature `hickory-resolver`) | the last good answer stays while the resolver fails; a name without addresses is believed after 30 s |
//! | services that register themselves | [`Registry::register`](crate::upstream::Registry::register), or `Registrar` over HTTP (feature `upstream-http`) | a service that is silent is removed when its lease ends |
//! | known to other machines | Redis (feature `redis`) | the members stay as they are while Redis is away |
//!
//! Several of these may feed one registry. Each changes only the members that it has brought. A name belongs to the
//! source that registered it last.
//!
//! # Leases and generations
//!
//! A lease of three heartbeats is usual: a heartbeat each 5 s, a lease of 15 s. A service that dies gets no more
//! requests after 15 s, because its heartbeats are missing, and after some failed requests, because they failed. Each
//! registration has a generation that is larger than all earlier ones. A heartbeat, a drain or a removal names a
//! generation, and is refused if the member has another one. So a member that was removed cannot be revived, and the
//! member that has taken its name since cannot be removed by mistake.
//!
//! The program has to [keep](crate::upstream::Registry::keep) a registry: this is a future that ends leases and
//! ejections when it is time, and publishes changes in groups.
//!
//! # Who is well
//!
//! [`Health`](crate::upstream::Health) judges by requests, at once, in the call that notes the failure.
//! [`Registry::check`](crate::upstream::Registry::check) judges by checks of its own, after its interval. Use requests
//! for members with much traffic, checks for members with little, and both for important ones. A check that tests a
//! service's shared database takes out all members at the same time: check what only this member can answer.
//!
//! If fewer members are ready than [`Health::panic_below`](crate::upstream::Health::panic_below) says, the checks are
//! more likely to be wrong than the members. Then all members but the drained ones are asked.
//!
//! # Whose turn it is
//!
//! | you have | use |
//! | --- | --- |
//! | members that differ, or may become slow | [`PeakEwma`](crate::upstream::PeakEwma) |
//! | few members, requests that take very different times | [`LeastRequests`](crate::upstream::LeastRequests) |
//! | members that are alike and must get the same numbers | [`RoundRobin`](crate::upstream::RoundRobin) |
//! | caches, where a key has to find its member | [`Ring`](crate::upstream::Ring) in a [`PickBy`](crate::upstream::PickBy) |
//! | zones between which traffic costs | [`Zoned`](crate::upstream::Zoned) around one of these |
//! | hundreds of members and many machines | [`Subset`](crate::upstream::Subset) around one of these |
//!
//! # A second try
//!
//! `tried => again { attempt { pick => ask } }` repeats a request at another member than the one that failed, where
//! [`Pick::untried`](crate::upstream::Pick::untried) picks. [`Retry`](crate::around) has a budget, since retries
//! without one multiply the load of an upstream in trouble. The default fits a service: one retry for five requests of
//! the last 10 s, and 10 more for each of these seconds. A program that sends few requests, or has only just begun,
//! uses up that budget beside one dead member of two, because every second request has to be tried again. Give it
//! [`Budget::new`](crate::around) with a larger share. A request that is not idempotent is repeated only if no upstream
//! has seen it; `proxy::worth_repeating` and `proxy::is_unseen` decide this by the reply. `around::Hedge` sends a
//! second request before the first has failed. That costs requests: use it for the slowest few percent.
//!
//! # Taking a member out
//!
//! [`drain`](crate::upstream::Registry::drain) it, wait for [`drained`](crate::upstream::Registry::drained), and stop
//! it. After `drain` returns, no request begins there, whatever snapshot a reader holds. Requests in flight go on, with
//! their bodies: a body that is still sent can keep a lease's [`in_flight`](crate::upstream::Lease::in_flight).
//!
//! # Many machines
//!
//! Each machine has its own registry, health and latencies: what one machine sees of a member is about the path from
//! this machine. Machines share the list of members, and how often a client may ask (`nodes::shared_rate_limit`,
//! feature `redis`).
//!
//! | what fails | requests |
//! | --- | --- |
//! | one machine of many | those that the machine had; its leases and the permits that it kept ahead of need run out |
//! | Redis is slow, away, or emptied | none: members stay, and each limit does what its type says, within 50 ms |
//! | the resolver is slow or wrong | none: the last good answer stays, and the resolver is isolated |
//! | a clock jumps | none: leases end by the machine's own monotonic clock, and shared ones by Redis' |
//!
//! # What to look at
//!
//! - [`Seat::totals`](crate::upstream::Seat::totals): how requests to a member ended. A member with many `timed_out`
//!   and few `failed` is overloaded; the other way round, it is broken.
//! - [`Snapshot::counts`](crate::upstream::Snapshot::counts) and [`is_panic`](crate::upstream::Snapshot::is_panic):
//!   raise an alarm for panic, and not for one ejection.
//! - [`Told`](crate::upstream::Told): the last report of each source. A source that fails for an hour costs nothing
//!   until a member moves.
//!
//! # Where the ideas come from
//!
//! Peak EWMA and the aperture are Finagle's; power of two choices is Mitzenmacher's (2001); consistent hashing with
//! bounded loads is that of Mirrokni, Thorup and Zadimoghaddam (2018). Ejection, panic and slow start are as in Envoy.
//! Draining of members that DNS takes away follows what Envoy's users asked for (envoy#35634). Tables that are built
//! with their candidates avoid what tower's users hit (tower#856).
