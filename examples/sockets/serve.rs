//! What both protocols share: how connections begin, end, and are found to be gone.

use std::{future::Future, io, sync::Arc, time::Duration};

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Serves until `stop`, and then until the connections have ended.
pub(crate) async fn serve<C, F>(
    listener: TcpListener,
    stop: CancellationToken,
    chain: Arc<C>,
    converse: fn(TcpStream, Arc<C>, CancellationToken) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(converse(stream, Arc::clone(&chain), stop.clone()))),
            // For example, too many files are open: some will be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Ends a connection from which more bytes may come: closing it with bytes unread would be a reset, which can overtake
/// the last answer.
pub(crate) async fn linger(mut stream: TcpStream) {
    let read_on = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(Duration::from_secs(2), read_on).await;
}

/// Whether the connection failed. Bytes that are no frame are an error of the codec, of the same type, which says
/// nothing about the frame before.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::InvalidData
}
