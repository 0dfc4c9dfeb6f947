use chain_ui::composed::*;
use chain_ui::tasks::{Few, read};

chain! {
    segment guarded(few: Few) { few { last } }
}

chain! {
    struct Gateway { few: Few }

    async fn(request: Request, keys: Keys) -> Reply {
        { read => nothing } => ..guarded
    }
}

fn main() {}
