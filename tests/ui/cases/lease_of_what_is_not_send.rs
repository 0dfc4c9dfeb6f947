use std::rc::Rc;

use chain_runtime::{Pool, Reset};

#[derive(Reset)]
struct Visit {
    #[reset(keep)]
    peer: Rc<str>,
}

fn serve(_: &Pool<Visit>) {}

fn main() {}
