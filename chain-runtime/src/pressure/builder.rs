//! The settings of a pressure.

use core::error::Error;
use core::fmt;
use std::boxed::Box;
use std::sync::Arc;
use std::time::Duration;
use std::vec::Vec;

use super::level::{OnChange, Shared};
use super::policy::{Highest, Policy};
use super::sampler::{Sampler, Tracked};
use super::source::{Absent, Source};
use super::{Change, Pressure, Projection, Thresholds};

/// Makes a [`Pressure`] and its [`Sampler`].
pub struct Builder {
    sources: Vec<Watched>,
    absent: Vec<Absent>,
    policy: Box<dyn Policy>,
    every: Duration,
    dwell: Duration,
    hold: Duration,
    on_change: Option<OnChange>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            sources: Vec::new(),
            absent: Vec::new(),
            policy: Box::new(Highest),
            every: Duration::from_millis(200),
            dwell: Duration::from_millis(500),
            hold: Duration::from_secs(5),
            on_change: None,
        }
    }

    /// Watches a source, unchanged or as [`Watched`].
    #[must_use]
    pub fn source(mut self, source: impl Into<Watched>) -> Self {
        self.sources.push(source.into());
        self
    }

    /// Watches a source if it is there. If it is not, the [`Report`](super::Report) says so.
    #[must_use]
    pub fn optional<S: Into<Watched>>(mut self, source: Result<S, Absent>) -> Self {
        match source {
            Ok(source) => self.sources.push(source.into()),
            Err(absent) => self.absent.push(absent),
        }
        self
    }

    /// Sets how the levels of the sources become one. The default is [`Highest`].
    #[must_use]
    pub fn policy(self, policy: impl Policy) -> Self {
        Self { policy: Box::new(policy), ..self }
    }

    /// Sets the time between samples, if the kernel does not wake for an earlier one. The default is 200 ms.
    #[must_use]
    pub fn every(self, every: Duration) -> Self {
        Self { every, ..self }
    }

    /// Sets after how long a level that was not needed falls by one step. The default is 500 ms. So from critical to
    /// calm it takes three times as long. A level rises at once.
    #[must_use]
    pub fn dwell(self, dwell: Duration) -> Self {
        Self { dwell, ..self }
    }

    /// Sets for how long a source that fails keeps its level; after that it is calm. The default is 5 s.
    #[must_use]
    pub fn hold(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// Sets a function that is called for each change, on the thread that caused it: that of a sampler, or of the code
    /// that forces a level. It must not block. With the feature `tracing` each change is an event as well, with the
    /// target `chain::pressure`: a rise as a warning, a fall as information.
    #[must_use]
    pub fn on_change(self, on_change: impl Fn(&Change) + Send + Sync + 'static) -> Self {
        Self { on_change: Some(Box::new(on_change)), ..self }
    }

    /// Makes the pressure, which is calm, and its sampler, which has to [run](Sampler::run) for that to change.
    ///
    /// # Errors
    ///
    /// Two sources have the same name, or there is no time between two samples.
    pub fn build(self) -> Result<(Pressure, Sampler), Unbuildable> {
        if self.every.is_zero() {
            return Err(Unbuildable::NoTime);
        }
        let tracked: Vec<_> = self.sources.into_iter().map(|source| source.tracked(self.dwell)).collect();
        for (place, one) in tracked.iter().enumerate() {
            if tracked[..place].iter().any(|other| other.seen.name == one.seen.name) {
                return Err(Unbuildable::SameName(one.seen.name));
            }
        }
        let seen = tracked.iter().map(|one| one.seen).collect();
        let shared = Arc::new(Shared::new(seen, self.absent, self.every, self.on_change));
        let sampler = Sampler::new(shared.clone(), tracked, self.policy, self.every, self.dwell, self.hold);
        Ok((Pressure { shared }, sampler))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("sources", &self.sources).field("every", &self.every).finish_non_exhaustive()
    }
}

/// A source, and how to watch it.
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::pressure::source::InFlight;
/// use chain_runtime::pressure::{Thresholds, Watched};
///
/// let requests = Watched::of(InFlight::new(500))
///     .named("requests")
///     .thresholds(Thresholds::leaving_at([0.5, 0.8, 1.0], 0.9))
///     .dwell(Duration::from_secs(2));
/// ```
pub struct Watched {
    source: Box<dyn Source>,
    name: Option<&'static str>,
    thresholds: Option<Thresholds>,
    dwell: Option<Duration>,
    projection: Option<Option<Projection>>,
}

impl Watched {
    /// With the defaults of the source and the builder.
    pub fn of(source: impl Source) -> Self {
        Self { source: Box::new(source), name: None, thresholds: None, dwell: None, projection: None }
    }

    /// Sets another name, for the second source of a kind.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets other thresholds.
    #[must_use]
    pub fn thresholds(self, thresholds: Thresholds) -> Self {
        Self { thresholds: Some(thresholds), ..self }
    }

    /// Sets another dwell. If it is shorter than the builder's, the source's own level falls sooner, but the process's
    /// does not.
    #[must_use]
    pub fn dwell(self, dwell: Duration) -> Self {
        Self { dwell: Some(dwell), ..self }
    }

    /// Sets how far to look ahead; `None` does not look ahead.
    #[must_use]
    pub fn projection(self, projection: impl Into<Option<Projection>>) -> Self {
        Self { projection: Some(projection.into()), ..self }
    }

    fn tracked(self, dwell: Duration) -> Tracked {
        let name = self.name.unwrap_or_else(|| self.source.name());
        let thresholds = self.thresholds.unwrap_or_else(|| self.source.thresholds());
        let projection = self.projection.unwrap_or_else(|| self.source.projection());
        Tracked::new(self.source, name, thresholds, self.dwell.unwrap_or(dwell), projection)
    }
}

impl<S: Source> From<S> for Watched {
    fn from(source: S) -> Self {
        Self::of(source)
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.unwrap_or_else(|| self.source.name());
        f.debug_struct("Watched").field("name", &name).finish_non_exhaustive()
    }
}

/// Why a pressure cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unbuildable {
    /// Two sources have the same name: [`Watched::named`] gives one of them another name.
    SameName(&'static str),
    /// There would be no pause between samples.
    NoTime,
}

impl fmt::Display for Unbuildable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameName(name) => {
                write!(f, "two sources are called `{name}`: give one another name with `Watched::named`")
            }
            Self::NoTime => f.write_str("the time between two samples is 0"),
        }
    }
}

impl Error for Unbuildable {}
