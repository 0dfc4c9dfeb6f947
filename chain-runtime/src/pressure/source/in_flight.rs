//! Counts the requests under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use chain_macros::node;

use super::{Fault, Reading, Source};

/// The number of requests under way, as a share of the most that there should be. It counts, and turns no request away.
///
/// It is a node as well: it provides a [`Flight`], which is given back on all four ways out. A clone counts the same
/// requests, so one is the chain's field and another one is the source.
///
/// ```
/// use chain_runtime::pressure::Pressure;
/// use chain_runtime::pressure::source::InFlight;
/// use chain_runtime::{chain, node};
///
/// #[node]
/// fn greet(name: &str) -> String { format!("Hello, {name}") }
///
/// chain! {
///     struct Hello { in_flight: InFlight }
///     fn(name: &str) -> String { in_flight => greet }
/// }
///
/// let in_flight = InFlight::new(1_000);
/// let (pressure, sampler) = Pressure::builder().source(in_flight.clone()).build()?;
/// let hello = Hello { in_flight };
/// assert_eq!(hello.run("Ada"), "Hello, Ada");
/// assert_eq!(hello.in_flight.now(), 0);
/// # Ok::<(), chain_runtime::pressure::Unbuildable>(())
/// ```
#[derive(Clone, Debug)]
pub struct InFlight {
    count: Arc<AtomicUsize>,
    limit: usize,
}

#[node(crate = crate)]
impl InFlight {
    /// A reading of 1 means `limit` requests at once. There may be more.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        assert!(limit > 0, "of a limit of 0 requests there is no share");
        Self { count: Arc::default(), limit }
    }

    /// The present number.
    #[must_use]
    pub fn now(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Counts one request, until the returned value is dropped.
    #[must_use = "it counts until it is dropped"]
    pub fn enter(&self) -> Flight {
        self.count.fetch_add(1, Relaxed);
        Flight(self.count.clone())
    }
}

/// One request that is under way.
#[derive(Debug)]
pub struct Flight(Arc<AtomicUsize>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Source for InFlight {
    fn name(&self) -> &'static str {
        "in flight"
    }

    fn read(&mut self, _: Instant) -> Result<Reading, Fault> {
        #[expect(clippy::cast_precision_loss, reason = "a share is not exact to one request")]
        Ok(Reading::of(self.now() as f64 / self.limit as f64))
    }
}
