use chain_ui::composed::*;

struct Patient;

#[node]
impl Patient {
    async fn around<B: Future<Output = Reply>>(&self, block: Pin<&mut B>) -> Reply {
        block.await
    }
}

chain! {
    struct Gateway { patient: Patient }

    async fn(request: Request) -> Reply {
        patient { auth } -> User => greet
    }
}

fn main() {}
