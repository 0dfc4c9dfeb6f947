//! Where lists of members come from, and what happens when nothing good comes. A page to read; it has no items.
//!
//! A source tells whole lists, one after another, and a registry [follows](super::Registry::follow) it. What it tells is compared with what it told before: who is new is
//! registered, who is not in the list any more is removed, and who is the same keeps its seat, and with it its health, its latency and what it has in
//! flight. There are three ready sources, and one's own are a few lines ([`Source`](super::Source)).
//!
//! Three rules hold for all of them.
//!
//! - **A list is taken whole or not at all.** If one line of a file is broken, none of its lines is taken.
//! - **No news is no change.** A source that fails says so, once, and the members stay as they are. Whether a member is well is not the source's to say; health says it, by the
//!   requests themselves.
//! - **Who is removed takes nothing new** from the moment when the list is taken, and finishes what it has.
//!
//! # Static
//!
//! [`Static`](super::Static) tells the list that it was given, and nothing else. [`follow`](super::Registry::follow) completes then.
//! It is for programs that have the list from elsewhere and never change it. A program that changes it by itself holds a [`Listed`](super::Listed).
//!
//! # File
//!
//! [`File`](super::File) looks at a file each second. It reads the file and compares the text with the one before, so a change is seen whatever the file system says of times, and
//! also where a symbolic link was exchanged, as Kubernetes does it. A change is told when two looks in a row, 50 ms apart, have found the same. So a file that is being written is not
//! taken. The format is that of [`read_members`](super::read_members): a member on each line, with its zone, its weight and its metadata. A file has 4 MiB at most.
//!
//! # DNS
//!
//! `Dns` (feature `hickory-resolver`) asks a resolver for the addresses of a host, or for the records of a service and the addresses of their targets. Each address with its port
//! is a member, and is called as it is written. One `Resolver` serves as many names as there are: it bounds the queries that are under way, gives each of them
//! 2 s, and watches how they end.
//!
//! The answer is asked for anew when it has run out. The times to live count between 5 s and 5 min, the least of all records that the answer stands on. An answer is never kept longer than
//! that because a cache keeps it: there is none here.
//!
//! A resolver that is ill is not asked more, but less. After a failure a name is asked for again after 1 s, 2 s, 4 s and so on. Where half of the queries of a minute have failed, and
//! ten at least, the resolver is isolated: of all names together, one query goes through after 5 s, 10 s, up to each minute. The first that goes well ends it, and all names are asked for
//! at once, as many at a time as the resolver's bound allows.
//!
//! A name is not a member. Where two names of one registry lead to the same address, the name that was resolved last has it; so give each group of names a registry of its own, or names that
//! have nothing in common.
//!
//! # What happens on each failure
//!
//! | what happens | the members | what is told | when it is looked at again |
//! | --- | --- | --- | --- |
//! | File: not there, unreadable, too long | stay | `Failed`, once | after a second |
//! | File: a line is broken, a name is there twice | stay | `Failed` with all lines that are wrong, once | after a second |
//! | File: names nobody | stay: an editor that has emptied it looks the same | `Failed`, once | after a second |
//! | File: is being written | stay | nothing | after 50 ms |
//! | any: more members than the registry takes | stay | `Refused` | with the next list |
//! | DNS: no answer, SERVFAIL, REFUSED, nonsense, an answer to another question | stay, however long | `Failed` with `DnsError::Failed`, once | after 1 s, 2 s, 4 s, .. |
//! | DNS: A fails and AAAA does not, or one target of a service fails | those of the failed question as before, the others as answered | `Taken` if something changes, and `Failed`, once | after 1 s, 2 s, 4 s, .. |
//! | DNS: the resolver is isolated | stay, however long | `Failed` with `DnsError::Isolated`, once | with the resolver's return, or as its probe |
//! | DNS: aliases in a circle, or more than eleven | stay, however long | `Failed` with `DnsError::Failed`, once | after 1 s, 2 s, 4 s, .. |
//! | DNS: no such name, or no addresses | stay for 30 s, and are removed then | `Failed` with `DnsError::Nobody` and until when; then `Taken` | as the zone says, within 5 s and 5 min |
//! | DNS: a service whose target is `.` | are removed at once | `Taken`, and `Failed` with `DnsError::Nobody` | as the zone says, within 5 s and 5 min |
//! | DNS: all targets of the lowest priority are gone | those of the next priority | `Taken` | as the zone says, within 5 s and 5 min |
//! | DNS: cut off, too long for a datagram | as answered over TCP | `Taken` if something changes | as the zone says, within 5 s and 5 min |
//! | DNS: more than 1,000 addresses | the least 1,000, the same each time | `Taken`, and `Failed` with `DnsError::LeftOut` | as the zone says, within 5 s and 5 min |
//! | DNS: an address of nobody, `0.0.0.0` | the others | `Failed` with `DnsError::LeftOut` | as the zone says, within 5 s and 5 min |
//! | DNS: all is well again | as answered | `Taken`, also where nothing has changed | as the zone says, within 5 s and 5 min |
