//! Observers are told what is shed, and the drawing shows it.

use std::sync::Arc;

use chain::poll::block_on;
use chain_runtime::observe::{Event, Recording};
use chain_runtime::shed::Level;
use chain_runtime::telemetry::prometheus::{Format, Reading, render};
use chain_runtime::telemetry::{Manual, Meter};
use chain_runtime::{Shedding, chain};

use crate::places::Pass;
use crate::places::everywhere::Everywhere;
use crate::{Path, auth, cold, done, greet, log, seen, warm};

#[test]
fn an_observer_is_told_what_is_shed() {
    let site = Everywhere { shedding: Shedding::new(), pass: Pass };
    site.sheds().force(Level::Critical);
    let recording = Recording::start();
    block_on(site.run(Path("api")));
    let told = recording.events();
    let shed: Vec<_> = told.iter().filter(|event| matches!(event, Event::Shed(_))).collect();
    assert_eq!(shed, [&Event::Shed("log"), &Event::Shed("pass"), &Event::Shed("first")]);
    let _ = seen();
}

#[test]
fn a_meter_counts_what_is_shed_at_the_node_or_at_the_first_of_its_block() {
    chain! {
        #[observe(meter)]
        struct Site { shedding: Shedding, meter: Arc<Meter<Manual>> }
        fn(path: Path) -> &'static str {
            #[shed(high)] log => #[shed(critical)] { auth => greet } else { #[shed(elevated)] warm => cold => done }
        }
    }
    let meter = Arc::new(Meter::builder(Site::CHAIN).clock(Manual::new()).build());
    let site = Site { shedding: Shedding::new(), meter: Arc::clone(&meter) };
    for level in [Level::Calm, Level::High, Level::High, Level::Critical] {
        site.shedding.cell().set(level);
        site.run(Path("log"));
    }
    let _ = seen();
    let snapshot = meter.snapshot();
    let counts: Vec<_> =
        snapshot.nodes.iter().map(|node| (node.info.name, node.entered, node.skipped, node.shed)).collect();
    assert_eq!(
        counts,
        [
            ("log", 1, 3, 3),
            ("auth", 3, 0, 1),
            ("greet", 3, 0, 0),
            ("warm", 0, 1, 1),
            ("cold", 1, 0, 0),
            ("done", 1, 0, 0)
        ]
    );
    let exported = render(Format::default(), [Reading::of(&*meter)]);
    for (node, position, times) in [("log", 0, 3), ("auth", 1, 1), ("greet", 2, 0)] {
        let line = format!("chain_node_shed_total{{chain=\"Site\",node=\"{node}\",position=\"{position}\"}} {times}");
        assert!(exported.contains(&line), "{line} in\n{exported}");
    }
}

#[test]
fn the_drawing_has_a_table_of_what_becomes_of_what() {
    chain! {
        struct Site { shedding: Shedding }
        async fn(path: Path) -> &'static str {
            #[shed(elevated, sample = 1 / 100)] log => #[shed(critical)] { warm } else { cold } => done
        }
    }
    let drawing = "\
Site (path: Path)
   => log   needs &Path  #[shed(elevated, sample = 1/100)]
        #[shed(critical)]
       => warm
        else
       => cold
   => done  provides &'static str
   -> &'static str

   under pressure  calm  elevated  high   critical
   log             runs  1/100     1/100  1/100
   warm            runs  runs      runs   off";
    assert_eq!(Site::drawing().to_string(), drawing);
    let mermaid = Site::drawing().mermaid().to_string();
    assert!(mermaid.contains(r#"n0["log<br/>1/100 from elevated on"]"#), "{mermaid}");
    assert!(mermaid.contains(r##"n0 -- "#[shed(critical)]" --> n1"##), "{mermaid}");
}
