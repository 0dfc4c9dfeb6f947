//! [`Reading`]: the figures of a chain at one moment.

use std::string::String;
use std::vec::Vec;

use crate::telemetry::{Allocations, Clock, Keeps, Meter, Snapshot};

/// The figures of a chain at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// Its figures.
    pub snapshot: Snapshot,
    /// The runs from which exemplars are taken.
    pub keeps: Keeps,
    /// More labels, such as a tenant's name. If two readings are of chains with one name, their labels have to differ.
    pub labels: Vec<(String, String)>,
}

impl Reading {
    /// The present state of this meter.
    pub fn of<C: Clock, A: Allocations>(meter: &Meter<C, A>) -> Self {
        Self { snapshot: meter.snapshot(), keeps: meter.kept(), labels: Vec::new() }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }
}

/// Without kept runs, and so without exemplars.
impl From<Snapshot> for Reading {
    fn from(snapshot: Snapshot) -> Self {
        Self { snapshot, keeps: Keeps::default(), labels: Vec::new() }
    }
}
