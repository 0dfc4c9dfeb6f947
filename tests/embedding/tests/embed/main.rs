//! Chains in tower, hyper and axum, with real clients over sockets.

mod framing;
#[path = "axum.rs"]
mod in_axum;
#[path = "hyper.rs"]
mod in_hyper;
#[path = "tower.rs"]
mod in_tower;
#[path = "../../../support/seen.rs"]
mod seen;
mod served;
mod spare;
#[path = "tower_http.rs"]
mod towers_layers;
#[path = "../../../support/within.rs"]
mod within;

use within::within;
