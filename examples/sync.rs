//! A chain of plain functions, declared `fn(..)`: its `run` is an ordinary function. There is no executor and no
//! future.

use chain_runtime::{chain, node};

struct Line(&'static str);
struct Words(usize);

#[node]
fn count(line: &Line) -> Words {
    Words(line.0.split_whitespace().count())
}

#[node]
fn describe(line: &Line, words: &Words) -> String {
    format!("`{}` has {} words", line.0, words.0)
}

chain! {
    struct Describe;
    fn(line: Line) -> String { count => describe }
}

chain! {
    /// The same nodes, in a chain that is awaited: a node that never suspends is called there, too.
    struct DescribeLater;
    async fn(line: Line) -> String { count => describe }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{}", Describe.run(Line("to be or not to be")));
    println!("{} (awaited)", DescribeLater.run(Line("to be or not to be")).await);
    println!("the awaited one's future takes {} bytes", DescribeLater::future_size());
}
