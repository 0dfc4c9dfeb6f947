//! The same nodes, called by hand: in a row, with `?`.

use http::{HeaderMap, Method, StatusCode, Uri};

use crate::nodes::*;

/// Leaves however the request ends.
pub(crate) struct Inside<'r>(&'r InFlight);

impl<'r> Inside<'r> {
    pub(crate) fn new(in_flight: &'r InFlight) -> Self {
        in_flight.enter();
        Self(in_flight)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.exit();
    }
}

pub(crate) async fn run(
    gateway: &Gateway,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    visit: &mut Visit,
) -> StatusCode {
    let _inside = Inside::new(&gateway.in_flight);
    let started = gateway.log.enter();
    let reply = match served(gateway, method, uri, headers, visit).await {
        Ok(reply) | Err(Refused(reply)) => reply,
    };
    gateway.log.exit(&started, &reply);
    reply
}

async fn served(
    gateway: &Gateway,
    http_method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    visit: &mut Visit,
) -> Result<StatusCode, Refused> {
    let Gateway { ids, denied, users, limiter, routes, flags, store, breaker, .. } = gateway;
    let id = request_id(ids);
    methods(http_method)?;
    short(uri)?;
    field::<0>(headers)?;
    field::<1>(headers)?;
    field::<2>(headers)?;
    field::<3>(headers)?;
    field::<4>(headers)?;
    field::<5>(headers)?;
    field::<6>(headers)?;
    field::<7>(headers)?;
    size(headers)?;
    let client = client(headers);
    deny(&client, denied)?;
    let trace = trace(headers, &id);
    let key = key(headers)?;
    let user = user(&key, users, store).await?;
    let tenant = tenant(&user);
    quota(&tenant, limiter, store).await?;
    let route = route(uri, routes)?;
    allowed(&route, &tenant, routes)?;
    let encoding = encoding(headers);
    let language = language(headers);
    let key = cache_key(uri, &encoding, &language, &tenant);
    let cached = cached(&key, store).await;
    let features = rollout(&tenant, flags);
    let features = feature::<1, 0>(&features, flags);
    let features = feature::<2, 1>(&features, flags);
    let features = feature::<3, 2>(&features, flags);
    let features = feature::<4, 3>(&features, flags);
    let features = feature::<5, 4>(&features, flags);
    let upstream = upstream(&route, &key, &cached, &features, store).await;
    breaker.enter(&upstream)?;
    let reply = answer(store).await;
    tell(&mut visit.headers, id, trace, upstream);
    breaker.exit(&upstream, &reply);
    Ok(reply)
}
