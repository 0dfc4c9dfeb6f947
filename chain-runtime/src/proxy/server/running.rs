//! How a server ends: what is under way may finish within the grace, and what does not is cut and counted.

use core::future::Future;
use core::pin::pin;
use core::sync::atomic::Ordering;
use core::time::Duration;
use std::boxed::Box;
use std::sync::Arc;
use std::vec::Vec;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Limits, Shared, Stopped};
use crate::proxy::tunnel::Tunnels;

/// So long it is waited for what was cut.
const LAST: Duration = Duration::from_secs(1);

/// A server that has begun to run.
pub(super) struct Running<A, F: Send> {
    pub(super) tunnels: Option<Tunnels>,
    pub(super) limits: Limits,
    pub(super) stopping: Box<dyn FnOnce() + Send>,
    pub(super) parts: Vec<Arc<Shared<A, F>>>,
    pub(super) stop: CancellationToken,
    pub(super) cut: CancellationToken,
}

impl<A, F: Send> Running<A, F> {
    /// Ends it, when the tasks that accept are told to end. One whose worker is blocked is waited for within the grace.
    pub(super) async fn finish(self, accepting: Vec<JoinHandle<()>>, cut: impl Future<Output = ()>) -> Stopped {
        let Self { tunnels, limits, stopping, parts, stop, cut: cutting } = self;
        let until = Instant::now() + limits.grace;
        let mut cut = pin!(cut);
        stop.cancel();
        let closed = async {
            for accepting in accepting {
                // A worker that has ended accepts nothing any more.
                let _ = accepting.await;
            }
        };
        let mut is_cut = false;
        tokio::select! {
            biased;
            _ = timeout_at(until, closed) => {}
            () = &mut cut => is_cut = true,
        }
        stopping();
        for part in &parts {
            part.tasks.close();
        }
        let ended = async || {
            for part in &parts {
                part.tasks.wait().await;
            }
        };
        let finished = async {
            ended().await;
            if let Some(tunnels) = &tunnels {
                tunnels.drained().await;
            }
        };
        tokio::select! {
            biased;
            _ = timeout_at(until, finished) => {}
            () = async { if !is_cut { cut.await } } => {}
        }
        let stopped = Stopped {
            requests: parts.iter().map(|part| part.requests.load(Ordering::Relaxed)).sum(),
            tunnels: tunnels.as_ref().map_or(0, Tunnels::open),
        };
        cutting.cancel();
        if let Some(tunnels) = &tunnels {
            tunnels.cut();
            tunnels.drained().await;
        }
        // Only a node that blocks its thread does not end now.
        let _ = timeout(LAST, ended()).await;
        stopped
    }
}
