use chain_ui::composed::*;

#[node]
fn held() -> std::rc::Rc<u8> {
    std::rc::Rc::new(0)
}

#[node]
async fn pause() {}

chain! {
    #[send]
    struct Gateway;

    async fn(request: Request) -> Reply {
        { held => pause } => last
    }
}

fn main() {}
