use chain_runtime::{chain, node};
use chain_ui::Reply;

enum Route {
    Page { letters: Vec<u8>, number: u16 },
    Other,
}

#[node]
fn route() -> Route {
    Route::Page { letters: Vec::new(), number: 1 }
}

#[node]
fn count(letters: &Vec<u8>) -> Reply {
    Reply(letters.len() as u16)
}

#[node]
fn other() -> Reply {
    Reply(404)
}

chain! {
    struct Gateway;

    fn() -> Reply {
        match route { Route::Page { letters: Vec<u8>, number: _ } => count, Route::Other => other }
    }
}

fn main() {}
