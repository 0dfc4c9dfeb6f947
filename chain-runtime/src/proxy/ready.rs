//! [`Ready`]: a request that was checked, and made that of this hop.

use std::sync::Arc;

use http::header::{EXPECT, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Response, Uri, Version};
use tokio::time::Instant;

use super::Sendable;
use super::body::Body;
use super::error::{BadRequest, Error};
use super::hop::Hop;
use super::identity::{Sender, Statements};
use super::kept::Scratch;
use super::pace::later;
use super::pick::Pick;
use super::present::Present;
use super::settings::Settings;
use super::target::Target;
use super::text::Text;
use super::tunnel::Tunnels;
use super::upgrade::Wish;
use super::upload::Passage;
use super::upstream::{Speaks, Upstream};
use super::{answer, fields, forwarded, framing, target, words};
use crate::pool::Lease;

/// A request that is ready to be sent, and what of it is needed until there is a reply.
pub(super) struct Ready<'h, B: Send> {
    /// Until it is sent for the first time.
    pub(super) head: Option<Parts>,
    pub(super) passage: Arc<Passage<B>>,
    pub(super) target: Target,
    pub(super) wish: Option<(&'h Tunnels, Wish)>,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) tries: usize,
    pub(super) until: Option<Instant>,
    /// For `100 Continue`.
    pub(super) waits: bool,
    pub(super) may_repeat: bool,
    pub(super) is_answered: bool,
    /// It is dropped last: it clears the passage only if nothing else holds it.
    pub(super) scratch: Lease<'h, Scratch<B>>,
}

impl<B: Send> Drop for Ready<'_, B> {
    fn drop(&mut self) {
        // In memory that is pooled, what nobody asks for any more would stay: the request, and with its body the client's
        // connection.
        if !self.is_answered {
            self.scratch.asking.give_up();
            self.passage.clear();
        }
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "nearly every request is of the large one, and a box would be an allocation"
)]
pub(super) enum Made<'h, B: Send> {
    Ready(Ready<'h, B>),
    /// No upstream is asked.
    Over(Option<Result<Response<Body>, Error>>),
}

impl<B: Sendable> Hop<B> {
    pub(super) fn make_ready<'h>(
        &'h self,
        pick: &impl Pick,
        request: Parts,
        body: B,
        sender: &impl Sender,
    ) -> Made<'h, B> {
        self.read(pick, request, body, sender).unwrap_or_else(|error| Made::Over(Some(Err(error))))
    }

    /// Checks the request and makes it that of this hop, or gives the reply that needs no upstream.
    fn read<'h>(
        &'h self,
        pick: &impl Pick,
        mut request: Parts,
        body: B,
        sender: &impl Sender,
    ) -> Result<Made<'h, B>, Error> {
        let limits = &self.settings.limits;
        let until = limits.whole.map(|whole| later(Instant::now(), whole));
        let mut scratch = self.scratches.get();
        let Scratch { text, kept, passage, .. } = &mut *scratch;
        text.make_room();

        if request.headers.len() > limits.fields {
            return Err(BadRequest::Fields.into());
        }
        let present = Present::of(&request.headers);
        framing::check_request(&request, present)?;
        let target = target::read(&request, text)?;
        if present.has(Present::VIA) && self.settings.via.is_in(&request.headers) {
            return Err(Error::Loop);
        }
        if let Some(reply) = answer::answer(&mut request)? {
            return Ok(Made::Over(Some(Ok(reply))));
        }
        if body.size_hint().lower() > limits.body {
            return Err(Error::TooLarge);
        }
        let has_body = !body.is_end_stream();
        let waits = present.has(Present::EXPECT) && expects_continue(&request, has_body)?;
        let tunnels = self.settings.tunnels.as_ref();
        let wish = tunnels.and_then(|tunnels| Some((tunnels, Wish::of(&mut request, present, has_body)?)));
        self.compose(&mut request, present, target.host.as_ref(), sender, text)?;
        framing::frame_request(&mut request, present, &body);
        if let Some((_, wish)) = &wish {
            wish.say(&mut request.headers);
        }
        if waits {
            request.headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        }

        let method = request.method.clone();
        let tries = pick.tries(&request);
        let may_repeat = method.is_safe() || tries > 1;
        kept.keep(&request.headers, may_repeat);
        // The pick sees the same request each time. The memory is shared.
        let uri = if may_repeat { request.uri.clone() } else { Uri::default() };
        let passage = Passage::renew(passage, body);
        let head = Some(request);
        let is_answered = false;
        Ok(Made::Ready(Ready {
            scratch,
            head,
            passage,
            target,
            wish,
            method,
            uri,
            tries,
            until,
            waits,
            may_repeat,
            is_answered,
        }))
    }

    /// Rewrites the head in place, except for the parts that depend on the upstream.
    fn compose(
        &self,
        request: &mut Parts,
        present: Present,
        host: Option<&HeaderValue>,
        sender: &impl Sender,
        text: &mut Text,
    ) -> Result<(), Error> {
        let Settings { reserved, via, .. } = &self.settings;
        let headers = &mut request.headers;
        let trailers = present.has(Present::TE) && fields::accepts_trailers(headers);
        fields::remove_hop_by_hop(headers, present);
        if present.has(Present::EXPECT) {
            headers.remove(EXPECT);
        }
        if trailers {
            fields::accept_trailers(headers);
        }
        if present.has(Present::COOKIE) {
            fields::join_cookies(headers, text);
        }
        forwarded::add(headers, present, reserved, sender.client(), host, text);
        let mut statements = Statements::new(headers, reserved, text);
        sender.state(&mut statements)?;
        statements.end();
        via.add(headers, request.version);
        request.version = Version::HTTP_11;
        // The server's notes for itself would mean something else to the upstream's client.
        request.extensions.clear();
        Ok(())
    }
}

/// Addresses the request to this upstream.
pub(super) fn address(
    request: &mut Parts,
    upstream: &Upstream,
    target: &Target,
    keeps_host: bool,
) -> Result<(), BadRequest> {
    let host = match &target.host {
        Some(host) if keeps_host => host.clone(),
        _ => upstream.host(),
    };
    let path = || target.path.clone().or_else(|| request.uri.path_and_query().cloned());
    match (upstream.speaks(), &target.path) {
        // Over HTTP/1.1 only the path and the query are sent.
        (Speaks::Http1, None) => {}
        (Speaks::Http1, Some(path)) => request.uri = Uri::from(path.clone()),
        _ => {
            let uri = path().and_then(|path| upstream.uri(path).ok());
            request.uri = uri.ok_or(BadRequest::Target)?;
        }
    }
    // Over HTTP/2 the host is in the target. A `Host` field that differs would be malformed (RFC 9113, 8.3.1).
    if upstream.speaks() == Speaks::Http2 {
        request.version = Version::HTTP_2;
        request.headers.remove(HOST);
    } else {
        request.headers.insert(HOST, host);
    }
    Ok(())
}

/// Whether the client waits for `100 Continue` before it sends its body. HTTP/1.0 knows no expectations (RFC 9110, 10.1.1).
fn expects_continue(request: &Parts, has_body: bool) -> Result<bool, BadRequest> {
    if request.version == Version::HTTP_10 {
        return Ok(false);
    }
    let mut expectations = request.headers.get_all(EXPECT).iter().flat_map(|line| words::words(line.as_bytes()));
    if !expectations.all(|expectation| expectation.eq_ignore_ascii_case(b"100-continue")) {
        return Err(BadRequest::Expectation);
    }
    Ok(has_body && request.headers.contains_key(EXPECT))
}
