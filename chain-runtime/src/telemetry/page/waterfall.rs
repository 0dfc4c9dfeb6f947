//! Runs that were kept.

use std::string::{String, ToString as _};
use std::time::{Duration, UNIX_EPOCH};
use std::vec::Vec;

use serde::Serialize;

use crate::observe::Way;
use crate::telemetry::pauses::Evidence;
use crate::telemetry::{Keeps, Kept, KeptPause, Whose};

#[derive(Serialize)]
pub(super) struct Waterfalls {
    slowest: Vec<Run>,
    failed: Vec<Run>,
    missed: u64,
}

/// Times are in nanoseconds from the run's beginning.
#[derive(Serialize)]
struct Run {
    number: u64,
    /// In milliseconds since 1970.
    began: u64,
    took: u64,
    outcome: String,
    /// The owner, the start and the length of each.
    stretches: Vec<(Row, u64, u64)>,
    truncated: bool,
    pauses: Vec<Pause>,
}

/// The position of a node, or -1 for the chain; whether it waited; whether it is its way out.
type Row = (i64, bool, bool);

#[derive(Serialize)]
struct Pause {
    /// `null` if it is that of the whole machine.
    whose: Option<Row>,
    cause: &'static str,
    start: u64,
    end: u64,
    likely: u64,
    seen: bool,
}

impl Waterfalls {
    pub(super) fn of(keeps: &Keeps) -> Self {
        Self {
            slowest: keeps.slowest.iter().map(Run::of).collect(),
            failed: keeps.failed.iter().map(Run::of).collect(),
            missed: keeps.missed,
        }
    }
}

impl Run {
    fn of(kept: &Kept) -> Self {
        let stretch =
            |stretch: &crate::telemetry::KeptStretch| (row(stretch.whose), nanos(stretch.start), nanos(stretch.length));
        let began = kept.began.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self {
            number: kept.number,
            began: u64::try_from(began).unwrap_or(u64::MAX),
            took: nanos(kept.took),
            outcome: kept.outcome.to_string(),
            stretches: kept.stretches.iter().map(stretch).collect(),
            truncated: kept.is_truncated,
            pauses: kept.pauses.iter().map(Pause::of).collect(),
        }
    }
}

impl Pause {
    fn of(pause: &KeptPause) -> Self {
        Self {
            whose: pause.whose.map(row),
            cause: pause.cause.name(),
            start: nanos(pause.start),
            end: nanos(pause.end),
            likely: nanos(pause.likely),
            seen: pause.evidence == Evidence::Seen,
        }
    }
}

fn row(whose: Whose) -> Row {
    let position = |position: usize| i64::try_from(position).unwrap_or(i64::MAX);
    match whose {
        Whose::Chain => (-1, false, false),
        Whose::Running(at, way) => (position(at), false, way == Way::Out),
        Whose::Waiting(at, way) => (position(at), true, way == Way::Out),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
