//! [`NoAlloc`]: the base of `#[no_alloc]`.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::LazyLock;

use crate::describe::{ChainInfo, Ending, NodeInfo};
use crate::observe::{Observes, Stretch, Told, Way};
use crate::telemetry::{Allocated, Allocations, Counted};

/// Checks that what is marked with `#[no_alloc]` allocates nothing: a node, or, if the chain is marked, each of its
/// nodes and the chain's own code.
///
/// It is an assertion. It is checked if debug assertions are on, as in tests and debug builds, and if the program's
/// `#[global_allocator]` is [`Counting`](crate::telemetry::Counting). A run in which a node has allocated then panics,
/// at the end of the stretch in which the node did so. The message names the node, the way and the amount. Otherwise
/// nothing is checked, and no code is generated for it. [`is_checked`](Self::is_checked) says whether it is checked.
///
/// It counts the allocations of the node's own code on the thread that runs the code, even if the memory is given back
/// at once. It does not count what happens while the node waits, nor while a panic unwinds. What another observer of
/// the chain allocates when it is told counts as well, except for a [`Meter`](crate::telemetry::Meter).
///
/// ```should_panic
/// use std::alloc::System;
///
/// use chain_runtime::telemetry::Counting;
/// use chain_runtime::{chain, node};
///
/// #[global_allocator]
/// static ALLOCATOR: Counting<System> = Counting::new(System);
///
/// #[node]
/// fn greet(name: &str) -> String { format!("hello, {name}") }
///
/// chain! {
///     struct Greetings;
///     fn(name: &'static str) -> String { #[no_alloc] greet }
/// }
///
/// Greetings.run("you"); // `greet` allocated 10 bytes in 1 call on its way in, and is `#[no_alloc]`
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAlloc;

static IS_CHECKED: LazyLock<bool> = LazyLock::new(|| cfg!(debug_assertions) && Counted.check().is_ok());

impl NoAlloc {
    /// Whether this program checks anything.
    #[must_use]
    pub fn is_checked() -> bool {
        *IS_CHECKED
    }
}

std::thread_local! {
    /// What meters have allocated on this thread for themselves when they were told.
    static ASIDE: Cell<Allocated> = const { Cell::new(Allocated::NOTHING) };
}

/// Runs this, and counts what it allocates for no node. If nothing is checked, it only runs it.
#[inline(always)]
pub(super) fn aside<T>(does: impl FnOnce() -> T) -> T {
    if !cfg!(debug_assertions) {
        return does();
    }
    // If another run is measured meanwhile, its part was already put aside.
    let before = by_nodes();
    let done = does();
    let more = by_nodes() - before;
    // A thread that is ending has no place for it.
    let _ = ASIDE.try_with(|aside| aside.set(aside.get() + more));
    done
}

/// What nodes have allocated on this thread.
fn by_nodes() -> Allocated {
    Counted.now() - ASIDE.try_with(Cell::get).unwrap_or(Allocated::NOTHING)
}

/// The present stretch, if it may not allocate, with what the thread had allocated when it began.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// 0 if it may allocate; 1 for the chain's own stretch; otherwise the node's position and way, see [`watched`].
    whose: AtomicU64,
    bytes: AtomicU64,
    calls: AtomicU64,
}

/// A node and its way, as a number.
fn watched(node: &NodeInfo, way: Way) -> u64 {
    2 + node.position as u64 * 2 + u64::from(way == Way::Out)
}

impl Checked {
    fn begin(&self, whose: u64) {
        self.whose.store(whose, Relaxed);
        if whose != 0 {
            let Allocated { bytes, calls } = by_nodes();
            self.bytes.store(bytes, Relaxed);
            self.calls.store(calls, Relaxed);
        }
    }

    fn ends(&self, of: impl FnOnce(u64) -> (&'static str, &'static str)) {
        let whose = self.whose.swap(0, Relaxed);
        if whose == 0 || std::thread::panicking() {
            return;
        }
        let before = Allocated { bytes: self.bytes.load(Relaxed), calls: self.calls.load(Relaxed) };
        let Allocated { bytes, calls } = by_nodes() - before;
        if calls > 0 {
            let (name, when) = of(whose);
            let plural = if calls == 1 { "" } else { "s" };
            panic!("`{name}` allocated {bytes} bytes in {calls} call{plural}{when}, and is `#[no_alloc]`");
        }
    }
}

/// The checked state of a run, and its chain.
#[derive(Debug)]
pub struct Run {
    chain: &'static ChainInfo,
    checked: Checked,
}

impl Run {
    fn ends(&self) {
        self.checked.ends(|whose| match whose.checked_sub(2) {
            None => (self.chain.name, " by itself"),
            Some(node) => {
                let when = if node % 2 == 0 { " on its way in" } else { " on its way out" };
                (self.chain.nodes[(node / 2) as usize].name, when)
            }
        });
    }
}

impl Observes for NoAlloc {
    type Run = Run;
    const HEARS: bool = cfg!(debug_assertions);

    fn begin(&self, chain: &'static ChainInfo) -> Run {
        let run = Run { chain, checked: Checked::default() };
        if Self::is_checked() && chain.nodes.iter().all(|node| node.no_alloc) {
            run.checked.begin(1);
        }
        run
    }

    fn tell(&self, run: &Run, told: Told) {
        let Told::Stretch(next) = told else { return };
        run.ends();
        if !Self::is_checked() {
            return;
        }
        run.checked.begin(match next {
            Stretch::Running(node, way) if node.no_alloc => watched(node, way),
            Stretch::Chain if run.chain.nodes.iter().all(|node| node.no_alloc) => 1,
            _ => 0,
        });
    }

    fn end(&self, run: &mut Run, _: Option<&'static Ending>) {
        run.ends();
    }
}
