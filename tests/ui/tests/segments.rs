//! A segment of another crate, whose nodes are its own.

use chain_runtime::{chain, node};
use chain_ui::{Letters, Reply, Request};

#[node]
fn reply(letters: &Letters) -> Reply {
    Reply(letters.0 as u16)
}

chain! {
    struct Gateway;
    async fn(request: Request) -> Reply { ..chain_ui::front => reply }
}

#[test]
fn it_is_spliced_in() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let status = |path: &str| runtime.block_on(Gateway.run(Request { path: path.to_owned() })).0;
    assert_eq!((status("/~ada"), status("/")), (3, 401));
    let names: Vec<_> = Gateway::NODES.iter().map(|node| node.name).collect();
    assert_eq!(names, ["auth", "counted", "reply"]);
}

chain! {
    struct Branches;
    fn(letters: &str) -> Reply { ..chain_ui::pages::branches }
}

#[test]
fn its_constants_guards_and_bindings_are_those_of_its_own_crate() {
    let replies = ["", "a", "abc", "abcd"].map(|letters| Branches.run(letters).0);
    assert_eq!(replies, [0, 1, 300, 4]);
}
