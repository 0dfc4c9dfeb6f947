//! 100,000 random events: requests that come, reply, panic and are dropped at any of their awaits, while the limit
//! jumps.
#![cfg(feature = "pressure")]

use std::cell::{Cell, RefCell};
use std::future::{Future, Pending, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use chain_runtime::around::Timer;
use chain_runtime::nodes::Key;
use chain_runtime::pressure::{Adaptive, Anyone, ByPriority, Fair, Fixed, Limit, Priority, Sample, TurnedAway};
use fastrand::Rng;
use tokio::time::advance;

struct User(u8);

impl Key for User {
    fn feed<H: std::hash::Hasher>(&self, hasher: &mut H) {
        std::hash::Hash::hash(&self.0, hasher);
    }
}

/// Another limit after each reply.
struct Jumps(Rng, usize);

impl Limit for Jumps {
    fn limit(&self) -> usize {
        self.1
    }
    fn update(&mut self, _: &Sample) -> usize {
        self.1 = self.0.usize(1..8);
        self.1
    }
}

type Shared = Adaptive<Fair<User, ByPriority>, Jumps>;

#[derive(Clone, Copy, PartialEq)]
enum Block {
    NotPolled,
    Runs,
    Replies,
    Panics,
}

/// Whether it was woken: only then it is polled once more, so that a wake-up that is lost would show.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

struct Request<'a> {
    future: Pin<Box<dyn Future<Output = Result<(), TurnedAway>> + 'a>>,
    block: Rc<Cell<Block>>,
    waker: Rc<RefCell<Option<Waker>>>,
    flag: Arc<Flag>,
}

impl<'a> Request<'a> {
    fn new(limit: &'a Shared, priority: Priority, user: User) -> Self {
        let (block, waker) = (Rc::new(Cell::new(Block::NotPolled)), Rc::new(RefCell::new(None)));
        let (state, wakes) = (Rc::clone(&block), Rc::clone(&waker));
        let future = Box::pin(async move {
            let asked = limit.enter(&priority, &user);
            let work = poll_fn(|context| match state.get() {
                Block::NotPolled | Block::Runs => {
                    state.set(Block::Runs);
                    *wakes.borrow_mut() = Some(context.waker().clone());
                    Poll::Pending
                }
                Block::Replies => Poll::Ready(()),
                Block::Panics => resume_unwind(Box::new("on purpose")),
            });
            limit.around(&asked, pin!(work)).await
        });
        Self { future, block, waker, flag: Arc::new(Flag(AtomicBool::new(true))) }
    }

    fn is_woken(&self) -> bool {
        self.flag.0.load(Relaxed)
    }

    /// Whether it is over.
    fn poll(&mut self) -> bool {
        self.flag.0.store(false, Relaxed);
        let waker = Waker::from(Arc::clone(&self.flag));
        let polled = AssertUnwindSafe(|| self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        catch_unwind(polled).unwrap_or(true)
    }

    fn ends(&self, as_what: Block) {
        if let Some(waker) = self.waker.take() {
            self.block.set(as_what);
            waker.wake();
        }
    }
}

/// Polls all that were woken, until none is, and looks whether it adds up.
fn settle(limit: &Shared, requests: &mut Vec<Request<'_>>) {
    while requests.iter().any(Request::is_woken) {
        requests.retain_mut(|request| !request.is_woken() || !request.poll());
    }
    let status = limit.status();
    let running = requests.iter().filter(|request| request.block.get() == Block::Runs).count();
    assert_eq!(status.in_flight, running);
    assert_eq!(status.waiting_in_all(), requests.len() - running);
    assert!(status.waiting_in_all() <= 16);
    // A wake-up that was lost: there is room, and somebody waits.
    assert!(status.waiting_in_all() == 0 || status.in_flight >= status.limit, "{status:?}");
}

#[test]
fn nothing_is_lost_in_100_000_random_steps() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut random = Rng::with_seed(16);
        let limit: Shared = Adaptive::new(Jumps(Rng::with_seed(61), 4)).queue(16).window(Duration::ZERO).at_least(1);
        let mut requests: Vec<Request<'_>> = Vec::new();
        let (mut dropped, mut panicked) = (0, 0);
        for step in 0..100_000 {
            let any = if requests.is_empty() { None } else { Some(random.usize(..requests.len())) };
            match (random.u8(..100), any) {
                (0..40, _) => {
                    let priority = Priority::ALL[random.usize(..3)];
                    requests.push(Request::new(&limit, priority, User(random.u8(..6))));
                }
                (40..60, Some(at)) if requests[at].is_woken() && requests[at].poll() => {
                    requests.swap_remove(at);
                }
                (60..80, Some(at)) => requests[at].ends(Block::Replies),
                (80..82, Some(at)) => {
                    panicked += 1;
                    requests[at].ends(Block::Panics);
                }
                (82..90, Some(at)) => {
                    dropped += 1;
                    drop(requests.swap_remove(at));
                }
                (90..93, _) => advance(Duration::from_millis(random.u64(..20))).await,
                _ => {}
            }
            if step % 50 == 0 {
                settle(&limit, &mut requests);
            }
        }
        settle(&limit, &mut requests);
        assert!(dropped > 5_000 && panicked > 500 && limit.status().turned_away_in_all() > 500);
        // All of the rest replies.
        while !requests.is_empty() {
            requests.iter().for_each(|request| request.ends(Block::Replies));
            settle(&limit, &mut requests);
        }
        let status = limit.status();
        assert_eq!((status.in_flight, status.waiting_in_all()), (0, 0));
    });
}

/// Nobody's time is ever up, so that a wake-up that is lost would be waited for in vain.
struct Patient;

impl Timer for Patient {
    type Sleep = Pending<()>;

    fn sleep_until(&self, _: Instant) -> Self::Sleep {
        pending()
    }
}

#[test]
fn on_several_threads_no_more_run_than_may_and_all_who_wait_are_let_in() {
    let limit: Adaptive<Anyone, Fixed, Patient> = Adaptive::new_on(Patient, Fixed(3)).queue(64);
    let (running, most, served) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for turn in 0..2_000 {
                    let block = pin!(async {
                        most.fetch_max(running.fetch_add(1, Relaxed) + 1, Relaxed);
                        if turn % 16 == 0 {
                            thread::yield_now();
                        }
                        running.fetch_sub(1, Relaxed);
                    });
                    pollster::block_on(limit.around(block)).expect("eight find a place to wait");
                    served.fetch_add(1, Relaxed);
                }
            });
        }
    });
    assert_eq!(served.into_inner(), 16_000);
    assert!(most.into_inner() <= 3);
    assert_eq!((limit.status().in_flight, limit.status().waiting_in_all()), (0, 0));
}
