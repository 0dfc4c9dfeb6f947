use chain_runtime::node;
use chain_ui::Reply;

pub struct Log;

#[node]
impl Log {
    pub fn enter(&self) {}
}

impl Log {
    pub fn exit(&self, reply: &Reply) {
        println!("{}", reply.0);
    }
}

fn main() {}
