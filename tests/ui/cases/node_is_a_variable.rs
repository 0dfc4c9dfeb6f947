#![allow(unused_imports)]

use chain_runtime::chain;
use chain_ui::Keys;

fn main() {
    let keys = Keys;
    let _chain = chain!(keys);
}
