use chain_runtime::{chain, node};

struct Request(u8);
struct Reply;
struct Name(u8);

#[node]
fn name(request: &Request) -> Name {
    Name(request.0)
}

#[node]
fn answer(name: &Name) -> Reply {
    let _ = name.0;
    Reply
}

#[node]
chain! {
    struct Who;

    fn(request: &Request) -> Name {
        name
    }
}

chain! {
    struct Hello {
        who: Who,
    }

    fn(request: Request) -> Reply {
        who => answer
    }
}

fn main() {}
