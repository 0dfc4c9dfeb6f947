//! A guard against hanging.

use std::time::Duration;

/// No test waits for it.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} takes more than half a minute"),
    }
}
