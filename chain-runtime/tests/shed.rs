//! Shedding by name and by level: runs that begin later see what was set, and concurrent changes are not lost.

use std::sync::{Arc, Barrier};
use std::thread;

use chain_runtime::shed::{How, Level, LevelCell, MAX, Of, Override, ShedInfo, Shedding, Sheds};
use proptest::prelude::*;

const fn shed(name: &'static str, from: Level, how: How) -> ShedInfo {
    ShedInfo { name, from, how, of: Of::Node(0) }
}

static FOUR: [ShedInfo; 4] = [
    shed("log", Level::Elevated, How::Sampled { part: 1, whole: 100 }),
    shed("metrics", Level::High, How::Behind),
    shed("cache", Level::High, How::Skipped),
    shed("warm_cache", Level::Critical, How::Skipped),
];

/// As many as there can be.
static ALL: [ShedInfo; MAX] = {
    const NAMES: [&str; 20] = [
        "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17",
        "18", "19",
    ];
    let mut all = [shed("", Level::Elevated, How::Skipped); MAX];
    let mut index = 0;
    while index < MAX {
        all[index] = shed(NAMES[index], Level::ALL[1 + index % 3], How::Skipped);
        index += 1;
    }
    all
};

const OVERRIDES: [Override; 6] = [
    Override::AsDeclared,
    Override::Never,
    Override::From(Level::Calm),
    Override::From(Level::Elevated),
    Override::From(Level::High),
    Override::From(Level::Critical),
];

#[test]
fn a_new_one_is_calm_and_sheds_as_declared() {
    let shedding = Shedding::default();
    let sheds = Sheds::new(&shedding, &FOUR);
    assert_eq!((sheds.level(), sheds.forced()), (Level::Calm, None));
    assert!(sheds.iter().all(|shed| shed.set == Override::AsDeclared && shed.count == 0));
    for level in Level::ALL {
        shedding.cell().set(level);
        let snapshot = shedding.snapshot();
        assert_eq!(snapshot.level(), level);
        let shed: Vec<_> = FOUR
            .iter()
            .enumerate()
            .filter(|(index, info)| snapshot.sheds(*index, info.from))
            .map(|(_, info)| info.name)
            .collect();
        let expected: &[&str] = match level {
            Level::Calm => &[],
            Level::Elevated => &["log"],
            Level::High => &["log", "metrics", "cache"],
            Level::Critical => &["log", "metrics", "cache", "warm_cache"],
        };
        assert_eq!(shed, expected, "{level}");
    }
}

#[test]
fn a_level_is_read_where_it_stands() {
    static CELL: LevelCell = LevelCell::new(Level::High);
    let of_static = Shedding::of_static(&CELL);
    assert_eq!(of_static.snapshot().level(), Level::High);
    CELL.set(Level::Elevated);
    assert_eq!(of_static.snapshot().level(), Level::Elevated);

    let cell = Arc::new(LevelCell::new(Level::Calm));
    let (one, other) = (Shedding::shared(Arc::clone(&cell)), Shedding::shared(Arc::clone(&cell)));
    cell.set(Level::Critical);
    assert_eq!((one.snapshot().level(), other.snapshot().level()), (Level::Critical, Level::Critical));
    assert_eq!(Shedding::new().snapshot().level(), Level::Calm);
}

#[test]
fn a_snapshot_stays_as_it_was_taken() {
    let shedding = Shedding::new();
    let before = shedding.snapshot();
    shedding.cell().set(Level::Critical);
    Sheds::new(&shedding, &FOUR).set("log", Override::From(Level::Calm)).unwrap();
    assert!(!before.sheds(0, Level::Elevated));
    assert!(shedding.snapshot().sheds(0, Level::Elevated));
}

#[test]
fn what_is_set_moves_one_item_and_says_how_it_was() {
    let shedding = Shedding::new();
    let sheds = Sheds::new(&shedding, &FOUR);
    shedding.cell().set(Level::High);
    assert_eq!(sheds.set("cache", Override::Never), Ok(Override::AsDeclared));
    assert_eq!(sheds.set("cache", Override::From(Level::Critical)), Ok(Override::Never));
    assert_eq!(sheds.get("cache"), Ok(Override::From(Level::Critical)));
    assert_eq!(sheds.get("metrics"), Ok(Override::AsDeclared));
    let at_high: Vec<_> = sheds.iter().map(|shed| shed.at(Level::High)).collect();
    assert_eq!(at_high, [Some(How::Sampled { part: 1, whole: 100 }), Some(How::Behind), None, None]);
    sheds.reset();
    assert_eq!(sheds.get("cache"), Ok(Override::AsDeclared));
}

#[test]
fn a_level_that_is_forced_is_that_of_this_chain_alone() {
    let cell = Arc::new(LevelCell::new(Level::High));
    let (one, other) = (Shedding::shared(Arc::clone(&cell)), Shedding::shared(cell));
    let sheds = Sheds::new(&one, &FOUR);
    sheds.set("log", Override::Never).unwrap();
    sheds.force(Level::Calm);
    assert_eq!((sheds.level(), sheds.forced()), (Level::Calm, Some(Level::Calm)));
    assert_eq!(other.snapshot().level(), Level::High);
    sheds.follow();
    assert_eq!((sheds.level(), sheds.forced()), (Level::High, None));
    // What was set of items is not lost.
    assert_eq!(sheds.get("log"), Ok(Override::Never));
    sheds.force(Level::Critical);
    sheds.reset();
    assert_eq!((sheds.level(), sheds.get("log")), (Level::High, Ok(Override::AsDeclared)));
}

#[test]
fn an_unknown_name_is_named_with_those_that_are_known() {
    let shedding = Shedding::new();
    let of = |infos| Sheds::new(&shedding, infos).get("lock").unwrap_err().to_string();
    assert_eq!(of(&FOUR), "nothing called `lock` is shed here; there are `log`, `metrics`, `cache`, `warm_cache`");
    assert_eq!(of(&FOUR[..1]), "nothing called `lock` is shed here; there is `log`");
    assert_eq!(of(&[]), "nothing called `lock` is shed here; the chain sheds nothing");
    assert_eq!(Sheds::new(&shedding, &FOUR).set("lock", Override::Never).unwrap_err().name(), "lock");
    assert_eq!(Sheds::new(&shedding, &FOUR).count("lock").unwrap_err().known().len(), 4);
}

#[test]
fn the_table_has_a_row_for_each_item_and_a_column_for_each_level() {
    let shedding = Shedding::new();
    let sheds = Sheds::new(&shedding, &FOUR);
    let as_declared = "\
at calm     calm  elevated  high    critical
log         runs  1/100     1/100   1/100
metrics     runs  runs      behind  behind
cache       runs  runs      off     off
warm_cache  runs  runs      runs    off";
    assert_eq!(sheds.to_string(), as_declared);
    sheds.force(Level::High);
    sheds.set("log", Override::From(Level::Calm)).unwrap();
    sheds.set("cache", Override::Never).unwrap();
    let moved = "\
forced to high  calm   elevated  high    critical
log             1/100  1/100     1/100   1/100     set: from calm
metrics         runs   runs      behind  behind
cache           runs   runs      runs    runs      set: never
warm_cache      runs   runs      runs    off";
    assert_eq!(sheds.to_string(), moved);
    assert_eq!(Sheds::new(&Shedding::new(), &[]).to_string(), "at calm  calm  elevated  high  critical");
}

#[test]
#[should_panic(expected = "a shed's index is less than `shed::MAX`")]
fn an_index_past_the_word_is_refused() {
    let _ = Shedding::new().snapshot().sheds(MAX, Level::High);
}

/// Each thread sets items of its own, and reads back what it wrote: a change that another one's overwrote would show.
#[test]
fn what_is_set_at_the_same_time_is_not_lost() {
    const THREADS: usize = 4;
    let shedding = Shedding::new();
    let sheds = Sheds::new(&shedding, &ALL);
    let begin = Barrier::new(THREADS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let begin = &begin;
            scope.spawn(move || {
                begin.wait();
                let mut before = Override::AsDeclared;
                for round in 1..2_000 {
                    let to = OVERRIDES[round % OVERRIDES.len()];
                    for info in ALL.iter().skip(thread).step_by(THREADS) {
                        assert_eq!(sheds.set(info.name, to), Ok(before), "`{}` in round {round}", info.name);
                        assert_eq!(sheds.get(info.name), Ok(to));
                    }
                    before = to;
                }
            });
        }
    });
}

proptest! {
    /// Against an array of what was set.
    #[test]
    fn what_was_set_is_an_array(
        steps in prop::collection::vec((0..MAX + 2, 0..OVERRIDES.len(), 0..Level::ALL.len()), 0..200),
    ) {
        let shedding = Shedding::new();
        let sheds = Sheds::new(&shedding, &ALL);
        let (mut set, mut forced, mut process) = ([Override::AsDeclared; MAX], None, Level::Calm);
        for (index, to, level) in steps {
            let level = Level::ALL[level];
            match index {
                MAX => {
                    forced = (to % 2 == 0).then_some(level);
                    forced.map_or_else(|| sheds.follow(), |level| sheds.force(level));
                }
                index if index > MAX => {
                    process = level;
                    shedding.cell().set(level);
                }
                index => {
                    prop_assert_eq!(sheds.set(ALL[index].name, OVERRIDES[to]), Ok(set[index]));
                    set[index] = OVERRIDES[to];
                }
            }
            let (snapshot, level) = (shedding.snapshot(), forced.unwrap_or(process));
            prop_assert_eq!(snapshot.level(), level);
            prop_assert_eq!(sheds.forced(), forced);
            for ((index, shed), set) in sheds.iter().enumerate().zip(set) {
                let from = match set {
                    Override::AsDeclared => Some(shed.info.from),
                    Override::Never => None,
                    Override::From(level) => Some(level),
                };
                prop_assert_eq!((shed.set, shed.from()), (set, from));
                let is_shed = from.is_some_and(|from| level >= from);
                prop_assert_eq!(snapshot.sheds(index, shed.info.from), is_shed);
                prop_assert_eq!(shed.at(level).is_some(), is_shed);
            }
        }
    }
}
