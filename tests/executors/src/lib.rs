//! A chain that takes its time, by whatever timer: each test brings the executor's own.
#![forbid(unsafe_code)]

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::Poll;

use chain_runtime::around::{Deadline, Expired, Retry, Timer};
use chain_runtime::{IntoReply, chain, node};

/// How often the upstream has to be asked before it answers, and whether it ever does.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Tries that are in vain.
    pub failures: u32,
    /// Whether it hangs.
    pub hangs: bool,
}

/// What is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The upstream's answer, after so many tries.
    Answer(u32),
    /// It did not answer this time.
    Failed,
    /// It did not answer in time.
    Late,
}

impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        Reply::Late
    }
}

/// Counts how runs ended.
#[derive(Debug, Default)]
pub struct Count {
    /// With a reply.
    pub left: AtomicU32,
    /// Without one.
    pub cancelled: AtomicU32,
}

#[node]
impl Count {
    fn enter(&self) {}
    fn exit(&self) {
        self.left.fetch_add(1, Relaxed);
    }
    fn cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
    }
}

/// Tries so far, of one request.
#[derive(Debug)]
pub struct Tries(u32);

/// Begins to count.
#[node]
pub fn begin() -> Tries {
    Tries(0)
}

/// Suspends, and wakes itself; or hangs.
#[node]
pub async fn ask(request: &Request, tries: &mut Tries) -> Reply {
    let mut is_asked = false;
    poll_fn(|context| {
        if is_asked && !request.hangs {
            return Poll::Ready(());
        }
        is_asked = true;
        if !request.hangs {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
    tries.0 += 1;
    if tries.0 > request.failures { Reply::Answer(tries.0) } else { Reply::Failed }
}

/// Whether it is worth another try.
pub fn has_failed(reply: &Reply) -> bool {
    matches!(reply, Reply::Failed)
}

chain! {
    /// Asks until there is an answer, or the time is up.
    #[derive(Debug)]
    pub struct Patient<T: Timer + 'static> {
        /// Sees all ways out.
        pub count: Count,
        /// Limits the whole.
        pub deadline: Deadline<T>,
        /// Asks again.
        pub retry: Retry<fn(&Reply) -> bool, T>,
    }
    async fn(request: Request) -> Reply { count => deadline { begin => retry { ask } } }
}
