use core::mem::size_of;
use core::num::NonZeroU32;
use core::time::Duration;
use std::vec::Vec;

use super::{Place, Step};
use crate::nodes::shared_rate_limit::quota::{Quota, Terms};
use crate::shared::Answer;

fn quota(rate: u32, burst: u32) -> Quota {
    let number = |n| NonZeroU32::new(n).unwrap();
    Quota::per_second(number(rate), number(3)).burst(number(burst))
}

const MS: u64 = 1_000_000;

fn granted(granted: u32) -> Option<Answer> {
    Some(Answer { granted, wait: Duration::ZERO })
}

#[test]
fn a_place_is_as_large_as_is_said() {
    assert!(size_of::<Place>() <= 112, "{}", size_of::<Place>());
}

#[test]
fn an_answer_to_the_question_of_another_place_is_nothing() {
    let terms = quota(1_000, 100).terms();
    let mut place = Place::new(1);
    assert_eq!(place.take(5 * MS, &terms, false), Step::Ask(1));
    place.answered(4 * MS, 6 * MS, &terms, granted(1));
    assert_eq!(place.take(7 * MS, &terms, true), Step::Wait);
    place.answered(5 * MS, 8 * MS, &terms, granted(1));
    assert_eq!(place.take(9 * MS, &terms, true), Step::Taken(None));
    // The same answer once more changes nothing, either.
    place.answered(5 * MS, 10 * MS, &terms, granted(1));
    assert_eq!(place.take(11 * MS, &terms, false), Step::Ask(2));
}

#[test]
fn a_clock_that_is_set_back_ends_grants_and_refusals() {
    let terms = quota(1_000, 100).terms();
    let hour = 3_600_000 * MS;
    let mut place = Place::new(1);
    assert_eq!(place.take(hour, &terms, false), Step::Ask(1));
    place.answered(hour, hour, &terms, granted(1));
    assert!(matches!(place.take(hour - 1, &terms, false), Step::Ask(_)));

    let mut place = Place::new(1);
    assert_eq!(place.take(hour - 1, &terms, false), Step::Ask(1));
    place.answered(hour - 1, hour, &terms, Some(Answer { granted: 0, wait: Duration::from_secs(9) }));
    assert!(matches!(place.take(hour, &terms, false), Step::Denied(_)));
    assert!(matches!(place.take(hour - 2, &terms, false), Step::Ask(_)));

    assert_eq!((0..40).filter(|_| place.take_share(hour, &terms).is_ok()).count(), 34);
    assert!(place.take_share(1, &terms).is_err_and(|wait| wait <= terms.share_step));
}

/// This server does what the script does. Machines ask it at random times, and its answers come late, or never. No
/// machine may have more permits at once than it is said to have, and each is used in the life of its grant. So in no
/// period more is let through than the formula says.
#[test]
fn no_time_has_more_than_the_formula_says() {
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let quota =
            quota(random.u32(1..3_000), random.u32(1..300)).grants_live(Duration::from_millis(random.u64(1..2_000)));
        let admitted = simulated(&mut random, &quota.terms());
        let bound = quota.bound();
        for (at, &start) in admitted.iter().enumerate() {
            for (count, &end) in (1..).zip(&admitted[at..]) {
                let most = bound.admitted(Duration::from_nanos(end - start));
                assert!(count <= most, "seed {seed}: {count} in {} ns, {bound}", end - start);
            }
        }
    }
}

/// The times at which requests were let through.
fn simulated(random: &mut fastrand::Rng, terms: &Terms) -> Vec<u64> {
    let mut machines = [Place::new(1); 3];
    // The questions under way: the times of the question and of the answer, and the answer. The server decides when the
    // question is sent, so that the whole way is a part of the grant's life.
    let mut asks: [Option<(u64, u64, Option<Answer>)>; 3] = [None; 3];
    let (mut now, mut full_at) = (1_000 * MS, 0_f64);
    let mut admitted = Vec::new();
    while admitted.len() < 600 && now < 20_000 * MS {
        // Bursts, and pauses in which permits are left over.
        now += if random.u32(..60) == 0 { random.u64(..2 * terms.lives + 100 * MS) } else { random.u64(..MS / 2) };
        for (place, ask) in machines.iter_mut().zip(&mut asks) {
            if let Some((asked, heard, answer)) = *ask
                && heard <= now
            {
                place.answered(asked, now, terms, answer);
                *ask = None;
            }
        }
        for _ in 0..random.u32(..8) {
            let machine = random.usize(..3);
            let (place, ask) = (&mut machines[machine], &mut asks[machine]);
            place.waiting = random.u32(..10);
            let step = place.take(now, terms, random.bool());
            if let Step::Taken(Some(permits)) | Step::Ask(permits) = step {
                assert!(ask.is_none(), "one question at a time");
                let left = place.newer.left(now) + place.older.left(now);
                assert!(permits + left <= terms.most, "{permits} and {left}, of {}", terms.most);
                let full = terms.step * f64::from(terms.burst);
                let used = (full_at - now as f64).max(0.0);
                let granted = (((full - used) / terms.step) as u32).min(permits);
                if granted > 0 {
                    full_at = now as f64 + used + f64::from(granted) * terms.step;
                }
                let wait = Duration::from_nanos((terms.step - (full - used)).max(0.0) as u64);
                // Some answers are lost on their way back, after the server has counted them.
                let answer = (random.u32(..20) > 0).then_some(Answer { granted, wait });
                *ask = Some((now, now + random.u64(..20 * MS), answer));
            }
            if let Step::Taken(_) = step {
                admitted.push(now);
            }
        }
    }
    admitted
}
