//! Sources of members, and what happens when they fail. This is a page to read; it has no items.
//!
//! A source gives whole lists, one after another, and a registry [follows](super::Registry::follow) it. Each list is
//! compared with the last one. New members are registered, members that are no longer in the list are removed, and a
//! member that is the same keeps its seat, and with it its health, its latency and its requests in flight. There are
//! three ready sources, and a source of your own takes a few lines ([`Source`](super::Source)).
//!
//! Three rules hold for all of them.
//!
//! - **A list is taken whole or not at all.** If one line of a file is broken, none of its lines is taken.
//! - **No news is no change.** A source that fails reports that once, and the members stay as they are. A source does
//!   not know whether a member is well; health decides that, by the requests themselves.
//! - **A removed member takes no new requests** from the moment at which the list is taken, and finishes those that it
//!   has.
//!
//! # Static
//!
//! [`Static`](super::Static) gives one list, once. [`follow`](super::Registry::follow) then completes. It is for
//! programs that have a list which never changes. A program that changes its list itself holds a
//! [`Listed`](super::Listed).
//!
//! # File
//!
//! [`File`](super::File) reads a file each second. It compares the text with the last one. So it sees a change whatever
//! the file system says about times, and even if a symbolic link was exchanged, as Kubernetes does it. A change is
//! reported after two reads in a row, 50 ms apart, have found the same. So a half-written file is not taken. The format
//! is that of [`read_members`](super::read_members): a member on each line, with its zone, its weight and its metadata.
//! A file has at most 4 MiB.
//!
//! # DNS
//!
//! `Dns` (feature `hickory-resolver`) asks a resolver for the addresses of a host, or for the records of a service and
//! the addresses of their targets. Each address with its port is a member, and is named by both. One `Resolver` serves
//! any number of names: it bounds the queries under way, gives each of them 2 s, and watches how they end.
//!
//! It asks again when the answer has expired. The time to live is the least one of all records on which the answer
//! depends, and is taken to be between 5 s and 5 min. There is no cache that could keep an answer longer.
//!
//! A resolver that is ill is asked less, not more. After a failure, a name is asked for again after 1 s, 2 s, 4 s and
//! so on. If half of the queries of a minute have failed, and at least ten, the resolver is isolated: for all names
//! together, one query goes through after 5 s, 10 s, up to one each minute. The first query that succeeds ends the
//! isolation, and all names are asked for at once, as many at a time as the resolver's bound allows.
//!
//! A name is not a member. If two names of one registry resolve to the same address, the name that was resolved last
//! has it. So give each group of names a registry of its own, or names that have no address in common.
//!
//! # Failures
//!
//! | event | the members | what is reported | the next look |
//! | --- | --- | --- | --- |
//! | File: not there, unreadable, too long | stay | `Failed`, once | after a second |
//! | File: a line is broken, a name is there twice | stay | `Failed` with all wrong lines, once | after a second |
//! | File: has no members | stay: an editor that has emptied it looks the same | `Failed`, once | after a second |
//! | File: is being written | stay | nothing | after 50 ms |
//! | any: more members than the registry takes | stay | `Refused` | with the next list |
//! | DNS: no answer, SERVFAIL, REFUSED, nonsense, an answer to another question | stay, however long | `Failed` with `DnsError::Failed`, once | after 1 s, 2 s, 4 s, .. |
//! | DNS: A fails and AAAA does not, or one target of a service fails | those of the failed question as before, the others as answered | `Taken` if something changes, and `Failed`, once | after 1 s, 2 s, 4 s, .. |
//! | DNS: the resolver is isolated | stay, however long | `Failed` with `DnsError::Isolated`, once | when the resolver returns, or as its probe |
//! | DNS: aliases in a circle, or more than eleven | stay, however long | `Failed` with `DnsError::Failed`, once | after 1 s, 2 s, 4 s, .. |
//! | DNS: no such name, or no addresses | stay for 30 s, and are then removed | `Failed` with `DnsError::Nobody` and the time of the removal; then `Taken` | as the zone says, within 5 s and 5 min |
//! | DNS: a service whose target is `.` | are removed at once | `Taken`, and `Failed` with `DnsError::Nobody` | as the zone says, within 5 s and 5 min |
//! | DNS: all targets of the lowest priority are gone | those of the next priority | `Taken` | as the zone says, within 5 s and 5 min |
//! | DNS: the answer is cut off, too long for a datagram | as answered over TCP | `Taken` if something changes | as the zone says, within 5 s and 5 min |
//! | DNS: more than 1,000 addresses | the lowest 1,000, the same each time | `Taken`, and `Failed` with `DnsError::LeftOut` | as the zone says, within 5 s and 5 min |
//! | DNS: an unusable address, `0.0.0.0` | the others | `Failed` with `DnsError::LeftOut` | as the zone says, within 5 s and 5 min |
//! | DNS: all is well again | as answered | `Taken`, even if nothing has changed | as the zone says, within 5 s and 5 min |
