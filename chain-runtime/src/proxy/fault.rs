//! Why a connection gave no reply, and what that says.

use std::error::Error as _;
use std::io;

use http::Extensions;
use hyper_util::client::legacy::Error as ClientError;

use super::connections::Link;
use super::error::{BadReply, Error};
use super::upload::UploadError;

/// What failed, as one of ours.
pub(super) fn failed(error: ClientError) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    let (mut hyper_says, mut is_out_of_descriptors, mut is_unsent) = (None, false, false);
    while let Some(error) = cause {
        // An upload that was broken off on this side comes back as the cause of the client's error.
        if let Some(error) = error.downcast_ref::<UploadError>() {
            return error.told();
        }
        if let Some(error) = error.downcast_ref::<::hyper::Error>() {
            hyper_says = hyper_says.or(Some((error.is_parse_too_large(), error.is_parse())));
            // Taken back from a connection that was closed before it came to be written.
            is_unsent |= error.is_canceled();
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            // EMFILE, ENFILE: not the upstream's doing.
            is_out_of_descriptors |= matches!(error.raw_os_error(), Some(23 | 24));
        }
        cause = error.source();
    }
    match hyper_says {
        _ if is_out_of_descriptors => Error::Exhausted(error.into()),
        _ if error.is_connect() || is_unsent || turned_away(&error).is_some() => Error::Refused(error.into()),
        Some((true, _)) => Error::Reply(BadReply::TooLarge),
        Some((_, true)) => Error::Reply(BadReply::Malformed(error.into())),
        _ => Error::Broken(error.into()),
    }
}

/// How an upstream says over HTTP/2 that it has not dealt with a request, and will not (RFC 9113, 8.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnedAway {
    /// This one.
    Refused,
    /// None that came on the connection after some other one.
    GoAway,
}

/// Whether it does so.
pub(super) fn turned_away(error: &ClientError) -> Option<TurnedAway> {
    let mut cause = error.source();
    while let Some(error) = cause {
        // To streams below the one that is named in a `GOAWAY`, h2 passes on other errors.
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

/// Whether a connection failed that had served a request before: the upstream may have closed it just then.
pub(super) fn was_kept(error: &ClientError) -> bool {
    let Some(connected) = error.connect_info() else { return false };
    let mut extras = Extensions::new();
    connected.get_extras(&mut extras);
    extras.get::<Link>().is_some_and(Link::has_served)
}
