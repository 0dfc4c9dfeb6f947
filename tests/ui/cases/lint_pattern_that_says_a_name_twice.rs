#![deny(non_shorthand_field_patterns, unused_mut)]

use chain_runtime::{chain, node};
use chain_ui::{Request, Reply, auth, greet, proxy};

struct Page {
    number: u16,
    letters: u16,
}

#[node]
fn page(request: &Request) -> Page {
    Page { number: request.path.len() as u16, letters: 0 }
}

#[node]
fn show(number: &u16) -> Reply {
    Reply(*number)
}

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match page {
            Page { number: number: u16, letters: letters } if letters == 0 => show,
            Page { mut letters, .. } if letters == 1 => auth => greet,
            _ => proxy,
        }
    }
}

fn main() {}
