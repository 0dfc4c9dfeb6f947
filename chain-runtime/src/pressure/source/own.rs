//! A source from a closure.

use core::fmt;
use std::time::Instant;

use super::{Fault, Reading, Source, Unit};
use crate::pressure::Thresholds;

/// A source of your own, from a closure. Made by [`own`].
pub struct Own<F> {
    name: &'static str,
    unit: Unit,
    thresholds: Thresholds,
    read: F,
}

/// A source with this `name`, whose reading is the result of `read`: a [`Count`](Unit::Count), unless [`Own::unit`]
/// sets another unit.
///
/// ```
/// use chain_runtime::pressure::source::{Source, own};
/// use chain_runtime::pressure::Thresholds;
///
/// let thresholds = Thresholds::leaving_at([100.0, 200.0, 400.0], 0.8);
/// let open_files = own("open files", thresholds, |_now| Ok(42.0));
/// assert_eq!(open_files.name(), "open files");
/// ```
pub fn own<F>(name: &'static str, thresholds: Thresholds, read: F) -> Own<F>
where
    F: FnMut(Instant) -> Result<f64, Fault> + Send + 'static,
{
    Own { name, unit: Unit::Count, thresholds, read }
}

impl<F> Own<F> {
    /// Sets the unit of its value.
    #[must_use]
    pub fn unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }
}

impl<F: FnMut(Instant) -> Result<f64, Fault> + Send + 'static> Source for Own<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn unit(&self) -> Unit {
        self.unit
    }

    fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    fn read(&mut self, now: Instant) -> Result<Reading, Fault> {
        (self.read)(now).map(Reading::of)
    }
}

impl<F> fmt::Debug for Own<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("name", &self.name).field("unit", &self.unit).finish_non_exhaustive()
    }
}
