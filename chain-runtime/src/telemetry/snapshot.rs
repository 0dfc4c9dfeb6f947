//! [`Snapshot`]: what a meter has counted up to now, as plain data.

use std::time::SystemTime;
use std::vec::Vec;

use super::pauses::{Cause, Resource};
use super::{Allocated, Times};
use crate::describe::{ChainInfo, NodeInfo};
use crate::observe::Way;

/// What a meter has counted since it was made, or between two moments if an earlier snapshot was
/// [subtracted](Self::subtract).
///
/// Figures never fall, so two snapshots give an interval. A snapshot is taken while runs end. Each figure is a true
/// one, but if a run ends at that moment, some figures may include it and others not yet.
///
/// All runs count in all figures, including those that are cancelled or panic. A run counts in most of them when it is
/// over; only [`started`](Self::started) counts it at once.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The chain.
    pub chain: &'static ChainInfo,
    /// When it was taken; for a sum of several, the last.
    pub at: SystemTime,
    /// For a sum or an interval: how many nanoseconds it covers. 0 means: since the meter was made.
    pub covers: u64,
    /// Whether times are measured; a meter with the clock [`NoClock`](super::NoClock) does not measure them.
    pub is_timed: bool,
    /// Whether bytes are counted, and whether calls are.
    pub is_counted: (bool, bool),
    /// One run in so many was measured: more than 1 if the meter is [`Sampled`](super::Sampled). All figures are of the
    /// measured runs alone.
    pub one_in: u32,
    /// Runs that began.
    pub started: u64,
    /// Runs that are over, however they ended.
    pub ended: u64,
    /// Of these, runs whose future was dropped before there was a reply.
    pub cancelled: u64,
    /// Of these, runs in which something panicked.
    pub panicked: u64,
    /// Runs of another chain, which were not measured.
    pub foreign: u64,
    /// How long the runs took, from beginning to end, including waiting.
    pub took: Times,
    /// The nanoseconds of these that belong to the chain and not to a node.
    pub own: u64,
    /// What was allocated in the chain's own time.
    pub own_allocated: Allocated,
    /// What paused the chain's own code.
    pub own_pauses: PauseTotals,
    /// The nodes, by position.
    pub nodes: Vec<NodeTotals>,
    /// How often the row of each block began: an arm was chosen, a wrapped block was tried. It is sorted by the index
    /// in [`ChainInfo::blocks`].
    pub blocks: Vec<u64>,
}

/// What a meter has counted of a node.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NodeTotals {
    /// The node.
    pub info: &'static NodeInfo,
    /// How often its way in began. Each time ended in one of four ways: the node [broke](Self::broke), was
    /// [left](Self::left), was [cancelled](Self::cancelled), or [panicked](Self::panicked).
    pub entered: u64,
    /// How often it broke.
    pub broke: u64,
    /// How often its request, or the block that contains it, died while the node was waiting, or was entered and not
    /// left.
    pub cancelled: u64,
    /// How often its own code panicked.
    pub panicked: u64,
    /// How often it was not run, because its toggle is off, because it was shed, or because the request is not in its
    /// share.
    pub skipped: u64,
    /// How often it took longer than its `#[timeout(..)]`; each time it [broke](Self::broke).
    pub late: u64,
    /// How often the run went on without it, by `#[open]`, after it [broke](Self::broke).
    pub opened: u64,
    /// How often its work went on without the request.
    pub detached: u64,
    /// How often it was [shed](crate::shed), alone or with the block that it begins. If it was shed alone, it was also
    /// [skipped](Self::skipped).
    pub shed: u64,
    /// For a node around a block: how often its block began.
    pub tries: u64,
    /// The runs whose reply it gave as the last node.
    pub replied: u64,
    /// The runs whose reply it gave by breaking.
    pub cut_short: u64,
    /// The runs that were cancelled while they waited here. This is one node for each run, whereas
    /// [`cancelled`](Self::cancelled) counts all nodes that were entered.
    pub died: u64,
    /// Its way in.
    pub way_in: WayTotals,
    /// Its way out.
    pub way_out: WayTotals,
    /// Its pauses, on both ways. They are included in its times: in those of waiting if the cause is [`Cause::Late`],
    /// and otherwise in those of running.
    pub pauses: PauseTotals,
}

/// What a meter has counted of a node's way in or out.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct WayTotals {
    /// How long its own code ran, for each time that the node was entered. The time of a node around a block does not
    /// include its block.
    pub running: Times,
    /// How long it waited to be polled again, for each time that it waited at all.
    pub waiting: Times,
    /// What was allocated while it ran.
    pub allocated: Allocated,
}

/// Pauses by cause: how often, and how many nanoseconds in all, by their [likely](super::pauses::Pause::likely)
/// lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PauseTotals([(u64, u64); CAUSES.len()]);

/// The causes that are counted.
pub(crate) const CAUSES: [Cause; 10] = [
    Cause::Preempted,
    Cause::Blocked,
    Cause::Stolen,
    Cause::Busy,
    Cause::Faults,
    Cause::Pressure(Resource::Cpu),
    Cause::Pressure(Resource::Memory),
    Cause::Pressure(Resource::Io),
    Cause::Late,
    Cause::Unexplained,
];

impl PauseTotals {
    /// The causes that occurred: how often, and how many nanoseconds in all.
    pub fn iter(&self) -> impl Iterator<Item = (Cause, u64, u64)> + '_ {
        let all = CAUSES.iter().zip(&self.0).map(|(cause, (times, nanos))| (*cause, *times, *nanos));
        all.filter(|(_, times, _)| *times > 0)
    }

    /// How often this cause paused it, and for how many nanoseconds in all.
    pub fn of(&self, cause: Cause) -> (u64, u64) {
        CAUSES.iter().position(|other| *other == cause).map_or((0, 0), |index| self.0[index])
    }

    /// For how many nanoseconds it was paused in all.
    pub fn nanos(&self) -> u64 {
        self.0.iter().map(|(_, nanos)| nanos).sum()
    }

    pub(crate) fn at(&mut self, index: usize) -> Option<&mut (u64, u64)> {
        self.0.get_mut(index)
    }

    fn fold(&mut self, other: &Self, count: fn(u64, u64) -> u64) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = (count(mine.0, theirs.0), count(mine.1, theirs.1));
        }
    }
}

impl Snapshot {
    /// Runs that are under way. For an interval: how many more there are than at its beginning, 0 if there are fewer.
    pub const fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }

    /// Runs that ended with a reply.
    pub fn replied(&self) -> u64 {
        self.nodes.iter().map(|node| node.replied + node.cut_short).sum()
    }

    /// How many nanoseconds of all runs are accounted for: those of each node, running and waiting, in and out, and the
    /// chain's own. It is [`took`](Self::took)`.sum()`, except for less than a nanosecond for each of the figures.
    pub fn attributed(&self) -> u64 {
        self.nodes.iter().map(NodeTotals::nanos).fold(self.own, u64::saturating_add)
    }

    /// Adds another snapshot: of another meter of the same chain, on another machine or for another tenant.
    ///
    /// # Errors
    /// [`OtherChain`] if it is of a chain that is written differently; nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), OtherChain> {
        self.is_same_as(other)?;
        self.at = self.at.max(other.at);
        self.covers = self.covers.max(other.covers);
        self.fold(other, u64::wrapping_add, Times::merge);
        Ok(())
    }

    /// Subtracts an earlier snapshot of the same meter, so that what happened since remains.
    ///
    /// # Errors
    /// [`OtherChain`] if it is of a chain that is written differently; nothing is subtracted then.
    pub fn subtract(&mut self, earlier: &Self) -> Result<(), OtherChain> {
        self.is_same_as(earlier)?;
        let covers = self.at.duration_since(earlier.at).unwrap_or_default();
        self.covers = u64::try_from(covers.as_nanos()).unwrap_or(u64::MAX);
        self.fold(earlier, u64::saturating_sub, Times::subtract);
        Ok(())
    }

    fn is_same_as(&self, other: &Self) -> Result<(), OtherChain> {
        if self.chain == other.chain { Ok(()) } else { Err(OtherChain) }
    }

    fn fold(&mut self, other: &Self, count: fn(u64, u64) -> u64, times: fn(&mut Times, &Times)) {
        let each = |mine: &mut u64, theirs: u64| *mine = count(*mine, theirs);
        each(&mut self.started, other.started);
        each(&mut self.ended, other.ended);
        each(&mut self.cancelled, other.cancelled);
        each(&mut self.panicked, other.panicked);
        each(&mut self.foreign, other.foreign);
        each(&mut self.own, other.own);
        allocated(&mut self.own_allocated, other.own_allocated, count);
        self.own_pauses.fold(&other.own_pauses, count);
        times(&mut self.took, &other.took);
        self.nodes.iter_mut().zip(&other.nodes).for_each(|(mine, theirs)| mine.fold(theirs, count, times));
        self.blocks.iter_mut().zip(&other.blocks).for_each(|(mine, theirs)| each(mine, *theirs));
    }
}

impl NodeTotals {
    /// All zeros.
    pub(crate) fn of(info: &'static NodeInfo) -> Self {
        Self {
            info,
            entered: 0,
            broke: 0,
            cancelled: 0,
            panicked: 0,
            skipped: 0,
            late: 0,
            opened: 0,
            detached: 0,
            shed: 0,
            tries: 0,
            replied: 0,
            cut_short: 0,
            died: 0,
            way_in: WayTotals::default(),
            way_out: WayTotals::default(),
            pauses: PauseTotals::default(),
        }
    }

    /// How often it was left: its way out was over.
    pub const fn left(&self) -> u64 {
        self.entered.saturating_sub(self.broke).saturating_sub(self.cancelled).saturating_sub(self.panicked)
    }

    /// One of its ways.
    pub const fn way(&self, way: Way) -> &WayTotals {
        match way {
            Way::In => &self.way_in,
            Way::Out => &self.way_out,
        }
    }

    /// How many nanoseconds it took in all, running and waiting, in and out.
    pub const fn nanos(&self) -> u64 {
        let (into, out) = (&self.way_in, &self.way_out);
        let into = into.running.sum().saturating_add(into.waiting.sum());
        into.saturating_add(out.running.sum()).saturating_add(out.waiting.sum())
    }

    /// What was allocated while it ran, in and out.
    pub fn allocated(&self) -> Allocated {
        let (mut both, out) = (self.way_in.allocated, self.way_out.allocated);
        allocated(&mut both, out, u64::wrapping_add);
        both
    }

    fn fold(&mut self, other: &Self, count: fn(u64, u64) -> u64, times: fn(&mut Times, &Times)) {
        for (mine, theirs) in [
            (&mut self.entered, other.entered),
            (&mut self.broke, other.broke),
            (&mut self.cancelled, other.cancelled),
            (&mut self.panicked, other.panicked),
            (&mut self.skipped, other.skipped),
            (&mut self.late, other.late),
            (&mut self.opened, other.opened),
            (&mut self.detached, other.detached),
            (&mut self.shed, other.shed),
            (&mut self.tries, other.tries),
            (&mut self.replied, other.replied),
            (&mut self.cut_short, other.cut_short),
            (&mut self.died, other.died),
        ] {
            *mine = count(*mine, theirs);
        }
        self.pauses.fold(&other.pauses, count);
        for (mine, theirs) in [(&mut self.way_in, &other.way_in), (&mut self.way_out, &other.way_out)] {
            times(&mut mine.running, &theirs.running);
            times(&mut mine.waiting, &theirs.waiting);
            allocated(&mut mine.allocated, theirs.allocated, count);
        }
    }
}

fn allocated(mine: &mut Allocated, theirs: Allocated, count: fn(u64, u64) -> u64) {
    mine.bytes = count(mine.bytes, theirs.bytes);
    mine.calls = count(mine.calls, theirs.calls);
}

/// Two snapshots are of different chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherChain;

impl core::fmt::Display for OtherChain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("a snapshot is merged with or subtracted from one of the same chain")
    }
}

impl core::error::Error for OtherChain {}
