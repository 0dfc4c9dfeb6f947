//! How an observer gets a run's trace. An observer is told of nodes, and not of the values that they provide.
//!
//! [`TraceContexts`](super::TraceContexts) leaves the trace with its thread. An observer picks it up when it is told
//! that this node was entered, or left. That comes after the node's hook in the same poll, so no other run comes in
//! between.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread_local;

use super::{SpanId, TraceContext, TraceId};
use crate::describe::NodeInfo;

thread_local! {
    static ENTERED: Cell<Option<Handed>> = const { Cell::new(None) };
    static LEFT: Cell<u16> = const { Cell::new(0) };
}

/// The node's type, and what it provides, by which it is recognized.
pub(super) const NODE: &str = "TraceContexts";
const PROVIDES: &str = "TraceContext";

/// What is known of a run's request: its trace, its method and the status of its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handed {
    pub(crate) context: TraceContext,
    pub(crate) method: Option<&'static str>,
    pub(crate) status: Option<u16>,
}

/// The methods that are told apart. Any other method is `_OTHER`, as in OpenTelemetry's conventions.
const METHODS: [&str; 12] =
    ["", "_OTHER", "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"];

/// This folds to a constant if the node is known.
#[inline(always)]
pub(crate) fn is_handed_by(node: &NodeInfo) -> bool {
    matches!(node.facts.provides, Some(PROVIDES)) && matches!(node.facts.name, NODE)
}

#[cfg(feature = "trace-context")]
pub(super) fn enters(context: TraceContext, method: &str) {
    let method = METHODS[2..].iter().find(|known| **known == method).unwrap_or(&METHODS[1]);
    // The thread may be ending.
    let _ = ENTERED.try_with(|entered| entered.set(Some(Handed { context, method: Some(method), status: None })));
}

#[cfg(feature = "trace-context")]
pub(super) fn leaves(status: u16) {
    let _ = LEFT.try_with(|left| left.set(status));
}

/// [`Handed`], in a shared record: written by plain moves.
#[derive(Debug, Default)]
pub(crate) struct HandedCells {
    trace: [AtomicU64; 2],
    parent: AtomicU64,
    span: AtomicU64,
    /// The flags with a bit that says that there is a value, then the method, then the status. 0 means that there is
    /// none.
    rest: AtomicU64,
}

const THERE: u64 = 1 << 7;

impl HandedCells {
    #[inline(always)]
    pub(crate) fn clear(&self) {
        self.rest.store(0, Relaxed);
    }

    /// The node has just been entered.
    #[cold]
    pub(crate) fn enters(&self) {
        let Some(Handed { context, method, .. }) = ENTERED.try_with(Cell::take).ok().flatten() else { return };
        let id = context.trace.get();
        self.trace[0].store((id >> 64) as u64, Relaxed);
        self.trace[1].store(id as u64, Relaxed);
        self.parent.store(context.parent.map_or(0, SpanId::get), Relaxed);
        self.span.store(context.span.get(), Relaxed);
        let method = METHODS.iter().position(|known| Some(*known) == method).unwrap_or(0) as u64;
        self.rest.store(THERE | u64::from(context.flags()) | method << 8, Relaxed);
    }

    /// The node has just been left.
    #[cold]
    pub(crate) fn leaves(&self) {
        let status = LEFT.try_with(Cell::take).unwrap_or(0);
        let rest = self.rest.load(Relaxed) & 0xffff;
        if rest != 0 {
            self.rest.store(rest | u64::from(status) << 16, Relaxed);
        }
    }

    pub(crate) fn get(&self) -> Option<Handed> {
        let rest = self.rest.load(Relaxed);
        if rest & THERE == 0 {
            return None;
        }
        let [high, low] = [0, 1].map(|half| u128::from(self.trace[half].load(Relaxed)));
        let context = TraceContext {
            trace: TraceId::new(high << 64 | low)?,
            parent: SpanId::new(self.parent.load(Relaxed)),
            span: SpanId::new(self.span.load(Relaxed))?,
            is_sampled: rest & 1 != 0,
            is_random: rest & 2 != 0,
        };
        let method = METHODS.get((rest >> 8 & 0xff) as usize).copied().filter(|method| !method.is_empty());
        let status = Some((rest >> 16) as u16).filter(|status| *status != 0);
        Some(Handed { context, method, status })
    }
}
