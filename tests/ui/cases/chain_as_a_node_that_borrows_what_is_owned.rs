use chain_ui::composed::*;

struct Path<'r>(&'r str);

#[node]
fn path(request: &Request) -> Path<'_> {
    Path(&request.path)
}

#[node]
fn size(path: &Path<'_>) -> Reply {
    Reply(path.0.len() as u16)
}

chain! {
    #[node]
    struct Paths;
    fn<'r>(request: &'r Request) -> Path<'r> { path }
}

chain! {
    struct Gateway;
    fn(request: Request) -> Reply { Paths => size }
}

fn main() {}
