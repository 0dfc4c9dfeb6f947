//! [`Ask`]: asks for permits of a quota that all machines share, many at once.

use core::time::Duration;
use std::sync::{Arc, LazyLock};
use std::vec::Vec;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, RedisResult};

use super::script::Script;

/// The script. Its hash is computed once.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("permits.lua")));

/// Receives the answer.
pub(crate) trait Asks: Send + Sync {
    /// `None` means that there is no answer, and that none will come.
    fn answered(&self, question: Question, answer: Option<Answer>);
}

/// The question that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) hash: u64,
    /// When it was asked, by the clock of the code that asks.
    pub(crate) at: u64,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    /// Nanoseconds that a permit takes to grow.
    pub(crate) step: f64,
    /// Permits in a full quota.
    pub(crate) burst: u32,
    /// How many permits.
    pub(crate) permits: u32,
}

/// The answer of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) granted: u32,
    /// How long until there is one more permit.
    pub(crate) wait: Duration,
}

/// A question for permits. It is answered exactly once, even if it is dropped on its way.
pub(crate) struct Ask {
    of: Arc<dyn Asks>,
    question: Question,
    key: Vec<u8>,
    want: Want,
    answered: bool,
}

impl Ask {
    pub(crate) fn new(of: Arc<dyn Asks>, question: Question, key: Vec<u8>, want: Want) -> Self {
        Self { of, question, key, want, answered: false }
    }

    fn answer(mut self, answer: Answer) {
        self.answered = true;
        self.of.answered(self.question, Some(answer));
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        if !self.answered {
            self.of.answered(self.question, None);
        }
    }
}

/// Sends all questions at once, in one command. If that fails, they are still there.
pub(super) async fn ask(connection: &mut MultiplexedConnection, asks: &mut Vec<Ask>) -> RedisResult<()> {
    let keys: Vec<&[u8]> = asks.iter().map(|ask| &*ask.key).collect();
    let wants: Vec<(f64, u32, u32)> =
        asks.iter().map(|Ask { want, .. }| (want.step, want.burst, want.permits)).collect();
    let said: Vec<i64> = SCRIPT.run(connection, &keys, &wants).await?;
    let answers: Option<Vec<Answer>> = (said.len() == 2 * asks.len())
        .then(|| said.chunks_exact(2).zip(&*asks).map(|(said, ask)| read(said[0], said[1], ask.want.permits)).collect())
        .flatten();
    let Some(answers) = answers else {
        return Err(RedisError::from((ErrorKind::UnexpectedReturnType, "an answer of another shape")));
    };
    for (ask, answer) in asks.drain(..).zip(answers) {
        ask.answer(answer);
    }
    Ok(())
}

/// `None` if the script cannot return these numbers.
fn read(granted: i64, wait: i64, wanted: u32) -> Option<Answer> {
    let granted = u32::try_from(granted).ok().filter(|granted| *granted <= wanted)?;
    Some(Answer { granted, wait: Duration::from_micros(u64::try_from(wait).ok()?) })
}
