use chain_ui::composed::*;

chain! {
    struct Gateway {
        catch: Option<CatchPanic>,
    }

    async fn(request: Request) -> Reply { catch { last } }
}

fn main() {}
