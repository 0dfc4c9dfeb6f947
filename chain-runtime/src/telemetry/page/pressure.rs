//! What the page shows of pressure: the level, what was measured, what is given up, and who is let in.

use std::string::String;
use std::vec::Vec;

use serde::{Serialize, Serializer};

use crate::shed::Level;

/// What the page shows of pressure. Plain data, which whoever serves the page fills in: this needs no feature but the page's own.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Pressure {
    /// Where the level stands.
    #[serde(serialize_with = "name")]
    pub level: Level,
    /// Whether somebody forced it there.
    pub forced: bool,
    /// What is measured.
    pub sources: Vec<Source>,
    /// What is given up at which level. Empty: nothing is, and the matrix is not shown.
    pub sheds: Vec<Shed>,
    /// Who is let in. `None`: nobody is turned away, and nothing of it is shown.
    pub admission: Option<Admission>,
    /// The last changes of the level, the newest first.
    pub moves: Vec<Move>,
}

/// What is measured.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// As the log names it.
    pub name: String,
    /// Its last reading, for a person: `612 MiB of 800 MiB`.
    pub says: String,
    /// The level that it asks for.
    #[serde(serialize_with = "name")]
    pub level: Level,
}

/// One line of the matrix.
#[derive(Clone, Debug, Serialize)]
pub struct Shed {
    /// The node's name.
    pub name: String,
    /// What becomes of it at each level, the least first: `runs`, `1/100`, `behind`, `off`.
    pub at: [String; 4],
    /// Where it differs from what the chain declares: `never`, `from high`. Empty: as declared.
    pub stands: String,
    /// How often it was given up.
    pub count: u64,
}

/// Who is let in.
#[derive(Clone, Debug, Serialize)]
pub struct Admission {
    /// So many at once.
    pub limit: u64,
    /// So many are inside now.
    pub in_flight: u64,
    /// So many wait.
    pub queued: u64,
    /// How many were turned away, by a name for them each.
    pub turned_away: Vec<(String, u64)>,
}

/// A change of the level.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    /// Milliseconds since 1970.
    pub at: u64,
    /// Where it stood.
    #[serde(serialize_with = "name")]
    pub from: Level,
    /// Where it stands since.
    #[serde(serialize_with = "name")]
    pub to: Level,
    /// What caused it.
    pub cause: String,
}

fn name<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(level.name())
}
