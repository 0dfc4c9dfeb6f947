//! What the page shows of pressure: the level, the sources, what is given up, and the admission.

use std::string::String;
use std::vec::Vec;

use serde::{Serialize, Serializer};

use crate::shed::Level;

/// What the page shows of pressure. It is plain data, which the program fills in: it needs no feature but that of the
/// page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Pressure {
    /// The present level.
    #[serde(serialize_with = "name")]
    pub level: Level,
    /// Whether the level is forced.
    pub forced: bool,
    /// The sources.
    pub sources: Vec<Source>,
    /// What is given up at which level. If it is empty, nothing is given up, and the table is not shown.
    pub sheds: Vec<Shed>,
    /// The admission. If it is `None`, no request is turned away, and nothing is shown.
    pub admission: Option<Admission>,
    /// The last changes of the level, the newest first.
    pub moves: Vec<Move>,
}

/// A source.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// The name that the log uses.
    pub name: String,
    /// Its last reading, in readable form: `612 MiB of 800 MiB`.
    pub says: String,
    /// The level that it asks for.
    #[serde(serialize_with = "name")]
    pub level: Level,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Shed {
    /// The node's name.
    pub name: String,
    /// What happens to it at each level, the lowest first: `runs`, `1/100`, `behind`, `off`.
    pub at: [String; 4],
    /// How it differs from the chain's declaration: `never`, `from high`. Empty if it does not differ.
    pub stands: String,
    /// How often it was given up.
    pub count: u64,
}

/// The state of the admission.
#[derive(Clone, Debug, Serialize)]
pub struct Admission {
    /// How many requests may run at once.
    pub limit: u64,
    /// How many run now.
    pub in_flight: u64,
    /// How many wait.
    pub queued: u64,
    /// How many were turned away, by reason.
    pub turned_away: Vec<(String, u64)>,
}

/// A change of the level.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    /// In milliseconds since 1970.
    pub at: u64,
    /// The old level.
    #[serde(serialize_with = "name")]
    pub from: Level,
    /// The new level.
    #[serde(serialize_with = "name")]
    pub to: Level,
    /// What caused it.
    pub cause: String,
}

fn name<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(level.name())
}
