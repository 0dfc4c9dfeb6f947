//! Toggles: requests that begin later see what was switched, and concurrent changes are not lost.

use std::sync::Barrier;
use std::thread;

use chain_runtime::toggle::{MAX, Switches, ToggleInfo, Toggles};
use proptest::prelude::*;

const fn toggle(name: &'static str, on: bool) -> ToggleInfo {
    ToggleInfo { name, on }
}

static THREE: [ToggleInfo; 3] = [toggle("cache", true), toggle("shadow", false), toggle("log", true)];

/// As many as there can be, every third of them declared off.
static ALL: [ToggleInfo; 64] = {
    const NAMES: [&str; 64] = [
        "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17",
        "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35",
        "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52", "53",
        "54", "55", "56", "57", "58", "59", "60", "61", "62", "63",
    ];
    let mut all = [toggle("", false); 64];
    let mut index = 0;
    while index < 64 {
        all[index] = toggle(NAMES[index], index % 3 != 0);
        index += 1;
    }
    all
};

fn all() -> &'static [ToggleInfo] {
    &ALL[..MAX.min(64)]
}

#[test]
fn new_toggles_stand_as_they_were_declared() {
    let toggles = Toggles::default();
    let switches = Switches::new(&toggles, &THREE);
    assert_eq!(switches.iter().collect::<Vec<_>>(), [("cache", true), ("shadow", false), ("log", true)]);
    assert_eq!(switches.iter().len(), 3);
}

#[test]
fn a_toggle_is_switched_by_its_name_and_says_how_it_was() {
    let toggles = Toggles::new();
    let switches = Switches::new(&toggles, &THREE);
    assert_eq!(switches.set("shadow", true), Ok(false));
    assert_eq!(switches.set("shadow", true), Ok(true));
    assert_eq!(switches.get("shadow"), Ok(true));
    assert_eq!(switches.set("cache", false), Ok(true));
    assert_eq!(switches.set("cache", false), Ok(false));
    assert_eq!(switches.set("cache", true), Ok(false));
    assert_eq!(switches.get("cache"), Ok(true));
    switches.reset();
    assert_eq!(switches.get("shadow"), Ok(false));
}

#[test]
fn a_snapshot_stays_as_it_was_taken() {
    let toggles = Toggles::new();
    let before = toggles.snapshot();
    Switches::new(&toggles, &THREE).set("shadow", true).unwrap();
    assert!(!before.is_on(1, false));
    assert!(toggles.snapshot().is_on(1, false));
}

#[test]
fn an_unknown_name_is_named_with_those_that_are_known() {
    let toggles = Toggles::new();
    let of = |infos| Switches::new(&toggles, infos).get("cash").unwrap_err().to_string();
    assert_eq!(of(&THREE), "there is no toggle `cash`; there are `cache`, `shadow`, `log`");
    assert_eq!(of(&THREE[..1]), "there is no toggle `cash`; there is `cache`");
    assert_eq!(of(&[]), "there is no toggle `cash`; the chain has none");
    assert_eq!(Switches::new(&toggles, &THREE).set("cash", true).unwrap_err().name(), "cash");
    assert_eq!(Switches::new(&toggles, &THREE).iter().collect::<Vec<_>>()[0], ("cache", true));
}

#[test]
fn display_and_debug_list_all() {
    let toggles = Toggles::new();
    let switches = Switches::new(&toggles, &THREE);
    switches.set("log", false).unwrap();
    assert_eq!(switches.to_string(), "cache: on, shadow: off, log: off");
    assert_eq!(format!("{switches:?}"), r#"{"cache": on, "shadow": off, "log": off}"#);
    assert_eq!(Switches::new(&toggles, &[]).to_string(), "");
}

#[test]
#[should_panic(expected = "a toggle's index is less than the bits of a `usize`")]
fn an_index_past_the_word_is_refused() {
    let _ = Toggles::new().snapshot().is_on(MAX, true);
}

/// Each thread switches toggles of its own, and reads back what it wrote: a change that another one's overwrote would show.
#[test]
fn what_is_switched_at_the_same_time_is_not_lost() {
    const THREADS: usize = 4;
    let toggles = Toggles::new();
    let switches = Switches::new(&toggles, all());
    let begin = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                for round in 0..2_000 {
                    let on = round % 2 == 0;
                    for info in all().iter().skip(thread).step_by(THREADS) {
                        let before = switches.set(info.name, on).unwrap();
                        assert_eq!(before, if round == 0 { info.on } else { !on }, "`{}` in round {round}", info.name);
                        assert_eq!(switches.get(info.name), Ok(on));
                    }
                }
            });
        }
    });
    assert!(switches.iter().all(|(_, on)| !on), "{switches}");
}

/// A request that is caused by the change sees it.
#[test]
fn who_begins_after_a_change_sees_it() {
    let toggles = Toggles::new();
    let switches = Switches::new(&toggles, &THREE);
    for round in 0..200 {
        switches.set("shadow", round % 2 == 0).unwrap();
        let seen = thread::scope(|scope| scope.spawn(|| toggles.snapshot().is_on(1, false)).join().unwrap());
        assert_eq!(seen, round % 2 == 0);
    }
}

proptest! {
    /// Against an array of `bool`.
    #[test]
    fn toggles_are_an_array_of_bool(steps in prop::collection::vec((0..all().len(), any::<Option<bool>>()), 0..200)) {
        let toggles = Toggles::new();
        let switches = Switches::new(&toggles, all());
        let mut model: Vec<bool> = all().iter().map(|info| info.on).collect();
        for (index, to) in steps {
            match to {
                Some(on) => {
                    prop_assert_eq!(switches.set(all()[index].name, on), Ok(model[index]));
                    model[index] = on;
                }
                // Seldom enough that there is something to put back.
                None if index == 0 => {
                    switches.reset();
                    model = all().iter().map(|info| info.on).collect();
                }
                None => prop_assert_eq!(switches.get(all()[index].name), Ok(model[index])),
            }
            let snapshot = toggles.snapshot();
            for (index, info) in all().iter().enumerate() {
                prop_assert_eq!(snapshot.is_on(index, info.on), model[index]);
            }
        }
    }
}
