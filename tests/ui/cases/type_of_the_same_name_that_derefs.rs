use std::ops::Deref;

use chain_runtime::chain;
use chain_ui::Reply;

pub struct Inner(u16);

pub struct Outer(Inner);

impl Deref for Outer {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

mod there {
    use chain_runtime::node;
    use chain_ui::Reply;

    pub use super::Inner as Config;

    #[node]
    pub fn answer(config: &Config) -> Reply {
        Reply(config.0)
    }
}

use Outer as Config;

chain! {
    struct Gateway;

    fn(config: Config) -> Reply { there::answer }
}

fn main() {}
