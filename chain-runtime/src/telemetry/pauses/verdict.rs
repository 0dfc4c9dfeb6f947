//! Divides a stretch among its causes, by the kernel's counts since the baseline.

use super::sample::Sample;
use super::{Cause, Evidence};

/// The price of a minor page fault, in nanoseconds: the least, and the most for a small page that a hypervisor has to
/// find first.
const FAULT: (u64, u64) = (100, 10_000);

/// A part of a stretch, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) cause: Cause,
    pub(super) least: u64,
    pub(super) most: u64,
    pub(super) likely: u64,
    pub(super) evidence: Evidence,
}

impl Part {
    fn new(cause: Cause, (least, most): (u64, u64), measured: bool) -> Self {
        // If all of it may have been before the stretch, it was not seen in the stretch.
        let evidence = if measured && least > 0 { Evidence::Seen } else { Evidence::Inferred };
        Self { cause, least, most, likely: least, evidence }
    }
}

/// The parts of a stretch of `took` nanoseconds, whose baseline is `before` nanoseconds older; `since` is what was
/// counted since the baseline. Their likely lengths add up to `took`, except for rounding.
pub(super) fn verdict(before: u64, took: u64, since: &Sample) -> [Part; 4] {
    let mut parts = bounds(before, took, since);
    // What remains after all of the least times is divided by how much each part can still take.
    let left = u128::from(took.saturating_sub(parts.iter().map(|part| part.least).sum()));
    let room = parts.iter().map(|part| u128::from(part.most - part.least)).sum::<u128>().max(1);
    for part in &mut parts {
        let share = left * u128::from(part.most - part.least) / room;
        part.likely = (part.least + u64::try_from(share).unwrap_or(u64::MAX)).min(part.most);
    }
    parts
}

fn bounds(before: u64, took: u64, since: &Sample) -> [Part; 4] {
    let Some(ran) = since.ran else {
        let nothing = Part::new(Cause::Unexplained, (0, 0), false);
        return [Part::new(Cause::Busy, (0, took), false), nothing, nothing, nothing];
    };
    let counts = &since.counts;
    // Part of what was counted since the baseline may have been before the stretch: anything between nothing and all of
    // it.
    let in_stretch = |(least, most): (u64, u64)| (least.saturating_sub(before), most.min(took));

    // Off the core: the time of the wall clock that the processor's clock does not have.
    let off = (before + took).saturating_sub(ran);
    let (off_least, off_most) = in_stretch((off, off));

    // Off the core: waiting for a core, and the rest.
    let delayed = match since.delayed {
        Some(delayed) => (delayed.min(off), delayed.min(off)),
        None if counts.involuntary == 0 => (0, 0),
        None if counts.voluntary == 0 => (off, off),
        None => (0, off),
    };
    let rest = (off - delayed.1, off - delayed.0);
    let rest_cause = match () {
        () if counts.major_faults > 0 => Cause::Faults,
        () if counts.voluntary > 0 => Cause::Blocked,
        () => Cause::Stolen,
    };

    // On the core: the price of page faults, and the rest.
    let (on_least, on_most) = (took - off_most, took - off_least);
    let each = |cost: u64| counts.minor_faults.saturating_mul(cost);
    let faulted = since.system.clamp(each(FAULT.0), each(FAULT.1));
    let faulted = (faulted.saturating_sub(before).min(on_most), faulted.min(on_most));
    let busy = (on_least.saturating_sub(faulted.1), on_most - faulted.0);

    let measured = since.delayed.is_some();
    [
        Part::new(Cause::Preempted, in_stretch(delayed), measured),
        Part::new(rest_cause, in_stretch(rest), measured && rest_cause == Cause::Blocked),
        Part::new(Cause::Faults, faulted, false),
        Part::new(Cause::Busy, busy, true),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::pauses::Counts;

    const MS: u64 = 1_000_000;

    fn ran(ms: u64) -> Sample {
        Sample { ran: Some(ms * MS), ..Sample::default() }
    }

    /// The main part: its cause, its bounds in milliseconds, and how it is known.
    fn main(before: u64, took: u64, since: Sample) -> (Cause, u64, u64, Evidence) {
        let parts = verdict(before * MS, took * MS, &since);
        let part = parts.iter().max_by_key(|part| part.likely).unwrap();
        (part.cause, part.least / MS, part.most / MS, part.evidence)
    }

    #[test]
    fn a_baseline_at_the_beginning_leaves_no_doubt() {
        let delayed = |delayed: u64, sample: Sample| Sample { delayed: Some(delayed * MS), ..sample };
        let switched = |voluntary, involuntary, sample| Sample {
            counts: Counts { voluntary, involuntary, ..Counts::default() },
            ..sample
        };
        assert_eq!(main(0, 20, delayed(0, ran(20))), (Cause::Busy, 20, 20, Evidence::Seen));
        assert_eq!(main(0, 20, delayed(0, switched(1, 0, ran(2)))), (Cause::Blocked, 18, 18, Evidence::Seen));
        assert_eq!(main(0, 20, delayed(15, switched(0, 4, ran(5)))), (Cause::Preempted, 15, 15, Evidence::Seen));
        assert_eq!(main(0, 20, delayed(0, ran(5))), (Cause::Stolen, 15, 15, Evidence::Inferred));
    }

    #[test]
    fn without_the_run_queue_s_delay_switches_tell() {
        let switched = |voluntary, involuntary| Sample {
            counts: Counts { voluntary, involuntary, ..Counts::default() },
            ..ran(2)
        };
        assert_eq!(main(0, 20, switched(1, 0)), (Cause::Blocked, 18, 18, Evidence::Inferred));
        assert_eq!(main(0, 20, switched(0, 1)), (Cause::Preempted, 18, 18, Evidence::Inferred));
        assert_eq!(main(0, 20, switched(0, 0)), (Cause::Stolen, 18, 18, Evidence::Inferred));
        let both = verdict(0, 20 * MS, &switched(1, 1));
        assert_eq!((both[0].least, both[0].most, both[1].least, both[1].most), (0, 18 * MS, 0, 18 * MS));
    }

    #[test]
    fn an_older_baseline_widens_the_bounds() {
        let since = Sample { delayed: Some(0), counts: Counts { voluntary: 1, ..Counts::default() }, ..ran(15) };
        // 15 ms of 30 off the core; the first 10 may have been all off the core, or not at all.
        let parts = verdict(10 * MS, 20 * MS, &since);
        for part in [parts[1], parts[3]] {
            assert_eq!((part.least, part.most, part.likely, part.evidence), (5 * MS, 15 * MS, 10 * MS, Evidence::Seen));
        }
        assert_eq!((parts[1].cause, parts[3].cause), (Cause::Blocked, Cause::Busy));
        // It was off the core for longer than the time before the stretch, so the stretch has a part of that.
        assert_eq!(main(10, 20, Sample { ran: Some(0), ..since }), (Cause::Blocked, 20, 20, Evidence::Seen));
        let idle = verdict(10 * MS, 3 * MS, &Sample { ran: Some(4 * MS), ..since })[1];
        assert_eq!((idle.least, idle.most, idle.evidence), (0, 3 * MS, Evidence::Inferred));
    }

    #[test]
    fn page_faults_take_the_system_s_time_within_what_they_can_cost() {
        let faults = |minor_faults, system: u64| Sample {
            system: system * MS,
            counts: Counts { minor_faults, ..Counts::default() },
            ..ran(20)
        };
        assert_eq!(main(0, 20, faults(50_000, 18)), (Cause::Faults, 18, 18, Evidence::Inferred));
        // Much time in the kernel and few faults: the faults are not the cause.
        assert_eq!(main(0, 20, faults(10, 18)), (Cause::Busy, 19, 19, Evidence::Seen));
        let major = Sample {
            delayed: Some(0),
            counts: Counts { major_faults: 3, voluntary: 3, ..Counts::default() },
            ..ran(1)
        };
        assert_eq!(main(0, 20, major), (Cause::Faults, 19, 19, Evidence::Inferred));
    }

    #[test]
    fn a_system_that_says_nothing_is_busy_by_inference() {
        assert_eq!(main(5, 20, Sample::default()), (Cause::Busy, 0, 20, Evidence::Inferred));
    }

    proptest::proptest! {
        #[test]
        fn likely_lengths_lie_within_their_bounds_and_add_up_to_the_stretch(
            before in 0..20 * MS, took in 1..50 * MS, ran in 0..80 * MS, system in 0..80 * MS,
            delayed in proptest::option::of(0..80 * MS), voluntary in 0..3_u64, involuntary in 0..3_u64,
            minor_faults in 0..100_000_u64, major_faults in 0..2_u64,
        ) {
            let counts = Counts { voluntary, involuntary, minor_faults, major_faults };
            let parts = verdict(before, took, &Sample { ran: Some(ran), system, delayed, counts });
            for part in parts {
                assert!(part.least <= part.likely && part.likely <= part.most && part.most <= took, "{part:?}");
            }
            let all: u64 = parts.iter().map(|part| part.likely).sum();
            assert!(all <= took && took - all <= 4, "{all} of {took}: {parts:?}");
        }
    }
}
