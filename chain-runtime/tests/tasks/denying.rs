//! `#[deny(spawn)]`: what it lets through. (What it refuses: `tests/ui/cases/deny_spawn_*`.)

use chain_runtime::tasks::{ChildFailed, ChildPanicked, Tasks, Work};
use chain_runtime::{chain, node};

mod own {
    pub(super) const fn spawn(number: u32) -> u32 {
        number + 1
    }
}

struct Warm(u32);

#[node]
impl Warm {
    /// Not part of a run.
    fn new() -> Self {
        drop(std::thread::spawn(|| ()));
        Self(own::spawn(1))
    }
    fn enter(&self) -> u32 {
        own::spawn(self.0)
    }
}

#[node]
async fn answer(warm: &u32, work: &Work) -> Result<u64, ChildFailed> {
    let spawn = u64::from(*warm);
    let mut set = tokio::task::JoinSet::new();
    set.spawn(async { 1 });
    let joined = set.join_next().await;
    let child = work.spawn("answer", async move { spawn }).await.await?;
    Ok(child + u64::from(joined.is_some()))
}

#[derive(Debug, PartialEq)]
struct Failed;
impl From<ChildFailed> for Failed {
    fn from(_: ChildFailed) -> Self {
        Self
    }
}
impl From<ChildPanicked> for Failed {
    fn from(_: ChildPanicked) -> Self {
        Self
    }
}

chain! {
    #[deny(spawn)]
    #[deny(unused)]
    struct Guarded { tasks: Tasks, warm: Warm }
    async fn() -> Result<u64, Failed> { tasks => warm => answer }
}

#[tokio::test(start_paused = true)]
async fn what_is_waited_for_what_is_ones_own_and_what_is_no_hook_is_not_refused() {
    assert_eq!(Guarded { tasks: Tasks::new(4), warm: Warm::new() }.run().await, Ok(4));
}
