use chain_ui::composed::*;

chain! {
    struct Gateway { shedding: Shedding, tasks: Tasks, leaves: Leaves }

    async fn(request: Request) -> Reply {
        #[shed(high, detach)] leaves => last
    }
}

struct Leaves;
#[node]
impl Leaves {
    fn enter(&self) -> impl Future<Output = ()> + Send + 'static {
        async {}
    }
    fn exit(&self) {}
}

fn main() {}
