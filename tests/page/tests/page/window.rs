//! What the page is told about upstreams: the difference of readings.

use chain_runtime::telemetry::page::{Group, Member, UpstreamWindow};
use serde_json::{Value, json};

fn member(name: &str, generation: u64, [well, failed, other]: [u64; 3]) -> Member {
    let mut member = Member { name: name.to_owned(), generation, state: "ready", weight: 1, ..Member::default() };
    (member.well, member.failed, member.other) = (well, failed, other);
    member
}

fn group(members: Vec<Member>) -> Group {
    let ended = members.iter().map(|member| member.well + member.failed + member.other).sum();
    Group { name: "a".to_owned(), counts: [members.len() as u64, 0, 0, 0], members, ended, ..Group::default() }
}

/// The share and the rate of failures of each member, as `[name, share, failing]`.
fn told(window: &mut UpstreamWindow, groups: Vec<Group>) -> Value {
    let figures: Value = serde_json::from_str(&window.figures(groups)).expect("JSON");
    let members = figures[0]["members"].as_array().into_iter().flatten();
    members.map(|member| json!([member["name"], member["share"], member["failing"]])).collect()
}

#[test]
fn shares_and_failures_are_those_of_the_window() {
    let mut window = UpstreamWindow::new(2);
    let mut at = |a, b| told(&mut window, vec![group(vec![member("a", 1, a), member("b", 2, b)])]);
    // What was before the page looked is not shown.
    assert_eq!(at([100, 0, 0], [0, 7, 0]), json!([["a", 0.0, null], ["b", 0.0, null]]));
    assert_eq!(at([106, 2, 0], [0, 7, 0]), json!([["a", 1.0, 0.25], ["b", 0.0, null]]));
    // Who is cancelled was asked, and says nothing.
    assert_eq!(at([106, 2, 0], [0, 7, 8]), json!([["a", 0.5, 0.25], ["b", 0.5, null]]));
    // Two readings later, the first is forgotten.
    assert_eq!(at([106, 2, 0], [1, 8, 8]), json!([["a", 0.0, null], ["b", 1.0, 0.5]]));
}

#[test]
fn who_comes_anew_begins_anew_and_who_leaves_takes_its_own_along() {
    let mut window = UpstreamWindow::new(5);
    let both = |a, b| vec![group(vec![member("a", 1, a), member("b", 2, b)])];
    told(&mut window, both([1_000, 0, 0], [1_000, 0, 0]));
    told(&mut window, both([1_010, 0, 0], [1_010, 0, 0]));
    let alone = vec![group(vec![member("a", 1, [1_020, 0, 0])])];
    assert_eq!(told(&mut window, alone), json!([["a", 1.0, 0.0]]), "more has left than has come");
    // The same name by another registration.
    let anew = vec![group(vec![member("a", 3, [5, 5, 0])])];
    assert_eq!(told(&mut window, anew), json!([["a", 0.0, null]]));
    assert_eq!(told(&mut window, vec![]), json!([]));
}

#[test]
fn a_part_of_a_large_group_has_a_part_of_its_share() {
    let mut window = UpstreamWindow::new(5);
    let large = |well, ended| vec![Group { ended, ..group(vec![member("a", 1, [well, 0, 0])]) }];
    told(&mut window, large(0, 1_000));
    assert_eq!(told(&mut window, large(5, 1_050)), json!([["a", 0.1, 0.0]]));
}

#[test]
fn what_is_told_has_a_bound() {
    let mut window = UpstreamWindow::new(5);
    let members = || (0..1_000).map(|at| member("a", at, [0; 3])).collect();
    let groups = (0..100).map(|at| Group { name: at.to_string(), ..group(members()) }).collect();
    let figures: Value = serde_json::from_str(&window.figures(groups)).expect("JSON");
    assert_eq!(figures.as_array().map(Vec::len), Some(32));
    assert_eq!((figures[0]["members"].as_array().map(Vec::len), &figures[0]["more"]), (Some(100), &json!(900)));
}
