//! Upstreams that come and go: what to choose, what happens when something fails, and what to look at. A page to read; it has no items.
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
//! | they are | use | what happens when that fails |
//! | --- | --- | --- |
//! | known when the program starts | [`Static`](crate::upstream::Static) | |
//! | in a file that is written anew | [`File`](crate::upstream::File) | a file with a mistake changes nothing; the mistake is told with its line |
//! | the addresses of a name | `Dns` (feature `hickory-resolver`) | the last good answer stays while the resolver fails; a name without addresses is believed after 30 s |
//! | services that say so themselves | [`Registry::register`](crate::upstream::Registry::register), or `Registrar` over HTTP (feature `upstream-http`) | a service that is silent is removed when its lease ends |
//! | known to other machines | Redis (feature `redis`) | the members stay as they are while Redis is away |
//!
//! Several of these may feed one registry: each changes what it has brought, and nothing else. A name belongs to whoever has registered it last.
//!
//! # Leases and generations
//!
//! A lease of three heartbeats is usual: a heartbeat each 5 s, a lease of 15 s. A service that dies is asked no more after 15 s for want of a heartbeat, and after some failed requests for that.
//! Each registration has a generation that is larger than all before it. A heartbeat, a drain or a removal says for which generation it is, and is refused where another one is there. So nobody revives
//! a member that was removed, and nobody removes the one that has taken its name since.
//!
//! Somebody has to [keep](crate::upstream::Registry::keep) a registry: the future that ends leases and ejections when it is time, and publishes changes in groups.
//!
//! # Who is well
//!
//! [`Health`](crate::upstream::Health) decides by requests, at once, in the call that notes the failure. [`Registry::check`](crate::upstream::Registry::check) decides by questions, after its interval. Use requests for what is
//! asked often, checks for what is asked seldom, and both for what matters. A check that asks a service whether its own database is well takes out all members at the same time: ask for what this member alone can answer.
//!
//! When fewer members are ready than [`Health::panic_below`](crate::upstream::Health::panic_below) says, the checks are more likely to be wrong than the members: all but those that are drained are asked.
//!
//! # Whose turn it is
//!
//! | you have | use |
//! | --- | --- |
//! | members that differ, or may become slow | [`PeakEwma`](crate::upstream::PeakEwma) |
//! | few members, requests that take very different times | [`LeastRequests`](crate::upstream::LeastRequests) |
//! | members that are alike and must get the same numbers | [`RoundRobin`](crate::upstream::RoundRobin) |
//! | caches: a key shall find its member | [`Ring`](crate::upstream::Ring) in a [`PickBy`](crate::upstream::PickBy) |
//! | zones between which traffic costs | [`Zoned`](crate::upstream::Zoned) around one of these |
//! | hundreds of members and many machines | [`Subset`](crate::upstream::Subset) around one of these |
//!
//! # A second try
//!
//! `tried => again { attempt { pick => ask } }` repeats a request at another member than the one that failed, where [`Pick::untried`](crate::upstream::Pick::untried) picks.
//! [`Retry`](crate::around) has a budget, since retries without one multiply the load of an upstream that is in trouble, and it fits a service: one retry for five requests of the last 10 s, and 10 more for each of these seconds. A program that sends
//! few requests, or has only just begun, runs out of that beside one dead member of two, since each second request is then to be tried again: give it
//! [`Budget::new`](crate::around) with a larger share. A request that is not idempotent is repeated only where no upstream has seen it; `proxy::worth_repeating` and
//! `proxy::is_unseen` say so of replies. `around::Hedge` sends a second request before the first has failed, and costs requests: use it for the slowest few percent.
//!
//! # Taking a member out
//!
//! [`drain`](crate::upstream::Registry::drain) it, wait for [`drained`](crate::upstream::Registry::drained), and stop it. From when `drain` returns nothing begins there, whatever snapshot a reader holds. What is
//! in flight goes on, with its body: a lease's [`in_flight`](crate::upstream::Lease::in_flight) can be kept by a body that is still sent.
//!
//! # Many machines
//!
//! Each machine has a registry, health and latencies of its own: what one machine sees of a member is about its way there. What they share is who is there, and how often a client may ask
//! (`nodes::shared_rate_limit`, feature `redis`).
//!
//! | what fails | requests |
//! | --- | --- |
//! | one machine of many | those that it had; its leases and the permits that it kept ahead of need run out |
//! | Redis is slow, away, or emptied | none: members stay, and each limit does what its type says, within 50 ms |
//! | the resolver is slow or wrong | none: the last good answer stays, and the resolver is isolated |
//! | a clock jumps | none: leases end by the machine's own monotonic clock, and shared ones by Redis' |
//!
//! # What to look at
//!
//! - [`Seat::totals`](crate::upstream::Seat::totals): how requests to a member ended. A member with many `timed_out` and few `failed` is overloaded; the other way round, it is broken.
//! - [`Snapshot::counts`](crate::upstream::Snapshot::counts) and [`is_panic`](crate::upstream::Snapshot::is_panic): an alarm is for panic, and not for one ejection.
//! - [`Told`](crate::upstream::Told): what each source last said. A source that fails for an hour costs nothing until a member moves.
//!
//! # Where the ideas come from
//!
//! Peak EWMA and the aperture are Finagle's; power of two choices is Mitzenmacher's (2001); consistent hashing with bounded loads is that of Mirrokni, Thorup and Zadimoghaddam (2018). Ejection, panic and slow start are as in
//! Envoy. Draining of what DNS takes away follows what its users asked for (envoy#35634), and tables that stand with their candidates what tower's users hit (tower#856).
