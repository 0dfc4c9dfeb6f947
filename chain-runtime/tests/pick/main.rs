//! Picks: leases on all ways out, and balancers in a simulation.
#![cfg(feature = "upstream")]

#[cfg(all(feature = "retry", feature = "tokio"))]
mod again;
mod allocations;
mod anew;
mod derived;
mod health;
#[cfg(all(feature = "retry", feature = "tokio"))]
mod hedge;
mod lease;
mod ring;
mod shares;
mod simulation;
mod streams;
mod subset;
#[path = "../support/mod.rs"]
mod support;
mod zones;

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Member, Registry, Seat};

/// A registry of so many members, called `0000`, `0001`, .., whose endpoints are their numbers.
fn registry(members: usize) -> Arc<Registry<usize>> {
    let registry = Registry::new();
    for number in 0..members {
        registry.register(Member::new(format!("{number:04}"), number), Duration::MAX).unwrap();
    }
    Arc::new(registry)
}

/// The seats of all members, sorted by name.
fn seats<T>(registry: &Registry<T>) -> Vec<Arc<Seat<T>>> {
    registry.snapshot().members().iter().map(|entry| Arc::clone(entry.seat())).collect()
}
