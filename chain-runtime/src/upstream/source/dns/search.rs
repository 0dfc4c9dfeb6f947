//! [`Search`]: completes a name that is not complete.

use std::vec::Vec;

use hickory_resolver::proto::rr::Name;

/// The search list of `resolv.conf`.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) domains: Vec<Name>,
    /// A name with at least so many dots is tried unchanged first, and any other one last.
    pub(super) ndots: usize,
}

impl Search {
    /// The names that are tried for this one, in order.
    pub(super) fn names(&self, name: &Name) -> Vec<Name> {
        let mut itself = name.clone();
        itself.set_fqdn(true);
        let mut names = Vec::from([itself]);
        if !name.is_fqdn() {
            names.extend(self.domains.iter().filter_map(|domain| {
                let mut name = name.clone().append_domain(domain).ok()?;
                name.set_fqdn(true);
                Some(name)
            }));
            if usize::from(name.num_labels()) <= self.ndots {
                names.rotate_left(1);
            }
        }
        names
    }
}

#[cfg(all(test, not(chain_loom)))]
mod tests {
    use super::*;
    use std::string::{String, ToString as _};

    #[test]
    fn a_name_is_completed_as_resolv_conf_says() {
        let domains = ["shop.svc.cluster.local", "svc.cluster.local"].map(|domain| Name::from_ascii(domain).unwrap());
        let search = Search { domains: domains.into(), ndots: 2 };
        let names = |name: &str| -> Vec<String> {
            search.names(&Name::from_ascii(name).unwrap()).iter().map(Name::to_string).collect()
        };
        assert_eq!(names("orders"), ["orders.shop.svc.cluster.local.", "orders.svc.cluster.local.", "orders."]);
        assert_eq!(names("a.b.c"), ["a.b.c.", "a.b.c.shop.svc.cluster.local.", "a.b.c.svc.cluster.local."]);
        assert_eq!(names("orders."), ["orders."]);
        let none = Search::default();
        assert_eq!(none.names(&Name::from_ascii("orders").unwrap()), [Name::from_ascii("orders.").unwrap()]);
        // A domain that makes a name too long is left out.
        let long = [&*"a".repeat(60); 4].join(".");
        assert_eq!(names(&long).len(), 1);
    }
}
