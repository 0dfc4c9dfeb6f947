//! [`Hop`]: takes a request and sends it on. All forwarding nodes work in this way.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Poll, ready};
use std::sync::Arc;

use ::hyper::body::Incoming;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use tokio::time::Instant;

use super::Sendable;
use super::answered::{Answered, is_stream_of_events};
use super::body::{Body, Relay};
use super::connections::{Connections, SendError};
use super::error::{BadReply, Error};
use super::fault::{self, TurnedAway};
use super::identity::Sender;
use super::kept::Scratch;
use super::linked::Link;
use super::pace::{Pace, later};
use super::pick::{Outcome, Pick, Turn};
use super::place::Place;
use super::present::Present;
use super::ready::{Made, Ready, address};
use super::settings::Settings;
use super::tunnel::{Opening, Tunnels};
use super::upgrade::{self, Wish};
use super::upload::{Passage, Upload};
use super::upstream::Speaks;
use super::{fields, framing};
use crate::Pool;
use crate::framing::Asked;

/// What every forwarding node has, whatever picks the upstream.
pub(super) struct Hop<B: Send> {
    pub(super) settings: Settings,
    pub(super) connections: Arc<Connections<B>>,
    pub(super) scratches: Pool<Scratch<B>>,
    /// Where upstreams' bodies are while they are passed on.
    relays: Arc<Pool<Place<Relay>>>,
}

impl<B: Sendable> Hop<B> {
    pub(super) fn new(settings: Settings) -> Self {
        let connections = Connections::new(
            &settings.limits,
            #[cfg(feature = "rustls")]
            settings.tls.clone().map(|tls| tls.connector(settings.keeps_host)),
        );
        Self { settings, connections: Arc::new(connections), scratches: Pool::default(), relays: Arc::default() }
    }

    /// Sends the request to the picked upstreams, until there is the head of a reply.
    ///
    /// What is done once is done before the future is made: only what is needed afterwards stands in it, and nothing
    /// twice. It lies in that of the chain, which is moved.
    pub(super) fn pass_on<'p, P: Pick>(
        &'p self,
        pick: &'p P,
        request: Parts,
        body: B,
        sender: &impl Sender,
    ) -> impl Future<Output = Result<Answered<P::Turn<'p>>, Error>> {
        let mut made = self.make_ready(pick, request, body, sender);
        async move {
            let ready = match &mut made {
                Made::Ready(ready) => ready,
                Made::Over(over) => {
                    return over.take().expect("polled only once to its end").map(Answered::of);
                }
            };
            let (mut tried, mut refused, mut refusals) = (P::Tried::default(), None, 0);
            // The upstream that has just closed a kept connection, and is asked again.
            let mut stale = None;
            let ((reply, link), turn) = loop {
                let anew = stale.is_some();
                let turn = match self.send(pick, ready, stale.take(), &mut tried) {
                    Ok(Some(sent)) => sent,
                    Ok(None) => return Err(refused.unwrap_or(Error::NoUpstream)),
                    Err(error) => return Err(error),
                };
                match self.hear(&mut ready.scratch, &ready.passage, ready.until).await {
                    Ok(reply) => break (reply, turn),
                    Err(Failed { error, outcome, is_stale }) => {
                        let is_untouched = ready.passage.is_untouched() && ready.may_repeat;
                        // The upstream has just closed a connection that it had kept open: it is not in trouble.
                        let may_be_seen = matches!(error, Error::Broken(_));
                        if is_stale && !anew && is_untouched && (ready.method.is_safe() || !may_be_seen) {
                            stale = Some(turn);
                            continue;
                        }
                        turn.ended(outcome);
                        refusals += 1;
                        if matches!(error, Error::Refused(_)) && is_untouched && refusals < ready.tries {
                            refused = Some(error);
                            continue;
                        }
                        return Err(error);
                    }
                }
            };
            ready.is_answered = true;
            if let Some(link) = &link {
                link.served();
            }
            let status = reply.status();
            match self.give(reply, &ready.method, ready.wish.take(), ready.until) {
                Ok(mut answered) => {
                    let outcome = Outcome::Replied { status, ok: self.settings.is_ok(status) };
                    answered.turn = Some((turn, outcome));
                    Ok(answered)
                }
                Err(error) => {
                    turn.ended(error.outcome());
                    // Bytes that come by this connection after that must not begin another request's reply.
                    if let Some(link) = &link {
                        link.poison();
                    }
                    Err(error)
                }
            }
        }
    }

    /// Picks an upstream, unless it is given, and sends it the request. `None` if there is no upstream.
    fn send<'p, P: Pick>(
        &self,
        pick: &'p P,
        ready: &mut Ready<'_, B>,
        stale: Option<P::Turn<'p>>,
        tried: &mut P::Tried,
    ) -> Result<Option<P::Turn<'p>>, Error> {
        let Ready { scratch, head, passage, target, method, uri, until, waits, .. } = ready;
        let mut request = match head.take() {
            Some(request) => request,
            None => scratch.kept.again(method, uri),
        };
        let anew = stale.is_some();
        let Some(turn) = stale.or_else(|| pick.pick(&request, tried)) else { return Ok(None) };
        let speaks = turn.upstream().speaks();
        if let Err(error) = address(&mut request, turn.upstream(), target, self.settings.keeps_host) {
            turn.ended(Outcome::Client);
            return Err(error.into());
        }
        let waits_here = *waits && speaks == Speaks::Http1;
        let upload = Upload::new(passage, &self.settings.reserved, &self.settings.limits, *until, waits_here);
        let mut request = Request::from_parts(request, upload);
        if *waits {
            let passage = Arc::clone(passage);
            ::hyper::ext::on_informational(&mut request, move |interim| {
                if interim.status() == StatusCode::CONTINUE {
                    passage.go_on();
                }
            });
        }
        self.connections.send(turn.upstream(), request, anew, &mut scratch.asking);
        Ok(Some(turn))
    }

    /// Waits for the head of the reply, as long as something moves.
    async fn hear(
        &self,
        scratch: &mut Scratch<B>,
        passage: &Passage<B>,
        until: Option<Instant>,
    ) -> Result<(Response<Incoming>, Option<Link>), Failed> {
        let patience = self.settings.limits.first_byte;
        let by = || {
            let by = later(passage.last(), patience);
            until.map_or(by, |until| by.min(until))
        };
        let Scratch { asking, alarm, .. } = scratch;
        let mut due = by();
        poll_fn(|context| {
            if let Poll::Ready(reply) = Pin::new(&mut *asking).poll(context) {
                return Poll::Ready(reply.map_err(|error| match passage.fault() {
                    // If the body is too slow, too, the wait was for the client.
                    Some(error) => Failed { outcome: Outcome::Client, ..Failed::new(error) },
                    None => Failed::from(error),
                }));
            }
            loop {
                ready!(alarm.poll(due, context));
                // While the body moved, the time began anew.
                due = by();
                let now = Instant::now();
                if due <= now {
                    let (is_over, is_starved) = (until.is_some_and(|until| until <= now), passage.is_starved());
                    let failed = Failed::new(match (is_over, is_starved) {
                        (true, _) => Error::Expired,
                        (false, true) => Error::SlowClient,
                        (false, false) => Error::Silent,
                    });
                    let outcome = if is_starved { Outcome::Client } else { failed.outcome };
                    return Poll::Ready(Err(Failed { outcome, ..failed }));
                }
            }
        })
        .await
    }

    /// Turns the upstream's reply into that for the client.
    fn give<T>(
        &self,
        reply: Response<Incoming>,
        method: &Method,
        wish: Option<(&Tunnels, Wish)>,
        until: Option<Instant>,
    ) -> Result<Answered<T>, Error> {
        let Settings { limits, reserved, via, .. } = &self.settings;
        let (mut head, incoming) = reply.into_parts();
        let present = Present::of(&head.headers);
        framing::check_reply(&mut head, present, method)?;
        let spoken = head.version;
        let granted = wish.as_ref().and_then(|(_, wish)| wish.granted(&head.headers));
        fields::remove_hop_by_hop(&mut head.headers, present);
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
            let opening = Some(Opening { place, client: wish.client, upstream, told });
            return Ok(Answered { opening, ..Answered::of(Response::from_parts(head, Body::empty())) });
        }
        head.extensions.clear();
        if !Asked::new(method, spoken).has_content(head.status) {
            return Ok(Answered::of(Response::from_parts(head, Body::empty())));
        }
        let may_last = is_stream_of_events(&head.headers);
        let rate = limits.download.filter(|_| !may_last);
        let pace = Pace::new(limits.silence, rate, until);
        let body = Body::relayed(incoming, reserved, pace, &self.relays);
        Ok(Answered { may_last, ..Answered::of(Response::from_parts(head, body)) })
    }
}

/// Why a try gave no reply.
struct Failed {
    error: Error,
    /// What this says about the upstream.
    outcome: Outcome,
    /// The connection had been kept from before, and its end may be connected with that.
    is_stale: bool,
}

impl Failed {
    const fn new(error: Error) -> Self {
        Self { outcome: error.outcome(), error, is_stale: false }
    }
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        let (was_kept, turned_away) = (fault::was_kept(&error), fault::turned_away(&error));
        let error = fault::failed(error);
        let is_stale = was_kept && (turned_away == Some(TurnedAway::GoAway) || matches!(error, Error::Broken(_)));
        // An upstream that says that it closes a used connection is not in trouble because of that. If it says nothing,
        // it may have died of the request.
        let outcome = if is_stale && turned_away.is_some() { Outcome::Client } else { error.outcome() };
        Self { error, outcome, is_stale }
    }
}
