//! One chain of each form, with everything that the language has.

use links::observe::Recorder;
use links::{Reset, chain, node};

use crate::nodes::{Counter, auth, greet};

/// What is kept between requests.
#[derive(Debug, Default, Reset)]
pub struct Visit {
    /// What was said.
    pub line: String,
    /// How often.
    #[reset(value = 1)]
    pub times: u32,
}

chain! {
    /// Greets.
    #[derive(Debug, Default)]
    #[observe(Recorder)]
    #[budget(future = 4096)]
    #[send]
    pub struct Greeting {
        /// Counts.
        pub counter: Counter,
    }

    async fn(line: &str) -> String {
        counter => auth => greet
    }
}

/// Its length.
#[node]
pub(crate) const fn length(line: &str) -> usize {
    line.len()
}

chain! {
    /// Measures.
    #[derive(Clone, Copy, Debug)]
    pub struct Measuring;

    fn(line: &str) -> usize {
        length
    }
}

/// Says a word to whoever asks.
#[node]
pub fn word(response: &mut links::Response) {
    response.body.extend_from_slice(b"word");
}

/// The short form.
pub async fn short(context: &mut links::Context) -> bool {
    let chain = chain!(word);
    chain.run(context).await.is_cut_short()
}
