//! The way out borrows, too.
use chain_runtime::node;
use chain_ui::{Reply, User};

struct Log;

#[node]
impl Log {
    fn exit(&self, user: Option<&User>, reply: &mut Reply) {
        reply.0 += u16::from(user.is_some());
    }
}

fn main() {}
