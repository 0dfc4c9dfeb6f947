//! Spans of the crate `tracing`, for programs that have a subscriber already, such as that of `tracing-subscriber` or
//! of tokio-console.
//!
//! ```
//! use chain_runtime::telemetry::spans::Traced;
//! use chain_runtime::{chain, node};
//!
//! #[node]
//! fn answer(input: &u32) -> u32 {
//!     tracing::info!("inside of the span of `answer`");
//!     *input
//! }
//!
//! chain! {
//!     #[observe(traced)]
//!     struct Small { traced: Traced }
//!     fn(input: u32) -> u32 { answer }
//! }
//!
//! assert_eq!(Small { traced: Traced }.run(7), 7);
//! ```
//!
//! Each run has a span `chain`, whose parent is the span that is entered when the run begins. Inside of it, each node
//! that is entered has a span `node`, until the node is left, breaks or dies. The span of a node in a block is in that
//! of the node around the block. These spans have the target `chain`, so a filter can name them. The run's is of level
//! `INFO`, a node's of `DEBUG`.
//!
//! | field | of | |
//! | --- | --- | --- |
//! | `chain`, `node` | the chain, the node | its name, also as `otel.name` |
//! | `position` | the node | its position |
//! | `ending` | both | how the run ended; `broke`, `cancelled` or `panicked` for a node |
//!
//! A node's span is entered when its own code runs, and left when the node is suspended or others run. So it does not
//! contain what others do on the thread meanwhile. The span of a node around a block stays entered while its block is
//! polled, and the run's span while any part of the run is.
//!
//! An [`Instrumented`](crate::around::Instrumented) block has a span that is entered beside these, and is the parent of
//! none of them: events of the nodes in its block do not have its fields.
//!
//! # Cost
//!
//! It costs what your subscriber does for a span: two calls for each poll and node, and several allocations for each
//! node. A [`Meter`](super::Meter) measures the same for a fraction of this, and [`otlp`](super) makes spans
//! afterwards, only for runs that matter. If no subscriber wants the spans, the cost is that of an uncontended lock.

use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use tracing::field::Empty;
use tracing::{Span, debug, debug_span, info_span, warn};

use crate::describe::{BlockKind, ChainInfo, Ending, NodeInfo, Role};
use crate::observe::{Observes, Stretch, Told};

/// Opens spans for a run and its nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traced;

/// The spans of one run. Its lock is there because it is shared with the node around a block; it is never waited for.
#[derive(Debug)]
pub struct Run(Mutex<Open>);

#[derive(Debug)]
struct Open {
    chain: &'static ChainInfo,
    run: Span,
    /// Nodes that were entered and not left.
    nodes: Vec<(&'static NodeInfo, Span)>,
    /// The spans that this thread is in, the innermost last. `None` stands for the run's.
    entered: Vec<Option<&'static NodeInfo>>,
}

impl Observes for Traced {
    type Run = Run;

    fn begin(&self, chain: &'static ChainInfo) -> Run {
        let run = info_span!(target: "chain", "chain", chain = chain.name, otel.name = chain.name, ending = Empty);
        let mut open = Open { chain, run, nodes: Vec::new(), entered: Vec::new() };
        open.enters(None);
        Run(Mutex::new(open))
    }

    fn tell(&self, Run(open): &Run, told: Told) {
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        match told {
            Told::Stretch(Stretch::Running(node, _)) => open.runs(Some(node)),
            Told::Stretch(Stretch::Waiting(..)) => open.waits(),
            Told::Stretch(Stretch::Chain) => open.passes(),
            Told::Broke(node) => open.closes(node, "broke"),
            Told::Cancelled(node) => open.closes(node, "cancelled"),
            Told::Panicked(node, _) => open.closes(node, "panicked"),
            Told::Left(node) => open.closes(node, ""),
            Told::Shed(index) => {
                let shed = open.chain.sheds[index].name;
                debug!(target: "chain", parent: &open.run, shed, "shed");
            }
            Told::Skipped(node) => debug!(target: "chain", parent: &open.run, node = node.name, "skipped"),
            Told::Late(node) => warn!(target: "chain", parent: open.span(Some(node)), "late"),
            Told::Opened(node) => warn!(target: "chain", parent: open.span(Some(node)), "opened"),
            Told::Detached(node) => debug!(target: "chain", parent: open.span(Some(node)), "detached"),
            _ => {}
        }
    }

    fn end(&self, Run(open): &mut Run, ending: Option<&'static Ending>) {
        let open = open.get_mut().unwrap_or_else(PoisonError::into_inner);
        match ending {
            Some(ending) => open.run.record("ending", tracing::field::display(ending)),
            None => open.run.record("ending", "cancelled or panicked"),
        };
        open.exits_to(0);
    }
}

impl Open {
    /// The span of a node, or, if it has none, that of the run.
    fn span(&self, node: Option<&NodeInfo>) -> &Span {
        let is_its = |(open, _): &&(&NodeInfo, Span)| node.is_some_and(|node| node.position == open.position);
        self.nodes.iter().rfind(is_its).map_or(&self.run, |(_, span)| span)
    }

    fn is_open(&self, node: &NodeInfo) -> bool {
        self.nodes.iter().any(|(open, _)| open.position == node.position)
    }

    /// How many spans are entered up to this one, including it.
    fn depth(&self, node: Option<&NodeInfo>) -> Option<usize> {
        let position = |node: Option<&NodeInfo>| node.map(|node| node.position);
        self.entered.iter().rposition(|entered| position(*entered) == position(node)).map(|index| index + 1)
    }

    /// Makes exactly these spans entered: the run's, those of the nodes around it, and its own.
    fn runs(&mut self, node: Option<&'static NodeInfo>) {
        if let Some(depth) = self.depth(node) {
            return self.exits_to(depth);
        }
        let Some(node) = node else {
            self.exits_to(0);
            return self.enters(None);
        };
        let around = self.around(node);
        self.runs(around);
        if !self.is_open(node) {
            let (parent, name) = (self.span(around), node.name);
            let span = debug_span!(
                target: "chain", parent: parent, "node", node = name, position = node.position, otel.name = name, ending = Empty
            );
            self.nodes.push((node, span));
        }
        self.enters(Some(node));
    }

    /// The node that ran waits. If a node is around it, that node runs next, since it still has to return. Otherwise
    /// the thread leaves the run.
    fn waits(&mut self) {
        let last = self.entered.last().copied().flatten();
        match last.and_then(|node| self.around(node)) {
            Some(_) => self.exits_to(self.entered.len() - 1),
            None => self.exits_to(0),
        }
    }

    /// Between two nodes.
    fn passes(&mut self) {
        match self.entered.last() {
            Some(Some(node)) if !matches!(node.role, Role::Around) => self.exits_to(self.entered.len() - 1),
            Some(_) => {}
            None => self.enters(None),
        }
    }

    fn closes(&mut self, node: &'static NodeInfo, ending: &str) {
        if let Some(depth) = self.depth(Some(node)) {
            self.exits_to(depth - 1);
        }
        if let Some(index) = self.nodes.iter().rposition(|(open, _)| open.position == node.position) {
            let (_, span) = self.nodes.remove(index);
            if !ending.is_empty() {
                span.record("ending", ending);
            }
        }
    }

    fn enters(&mut self, node: Option<&'static NodeInfo>) {
        self.span(node).with_subscriber(|(id, subscriber)| subscriber.enter(id));
        self.entered.push(node);
    }

    fn exits_to(&mut self, depth: usize) {
        while self.entered.len() > depth {
            let Some(node) = self.entered.pop() else { return };
            self.span(node).with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }

    /// The node in whose block it stands.
    fn around(&self, node: &NodeInfo) -> Option<&'static NodeInfo> {
        let blocks = self.chain.blocks;
        let all = core::iter::successors(node.block, |block| blocks.get(*block).and_then(|block| block.parent));
        let mut all = all.filter_map(|block| blocks.get(block));
        let block = all.find(|block| block.kind == BlockKind::Around)?;
        block.head.and_then(|head| self.chain.nodes.get(head))
    }
}
