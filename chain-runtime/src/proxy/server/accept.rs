//! Connections are accepted as long as there are places. If there are none, one without a request gives up its own.

use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::boxed::Box;
use std::net::SocketAddr;
use std::sync::Arc;

use ::hyper::body::Incoming;
use bytes::Bytes;
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::places::Place;
use super::{Shared, connection};
use crate::proxy::{Client, descriptors};

/// After this time it is looked again whether a connection can make room.
const AGAIN: Duration = Duration::from_millis(20);

/// The connections of a worker that would close if another one needs a place.
#[derive(Default)]
pub(super) struct Room {
    /// Notified when there is no place left: then a connection without a request closes.
    pub(super) crowded: Notify,
    /// How many connections would be notified.
    pub(super) waiting: AtomicUsize,
}

impl<A, F: Send> Shared<A, F> {
    /// Closes a connection without a request, if there is one, of this worker before those of others. A notification
    /// that nothing receives would be kept for the next connection.
    pub(super) fn make_room(&self) {
        let has_one = |room: &&Arc<Room>| room.waiting.load(Ordering::Relaxed) > 0;
        if let Some(room) = core::iter::once(&self.room).chain(&*self.rooms).find(has_one) {
            room.crowded.notify_one();
        }
    }
}

/// Accepts until `stop` is ready.
pub(super) async fn accept<A, F, B>(shared: &Arc<Shared<A, F>>, listener: &TcpListener, stop: impl Future<Output = ()>)
where
    A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
{
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A place is looked for when there is a connection to take it: no connection has to go for a client
                // that may never come.
                let place = match shared.places.try_take() {
                    Some(place) => place,
                    None => tokio::select! {
                        place = crowded(shared) => place,
                        () = &mut stop => {
                            shared.tasks.spawn(served_at_last(Arc::clone(shared), stream, peer));
                            return;
                        }
                    },
                };
                shared.tasks.spawn(connection::serve(Arc::clone(shared), stream, peer, place));
            }
            Err(error) => {
                // Most likely, too many files are open. That passes when a connection ends. So one without a request is
                // closed now: to an upstream first, since no client notices that. Asking again at once would only waste
                // the processor.
                if !(descriptors::are_out(&error) && descriptors::give_up()) {
                    shared.make_room();
                }
                sleep(AGAIN).await;
            }
        }
    }
}

/// Serves a connection that was accepted before the stop, and has no place yet: no other server can answer it.
async fn served_at_last<A, F, B>(shared: Arc<Shared<A, F>>, stream: TcpStream, peer: SocketAddr)
where
    A: Fn(Request<Incoming>, Client) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn core::error::Error + Send + Sync>>> + Send + 'static,
{
    let place = tokio::select! {
        place = crowded(&shared) => place,
        () = shared.cutting.cancelled() => return,
    };
    connection::serve(shared, stream, peer, place).await;
}

/// There is no place left: a connection without a request gives up its own. Waits for that place, or for any other.
async fn crowded<A, F: Send>(shared: &Shared<A, F>) -> Place {
    let mut place = pin!(shared.places.take());
    loop {
        shared.make_room();
        tokio::select! {
            biased;
            place = &mut place => return place,
            // All may have had a request, and have not heard the notification. A connection that has none by now
            // closes.
            () = sleep(AGAIN) => {}
        }
    }
}
