use chain_ui::composed::*;

struct Patient;

#[node]
impl Patient {
    async fn around<B: Future<Output = String>>(&self, block: Pin<&mut B>) -> String {
        block.await
    }
}

chain! {
    struct Gateway { patient: Patient }

    async fn(request: Request) -> Reply {
        patient { last }
    }
}

fn main() {}
