use chain_runtime::{chain, node};

#[node]
fn first(line: &str) -> &str {
    line.split(' ').next().unwrap_or(line)
}

chain! {
    struct Parser;

    fn<'r>(line: &'r str) -> &'r str {
        first
    }
}

fn parse() -> &'static str {
    let line = String::from("GET /");
    Parser.run(&line)
}

fn main() {}
