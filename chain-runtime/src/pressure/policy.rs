//! Makes the level of the process from the levels of the sources.

use std::time::{Duration, Instant};

use super::{Level, Seen};

/// Decides at which level the process is. It is called with each sample, after the sources.
///
/// Each source comes with its own level, which rises at once and falls slowly. The policy's level also rises at once
/// and falls after the dwell, so a policy need not prevent flapping itself. A closure is a policy. It must not block,
/// and should allocate nothing.
pub trait Policy: Send + 'static {
    /// The level at `now`, and the source that it comes from.
    fn judge(&mut self, now: Instant, sources: &[Seen]) -> Judgement;

    /// The higher level of the two.
    fn or<P: Policy>(self, other: P) -> Or<Self, P>
    where
        Self: Sized,
    {
        Or(self, other)
    }

    /// The lower level of the two: both have to find it tight.
    fn and<P: Policy>(self, other: P) -> And<Self, P>
    where
        Self: Sized,
    {
        And(self, other)
    }

    /// At most `level`.
    fn at_most(self, level: Level) -> AtMost<Self>
    where
        Self: Sized,
    {
        AtMost(self, level)
    }
}

/// The answer of a [`Policy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The level.
    pub level: Level,
    /// The source that it comes from, by its index.
    pub by: Option<usize>,
}

impl Judgement {
    /// Nothing is tight.
    pub const CALM: Self = Self { level: Level::Calm, by: None };
}

impl<F> Policy for F
where
    F: FnMut(Instant, &[Seen]) -> Judgement + Send + 'static,
{
    fn judge(&mut self, now: Instant, sources: &[Seen]) -> Judgement {
        self(now, sources)
    }
}

/// The highest level of all sources: the default policy. Of several sources at that level, the first one is the cause.
#[derive(Clone, Copy, Debug, Default)]
pub struct Highest;

impl Policy for Highest {
    fn judge(&mut self, _: Instant, sources: &[Seen]) -> Judgement {
        let mut highest = Judgement::CALM;
        for (place, seen) in sources.iter().enumerate() {
            if seen.level > highest.level {
                highest = Judgement { level: seen.level, by: Some(place) };
            }
        }
        highest
    }
}

/// The level of one source, by its name; calm if no source has that name.
#[derive(Clone, Copy, Debug)]
pub struct Only(pub &'static str);

impl Policy for Only {
    fn judge(&mut self, _: Instant, sources: &[Seen]) -> Judgement {
        let found = sources.iter().position(|seen| seen.name == self.0);
        found.map_or(Judgement::CALM, |place| Judgement { level: sources[place].level, by: Some(place) })
    }
}

/// The rule that this library began with: *less than 5 s after the last collection, and over 800 MB in use: shed*.
///
/// In a process without a garbage collector, the signal that stands for the collection is a **memory stall of the
/// kernel** ([`Psi::memory`](super::source::Psi::memory)): a task that wanted memory had to wait until some was
/// reclaimed. As with a garbage collector, the code that needs memory pays for getting it, at the moment when there is
/// none.
///
/// jemalloc's decay looks more like a collector, but is the wrong signal. It gives pages back some seconds *after* they
/// were freed. So it works most when the load goes away, and not at all if all memory is in use.
///
/// The rule needs a source of memory that has [`Bytes`](super::source::Bytes), and one for the stalls. If the kernel
/// has no stall information, any source will do whose value is above 0 when memory was reclaimed, such as the growth of
/// `max` in `memory.events`.
///
/// ```
/// use chain_runtime::pressure::policy::{AfterCollection, Highest, Policy};
///
/// let rule = AfterCollection::default().or(Highest);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AfterCollection {
    /// The source whose bytes in use count: `memory`.
    pub memory: &'static str,
    /// The source that reports collections: `memory stall`.
    pub collector: &'static str,
    /// A reading of the collector above this is a collection: 0.
    pub above: f64,
    /// For how long a collection matters: 5 s.
    pub within: Duration,
    /// The rule applies if more bytes than this are in use: 800,000,000.
    pub over: u64,
    /// The level that it sets: high.
    pub level: Level,
    last: Option<Instant>,
}

impl Default for AfterCollection {
    fn default() -> Self {
        Self {
            memory: "memory",
            collector: "memory stall",
            above: 0.0,
            within: Duration::from_secs(5),
            over: 800_000_000,
            level: Level::High,
            last: None,
        }
    }
}

impl Policy for AfterCollection {
    fn judge(&mut self, now: Instant, sources: &[Seen]) -> Judgement {
        let named = |name: &str| sources.iter().position(|seen| seen.name == name);
        let read = |place: usize| sources[place].reading.filter(|_| sources[place].fault.is_none());
        if named(self.collector).and_then(read).is_some_and(|stall| stall.value > self.above) {
            self.last = Some(now);
        }
        // The last reading of memory counts until the source is given up.
        let memory = named(self.memory).filter(|place| !sources[*place].given_up);
        let used = memory.and_then(|place| sources[place].reading?.bytes).map_or(0, |bytes| bytes.used);
        let is_recent = self.last.is_some_and(|last| now.saturating_duration_since(last) < self.within);
        if is_recent && used > self.over { Judgement { level: self.level, by: memory } } else { Judgement::CALM }
    }
}

/// Made by [`Policy::or`].
#[derive(Clone, Copy, Debug)]
pub struct Or<A, B>(A, B);

impl<A: Policy, B: Policy> Policy for Or<A, B> {
    fn judge(&mut self, now: Instant, sources: &[Seen]) -> Judgement {
        let (one, other) = (self.0.judge(now, sources), self.1.judge(now, sources));
        if other.level > one.level { other } else { one }
    }
}

/// Made by [`Policy::and`].
#[derive(Clone, Copy, Debug)]
pub struct And<A, B>(A, B);

impl<A: Policy, B: Policy> Policy for And<A, B> {
    fn judge(&mut self, now: Instant, sources: &[Seen]) -> Judgement {
        let (one, other) = (self.0.judge(now, sources), self.1.judge(now, sources));
        if other.level < one.level { other } else { one }
    }
}

/// Made by [`Policy::at_most`].
#[derive(Clone, Copy, Debug)]
pub struct AtMost<P>(P, Level);

impl<P: Policy> Policy for AtMost<P> {
    fn judge(&mut self, now: Instant, sources: &[Seen]) -> Judgement {
        let judgement = self.0.judge(now, sources);
        Judgement { level: judgement.level.min(self.1), ..judgement }
    }
}
