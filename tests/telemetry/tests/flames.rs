//! The folded text and the profile contain what the meter has, and viewers open them.

use std::path::PathBuf;
use std::process::Command;

use chain_runtime::telemetry::folded::{Weight, folded};
use chain_runtime::telemetry::{Manual, Snapshot, pprof};
use chain_telemetry_tests::{drive, request, shop};

/// One that is replied to, and one of three tries.
fn busy() -> Snapshot {
    let clock = Manual::new();
    let shop = shop(&clock, |builder| builder);
    drive(&clock, shop.run(request("/", &[]), clock.clone()), 1_000);
    drive(&clock, shop.run(request("/", &[("x-fails", "")]), clock.clone()), 1_000);
    drive(&clock, shop.run(request("/else", &[]), clock.clone()), 1_000);
    shop.meter.snapshot()
}

#[test]
fn a_stack_has_the_nodes_and_arms_that_a_node_stands_in() {
    let snapshot = busy();
    let running = "Shop;gate 60000\n\
        Shop;gate;out 15000\n\
        Shop;again 15000\n\
        Shop;again;out 20000\n\
        Shop;again;slow 210000\n\
        Shop;again;route = Route::Page;page 400000\n\
        Shop;again;route = Route::Order;order 7000\n";
    assert_eq!(folded(&snapshot, Weight::Running), running);
    let waiting = "Shop;again;slow 5000000\nShop;again;route = Route::Order;order 1000000\n";
    assert_eq!(folded(&snapshot, Weight::Waiting), waiting);
    let bytes = "Shop;gate 192\nShop;again;slow 20480\nShop;again;route = Route::Page;page 4096\n";
    assert_eq!(folded(&snapshot, Weight::Bytes), bytes);
    assert_eq!(folded(&snapshot, Weight::Allocations).lines().count(), 3);
    let sum =
        |text: String| text.lines().map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!(sum(folded(&snapshot, Weight::Time)), snapshot.took.sum());
}

#[test]
fn inferno_draws_all_of_it() {
    let text = folded(&busy(), Weight::Time);
    let mut options = inferno::flamegraph::Options::default();
    options.count_name = Weight::Time.unit().into();
    let mut picture = Vec::new();
    inferno::flamegraph::from_lines(&mut options, text.lines(), &mut picture).expect("a picture");
    let picture = String::from_utf8(picture).expect("a text");
    for frame in
        ["<title>slow (5,210,000 ns, ", "<title>route = Route::Page (400,000 ns, ", "<title>all (6,727,000 ns, 100%)"]
    {
        assert!(picture.contains(frame), "{frame}: {picture}");
    }
}

fn top(path: &PathBuf, kind: &str) -> Vec<(String, String)> {
    let kind = format!("-sample_index={kind}");
    let output = Command::new("go").args(["tool", "pprof", "-top", "-nodecount=20", &kind]).arg(path).output();
    let output = output.expect("go, of Debian's package golang");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("flat%"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let lines = said.lines().skip_while(|line| !line.contains("flat%")).skip(1);
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .map(|row| (row[5..].join(" "), row[0].to_owned()))
        .collect()
}

#[test]
fn go_tool_pprof_finds_what_each_node_took() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shop.pb");
    std::fs::write(&path, pprof::encode(&busy())).expect("a file");
    let is = |rows: &[(String, String)], node: &str, flat: &str| rows.contains(&(node.to_owned(), flat.to_owned()));
    let running = top(&path, "running");
    assert_eq!(running[0], ("page".to_owned(), "400us".to_owned()), "the most is the first: {running:?}");
    assert!(
        is(&running, "slow", "210us") && is(&running, "again (out)", "20us") && is(&running, "Shop", "0"),
        "{running:?}"
    );
    let waiting = top(&path, "waiting");
    assert!(is(&waiting, "slow", "5ms") && is(&waiting, "order", "1ms"), "{waiting:?}");
    let bytes = top(&path, "alloc_space");
    assert!(is(&bytes, "slow", "20kB") && is(&bytes, "page", "4kB") && is(&bytes, "gate", "0.19kB"), "{bytes:?}");
    let calls = top(&path, "alloc_objects");
    assert!(is(&calls, "slow", "5") && is(&calls, "page", "4") && is(&calls, "gate", "3"), "{calls:?}");
}
