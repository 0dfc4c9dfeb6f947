use std::sync::Mutex;

use chain_runtime::node;
use chain_ui::{Reply, Request};

static LAST: Mutex<Option<&'static str>> = Mutex::new(None);

#[node]
fn remember(request: &Request) -> Reply {
    *LAST.lock().unwrap() = Some(&request.path);
    Reply(200)
}

fn main() {}
