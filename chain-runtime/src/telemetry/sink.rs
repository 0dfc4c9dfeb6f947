//! [`Sink`]: is offered each run that is over.

use std::sync::Arc;
use std::time::Duration;

use super::{Kept, Outcome, TraceContext};
use crate::describe::ChainInfo;

/// A [`Meter`](super::Meter) offers it each run that is over: [`Builder::sink`](super::Builder::sink).
///
/// It is called for every run, on the thread on which the run ended, before the reply is handed back. So it has to be
/// quick, and must not panic. A run that it does not want costs no more than that.
pub trait Sink: Send + Sync {
    /// Whether it wants the run, with all of its stretches.
    fn wants(&self, run: &Over) -> bool;

    /// Takes a run that it wanted. The run is put together for this call, which takes some microseconds and allocates.
    fn takes(&self, run: Kept);
}

/// A run that is over, in short.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Over {
    /// Its chain.
    pub chain: &'static ChainInfo,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether something paused it.
    pub was_paused: bool,
    /// Its trace, if a node [`TraceContexts`](super::trace_context) was entered.
    pub trace: Option<TraceContext>,
    /// The status of its reply, if that node was left.
    pub status: Option<u16>,
}

impl<T: Sink + ?Sized> Sink for Arc<T> {
    fn wants(&self, run: &Over) -> bool {
        T::wants(self, run)
    }
    fn takes(&self, run: Kept) {
        T::takes(self, run);
    }
}
