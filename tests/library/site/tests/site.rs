//! What a visitor of the site gets.

use std::sync::Arc;

use chain_library::{Limit, Visitors};
use chain_library_site::{Counts, Memory, Pages, Reply, Request};

fn request(token: Option<&'static str>) -> Request {
    Request { path: "/", token }
}

#[test]
fn errors_of_the_library_look_as_the_site_says() {
    let pages = |most| Pages { limit: Arc::new(Limit::new(most)), visitors: Visitors(Memory) };
    assert_eq!(pages(1).run(request(Some("bob"))), Reply(200, "/ for 1".to_owned()));
    assert_eq!(pages(1).run(request(Some("eve"))), Reply(401, "who are you?".to_owned()));
    assert_eq!(pages(0).run(request(Some("bob"))), Reply(503, "come back later".to_owned()));
}

#[test]
fn a_segment_of_the_library_is_part_of_the_chain() {
    let counts = Counts { limit: Limit::new(1), visitors: Visitors(Memory) };
    let run = |token| pollster::block_on(counts.run(request(token)));
    assert_eq!(run(Some("ada")), Reply(200, "you are number 0".to_owned()));
    assert_eq!(run(None), Reply(401, "who are you?".to_owned()));
    assert_eq!(counts.limit.inside(), 0);
    let names: Vec<_> = Counts::NODES.iter().map(|node| node.name).collect();
    assert_eq!(names, ["limit", "visitor", "count"]);
}

#[test]
fn two_chains_share_what_stands_in_an_arc() {
    let limit = Arc::new(Limit::new(1));
    let pages = [0, 1].map(|_| Pages { limit: Arc::clone(&limit), visitors: Visitors(Memory) });
    assert!(pages.iter().all(|pages| pages.run(request(Some("ada"))).0 == 200), "each gives its place back");
    assert_eq!(Arc::strong_count(&limit), 3);
}
