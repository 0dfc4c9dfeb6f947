//! Flame graphs. The crate that draws them is licensed under the CDDL, so it is here and not in the runtime.

use chain_runtime::telemetry::Snapshot;
use chain_runtime::telemetry::folded::{Weight, folded};
use inferno::flamegraph::{Options, from_lines};

/// What a drawing may do: it has scripts and a style of its own, and loads nothing.
pub(super) const POLICY: &str =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// What is to be drawn: `of=bytes`. Without a query, it is the time that nodes run.
pub(super) fn weight(query: Option<&str>) -> Option<Weight> {
    match query.unwrap_or("of=running") {
        "of=running" => Some(Weight::Running),
        "of=waiting" => Some(Weight::Waiting),
        "of=time" => Some(Weight::Time),
        "of=bytes" => Some(Weight::Bytes),
        "of=allocations" => Some(Weight::Allocations),
        _ => None,
    }
}

/// Draws what all runs have taken since the program began.
pub(super) fn draw(snapshot: &Snapshot, weight: Weight) -> Result<Vec<u8>, impl std::fmt::Display> {
    let stacks = folded(snapshot, weight);
    let mut options = Options::default();
    options.title = format!("{}: {weight:?}", snapshot.chain.name).to_lowercase();
    weight.unit().clone_into(&mut options.count_name);
    options.hash = true;
    let mut drawn = Vec::new();
    from_lines(&mut options, stacks.lines(), &mut drawn).map(|()| drawn)
}
