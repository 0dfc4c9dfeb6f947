//! [`NoAlloc`]: what `#[no_alloc]` stands on.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::LazyLock;

use crate::describe::{ChainInfo, Ending, NodeInfo};
use crate::observe::{Observes, Stretch, Told, Way};
use crate::telemetry::{Allocated, Allocations, Counted};

/// Sees to it that what says `#[no_alloc]` allocates nothing: a node, or on a chain each of its nodes, and then the chain's own code as well.
///
/// It is an assertion. Where debug assertions are on, as in tests and debug builds, and the program's `#[global_allocator]` is
/// [`Counting`](crate::telemetry::Counting), a run panics where a node has allocated, at the end of the stretch in which it did, and the message names the node, the way
/// and how much. Elsewhere nothing is checked, and there is no code for it. Whether it [is checked](Self::is_checked) can be asked.
///
/// What counts is what the node's own code asks for on the thread that runs it, also where it gives it back at once; not what happens while it waits, nor
/// once a panic unwinds. What another observer of the chain allocates while it is told counts as well, but for a
/// [`Meter`](crate::telemetry::Meter).
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
    /// Whether anything is checked in this program.
    #[must_use]
    pub fn is_checked() -> bool {
        *IS_CHECKED
    }
}

std::thread_local! {
    /// What a meter has allocated on this thread for itself, while it was told.
    static ASIDE: Cell<Allocated> = const { Cell::new(Allocated::NOTHING) };
}

/// What this allocates is no node's. Where nothing is checked, it is just done.
#[inline(always)]
pub(super) fn aside<T>(does: impl FnOnce() -> T) -> T {
    if !cfg!(debug_assertions) {
        return does();
    }
    // What is in it was put aside already, where another run is measured meanwhile.
    let before = by_nodes();
    let done = does();
    let more = by_nodes() - before;
    // A thread that is about to end has no place for it.
    let _ = ASIDE.try_with(|aside| aside.set(aside.get() + more));
    done
}

/// What nodes have allocated on this thread.
fn by_nodes() -> Allocated {
    Counted.now() - ASIDE.try_with(Cell::get).unwrap_or(Allocated::NOTHING)
}

/// The stretch that is, where it shall allocate nothing: what the thread had allocated when it began.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// 0 where it may; 1 for the chain's own; else the node's position and way, see [`watched`].
    whose: AtomicU64,
    bytes: AtomicU64,
    calls: AtomicU64,
}

/// A node on its way, as a number.
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

/// What is checked of a run, and of which chain it is one.
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
