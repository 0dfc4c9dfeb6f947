//! Hooks of each form, found by what they say of themselves, and the same hooks found by their types.

use std::future::ready;
use std::sync::atomic::{AtomicU32, Ordering};

use links::observe::Recorder;
use links::{Ending, chain, node};

use crate::nodes::{Nobody, User, auth, greet};

/// Says nothing on the way in, and waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waits;

#[node]
impl Waits {
    async fn enter(&self, line: &str) {
        ready(line.len()).await;
    }

    async fn exit(&self, user: &User, reply: &mut String) {
        reply.push_str(&ready(user.0).await.to_string());
    }
}

/// A number.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub u32);

/// Counts, and may break.
#[derive(Debug, Default)]
pub struct Counts(AtomicU32);

#[node]
impl Counts {
    fn enter(&self, user: &User) -> Result<Number, Nobody> {
        let before = self.0.fetch_add(user.0, Ordering::Relaxed);
        if before == u32::MAX { Err(Nobody) } else { Ok(Number(before)) }
    }

    fn exit(&self, own: &mut Number, reply: &String) {
        own.0 = 0;
        self.0.fetch_max(u32::try_from(reply.len()).unwrap_or(own.0), Ordering::Relaxed);
    }
}

/// Has only a way out.
#[derive(Debug, Default)]
pub struct Leaves(AtomicU32);

#[node]
impl Leaves {
    fn exit(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits before it provides, and needs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opens;

#[node]
impl Opens {
    async fn enter(&self) -> Number {
        Number(ready(1).await)
    }
}

/// Waits on each way, and can be cut off.
#[derive(Debug, Default)]
pub struct Sees(AtomicU32);

#[node]
impl Sees {
    async fn enter(&self) {
        ready(()).await;
    }

    async fn exit(&self, ending: &Ending) {
        self.0.fetch_add(ready(u32::from(ending.is_cut_short())).await, Ordering::Relaxed);
    }

    fn cancelled(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives the reply.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers;

#[node]
impl Answers {
    fn enter(&self, user: &User, number: &Number) -> String {
        (user.0 + number.0).to_string()
    }
}

chain! {
    /// Each hook is found by what it says of itself.
    #[derive(Debug, Default)]
    pub struct Told {
        /// Waits.
        pub waits: Waits,
        /// Counts.
        pub counts: Counts,
        /// Leaves.
        pub leaves: Leaves,
        /// Answers.
        pub answers: Answers,
    }

    async fn(line: &str) -> String {
        leaves => auth => waits => counts => answers
    }
}

chain! {
    /// A hook of which not all is told has all of them found by their types.
    #[derive(Debug, Default)]
    pub struct Asked {
        /// Sees.
        pub sees: Sees,
        /// Waits.
        pub waits: Waits,
        /// Counts.
        pub counts: Counts,
        /// Leaves.
        pub leaves: Leaves,
    }

    async fn(line: &str) -> String {
        leaves => sees => auth => waits => counts => greet
    }
}

chain! {
    /// Somebody watches.
    #[derive(Debug, Default)]
    #[observe(Recorder)]
    pub struct Watched {
        /// Waits.
        pub waits: Waits,
        /// Counts.
        pub counts: Counts,
        /// Leaves.
        pub leaves: Leaves,
    }

    async fn(line: &str) -> String {
        leaves => auth => waits => counts => greet
    }
}

chain! {
    /// Nothing waits.
    #[derive(Debug, Default)]
    pub struct Now {
        /// Counts.
        pub counts: Counts,
        /// Leaves.
        pub leaves: Leaves,
        /// Answers.
        pub answers: Answers,
    }

    fn(line: &str) -> String {
        leaves => auth => { counts => answers }
    }
}

chain! {
    /// Branches, with hooks in each.
    #[derive(Debug, Default)]
    pub struct Branches {
        /// Waits.
        pub waits: Waits,
        /// Opens.
        pub opens: Opens,
        /// Leaves.
        pub leaves: Leaves,
        /// Answers.
        pub answers: Answers,
    }

    async fn(line: &str) -> String {
        auth => if is_long { leaves => waits => greet } else { opens => answers }
    }
}

/// Whether to greet.
#[node]
#[must_use]
pub const fn is_long(line: &str) -> bool {
    line.len() > 4
}
