//! Counts values while they live, by thread.

use std::cell::Cell;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

/// How many [`Live`] values of this thread were made and not dropped.
pub fn live() -> isize {
    LIVE.get()
}

/// Lives from its making to its drop, and is counted meanwhile.
#[derive(Debug)]
pub struct Live(());

impl Live {
    /// One more.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "a value that counts should be made on purpose")]
    pub fn new() -> Self {
        LIVE.set(LIVE.get() + 1);
        Self(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
    }
}
