//! Chains where people already are: in tower, hyper and axum, with real clients over sockets.

#[path = "axum.rs"]
mod in_axum;
#[path = "hyper.rs"]
mod in_hyper;
#[path = "tower.rs"]
mod in_tower;
mod served;
#[path = "tower_http.rs"]
mod towers_layers;

use std::time::Duration;

/// A guard against hanging: no test waits for it.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} takes more than half a minute"),
    }
}
