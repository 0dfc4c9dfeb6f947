//! [`Registrar`]: the registry's own small HTTP interface.

mod asked;
mod told;

use core::fmt;
use core::time::Duration;
use std::boxed::Box;
use std::string::{String, ToString as _};
use std::sync::Arc;

use http::request::Parts;
use http::{Method, Response};

use self::asked::{Named, Registering, after, read};
use self::told::{Draining, Members, Registered, Wrong, etag, is_known, json, nothing, unchanged};
use super::member::{Member, Refused, Registration};
use super::registry::Registry;

/// The registry's own small HTTP interface, by which services register themselves and operators drain them. It works
/// with any chain and any server.
///
/// **It does not authenticate anyone.** A client that reaches it decides where requests go, so it has to stand behind
/// something that authenticates: on the operator's address, behind a token, as in the example `gateway`
/// (`examples/gateway/admin/door.rs`). Requests that come from a browser there have to be of the same site, too.
///
/// [`answer`](Self::answer) is given the rest of the path after the place where it is mounted:
///
/// | request | with | reply |
/// | --- | --- | --- |
/// | `POST register` | `{"name": .., "endpoint": .., "zone": .., "weight": .., "metadata": {..}, "lease_ms": ..}` | 201, `{"name": .., "generation": .., "lease_ms": ..}` |
/// | `POST heartbeat` | `{"name": .., "generation": ..}` | 204: the lease ends when its whole length has passed from now |
/// | `POST drain` | `{"name": .., "generation": ..}` | 200, `{"in_flight": ..}`: no new requests begin there. It may be sent again until nothing is in flight |
/// | `POST remove` | `{"name": .., "generation": ..}` | 204 |
/// | `GET members`, `HEAD members` | `?after=NAME` for those whose names are greater | 200, `{"version": .., "is_panic": .., "members": [..], "next": ..}` with an `ETag`; 304 if `If-None-Match` has it. At most 1,000 members; if there are more, `next` is the last one's name |
///
/// The fields of a member:
///
/// | field | |
/// | --- | --- |
/// | `name` | 1 to 255 bytes without whitespace and control characters |
/// | `endpoint` | the text for the function with which the registrar was made, at most 1,024 bytes; the default is the name |
/// | `zone` | like a name; it may be left out |
/// | `weight` | a whole number from 1 to 65,535; the default is 1 |
/// | `metadata` | at most 32 entries. A key is like a name, of up to 64 bytes; a value has up to 256 without control characters |
/// | `lease_ms` | a whole number of milliseconds, [within limits](Self::leases) |
///
/// No other fields are allowed, and none twice.
///
/// A reply that is not a 2xx or 304 is `{"code": .., "field": .., "detail": ..}`. `field` is the place of the mistake
/// in the body, or `null`; `detail` is readable text.
///
/// | code | status | where |
/// | --- | --- | --- |
/// | `not-found` | 404 | there is no such path |
/// | `method` | 405, with `Allow` | the path has another method |
/// | `json-wanted` | 415 | the body is of another type than `application/json` |
/// | `body-too-large` | 413 | the body is larger than [`BODY`](Self::BODY) |
/// | `json-malformed` | 400 | the body is no JSON, or no UTF-8 |
/// | `json-unexpected` | 422 | it is JSON, but `field` has the wrong value |
/// | `superseded` | 409 | the name was registered anew meanwhile, by another service or by another run of the same one |
/// | `gone` | 410 | the lease expired, or the member was removed. It may register anew |
/// | `full` | 503 | there are as many members as the registry has room for |
///
/// A late heartbeat does not revive a member: 409 and 410 say which of the two happened, and nothing was changed.
///
/// ```
/// use std::net::SocketAddr;
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use chain_runtime::upstream::{Registrar, Registry};
/// use chain_runtime::{chain, node};
/// use http::request::Parts;
/// use http::{Request, Response};
///
/// #[node]
/// fn registers(request: &Parts, body: &Bytes, registrar: &Registrar<SocketAddr>) -> Response<String> {
///     let action = request.uri.path().strip_prefix("/registry/").unwrap_or_default();
///     registrar.answer(action, request, body)
/// }
///
/// chain! {
///     /// It stands behind nodes that authenticate.
///     struct Admin { registrar: Registrar<SocketAddr> }
///     fn(request: Parts, body: Bytes) -> Response<String> { registers }
/// }
///
/// let registry = Arc::new(Registry::new());
/// let admin = Admin { registrar: Registrar::new(Arc::clone(&registry), |text| text.parse::<SocketAddr>()) };
/// let ask = |action: &str, body: &'static str| {
///     let request = Request::post(format!("/registry/{action}")).header("content-type", "application/json");
///     admin.run(request.body(()).unwrap().into_parts().0, Bytes::from_static(body.as_bytes()))
/// };
///
/// let reply = ask("register", r#"{"name": "10.0.0.7:8080", "weight": 3}"#);
/// assert_eq!(reply.status(), 201);
/// assert_eq!(registry.snapshot().get("10.0.0.7:8080").unwrap().weight().get(), 3);
///
/// let reply = ask("register", r#"{"name": "orders", "endpoint": "nowhere"}"#);
/// assert_eq!(reply.status(), 422);
/// assert!(reply.body().starts_with(r#"{"code":"json-unexpected","field":"endpoint","#));
///
/// let reply = ask("heartbeat", r#"{"name": "10.0.0.7:8080", "generation": 1}"#);
/// assert_eq!(reply.status(), 409);
/// ```
///
/// Leases end if a task [keeps](Registry::keep) the registry.
pub struct Registrar<T> {
    registry: Arc<Registry<T>>,
    endpoint: Box<ReadEndpoint<T>>,
    least: Duration,
    usual: Duration,
    most: Duration,
}

type ReadEndpoint<T> = dyn Fn(&str) -> Result<T, String> + Send + Sync;

impl<T> Registrar<T> {
    /// The largest body that is read, in bytes: the server in front of it need not accept more.
    pub const BODY: usize = 16 << 10;

    /// An interface to this registry. `endpoint` makes an endpoint of a text. It keeps no state, so it may be made anew
    /// for each request.
    ///
    /// Leases last from 1 second to 5 minutes; the default is 15 seconds.
    pub fn new<E: fmt::Display>(
        registry: Arc<Registry<T>>,
        endpoint: impl Fn(&str) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self {
        Self {
            registry,
            endpoint: Box::new(move |text| endpoint(text).map_err(|error| error.to_string())),
            least: Duration::from_secs(1),
            usual: Duration::from_secs(15),
            most: Duration::from_secs(300),
        }
    }

    /// Sets the shortest lease, the default one, and the longest one.
    ///
    /// # Panics
    ///
    /// If they are not in this order, or the shortest is under a millisecond.
    #[must_use]
    pub fn leases(mut self, least: Duration, usual: Duration, most: Duration) -> Self {
        assert!(
            Duration::from_millis(1) <= least && least <= usual && usual <= most,
            "the shortest, the usual, the longest"
        );
        (self.least, self.usual, self.most) = (least, usual, most);
        self
    }

    /// The registry.
    #[must_use]
    pub const fn registry(&self) -> &Arc<Registry<T>> {
        &self.registry
    }
}

impl<T: fmt::Display> Registrar<T> {
    /// The reply to a request. `action` is the rest of its path after the place where this is mounted: `register`. It
    /// waits only for the registry's lock.
    pub fn answer(&self, action: &str, request: &Parts, body: &[u8]) -> Response<String> {
        let reply = match action.trim_start_matches('/') {
            "register" => posted(request, body).and_then(|()| self.register(&read(body)?)),
            "heartbeat" => self.named(request, body, |registration| {
                self.registry.heartbeat(registration).map_err(|_| self.gone(registration))?;
                Ok(nothing())
            }),
            "drain" => self.named(request, body, |registration| {
                self.registry.drain(registration).map_err(|_| self.gone(registration))?;
                let seat = self.registry.lock().book.seat(registration);
                Ok(json(http::StatusCode::OK, &Draining { in_flight: seat.map_or(0, |seat| seat.in_flight()) }))
            }),
            "remove" => self.named(request, body, |registration| {
                self.registry.remove(registration).map_err(|_| self.gone(registration))?;
                Ok(nothing())
            }),
            "members" => self.members(request),
            _ => Err(Wrong::path()),
        };
        reply.unwrap_or_else(|wrong| wrong.reply())
    }

    fn register(&self, asked: &Registering) -> Result<Response<String>, Wrong> {
        let name = asked.name()?;
        let lease = asked.lease(self.least, self.usual, self.most)?;
        let endpoint = asked.endpoint(&*self.endpoint)?;
        let member = Member {
            zone: asked.zone()?,
            weight: asked.weight()?,
            metadata: asked.metadata(),
            ..Member::new(name, endpoint)
        };
        let registration = self.registry.register(member, lease).map_err(|refused| match refused {
            Refused::Full { .. } => Wrong::full(&refused),
            Refused::Name(_) | Refused::Twice(_) => Wrong::field("name", &refused),
        })?;
        Ok(json(http::StatusCode::CREATED, &Registered::of(&registration, lease)))
    }

    /// Applies this to the registration that the body names.
    fn named(
        &self,
        request: &Parts,
        body: &[u8],
        answer: impl FnOnce(&Registration) -> Result<Response<String>, Wrong>,
    ) -> Result<Response<String>, Wrong> {
        posted(request, body)?;
        answer(&read::<Named>(body)?.registration()?)
    }

    /// Why there is no such registration. Nothing is decided by this, so it may be another reason a moment later.
    fn gone(&self, registration: &Registration) -> Wrong {
        Wrong::gone(registration, self.registry.lock().book.has(&registration.name))
    }

    fn members(&self, request: &Parts) -> Result<Response<String>, Wrong> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Wrong::method("GET, HEAD"));
        }
        let after = after(request.uri.query())?;
        let snapshot = self.registry.snapshot().keep();
        let tag = etag(self.registry.shared.tag, snapshot.version());
        Ok(if is_known(&request.headers, &tag) {
            unchanged(tag)
        } else {
            Members::of(&snapshot, after.as_deref()).reply(tag)
        })
    }
}

/// Whether the request is a `POST` with a body that can be read here.
fn posted(request: &Parts, body: &[u8]) -> Result<(), Wrong> {
    if request.method != Method::POST {
        Err(Wrong::method("POST"))
    } else if !crate::nodes::json::is_json(&request.headers) {
        Err(Wrong::kind())
    } else if body.len() > Registrar::<()>::BODY {
        Err(Wrong::size(Registrar::<()>::BODY))
    } else {
        Ok(())
    }
}

impl<T> fmt::Debug for Registrar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, usual, most, .. } = self;
        f.debug_struct("Registrar").field("leases", &(least, usual, most)).finish_non_exhaustive()
    }
}
