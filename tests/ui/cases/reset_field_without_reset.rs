use chain_runtime::Reset;

struct Session;

#[derive(Reset)]
struct Visit {
    path: String,
    session: Session,
}

fn main() {}
