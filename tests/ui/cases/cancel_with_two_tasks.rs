use chain_runtime::tasks::ChildPanicked;
use chain_ui::composed::*;

struct Answer;

impl IntoReply<Answer> for ChildPanicked {
    fn into_reply(self) -> Answer {
        Answer
    }
}

#[node]
fn background() -> impl Future<Output = ()> + Send + 'static {
    async {}
}

#[node]
fn answer() -> Answer {
    Answer
}

chain! {
    struct Gateway { more: Tasks, tasks: Tasks }

    async fn(request: Request) -> Answer {
        tasks => #[cancel(detach)] background => answer
    }
}

fn main() {}
