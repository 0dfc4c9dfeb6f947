//! `#[shed(..)]`: what is given up under pressure, one statement in each test.

/// What runs at each level, of a chain that is asked by its field and its name.
macro_rules! at_each_level {
    ($site:ident, $run:expr) => {
        chain_runtime::shed::Level::ALL.map(|level| {
            $site.shedding.cell().set(level);
            let reply = $run;
            (reply, $crate::seen())
        })
    };
}

mod behind;
mod places;
mod told;

use chain::log::{note, taken};
use chain::poll::{block_on, suspend};
use chain_runtime::share::StickyKey;
use chain_runtime::shed::{Level, LevelCell, Override};
use chain_runtime::{Shedding, Toggles, chain, node};

struct User(&'static str);
struct Path(&'static str);
struct Hits(u32);

#[node]
fn log(path: &Path) {
    note(path.0);
}

#[node]
fn auth() -> User {
    note("auth");
    User("ada")
}

#[node]
fn hits() -> Hits {
    note("hits");
    Hits(7)
}

#[node]
fn warm() {
    note("warm");
}

#[node]
fn cold() {
    note("cold");
}

#[node]
fn is_local(path: &Path) -> bool {
    note("is_local");
    path.0 == "/"
}

#[node]
fn key(path: &Path) -> StickyKey {
    StickyKey::of(path.0)
}

#[node]
fn answer(user: &Option<User>) -> &'static str {
    user.as_ref().map_or("nobody", |user| user.0)
}

#[node]
fn greet(user: &User) -> &'static str {
    user.0
}

#[node]
fn done() -> &'static str {
    "done"
}

/// Notes what it sees on each way.
struct Sees(&'static str);
#[node]
impl Sees {
    async fn enter(&self) -> Hits {
        note(self.0);
        suspend(1).await;
        Hits(1)
    }
    async fn exit(&self, hits: &Hits) {
        note(if hits.0 == 1 { "out" } else { "?" });
    }
}

/// What was noted since the last time.
fn seen() -> String {
    taken().join(" ")
}

fn runs<const N: usize>(expected: [(&'static str, &str); N]) -> [(&'static str, String); N] {
    expected.map(|(reply, seen)| (reply, seen.to_owned()))
}

#[test]
fn a_shed_node_is_skipped_from_its_level_on() {
    chain! {
        struct Site { shedding: Shedding }
        async fn(path: Path) -> &'static str { #[shed(high)] log => #[shed(critical)] auth => answer }
    }
    let site = Site { shedding: Shedding::new() };
    assert_eq!(
        at_each_level!(site, block_on(site.run(Path("log")))),
        runs([("ada", "log auth"), ("ada", "log auth"), ("ada", "auth"), ("nobody", "")])
    );
}

#[test]
fn each_time_that_something_is_shed_is_counted() {
    chain! {
        struct Site { shedding: Shedding }
        fn(path: Path) -> &'static str { #[shed(elevated)] log => #[shed(critical)] { warm => cold } => done }
    }
    let site = Site { shedding: Shedding::new() };
    for level in [Level::Calm, Level::Elevated, Level::High, Level::Critical, Level::Critical] {
        site.shedding.cell().set(level);
        site.run(Path("log"));
    }
    let counts: Vec<_> = site.sheds().iter().map(|shed| (shed.info.name, shed.count)).collect();
    assert_eq!(counts, [("log", 4), ("warm => cold", 2)]);
    assert_eq!(site.sheds().count("log"), Ok(4));
}

#[test]
fn a_run_keeps_the_level_it_began_with() {
    /// That of a process which becomes critical while a run is under way.
    static MOVED: LevelCell = LevelCell::new(Level::Calm);

    #[node]
    async fn becomes_critical() {
        suspend(1).await;
        MOVED.set(Level::Critical);
    }
    chain! {
        struct Site { shedding: Shedding }
        async fn(path: Path) -> &'static str { becomes_critical => #[shed(high)] log => done }
    }
    let site = Site { shedding: Shedding::of_static(&MOVED) };
    block_on(site.run(Path("first")));
    block_on(site.run(Path("second")));
    assert_eq!(seen(), "first");
}

#[test]
fn an_override_moves_one_node() {
    chain! {
        struct Site { shedding: Shedding }
        fn(path: Path) -> &'static str { #[shed(high)] log => #[shed(high)] warm => done }
    }
    let site = Site { shedding: Shedding::new() };
    let at = |level| {
        site.shedding.cell().set(level);
        site.run(Path("log"));
        seen()
    };
    site.sheds().set("log", Override::From(Level::Critical)).unwrap();
    assert_eq!((at(Level::High), at(Level::Critical)), ("log".to_owned(), String::new()));
    site.sheds().set("log", Override::Never).unwrap();
    assert_eq!(at(Level::Critical), "log");
    site.sheds().set("log", Override::From(Level::Calm)).unwrap();
    assert_eq!(at(Level::Calm), "warm");
    site.sheds().set("log", Override::AsDeclared).unwrap();
    assert_eq!((at(Level::Elevated), at(Level::High)), ("log warm".to_owned(), String::new()));
    assert!(site.sheds().set("lock", Override::Never).is_err());
}

#[test]
fn a_forced_level_is_for_this_chain_until_it_follows_again() {
    chain! {
        struct Site { shedding: Shedding }
        fn(path: Path) -> &'static str { #[shed(high)] log => done }
    }
    static PROCESS: LevelCell = LevelCell::new(Level::Critical);
    let [one, other] = [(); 2].map(|()| Site { shedding: Shedding::of_static(&PROCESS) });
    one.sheds().force(Level::Calm);
    one.run(Path("one"));
    other.run(Path("other"));
    assert_eq!(seen(), "one");
    one.sheds().follow();
    one.run(Path("one"));
    assert_eq!(seen(), "");
}

#[test]
fn a_sampled_node_runs_for_a_share_of_the_requests() {
    chain! {
        struct Site { shedding: Shedding }
        fn(path: Path) -> &'static str {
            #[shed(elevated, sample = 1 / 10)] log => #[shed(elevated, sample = 1 / 1, "all")] warm
            => #[shed(elevated, "none", sample = 0)] cold => done
        }
    }
    let site = Site { shedding: Shedding::new() };
    let times = |of: &str, seen: &[String]| seen.iter().filter(|name| *name == of).count();
    (0..100).for_each(|_| _ = site.run(Path("log")));
    let calm = taken();
    assert_eq!((times("log", &calm), times("warm", &calm), times("cold", &calm)), (100, 100, 100));
    assert_eq!(site.sheds().count("log"), Ok(0));
    site.shedding.cell().set(Level::High);
    (0..10_000).for_each(|_| _ = site.run(Path("log")));
    let high = taken();
    let logged = times("log", &high);
    assert!((700..1_300).contains(&logged), "{logged}");
    assert_eq!((times("warm", &high), times("cold", &high)), (10_000, 0));
    // What is drawn is not shed.
    let counts: Vec<_> = site.sheds().iter().map(|shed| (shed.info.name, shed.count)).collect();
    assert_eq!(counts, [("log", 10_000 - logged), ("all", 0), ("none", 10_000)]);
}

#[test]
fn an_else_runs_instead() {
    chain! {
        struct Site { shedding: Shedding }
        fn(path: Path) -> &'static str {
            #[shed(critical)] warm else { cold }
            => #[shed(high)] { auth => greet } else { #[shed(critical, "second")] log => done }
        }
    }
    let site = Site { shedding: Shedding::new() };
    assert_eq!(
        at_each_level!(site, site.run(Path("log"))),
        runs([("ada", "warm auth"), ("ada", "warm auth"), ("done", "warm log"), ("done", "cold")])
    );
    let counts: Vec<_> = site.sheds().iter().map(|shed| (shed.info.name, shed.count)).collect();
    assert_eq!(counts, [("warm", 1), ("auth => greet", 2), ("second", 1)]);
}

#[test]
fn what_is_shed_is_not_left_either() {
    chain! {
        struct Site { shedding: Shedding, sees: Sees }
        async fn(path: Path) -> &'static str { #[shed(high)] sees => log => done }
    }
    let site = Site { shedding: Shedding::new(), sees: Sees("in") };
    let seen = at_each_level!(site, block_on(site.run(Path("log"))));
    assert_eq!(seen, runs([("done", "in log out"), ("done", "in log out"), ("done", "log"), ("done", "log")]));
}

#[test]
fn all_conditions_have_to_hold_and_are_asked_in_their_order() {
    chain! {
        struct Site { shedding: Shedding, toggles: Toggles }
        fn(path: Path) -> &'static str {
            key
            => #[shed(high)] #[when(is_local)] warm
            => #[when(is_local)] #[shed(high, "behind the question")] cold
            => #[toggle] #[sample(1 / 1)] #[shed(high)] #[split(100)] hits
            => done
        }
    }
    let site = Site { shedding: Shedding::new(), toggles: Toggles::new() };
    let run = |path, level| {
        site.shedding.cell().set(level);
        site.run(Path(path));
        seen()
    };
    assert_eq!(run("/", Level::Calm), "is_local warm is_local cold hits");
    assert_eq!(run("/", Level::High), "is_local");
    assert_eq!(run("/elsewhere", Level::Calm), "is_local is_local hits");
    assert_eq!(run("/elsewhere", Level::High), "is_local");
    // What would not have run is not shed.
    assert_eq!((site.sheds().count("warm"), site.sheds().count("behind the question")), (Ok(2), Ok(1)));
    assert_eq!(site.sheds().count("hits"), Ok(2));
    site.toggles().set("hits", false).unwrap();
    assert_eq!(run("/", Level::High), "is_local");
    assert_eq!(site.sheds().count("hits"), Ok(2));
}

#[test]
fn the_field_may_have_another_name_for_its_type() {
    type Gives = Shedding;
    chain! {
        struct Site { gives: Gives, other: Other }
        fn(path: Path) -> &'static str { #[shed(high)] log => done }
    }
    struct Other;
    let site = Site { gives: Gives::new(), other: Other };
    site.sheds().force(Level::High);
    site.run(Path("log"));
    assert_eq!((seen(), site.sheds().count("log")), (String::new(), Ok(1)));
    let Other = site.other;
}

/// Types of a user's own, which are called like those of this crate.
mod own {
    pub(crate) struct Shedding;
    pub(crate) struct Toggles;
}

#[test]
fn a_type_of_ones_own_may_be_called_like_that_of_the_field() {
    chain! {
        struct Site { shed: own::Shedding, toggled: own::Toggles, shedding: Shedding, toggles: Toggles }
        fn(path: Path) -> &'static str { #[shed(high)] log => #[toggle] warm => done }
    }
    let (shed, toggled) = (own::Shedding, own::Toggles);
    let site = Site { shed, toggled, shedding: Shedding::new(), toggles: Toggles::new() };
    site.run(Path("log"));
    assert_eq!(seen(), "log warm");
    site.sheds().force(Level::High);
    site.toggles().set("warm", false).unwrap();
    site.run(Path("log"));
    assert_eq!((seen(), site.sheds().count("log")), (String::new(), Ok(1)));
    let (own::Shedding, own::Toggles) = (site.shed, site.toggled);
}

#[test]
fn the_field_may_be_there_for_some_builds_only() {
    chain! {
        struct Site { #[cfg(not(any()))] shedding: Shedding, #[cfg(any())] toggles: Toggles }
        fn(path: Path) -> &'static str { #[cfg(not(any()))] #[shed(high)] log => #[cfg(any())] #[toggle] warm => done }
    }
    let site = Site { shedding: Shedding::new() };
    site.sheds().force(Level::High);
    site.run(Path("log"));
    assert_eq!((seen(), site.sheds().count("log")), (String::new(), Ok(1)));
}

#[test]
fn a_chain_with_parameters_sheds_as_any() {
    struct Keeps<T>(T);
    #[node]
    impl<T> Keeps<T> {
        fn enter(&self) {
            let Self(_) = self;
            note("keeps");
        }
    }
    chain! {
        struct Site<'k, T: Clone> { shedding: Shedding, keeps: Keeps<T>, name: &'k str }
        fn(path: Path) -> &'static str { #[shed(high)] keeps => #[shed(critical)] log => done }
    }
    let name = String::from("here");
    let site = Site { shedding: Shedding::new(), keeps: Keeps(3_u8), name: &name };
    assert_eq!(
        at_each_level!(site, site.run(Path("log"))),
        runs([("done", "keeps log"), ("done", "keeps log"), ("done", "log"), ("done", "")])
    );
    assert_eq!(site.name, "here");
}
