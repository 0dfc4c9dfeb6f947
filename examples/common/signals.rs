//! Ctrl-C and `kill`: the first signal asks to stop, the second one to stop now.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::failure::Failure;

/// Ready at the first signal, and at the second.
pub(crate) fn stop_and_cut() -> Result<(impl Future<Output = ()>, impl Future<Output = ()>), Failure> {
    let failed = |error| Failure::failed(format_args!("cannot listen to signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let (stop, stopped) = oneshot::channel();
    let (cut, is_cut) = oneshot::channel();
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        let _ = stop.send(());
        either(&mut interrupt, &mut terminate).await;
        let _ = cut.send(());
    });
    let told = async |told: oneshot::Receiver<()>| drop(told.await);
    Ok((told(stopped), told(is_cut)))
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
