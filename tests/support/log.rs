//! What happened on this thread, in order.

use std::cell::RefCell;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Writes a line.
pub fn note(line: impl Into<String>) {
    LINES.with_borrow_mut(|lines| lines.push(line.into()));
}

/// Takes what was written since the last time.
#[must_use]
pub fn taken() -> Vec<String> {
    LINES.take()
}

/// Writes its line when it is dropped.
#[derive(Debug)]
pub struct NotesDrop(pub &'static str);

impl Drop for NotesDrop {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}
