use chain_runtime::node;

type Text<'r> = &'r str;

#[node]
fn trimmed<'r>(line: &'r str) -> Text<'r> {
    line.trim()
}

fn main() {}
