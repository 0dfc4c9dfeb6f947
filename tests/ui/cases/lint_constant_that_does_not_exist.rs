#![deny(unused_variables)]
#![allow(unreachable_patterns, non_snake_case)]

use chain_ui::composed::*;

chain! {
    struct Gateway;

    async fn(request: Request) -> Reply {
        match count { LIMIT => last, _ => last }
    }
}

fn main() {}
