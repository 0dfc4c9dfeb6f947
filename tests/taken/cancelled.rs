//! The value of a node with `cancelled` can be taken, if that hook does not ask for it. The hook runs as ever: whoever has
//! the value drops it.

use chain::poll::dropped_at_every_poll;

use super::*;

struct Opened(&'static str);

impl Drop for Opened {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}

struct Door(&'static str);

#[node]
impl Door {
    async fn enter(&self) -> Opened {
        suspend(1).await;
        Opened(self.0)
    }
    fn exit(&self) {
        note("exit");
    }
    fn cancelled(&self, name: &Name) {
        note(format!("cancelled {}", name.0));
    }
}

struct Name(&'static str);

#[node]
async fn keep(opened: Opened) -> usize {
    suspend(1).await;
    note("kept");
    assert_ne!(opened.0, "panics");
    opened.0.len()
}

#[node]
async fn end(length: &usize) -> usize {
    suspend(1).await;
    *length
}

/// The same chain, observed or not.
macro_rules! chains {
    ($($(#[$observe:meta])? $name:ident)*) => {
        $(chain! {
            $(#[$observe])?
            struct $name { door: Door, name: Name }

            async fn() -> usize { door => keep => end }
        })*
    };
}
chains!(Plain #[observe(Recorder)] Observed);

/// What is logged by a run that is dropped after so many polls.
fn expected(polls: usize) -> &'static [&'static str] {
    match polls {
        0 | 1 => &[],
        2 => &["drop a", "cancelled name"],
        3 => &["kept", "drop a", "cancelled name"],
        _ => &["kept", "drop a", "exit"],
    }
}

#[test]
fn the_hook_runs_for_a_node_whose_value_was_taken() {
    let plain = Plain { door: Door("a"), name: Name("name") };
    let dropped = dropped_at_every_poll(|polls| {
        let driven = drive(plain.run(), polls);
        assert_eq!(taken(), expected(polls), "after {polls} polls");
        driven
    });
    assert_eq!(dropped, 4);
    let observed = Observed { door: Door("a"), name: Name("name") };
    let recording = Recording::start();
    dropped_at_every_poll(|polls| {
        let driven = drive(observed.run(), polls);
        assert_eq!(taken(), expected(polls), "after {polls} polls");
        driven
    });
    assert!(!recording.events().is_empty());
}

#[test]
fn the_hook_runs_if_the_node_panics_that_took_the_value() {
    let plain = Plain { door: Door("panics"), name: Name("name") };
    assert!(matches!(drive(plain.run(), 5), chain::poll::Driven::Panicked(_)));
    assert_eq!(taken(), ["kept", "drop panics", "cancelled name"]);
}

/// A node may be entered, and another one be skipped: only the first has a hook to run.
mod skipped {
    use super::*;

    #[node]
    async fn look(opened: &Option<Opened>) -> usize {
        suspend(1).await;
        opened.as_ref().map_or(0, |opened| opened.0.len())
    }

    chain! {
        struct Skips { door: Option<Door>, name: Name }

        async fn() -> usize { door => look }
    }

    #[test]
    fn the_hook_does_not_run_for_a_node_that_was_skipped() {
        drop(drive(Skips { door: None, name: Name("name") }.run(), 1));
        assert_eq!(taken(), [] as [&str; 0]);
        drop(drive(Skips { door: Some(Door("a")), name: Name("name") }.run(), 2));
        assert_eq!(taken(), ["cancelled name", "drop a"]);
    }
}
