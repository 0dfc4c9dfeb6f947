//! In the short form, behind the request, by a node that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chain_runtime::{Request, Response};

use super::*;

struct Path(String);
#[node]
fn path(request: &Request) -> Path {
    Path(request.uri.path().to_owned())
}
#[node]
fn write(path: Path, response: &mut Response) {
    response.body.extend_from_slice(path.0.as_bytes());
}

#[test]
fn the_short_form_takes_as_well() {
    let chain = chain!(path => write);
    let mut context = chain_runtime::Context::default();
    let ending = block_on(chain.run(&mut context));
    assert_eq!(ending.to_string(), "replied by `write`");
    assert_eq!(context.response.body, "/");
}

/// What is counted by whoever has it.
struct Counts(Arc<AtomicUsize>);
#[node]
fn counts(count: &Arc<AtomicUsize>) -> Counts {
    Counts(Arc::clone(count))
}
/// Owns what it took, and so outlives the request.
#[node]
fn ship(counts: Counts) -> impl Future<Output = ()> + Send + 'static {
    let Counts(count) = counts;
    async move {
        tokio::task::yield_now().await;
        count.fetch_add(1, Relaxed);
    }
}
#[node]
fn done() -> &'static str {
    "done"
}

chain! {
    struct Ships;
    async fn(count: Arc<AtomicUsize>) -> &'static str {
        counts => #[cancel(detach)] ship => done
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_has_what_it_took() {
    let count = Arc::new(AtomicUsize::new(0));
    assert_eq!(Ships.run(Arc::clone(&count)).await, "done");
    while count.load(Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&count), 1, "whoever had it has let go of it");
}

struct Noted(#[allow(dead_code, reason = "it is dropped")] NotesDrop);
struct Other(#[allow(dead_code, reason = "it is dropped")] NotesDrop);
#[node]
fn noted() -> Noted {
    Noted(NotesDrop("taken"))
}
#[node]
fn other() -> Other {
    Other(NotesDrop("kept"))
}
#[node]
fn panics(_noted: Noted) {
    chain::poll::panic_silently("as it is meant to");
}

chain! {
    struct Panics;
    fn() -> () { noted => other => panics => nothing }
}

#[test]
fn what_was_taken_goes_with_the_node_that_panics() {
    let _ = taken();
    assert!(std::panic::catch_unwind(|| Panics.run()).is_err());
    assert_eq!(taken(), ["drop taken", "drop kept"]);
}
