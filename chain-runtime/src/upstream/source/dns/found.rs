//! [`List`]: what a round of questions finds.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec::Vec;

use hickory_resolver::proto::rr::{Name, RData};

/// An address that was found. An endpoint is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved<'a> {
    /// The name that was asked for, in lower case and without a dot at its end. For a service, it is without the labels
    /// that begin with `_`: `orders.internal` for `_http._tcp.orders.internal`.
    pub name: &'a str,
    /// The host that has the address: the target of a service's record, or otherwise the name itself.
    pub target: &'a str,
    /// The address.
    pub address: SocketAddr,
}

/// Addresses with their targets and their weights, sorted by address, so that the order in which a server sent them
/// makes no difference.
pub(super) type List = BTreeMap<SocketAddr, Entry>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) target: Arc<str>,
    pub(super) weight: u32,
}

/// A record of a service, RFC 2782.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    pub(super) target: Name,
}

impl Service {
    pub(super) fn of(data: &RData) -> Option<Self> {
        let RData::SRV(srv) = data else { return None };
        Some(Self { priority: srv.priority, weight: srv.weight, port: srv.port, target: srv.target.to_lowercase() })
    }

    /// A target of `.` says that the service is not there.
    pub(super) fn is_there(&self) -> bool {
        !self.target.is_root() && self.port != 0
    }

    /// Its share. A record of weight 0 gets a small share, like one of weight 1: the rule of RFC 2782 also gives it one
    /// part of the sum of all weights and one.
    pub(super) fn weight(&self) -> u32 {
        u32::from(self.weight).max(1)
    }
}

/// The records in groups, that of the lowest priority first. In a group no target and port are there twice.
pub(super) fn groups(mut services: Vec<Service>) -> Vec<Vec<Service>> {
    let key = |service: &Service| (service.priority, service.target.clone(), service.port);
    services.sort_by_cached_key(key);
    services.dedup_by(|one, other| key(one) == key(other));
    services.chunk_by(|one, other| one.priority == other.priority).map(<[Service]>::to_vec).collect()
}

/// Puts an address into the list, unless the list is full. Returns whether the address is in it.
pub(super) fn put(list: &mut List, limit: usize, address: SocketAddr, target: &Arc<str>, weight: u32) -> bool {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    if !is_somebody(address.ip()) {
        return false;
    }
    // Two records for one address are one member, with the share of both.
    if let Some(entry) = list.get_mut(&address) {
        entry.weight = entry.weight.saturating_add(weight);
        return true;
    }
    if list.len() == limit {
        // Which addresses are left out does not depend on the order, either.
        match list.last_entry() {
            Some(last) if *last.key() > address => drop(last.remove()),
            _ => return false,
        }
        list.insert(address, Entry { target: Arc::clone(target), weight });
        return false;
    }
    list.insert(address, Entry { target: Arc::clone(target), weight });
    true
}

/// Whether a member can be reached there. Resolvers that filter answer `0.0.0.0` for names that are not to be reached,
/// and a connection to that address would reach this machine itself.
fn is_somebody(address: IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast() && address != IpAddr::V4(core::net::Ipv4Addr::BROADCAST)
}

#[cfg(all(test, not(chain_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn service(priority: u16, weight: u16, port: u16, target: &str) -> Service {
        Service { priority, weight, port, target: Name::from_ascii(target).unwrap() }
    }

    #[test]
    fn services_come_in_groups_by_priority() {
        let [a, b, c] = [service(20, 5, 80, "a."), service(10, 0, 81, "b."), service(10, 3, 82, "c.")];
        let all = Vec::from([a.clone(), c.clone(), b.clone(), c.clone()]);
        assert_eq!(groups(all), [Vec::from([b.clone(), c]), Vec::from([a])]);
        assert_eq!(b.weight(), 1);
        assert!(!service(1, 1, 80, ".").is_there());
        assert!(!service(1, 1, 0, "a.").is_there());
    }

    #[test]
    fn addresses_of_nobody_are_left_out() {
        let (mut list, target) = (List::new(), Arc::from("a"));
        for nobody in
            ["0.0.0.0:80", "[::]:80", "224.0.0.1:80", "255.255.255.255:80", "[ff02::1]:80", "[::ffff:0.0.0.0]:80"]
        {
            assert!(!put(&mut list, 9, nobody.parse().unwrap(), &target, 1), "{nobody}");
        }
        assert!(list.is_empty());
        assert!(put(&mut list, 9, "[::ffff:10.0.0.7]:80".parse().unwrap(), &target, 1));
        assert!(put(&mut list, 9, "10.0.0.7:80".parse().unwrap(), &target, 2));
        assert_eq!(list.len(), 1, "one address, written in two ways");
        assert_eq!(list.values().next().unwrap().weight, 3);
    }

    proptest! {
        #[test]
        fn who_is_left_out_does_not_depend_on_the_order(
            mut addresses in proptest::collection::hash_set(1..=250_u8, 0..40).prop_map(|set| set.into_iter().collect::<Vec<_>>()),
            limit in 1..30_usize,
        ) {
            let target = Arc::from("a");
            let taken = |addresses: &[u8]| {
                let mut list = List::new();
                let taken = addresses.iter().filter(|last| {
                    put(&mut list, limit, SocketAddr::from(([10, 0, 0, **last], 80)), &target, 1)
                }).count();
                (list, addresses.len() - taken)
            };
            let (list, left_out) = taken(&addresses);
            prop_assert_eq!((list.len(), left_out), (addresses.len().min(limit), addresses.len().saturating_sub(limit)));
            addresses.sort_unstable();
            prop_assert_eq!(taken(&addresses), (list, left_out));
        }
    }
}
