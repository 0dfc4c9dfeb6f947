//! [`Standing`]: what the last checks of a member found.

use super::checks::Checks;

/// How many checks in a row have found the member well, or ill. One of the two numbers is 0.
#[derive(Debug, Default)]
pub(super) struct Standing {
    well: u32,
    ill: u32,
}

impl Standing {
    /// Takes the result of a check. Returns whether the member is well, if enough checks in a row have found the same.
    pub(super) const fn hears(&mut self, is_well: bool, checks: &Checks) -> Option<bool> {
        (self.well, self.ill) =
            if is_well { (self.well.saturating_add(1), 0) } else { (0, self.ill.saturating_add(1)) };
        if self.well >= checks.rise {
            Some(true)
        } else if self.ill >= checks.fall {
            Some(false)
        } else {
            None
        }
    }
}

#[cfg(all(test, not(chain_loom)))]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_member_is_as_the_last_checks_agree(found in proptest::collection::vec(any::<bool>(), 0..50), rise in 1..4_u32, fall in 1..4_u32) {
            let checks = Checks::new().rise_and_fall(rise, fall);
            let mut standing = Standing::default();
            let mut all = Vec::new();
            for is_well in found {
                all.push(is_well);
                let (rise, fall) = (rise as usize, fall as usize);
                let is = |last: usize, well: bool| all.len() >= last && all[all.len() - last..].iter().all(|one| *one == well);
                let expected = if is(rise, true) { Some(true) } else if is(fall, false) { Some(false) } else { None };
                prop_assert_eq!(standing.hears(is_well, &checks), expected);
            }
        }
    }
}
