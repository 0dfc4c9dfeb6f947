//! Forwarding nodes for which an earlier node has picked the upstream.

use http::Response;
use http::request::Parts;

use super::body::Body;
use super::error::Error;
use super::hop::Hop;
use super::identity::Sender;
use super::leased::Leased;
use super::pick::Pick;
use super::settings::Settings;
use super::upstream::Upstream;
use super::{Forward, Repeatable, Sendable};
use crate::node;
use crate::upstream::Lease;

/// Stands in the place of the pick if an earlier node picks. A [`Forward`] and a [`Repeatable`] then borrow the
/// [`Lease`] that the node provides, ask its upstream once, and report how that ended.
///
/// This is for chains that do more than pick: by a key of the request ([`PickBy`](crate::upstream::PickBy)), or in a
/// block that runs again and asks another member ([`Untried`](crate::upstream::Untried)). It needs the feature
/// `upstream`.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chain_runtime::around::{Deadline, Retry};
/// use chain_runtime::proxy::{Body, ByLease, Client, Forward, Repeatable, Settings, Upstream, idempotent, is_unseen, worth_repeating};
/// use chain_runtime::upstream::{Member, PeakEwma, Pick, Registry, Untried, tried};
/// use chain_runtime::{IntoReply, around::Expired, chain};
/// use http::{Response, request::Parts};
/// use http_body_util::Full;
///
/// type Payload = Full<bytes::Bytes>;
/// # #[derive(Debug)]
/// struct Reply(Response<Body>);
/// # impl IntoReply<Reply> for Response<Body> { fn into_reply(self) -> Reply { Reply(self) } }
/// # impl IntoReply<Reply> for chain_runtime::proxy::Error { fn into_reply(self) -> Reply { Reply(self.into_reply()) } }
/// # impl IntoReply<Reply> for chain_runtime::upstream::NoUpstream { fn into_reply(self) -> Reply { Reply(self.into_reply()) } }
/// # impl IntoReply<Reply> for Expired { fn into_reply(self) -> Reply { Reply(Response::builder().status(504).body(Body::empty()).unwrap()) } }
///
/// chain! {
///     /// An idempotent request is tried again after a failure, any other one only if no upstream has seen it.
///     struct Proxy {
///         again: Retry<fn(&Reply) -> bool>,
///         again_unseen: Retry<fn(&Reply) -> bool>,
///         attempt: Deadline,
///         pick: Untried<Pick<Upstream>>,
///         forward: Repeatable<ByLease, Payload>,
///     }
///
///     async fn(request: Parts, body: Payload, client: Client) -> Reply {
///         tried => if idempotent { again { attempt { pick => forward } } } else { again_unseen { attempt { pick => forward } } }
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let registry = Arc::new(Registry::new());
/// // No server listens at either.
/// for port in [1, 2] {
///     let upstream: Upstream = format!("http://127.0.0.1:{port}").parse()?;
///     registry.register(Member::new(format!("port-{port}"), upstream), Duration::MAX)?;
/// }
/// let proxy = Proxy {
///     again: Retry::new((|reply: &Reply| worth_repeating(&reply.0)) as fn(&Reply) -> bool).attempts(2),
///     again_unseen: Retry::new((|reply: &Reply| is_unseen(&reply.0)) as fn(&Reply) -> bool).attempts(2),
///     attempt: Deadline::within(Duration::from_secs(1)),
///     pick: Pick::new(Arc::clone(&registry), PeakEwma::new()).untried(),
///     forward: Forward::leased(Settings::default()).repeatable(1 << 20),
/// };
/// let request = http::Request::post("/").header("host", "a.example").body(()).unwrap().into_parts().0;
/// let reply = proxy.run(request, Payload::from("something"), Client::unknown()).await;
/// assert_eq!(reply.0.status(), 502);
/// let snapshot = registry.snapshot();
/// assert!(snapshot.members().iter().all(|member| member.seat().totals().failed == 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ByLease;

/// A lease that is already there picks its member, once. A type of its own that borrows the lease would have a
/// lifetime, and rustc does not see that a chain with such a type is `Send`.
impl Pick for Lease<Upstream> {
    type Turn<'a> = Leased<&'a Self>;
    type Tried = ();

    fn pick(&self, _: &Parts, (): &mut ()) -> Option<Leased<&Self>> {
        Some(Leased::new(self))
    }

    fn tries(&self, _: &Parts) -> usize {
        1
    }
}

impl<B: Sendable, S: Sender> Forward<ByLease, B, S> {
    /// Forwards to the upstream of the lease that an earlier node provides.
    #[must_use]
    pub fn leased(settings: Settings) -> Self {
        Self { pick: ByLease, hop: Hop::new(settings), senders: core::marker::PhantomData }
    }
}

#[node(crate = crate)]
impl<B: Sendable, S: Sender> Forward<ByLease, B, S> {
    /// Passes the request on. See [`Forward`].
    ///
    /// # Errors
    ///
    /// The reason why there is no reply. The client can be told, except for [`Error::Gone`].
    pub async fn enter(
        &self,
        request: Parts,
        body: B,
        sender: &S,
        lease: &Lease<Upstream>,
    ) -> Result<Response<Body>, Error> {
        Ok(self.hop.pass_on(lease, request, body, sender).await?.go())
    }
}

#[node(crate = crate)]
impl<B: Sendable + Clone, S: Sender> Repeatable<ByLease, B, S> {
    /// Passes the request on. See [`Repeatable`].
    ///
    /// # Errors
    ///
    /// The reason why there is no reply, or no complete one.
    pub async fn enter(
        &self,
        request: &Parts,
        body: &B,
        sender: &S,
        lease: &Lease<Upstream>,
    ) -> Result<Response<Body>, Error> {
        self.pass_on(lease, request, body, sender).await
    }
}
