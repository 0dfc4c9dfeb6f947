//! `#[shed(..)]` in blocks, in arms, around blocks, and in segments.

use chain::log::note;
use chain::poll::block_on;
use chain_runtime::describe::ChainInfo;
use chain_runtime::observe::Recorder;
use chain_runtime::shed::{How, Level, Of, ShedInfo};
use chain_runtime::{Shedding, chain, node};

use crate::{Path, User, answer, auth, cold, done, greet, hits, is_local, log, runs, warm};

mod segment {
    use crate::{auth, cold, hits, log, warm};
    use chain_runtime::chain;

    chain! {
        pub segment prelude { #[shed(elevated)] log => #[shed(high, sample = 0)] { hits => warm } else { cold } }
    }
    chain! {
        pub segment nested { ..prelude => #[shed(critical)] auth }
    }
}

#[test]
fn a_segment_sheds_in_the_chain_that_takes_it_in() {
    chain! {
        struct Site { shedding: Shedding }
        fn(path: Path) -> &'static str { #[shed(critical)] { warm } => ..segment::nested => answer }
    }
    let site = Site { shedding: Shedding::new() };
    assert_eq!(
        at_each_level!(site, site.run(Path("log"))),
        runs([
            ("ada", "warm log hits warm auth"),
            ("ada", "warm hits warm auth"),
            ("ada", "warm cold auth"),
            ("nobody", "cold")
        ])
    );
    let counts: Vec<_> = site.sheds().iter().map(|shed| (shed.info.name, shed.count)).collect();
    assert_eq!(counts, [("warm", 1), ("log", 3), ("hits => warm", 2), ("auth", 1)]);
}

/// What wraps a block, and runs it once.
pub(crate) struct Pass;
#[node]
impl Pass {
    async fn around<B: Future>(&self, block: std::pin::Pin<&mut B>) -> B::Output {
        note("(");
        let output = block.await;
        note(")");
        output
    }
}

enum Route {
    Api(User),
    Other,
}

#[node]
fn route(path: &Path) -> Route {
    if path.0 == "api" { Route::Api(User("ada")) } else { Route::Other }
}

pub(crate) mod everywhere {
    use super::*;

    chain! {
        /// Something that is shed in each place that there is.
        #[observe(Recorder)]
        pub struct Everywhere { pub shedding: Shedding, pub(crate) pass: Pass }

        async fn(path: Path) -> &'static str {
            #[shed(elevated)] log
            => #[cfg(any())] #[shed(elevated, "left out")] log
            => #[shed(critical)] pass { #[shed(high)] warm => { #[shed(high)] cold } }
            => match route {
                Route::Api(user: User) => #[shed(elevated, "first")] hits => greet,
                Route::Other => #[shed(high)] if is_local { auth => greet } else { done } else { #[shed(critical, "second")] hits => done },
            }
        }
    }
}
use everywhere::Everywhere;

#[test]
fn what_is_shed_is_known_in_the_order_in_which_it_is_written() {
    const CHAIN: &ChainInfo = Everywhere::CHAIN;
    let of = |of: &Of| match of {
        Of::Node(position) => CHAIN.nodes[*position].name.to_owned(),
        Of::Block(block) => {
            let block = &CHAIN.blocks[*block];
            CHAIN.nodes[block.first..block.end].iter().map(|node| node.name).collect::<Vec<_>>().join(" ")
        }
    };
    let all: Vec<_> = CHAIN.sheds.iter().map(|shed| (shed.name, shed.from, of(&shed.of))).collect();
    let all: Vec<_> = all.iter().map(|(name, from, of)| (*name, *from, of.as_str())).collect();
    assert_eq!(
        all,
        [
            ("log", Level::Elevated, "log"),
            ("pass", Level::Critical, "pass warm cold"),
            ("warm", Level::High, "warm"),
            ("cold", Level::High, "cold"),
            ("first", Level::Elevated, "hits"),
            ("is_local", Level::High, "is_local auth greet done"),
            ("second", Level::Critical, "hits"),
        ]
    );
    let first: Vec<_> = CHAIN.sheds.iter().map(|shed| CHAIN.nodes[shed.first(CHAIN.blocks)].name).collect();
    assert_eq!(first, ["log", "pass", "warm", "cold", "hits", "is_local", "hits"]);
    assert_eq!(CHAIN.sheds[0], ShedInfo { name: "log", from: Level::Elevated, how: How::Skipped, of: Of::Node(0) });
}

#[test]
fn what_is_shed_in_blocks_and_arms_is_counted_at_its_own_index() {
    let site = Everywhere { shedding: Shedding::new(), pass: Pass };
    let counts = || site.sheds().iter().map(|shed| shed.count).collect::<Vec<_>>();
    assert_eq!(
        at_each_level!(site, block_on(site.run(Path("api")))),
        runs([("ada", "api ( warm cold ) hits"), ("ada", "( warm cold )"), ("ada", "( )"), ("ada", "")])
    );
    assert_eq!(counts(), [3, 1, 1, 1, 3, 0, 0]);
    assert_eq!(
        at_each_level!(site, block_on(site.run(Path("/")))),
        runs([
            ("ada", "/ ( warm cold ) is_local auth"),
            ("ada", "( warm cold ) is_local auth"),
            ("done", "( ) hits"),
            ("done", "")
        ])
    );
    assert_eq!(counts(), [6, 2, 2, 2, 3, 2, 1]);
}
