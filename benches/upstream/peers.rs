//! The balancers with which `upstream` is compared, on the same work as far as they do it.

use std::future::{Future, Ready, ready};
use std::hint::black_box;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[cfg(chain_pingora)]
use pingora_load_balancing::{LoadBalancer, selection};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PeakEwma};
use tower::{BoxError, Service};

use crate::{Contestant, Serve, Shared};

const TOWER: [Contestant; 2] = [
    ("tower, p2c with PeakEwma, in a mutex", |members| Box::new(InMutex(Mutex::new(tower(members))))),
    ("tower, p2c with PeakEwma, one for each thread", |members| Box::new(OneEach(members))),
];

#[cfg(not(chain_pingora))]
const PINGORA: [Contestant; 0] = [];

#[cfg(chain_pingora)]
const PINGORA: [Contestant; 3] = [
    ("pingora, round robin", |members| pingora::<selection::RoundRobin>(members)),
    ("pingora, random", |members| pingora::<selection::Random>(members)),
    ("pingora, ketama", |members| pingora::<selection::Consistent>(members)),
];

pub(crate) fn peers() -> impl Iterator<Item = Contestant> {
    TOWER.into_iter().chain(PINGORA)
}

/// A member that answers at once with its number.
struct Answers(usize);

impl Service<()> for Answers {
    type Response = usize;
    type Error = BoxError;
    type Future = Ready<Result<usize, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(self.0))
    }
}

type Tower = Balance<ServiceList<Vec<PeakEwma<Answers>>>, ()>;

fn tower(members: usize) -> Tower {
    // As our own: ten seconds until what was seen falls to 1/e.
    let decay = Duration::from_secs(10).as_nanos() as f64;
    let member =
        |number| PeakEwma::new(Answers(number), Duration::from_millis(1), decay, CompleteOnResponse::default());
    Balance::new(ServiceList::new((0..members).map(member).collect::<Vec<_>>()))
}

/// Picks, under the lock if there is one, and asks outside of it.
fn ask(pick: impl FnOnce(&mut Context<'_>) -> <Tower as Service<()>>::Future) -> usize {
    let mut context = Context::from_waker(Waker::noop());
    let answer = pin!(pick(&mut context));
    match answer.poll(&mut context) {
        Poll::Ready(Ok(member)) => member,
        other => panic!("it does not answer: {other:?}"),
    }
}

fn call(tower: &mut Tower, context: &mut Context<'_>) -> <Tower as Service<()>>::Future {
    assert!(matches!(tower.poll_ready(context), Poll::Ready(Ok(()))), "all are ready");
    tower.call(())
}

struct InMutex(Mutex<Tower>);

impl Shared for InMutex {
    fn start(&self) -> Serve<'_> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Box::new(move |requests| (0..requests).fold(0, |_, _| black_box(ask(|context| call(&mut lock(), context)))))
    }
}

struct OneEach(usize);

impl Shared for OneEach {
    fn start(&self) -> Serve<'_> {
        let mut tower = tower(self.0);
        Box::new(move |requests| (0..requests).fold(0, |_, _| black_box(ask(|context| call(&mut tower, context)))))
    }
}

#[cfg(chain_pingora)]
fn pingora<S>(members: usize) -> Box<dyn Shared>
where
    S: selection::BackendSelection<Iter: selection::BackendIter> + Send + Sync + 'static,
{
    use std::net::SocketAddr;

    let addresses = (0..members).map(|member| SocketAddr::from(([127, 0, 0, 1], member as u16)));
    let balancer = LoadBalancer::<S>::try_from_iter(addresses).expect("addresses");
    Box::new(move || {
        let key = fastrand::u64(..).to_le_bytes();
        let picked = balancer.select(&key, 256).expect("all are ready");
        let port = picked.addr.as_inet().map(SocketAddr::port);
        usize::from(port.expect("it has a port"))
    })
}
