//! Why a connection gave no reply, and what that says about the upstream.

use std::error::Error as _;
use std::io;

use http::Extensions;

use super::connections::SendError;
use super::descriptors;
use super::error::{BadReply, Cause, Error};
use super::linked::Link;
use super::upload::UploadError;

/// Turns the error of what sends into one of ours.
pub(super) fn failed(error: SendError) -> Error {
    let turned_away = turned_away(&error);
    let (error, is_connect): (Cause, bool) = match error {
        SendError::Connect(error) => (error, true),
        SendError::Lost(error, _) => (error.into(), false),
        SendError::Client(error) => {
            let is_connect = error.is_connect();
            (error.into(), is_connect)
        }
    };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&*error);
    let (mut hyper_says, mut is_out_of_descriptors, mut is_unsent) = (None, false, false);
    while let Some(error) = cause {
        // If an upload was broken off on this side, it comes back as the cause of the client's error.
        if let Some(error) = error.downcast_ref::<UploadError>() {
            return error.told();
        }
        if let Some(error) = error.downcast_ref::<::hyper::Error>() {
            hyper_says = hyper_says.or(Some((error.is_parse_too_large(), error.is_parse())));
            // The request was taken back from a connection that was closed before the request was written.
            is_unsent |= error.is_canceled();
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // This is not the upstream's fault.
            is_out_of_descriptors |= descriptors::are_out(error);
        }
        cause = error.source();
    }
    match hyper_says {
        _ if is_out_of_descriptors => Error::Exhausted(error),
        _ if is_connect || is_unsent || turned_away.is_some() => Error::Refused(error),
        Some((true, _)) => Error::Reply(BadReply::TooLarge),
        Some((_, true)) => Error::Reply(BadReply::Malformed(error)),
        _ => Error::Broken(error),
    }
}

/// How an upstream says over HTTP/2 that it has not processed a request, and will not (RFC 9113, 8.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnedAway {
    /// It refuses this request.
    Refused,
    /// It processes no request after some earlier one on the connection.
    GoAway,
}

/// Whether the upstream said so.
pub(super) fn turned_away(error: &SendError) -> Option<TurnedAway> {
    let SendError::Client(error) = error else { return None };
    let mut cause = error.source();
    while let Some(error) = cause {
        // h2 reports other errors for streams below the one that a `GOAWAY` names.
        if let Some(error) = error.downcast_ref::<h2::Error>().filter(|error| error.is_remote()) {
            return match error.reason() {
                _ if error.is_go_away() => Some(TurnedAway::GoAway),
                Some(h2::Reason::REFUSED_STREAM) => Some(TurnedAway::Refused),
                _ => None,
            };
        }
        cause = error.source();
    }
    None
}

/// Whether the connection had served a request before it failed: the upstream may have closed it at that moment.
pub(super) fn was_kept(error: &SendError) -> bool {
    let error = match error {
        SendError::Connect(_) => return false,
        SendError::Lost(_, link) => return link.has_served(),
        SendError::Client(error) => error,
    };
    let Some(connected) = error.connect_info() else { return false };
    let mut extras = Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<Link>().is_some_and(Link::has_served)
}
