use chain_ui::composed::*;

struct Watch;

#[node]
impl Watch {
    fn new() -> Self {
        std::thread::spawn(|| {});
        Self
    }
    fn exit(&self) {
        std::thread::spawn(|| println!("left"));
    }
}

chain! {
    #[deny(spawn)]
    struct Gateway { watch: Watch }

    async fn(request: Request) -> Reply {
        watch => last
    }
}

fn main() {
    Gateway { watch: Watch::new() };
}
