//! [`Hop`]: a request that comes, and one that goes on; the way of every forwarding node.

use core::pin::pin;
use std::sync::Arc;

use ::hyper::body::Incoming;
use http::header::{EXPECT, HOST};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use tokio::time::{Instant, sleep_until};

use super::Sendable;
use super::answered::{Answered, is_stream_of_events};
use super::body::{Body, Relay};
use super::connections::{Connections, Link};
use super::error::{BadReply, BadRequest, Error};
use super::fault::{self, TurnedAway};
use super::identity::{Sender, Statements};
use super::kept::Scratch;
use super::pace::{Pace, later};
use super::pick::{Outcome, Pick, Turn};
use super::settings::Settings;
use super::text::Text;
use super::tunnel::{Opening, Tunnels};
use super::upgrade::{self, Wish};
use super::upload::{Passage, Upload};
use super::upstream::{Speaks, Upstream};
use super::{answer, fields, forwarded, framing, target, words};
use crate::Pool;
use crate::framing::Asked;

/// What a forwarding node has, whoever picks.
pub(super) struct Hop<B: Send> {
    pub(super) settings: Settings,
    pub(super) connections: Arc<Connections<B>>,
    scratches: Pool<Scratch<B>>,
}

impl<B: Sendable> Hop<B> {
    pub(super) fn new(settings: Settings) -> Self {
        let connections = Connections::new(
            &settings.limits,
            #[cfg(feature = "rustls")]
            settings.tls.clone().map(|tls| tls.connector(settings.keeps_host)),
        );
        Self { settings, connections: Arc::new(connections), scratches: Pool::default() }
    }

    /// Sends the request to who is picked, until there is the head of a reply.
    pub(super) async fn pass_on<'p, P: Pick>(
        &self,
        pick: &'p P,
        mut request: Parts,
        body: B,
        sender: &impl Sender,
    ) -> Result<Answered<P::Turn<'p>>, Error> {
        let limits = &self.settings.limits;
        let until = limits.whole.map(|whole| later(Instant::now(), whole));
        let mut scratch = self.scratches.get();
        let Scratch { text, kept, passage } = &mut *scratch;
        text.make_room();

        if request.headers.len() > limits.fields {
            return Err(BadRequest::Fields.into());
        }
        framing::check_request(&request)?;
        let target = target::read(&request, text)?;
        if self.settings.via.is_in(&request.headers) {
            return Err(Error::Loop);
        }
        if let Some(reply) = answer::answer(&mut request)? {
            return Ok(Answered { reply, opening: None, turn: None });
        }
        if body.size_hint().lower() > limits.body {
            return Err(Error::TooLarge);
        }
        let has_body = !body.is_end_stream();
        let waits = expects_continue(&request, has_body)?;
        let wish =
            self.settings.tunnels.as_ref().and_then(|tunnels| Some((tunnels, Wish::of(&mut request, has_body)?)));
        self.compose(&mut request, target.host.as_ref(), sender, text)?;
        framing::frame_request(&mut request, &body);
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
        // Who picks sees the same request each time. Its memory is shared.
        let uri = if may_repeat { request.uri.clone() } else { Uri::default() };
        let passage = Passage::renew(passage, body);
        let mut head = Some(request);
        let (mut tried, mut refused, mut refusals) = (P::Tried::default(), None, 0);
        // Whose connection was closed just then, and who is asked anew.
        let mut stale = None;
        let (mut reply, turn) = loop {
            let mut request = match head.take() {
                Some(request) => request,
                None => kept.again(&method, &uri),
            };
            let anew = stale.is_some();
            let Some(turn) = stale.take().or_else(|| pick.pick(&request, &mut tried)) else {
                return Err(refused.unwrap_or(Error::NoUpstream));
            };
            let speaks = turn.upstream().speaks();
            let (path, host, keeps_host) = (target.path.clone(), target.host.as_ref(), self.settings.keeps_host);
            if let Err(error) = address(&mut request, turn.upstream(), path, host, keeps_host) {
                turn.ended(Outcome::Client);
                return Err(error);
            }
            let upload =
                Upload::new(&passage, &self.settings.reserved, limits, until, waits && speaks == Speaks::Http1);
            let mut request = Request::from_parts(request, upload);
            if waits {
                let passage = Arc::clone(&passage);
                ::hyper::ext::on_informational(&mut request, move |interim| {
                    if interim.status() == StatusCode::CONTINUE {
                        passage.go_on();
                    }
                });
            }
            match self.ask(turn.upstream(), request, &passage, until, anew).await {
                Ok(reply) => break (reply, turn),
                Err(Failed { error, outcome, is_stale }) => {
                    let is_untouched = passage.is_untouched() && may_repeat;
                    // The upstream closed a connection that it had kept open, just then: it is not in trouble.
                    let may_be_seen = matches!(error, Error::Broken(_));
                    if is_stale && !anew && is_untouched && (method.is_safe() || !may_be_seen) {
                        stale = Some(turn);
                        continue;
                    }
                    turn.ended(outcome);
                    refusals += 1;
                    if matches!(error, Error::Refused(_)) && is_untouched && refusals < tries {
                        refused = Some(error);
                        continue;
                    }
                    return Err(error);
                }
            }
        };
        let link = reply.extensions_mut().remove::<Link>();
        if let Some(link) = &link {
            link.served();
        }
        let status = reply.status();
        match self.give(reply, &method, wish, until) {
            Ok((reply, opening)) => {
                let outcome = Outcome::Replied { status, ok: self.settings.is_ok(status) };
                Ok(Answered { reply, opening, turn: Some((turn, outcome)) })
            }
            Err(error) => {
                turn.ended(error.outcome());
                // What comes by this connection after that is nothing that another request's reply may begin with.
                if let Some(link) = &link {
                    link.poison();
                }
                Err(error)
            }
        }
    }

    /// Rewrites the head where it stands, but for what depends on the upstream.
    fn compose(
        &self,
        request: &mut Parts,
        host: Option<&HeaderValue>,
        sender: &impl Sender,
        text: &mut Text,
    ) -> Result<(), Error> {
        let Settings { reserved, via, .. } = &self.settings;
        let headers = &mut request.headers;
        let trailers = fields::accepts_trailers(headers);
        fields::remove_hop_by_hop(headers);
        headers.remove(EXPECT);
        if trailers {
            fields::accept_trailers(headers);
        }
        fields::join_cookies(headers, text);
        let client = sender.client();
        let peer = client.peer().map(|peer| peer.ip().to_canonical());
        forwarded::add(headers, reserved, peer, host, client.scheme(), text);
        sender.state(&mut Statements { headers, reserved, text })?;
        via.add(headers, request.version);
        request.version = Version::HTTP_11;
        // What the server noted for itself means something else to the client.
        request.extensions.clear();
        Ok(())
    }

    /// Sends the request and waits for the head of the reply, as long as something moves; `anew`, on a connection that was not there before.
    async fn ask(
        &self,
        upstream: &Upstream,
        request: Request<Upload<B>>,
        passage: &Passage<B>,
        until: Option<Instant>,
        anew: bool,
    ) -> Result<Response<Incoming>, Failed> {
        let patience = self.settings.limits.first_byte;
        let mut reply = self.connections.send(upstream, request, anew);
        let by = || {
            let by = later(passage.last(), patience);
            until.map_or(by, |until| by.min(until))
        };
        let mut timer = pin!(sleep_until(by()));
        loop {
            tokio::select! {
                biased;
                reply = &mut reply => return reply.map_err(|error| match passage.fault() {
                    // Of what is too slow, too, it is the client that was waited for.
                    Some(error) => Failed { outcome: Outcome::Client, ..Failed::new(error) },
                    None => Failed::from(error),
                }),
                () = &mut timer => {
                    let (now, by) = (Instant::now(), by());
                    if by <= now {
                        let (is_over, is_starved) = (until.is_some_and(|until| until <= now), passage.is_starved());
                        let failed = Failed::new(match (is_over, is_starved) {
                            (true, _) => Error::Expired,
                            (false, true) => Error::SlowClient,
                            (false, false) => Error::Silent,
                        });
                        return Err(if is_starved { Failed { outcome: Outcome::Client, ..failed } } else { failed });
                    }
                    // While the body went on, so did the clock.
                    timer.as_mut().reset(by);
                }
            }
        }
    }

    /// Makes the reply for the client of the upstream's.
    fn give(
        &self,
        reply: Response<Incoming>,
        method: &Method,
        wish: Option<(&Tunnels, Wish)>,
        until: Option<Instant>,
    ) -> Result<(Response<Body>, Option<Opening>), Error> {
        let Settings { limits, reserved, via, .. } = &self.settings;
        let (mut head, incoming) = reply.into_parts();
        framing::check_reply(&mut head, method)?;
        let spoken = head.version;
        let granted = wish.as_ref().and_then(|(_, wish)| wish.granted(&head.headers));
        fields::remove_hop_by_hop(&mut head.headers);
        via.add(&mut head.headers, spoken);
        head.version = Version::HTTP_11;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            let upstream = head.extensions.remove::<::hyper::upgrade::OnUpgrade>();
            let (Some((tunnels, wish)), Some(protocol), Some(upstream)) = (wish, granted, upstream) else {
                return Err(BadReply::Switch.into());
            };
            let place = tunnels.place().ok_or(Error::Tunnels)?;
            let told = crate::tailed::Tunnel::default();
            upgrade::say_granted(&mut head.headers, protocol);
            head.extensions.clear();
            head.extensions.insert(told.clone());
            let opening = Opening { place, client: wish.client, upstream, told };
            return Ok((Response::from_parts(head, Body::empty()), Some(opening)));
        }
        head.extensions.clear();
        if !Asked::new(method, spoken).has_content(head.status) {
            return Ok((Response::from_parts(head, Body::empty()), None));
        }
        let rate = limits.download.filter(|_| !is_stream_of_events(&head.headers));
        let pace = Pace::new(limits.silence, rate, until);
        let relay = Relay::new(incoming, Arc::clone(reserved), pace);
        Ok((Response::from_parts(head, Body::relayed(relay)), None))
    }
}

/// Says for which upstream it is.
pub(super) fn address(
    request: &mut Parts,
    upstream: &Upstream,
    path: PathAndQuery,
    host: Option<&HeaderValue>,
    keeps_host: bool,
) -> Result<(), Error> {
    let host = match host {
        Some(host) if keeps_host => host.clone(),
        _ => upstream.host(),
    };
    request.headers.insert(HOST, host);
    request.uri = upstream.uri(path).map_err(|_| BadRequest::Target)?;
    // Over HTTP/2 the host is said in the target; a field beside it that differs would be malformed (RFC 9113, 8.3.1).
    if upstream.speaks() == Speaks::Http2 {
        request.version = Version::HTTP_2;
        request.headers.remove(HOST);
    }
    Ok(())
}

/// Why a try gave no reply.
struct Failed {
    error: Error,
    /// What that says about the upstream.
    outcome: Outcome,
    /// The connection had been kept from before, and its end may have to do with that.
    is_stale: bool,
}

impl Failed {
    const fn new(error: Error) -> Self {
        Self { outcome: error.outcome(), error, is_stale: false }
    }
}

impl From<hyper_util::client::legacy::Error> for Failed {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let (was_kept, turned_away) = (fault::was_kept(&error), fault::turned_away(&error));
        let error = fault::failed(error);
        let is_stale = was_kept && (turned_away == Some(TurnedAway::GoAway) || matches!(error, Error::Broken(_)));
        // Whoever closes a connection that was of use is not in trouble for that.
        let outcome = if is_stale && turned_away.is_some() { Outcome::Client } else { error.outcome() };
        Self { error, outcome, is_stale }
    }
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
