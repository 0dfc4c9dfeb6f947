use chain_runtime::tasks::{ChildPanicked, Tasks};
use chain_runtime::{IntoReply, chain};
use chain_ui::composed::{Request, last, nothing};

struct Answer;

impl IntoReply<Answer> for ChildPanicked {
    fn into_reply(self) -> Answer {
        Answer
    }
}

impl IntoReply<Answer> for chain_ui::Reply {
    fn into_reply(self) -> Answer {
        Answer
    }
}

chain! {
    struct Gateway { tasks: Tasks }

    async fn(request: Request) -> Answer {
        { tasks => nothing } => last
    }
}

fn main() {}
