//! What a meter does when it is told something.

use core::sync::atomic::Ordering::Relaxed;

use super::record::{CHAIN, seen};
use super::{FREE, Meter, Run, record};
use crate::describe::{ChainInfo, Ending, Role};
use crate::observe::{Observes, Told};
use crate::telemetry::trace_context::is_handed_by;
use crate::telemetry::{Allocated, Allocations, Clock};

impl<C: Clock, A: Allocations> Observes for Meter<C, A> {
    type Run = Run;

    #[inline]
    fn begin(&self, chain: &'static ChainInfo) -> Run {
        if !self.is_of(chain) {
            self.foreign.fetch_add(1, Relaxed);
            return Run(None);
        }
        let local = self.local();
        record::add(&local.shard.started, 1);
        let record = local.free.borrow_mut().pop();
        let record = record.unwrap_or_else(|| self.record());
        let ticks = if C::STANDS_STILL { 0 } else { self.clock.now() };
        self.polls(ticks);
        record.begin(ticks, if Self::COUNTS { self.allocations.now() } else { Allocated::NOTHING });
        Run(Some(record))
    }

    #[inline(always)]
    fn tell(&self, Run(record): &Run, told: Told) {
        let Some(record) = record.as_deref() else { return };
        match told {
            Told::Stretch(next) => self.stretch(record, next),
            Told::Enter(node) => {
                let cell = record.node(node);
                if cell.seen.load(Relaxed) != 0 {
                    self.again(record, node);
                }
                cell.seen.store(seen::ENTERED, Relaxed);
            }
            Told::Entered(node) if is_handed_by(node) => record.handed.enters(),
            Told::Left(node) if is_handed_by(node) => record.handed.leaves(),
            Told::Entered(node) if matches!(node.role, Role::Around) => record.node(node).tries(),
            Told::Leave(node) | Told::Suspend(node, _) if matches!(node.role, Role::Around) => record.lives(),
            Told::Broke(node) => record.node(node).sees(seen::BROKE),
            Told::Cancelled(node) => {
                record.dies(node, false);
                record.node(node).sees(seen::CANCELLED);
            }
            Told::Panicked(node, _) => {
                record.dies(node, true);
                record.node(node).sees(seen::PANICKED);
            }
            Told::Skipped(node) => {
                let cell = record.node(node);
                let seen = cell.seen.load(Relaxed);
                // The node was just shed, and is therefore skipped.
                if seen & (seen::SHED | seen::SKIPPED) == seen::SHED {
                    return cell.sees(seen::SKIPPED);
                }
                if seen != 0 {
                    self.again(record, node);
                }
                cell.seen.store(seen::SKIPPED, Relaxed);
            }
            Told::Shed(index) => {
                let chain = self.chain();
                let node = &chain.nodes[chain.sheds[index].first(chain.blocks)];
                let cell = record.node(node);
                if cell.seen.load(Relaxed) != 0 {
                    self.again(record, node);
                }
                cell.seen.store(seen::SHED, Relaxed);
            }
            Told::Late(node) => record.node(node).sees(seen::LATE),
            Told::Opened(node) => record.node(node).sees(seen::OPENED),
            Told::Detached(node) => record.node(node).sees(seen::DETACHED),
            Told::Block(block) => {
                if let Some(block) = record.blocks.get(block) {
                    block.store(block.load(Relaxed).wrapping_add(1), Relaxed);
                }
            }
            _ => {}
        }
    }

    #[inline]
    fn end(&self, Run(record): &mut Run, ending: Option<&'static Ending>) {
        let Some(mut record) = record.take() else { return };
        let took = match self.passes(&record, CHAIN) {
            _ if C::STANDS_STILL => 0,
            ticks => ticks - record.began.load(Relaxed),
        };
        let local = self.local();
        let outcome = self.outcome(&local.shard, &record, ending);
        if Self::COUNTS {
            local.shard.folds::<C, true>(&record, &self.clock, took);
        } else {
            local.shard.folds::<C, false>(&record, &self.clock, took);
        }
        // This comes before the run is kept, which may exchange its list.
        if let Some(sink) = &self.sink {
            self.offers(&**sink, &mut record, outcome, took);
        }
        if self.boundaries != 0 && self.keeper.wants(took, !outcome.is_replied()) {
            self.keeper.keep(&mut record, outcome, took);
        }
        record.forgets_pauses();
        let mut free = local.free.borrow_mut();
        if free.len() < FREE {
            free.push(record);
        } else {
            // The thread's list is full. If the depot is full as well, so many records were never needed for long.
            drop(free);
            drop(self.depot.push(record));
        }
    }
}
