use chain_ui::composed::*;

chain! {
    struct Gateway; {
        async fn(request: Request) -> Reply {
            proxy
        }
    }
}

fn main() {
    let _ = Gateway.run(Request { path: String::new() });
}
