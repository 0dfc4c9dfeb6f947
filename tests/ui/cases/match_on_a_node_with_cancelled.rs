use chain_ui::composed::*;

chain! {
    struct Gateway { cancels: Cancels }

    async fn(request: Request) -> Reply {
        match cancels { true => last, false => last }
    }
}

fn main() {}
