//! What the gateway measures of itself, what it does about it, and what an operator sees of it.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::pressure::source::{Cgroup, Resident};
use chain_runtime::pressure::{Change, Level, Pressure, Priority, Report, Sampler, Seen};
use chain_runtime::shed::ShedInfo;
use chain_runtime::telemetry::page;

use super::common::failure::Failure;
use super::common::logging;
use super::gateway::Gateway;

/// How many changes are on the page.
const MOVES: usize = 8;

/// The last changes of the level, the newest first.
#[derive(Clone, Default)]
pub(crate) struct Moves(Arc<Mutex<VecDeque<page::Move>>>);

impl Moves {
    fn add(&self, change: &Change) {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let mut moves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moves.truncate(MOVES - 1);
        moves.push_front(page::Move { at, from: change.from, to: change.to, cause: change.why().to_string() });
    }

    fn shown(&self) -> Vec<page::Move> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Measures the memory: that of the control group if there is one, and the process's own if a limit for it is given.
pub(crate) fn measure(
    cgroup: Option<&std::path::Path>,
    limit: Option<u64>,
    lines: &Lines,
) -> Result<(Pressure, Sampler, Moves), Failure> {
    let mut builder = Pressure::builder();
    if let Some(root) = cgroup {
        builder = builder.optional(Cgroup::at(root, "/proc/self/cgroup"));
    }
    if let Some(limit) = limit {
        builder = builder.optional(Resident::of_this_process(limit));
    }
    let (moves, lines) = (Moves::default(), lines.clone());
    let seen = moves.clone();
    let builder = builder.on_change(move |change| {
        seen.add(change);
        logging::info(&lines, format_args!("pressure {change}; {}", given_up(change.to)));
    });
    let (pressure, sampler) = builder.build().map_err(Failure::failed)?;
    Ok((pressure, sampler, moves))
}

/// What does not run as usual at this level.
fn given_up(level: Level) -> String {
    let shed = |info: &ShedInfo| info.at(level).map(|how| format!("{} is {how}", info.name));
    let mut text: Vec<_> = Gateway::CHAIN.sheds.iter().filter_map(shed).collect();
    text.extend(match level {
        Level::Calm | Level::Elevated => None,
        Level::High => Some("what can wait is not queued".to_owned()),
        Level::Critical => Some("what can wait is turned away".to_owned()),
    });
    if text.is_empty() { "all runs".to_owned() } else { text.join(", ") }
}

/// All of it, for the page.
pub(crate) fn shown(gateway: &Gateway, pressure: &Pressure, moves: &Moves) -> page::Pressure {
    let Report { level, forced, sources, absent, .. } = pressure.status();
    let absent = absent.iter().map(|absent| page::Source {
        name: absent.name().to_owned(),
        says: format!("is not measured: {}", absent.why()),
        level: Level::Calm,
    });
    let admission = gateway.admission.status();
    let turned_away = Priority::ALL.map(|priority| {
        let often = admission.turned_away.iter().map(|reason| reason[priority as usize]).sum();
        (priority.name().to_owned(), often)
    });
    page::Pressure {
        level,
        forced: forced.is_some(),
        sources: sources.iter().map(source).chain(absent).collect(),
        sheds: gateway.sheds().iter().map(shed).collect(),
        admission: Some(page::Admission {
            limit: admission.limit as u64,
            in_flight: admission.in_flight as u64,
            queued: admission.waiting_in_all() as u64,
            turned_away: turned_away.into(),
        }),
        moves: moves.shown(),
    }
}

fn source(seen: &Seen) -> page::Source {
    let mut says = match seen.reading {
        Some(reading) => format!("is at {}", seen.unit.show(reading.value)),
        None => "has said nothing yet".to_owned(),
    };
    if let Some(bytes) = seen.reading.and_then(|reading| reading.bytes) {
        let _ = write!(says, ", {} MiB", bytes.used >> 20);
        let _ = match bytes.limit {
            Some(limit) => write!(says, " of {} MiB", limit >> 20),
            None => write!(says, " without a limit"),
        };
    }
    if let Some(fault) = seen.fault {
        let _ = write!(says, ", {fault}");
    }
    page::Source { name: seen.name.to_owned(), says, level: seen.level }
}

fn shed(shed: chain_runtime::shed::Shed) -> page::Shed {
    use chain_runtime::shed::Override;
    page::Shed {
        name: shed.info.name.to_owned(),
        at: Level::ALL.map(|level| shed.at(level).map_or_else(|| "runs".to_owned(), |how| how.to_string())),
        stands: match shed.set {
            Override::AsDeclared => String::new(),
            Override::Never => "never".to_owned(),
            Override::From(level) => format!("from {level}"),
        },
        count: shed.count as u64,
    }
}
