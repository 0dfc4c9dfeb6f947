//! `Pool` and `Lease`: nothing is allocated once warm, nothing is reset twice, and no value in an unknown state comes
//! back.
#![cfg(feature = "pool")]

mod support;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use chain_runtime::{Lease, Pool, Reset};
use support::ALLOCATIONS;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// A value that counts its resets, and dirt that must be gone.
#[derive(Debug, Default)]
struct Slate {
    written: Vec<u8>,
    resets: usize,
}

impl Reset for Slate {
    fn reset(&mut self) {
        self.written.reset();
        self.resets += 1;
    }

    fn trim(&mut self, limit: usize) {
        self.written.trim(limit);
    }
}

/// A clock that moves when it is told to.
#[derive(Clone)]
struct Hand {
    began: Instant,
    millis: Arc<AtomicU64>,
}

impl Hand {
    fn new() -> Self {
        Hand { began: Instant::now(), millis: Arc::default() }
    }

    fn advance(&self, millis: u64) {
        self.millis.fetch_add(millis, Relaxed);
    }

    fn clock(&self) -> impl Fn() -> Instant + Send + Sync + 'static {
        let Hand { began, millis } = self.clone();
        move || began + Duration::from_millis(millis.load(Relaxed))
    }
}

#[test]
fn a_warm_pool_allocates_nothing() {
    let pool = Arc::new(Pool::new(|| Slate { written: Vec::with_capacity(64), resets: 0 }));
    drop(pool.get());
    let count = allocations(|| {
        for turn in 0..10_000_usize {
            pool.get().written.push(turn as u8);
            pool.get_owned().written.push(turn as u8);
        }
    });
    assert_eq!(count, 0);
    assert_eq!((pool.stats().hits, pool.stats().misses), (20_000, 1));
}

#[test]
fn a_warm_pool_allocates_nothing_for_many_leases_at_once() {
    let pool = Pool::<Slate>::builder().capacity(512..=512).build(Slate::default);
    let mut held = Vec::with_capacity(200);
    held.extend((0..200).map(|_| pool.get()));
    held.clear();
    let count = allocations(|| {
        for _ in 0..100 {
            held.extend((0..200).map(|_| pool.get()));
            held.clear();
        }
    });
    assert_eq!(count, 0);
    assert_eq!(pool.stats().misses, 200);
}

#[test]
fn a_value_is_reset_exactly_once_on_each_return() {
    let pool = Pool::new(Slate::default);
    for turn in 0..100 {
        let mut lease = pool.get();
        assert_eq!((lease.resets, lease.written.len()), (turn, 0));
        lease.written.push(1);
    }
}

#[test]
fn a_lease_dropped_in_a_panic_discards_its_value() {
    let pool = Pool::new(Slate::default);
    drop(pool.get());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _lease = pool.get();
        panic!("midway");
    }));
    assert!(panicked.is_err());
    let stats = pool.stats();
    assert_eq!((stats.discarded, stats.in_use, stats.idle), (1, 0, 0));
    assert_eq!(pool.get().resets, 0, "a new value");
}

#[test]
fn a_value_whose_reset_panics_is_discarded() {
    struct Fragile(bool);
    impl Reset for Fragile {
        fn reset(&mut self) {
            assert!(!self.0, "cannot be reset");
        }
    }
    let pool = Pool::new(|| Fragile(false));
    let panicked = catch_unwind(AssertUnwindSafe(|| pool.get().0 = true));
    assert!(panicked.is_err());
    let stats = pool.stats();
    assert_eq!((stats.discarded, stats.in_use, stats.idle), (1, 0, 0));
    assert!(!pool.get().0);
}

#[test]
fn a_factory_that_panics_leaves_the_pool_usable() {
    let calls = Arc::new(AtomicUsize::new(0));
    let pool = Pool::new({
        let calls = Arc::clone(&calls);
        move || {
            assert!(calls.fetch_add(1, Relaxed) > 0, "not yet");
            String::new()
        }
    });
    assert!(catch_unwind(AssertUnwindSafe(|| drop(pool.get()))).is_err());
    drop(pool.get());
    let stats = pool.stats();
    assert_eq!((stats.misses, stats.in_use, stats.idle), (1, 0, 1));
}

#[test]
fn into_inner_takes_the_value_as_it_is() {
    let pool = Pool::new(Slate::default);
    let mut lease = pool.get();
    lease.written.push(1);
    let slate = Lease::into_inner(lease);
    assert_eq!((slate.written.len(), slate.resets), (1, 0));
    let stats = pool.stats();
    assert_eq!((stats.detached, stats.discarded, stats.in_use, stats.idle), (1, 0, 0, 0));
}

#[test]
fn buffers_past_the_high_water_mark_are_trimmed() {
    let pool = Pool::<Slate>::builder().high_water(100).build(Slate::default);
    pool.get().written.reserve_exact(100);
    assert_eq!(pool.get().written.capacity(), 100, "kept up to the mark");
    pool.get().written.reserve_exact(5000);
    assert_eq!(pool.get().written.capacity(), 100, "trimmed to the mark");
}

#[test]
fn statistics_add_up() {
    let pool = Pool::new(String::new);
    let (a, b) = (pool.get(), pool.get());
    let stats = pool.stats();
    assert_eq!((stats.hits, stats.misses, stats.in_use, stats.idle), (0, 2, 2, 0));
    drop(a);
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.idle), (1, 1));
    drop(b);
    drop(pool.get());
    let stats = pool.stats();
    assert_eq!((stats.hits, stats.misses, stats.in_use, stats.idle), (1, 2, 0, 2));
}

/// `per_window` requests in each 100 ms, each held for `held` ms, for `windows` windows.
fn load(pool: &Pool<String>, hand: &Hand, windows: u64, per_window: u64, held: u64) {
    let mut out = std::collections::VecDeque::new();
    let mut now = 0;
    for _ in 0..windows {
        for millis in 0..100 {
            while out.front().is_some_and(|(due, _)| *due <= now) {
                out.pop_front();
            }
            let arrivals = per_window * (millis + 1) / 100 - per_window * millis / 100;
            for _ in 0..arrivals {
                out.push_back((now + held, pool.get()));
            }
            hand.advance(1);
            now += 1;
        }
    }
}

#[test]
fn capacity_follows_arrivals_times_time_held() {
    let hand = Hand::new();
    let pool = Pool::<String>::builder().capacity(8..=1000).clock(hand.clock()).build(String::new);
    assert_eq!(pool.stats().capacity, 8);

    // 1,000 a second, each held for 100 ms: 100 at once, and 4·√100 to spare.
    load(&pool, &hand, 50, 100, 100);
    let busy = pool.stats().capacity;
    assert!((130..=155).contains(&busy), "{busy}");

    // Ten times the arrivals: 1,000 at once, which is all that is allowed.
    load(&pool, &hand, 50, 1000, 100);
    assert_eq!(pool.stats().capacity, 1000);

    // As many arrivals, held for a tenth of the time.
    load(&pool, &hand, 200, 1000, 10);
    let brief = pool.stats().capacity;
    assert!((130..=155).contains(&brief), "{brief}");
    let kept = pool.stats().idle;
    assert!(kept <= brief, "what the load no longer needs is dropped: {kept}");

    // Nothing: only a timer asks.
    for _ in 0..200 {
        hand.advance(100);
        pool.maintain();
    }
    let quiet = pool.stats();
    assert_eq!(quiet.capacity, 8);
    assert!(quiet.idle <= 8 + 32, "the depot is emptied: {quiet:?}");
    drop(pool.get());
    assert!(pool.stats().idle <= 8, "and so is a magazine, when its thread comes back");
}

#[test]
fn leases_that_are_held_long_count_while_they_are_out() {
    let hand = Hand::new();
    let pool = Pool::<String>::builder().capacity(1..=1000).clock(hand.clock()).build(String::new);
    let connections: Vec<_> = (0..400).map(|_| pool.get()).collect();
    hand.advance(100);
    pool.maintain();
    assert_eq!(pool.stats().capacity, 480);
    drop(connections);
    let stats = pool.stats();
    assert_eq!((stats.idle, stats.discarded), (400, 0), "all of them are kept for the next 400");
}

#[test]
fn what_there_is_no_room_for_is_dropped() {
    let hand = Hand::new();
    let pool = Pool::<String>::builder().capacity(10..=10).clock(hand.clock()).build(String::new);
    let many: Vec<_> = (0..100).map(|_| pool.get()).collect();
    drop(many);
    let stats = pool.stats();
    assert_eq!((stats.idle, stats.discarded, stats.in_use), (10, 90, 0));
}

#[test]
fn a_pool_of_one_keeps_one() {
    let pool = Pool::<String>::builder().capacity(0..=0).build(String::new);
    drop((pool.get(), pool.get()));
    drop(pool.get());
    assert_eq!((pool.stats().idle, pool.stats().hits), (1, 1));
}

#[test]
fn values_that_return_on_another_thread_come_round() {
    let pool = Arc::new(Pool::<Slate>::builder().capacity(256..=256).build(Slate::default));
    let (sender, receiver) = mpsc::sync_channel::<Lease<'static, Slate>>(16);
    let returning = thread::spawn(move || receiver.into_iter().for_each(drop));
    for _ in 0..10_000 {
        let mut lease = pool.get_owned();
        assert!(lease.written.is_empty());
        lease.written.push(1);
        sender.send(lease).unwrap();
    }
    drop(sender);
    returning.join().unwrap();
    let stats = pool.stats();
    assert_eq!(stats.hits + stats.misses, 10_000);
    assert!(stats.misses <= 300, "{stats:?}");
    assert_eq!((stats.in_use, stats.idle as u64), (0, stats.misses - stats.discarded));
}

#[test]
fn no_value_is_lent_twice_at_once() {
    struct Owned(Arc<AtomicUsize>);
    impl Reset for Owned {
        fn reset(&mut self) {}
    }
    let made = Arc::new(AtomicUsize::new(0));
    let pool = Pool::<Owned>::builder().capacity(4..=64).build({
        let made = Arc::clone(&made);
        move || {
            made.fetch_add(1, Relaxed);
            Owned(Arc::new(AtomicUsize::new(0)))
        }
    });
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for seed in 1..=4_usize {
            let (pool, start) = (&pool, &start);
            scope.spawn(move || {
                let mut held = Vec::new();
                let mut random = seed;
                start.wait();
                for _ in 0..20_000 {
                    random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    if random >> 60 < 8 && held.len() < 50 {
                        let lease = pool.get();
                        assert_eq!(lease.0.fetch_add(1, Relaxed), 0, "lent to two at once");
                        held.push(lease);
                    } else if let Some(lease) = held.pop() {
                        lease.0.fetch_sub(1, Relaxed);
                    }
                }
                for lease in held {
                    lease.0.fetch_sub(1, Relaxed);
                }
            });
        }
    });
    let stats = pool.stats();
    assert_eq!(stats.in_use, 0);
    assert_eq!(stats.misses as usize, made.load(Relaxed));
    assert_eq!(stats.idle as u64, stats.misses - stats.discarded);
    assert!(stats.idle <= 64 + 4 * 32);
}

#[test]
fn nothing_leaks_when_the_pool_goes() {
    struct Alive(Arc<()>);
    impl Reset for Alive {
        fn reset(&mut self) {}
    }
    let alive = Arc::new(());
    let pool = Arc::new(Pool::new({
        let alive = Arc::clone(&alive);
        move || Alive(Arc::clone(&alive))
    }));
    let handles: Vec<_> = (0..4)
        .map(|_| {
            let pool = Arc::clone(&pool);
            thread::spawn(move || drop((0..100).map(|_| pool.get_owned()).collect::<Vec<_>>()))
        })
        .collect();
    handles.into_iter().for_each(|handle| handle.join().unwrap());
    let last = pool.get_owned();
    drop(pool);
    assert!(Arc::strong_count(&last.0) > 2);
    drop(last);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_value_may_use_its_own_pool() {
    static POOL: LazyLock<Pool<Nested>> = LazyLock::new(|| Pool::new(|| Nested(None)));
    struct Nested(Option<Lease<'static, Nested>>);
    impl Reset for Nested {
        fn reset(&mut self) {
            self.0 = None;
        }
    }
    let mut outer = POOL.get();
    outer.0 = Some(POOL.get());
    drop(outer);
    let stats = POOL.stats();
    assert_eq!((stats.in_use, stats.idle), (0, 2));
}

/// Says when it was lent, by a clock that the test moves.
struct Visit {
    clock: Hand,
    began: Duration,
}

impl Visit {
    fn now(clock: &Hand) -> Duration {
        Duration::from_millis(clock.millis.load(Relaxed))
    }
}

impl Reset for Visit {
    fn reset(&mut self) {}

    fn renew(&mut self) {
        self.began = Self::now(&self.clock);
    }
}

#[test]
fn a_value_is_renewed_when_it_is_lent_and_not_when_it_came_back() {
    let clock = Hand::new();
    let pool = Arc::new(Pool::new({
        let clock = clock.clone();
        move || Visit { clock: clock.clone(), began: Duration::ZERO }
    }));
    clock.advance(5);
    assert_eq!(pool.get().began, Duration::from_millis(5), "one that was just made is lent, too");
    clock.advance(60_000);
    // From the magazine, and, to another thread, from the depot or the factory.
    assert_eq!(pool.get().began, Duration::from_millis(60_005));
    assert_eq!(pool.get_owned().began, Duration::from_millis(60_005));
    drop((0..100).map(|_| pool.get_owned()).collect::<Vec<_>>());
    clock.advance(60_000);
    let leases = thread::spawn({
        let pool = Arc::clone(&pool);
        move || (0..50).map(|_| pool.get_owned()).collect::<Vec<_>>()
    });
    for lease in leases.join().unwrap() {
        assert_eq!(lease.began, Duration::from_millis(120_005));
    }
}

#[test]
fn where_renewing_panics_there_is_no_lease() {
    struct Refuses(bool);
    impl Reset for Refuses {
        fn reset(&mut self) {}

        fn renew(&mut self) {
            assert!(!self.0, "as it was asked");
        }
    }
    let pool = Pool::new(|| Refuses(false));
    pool.get().0 = true;
    assert!(catch_unwind(AssertUnwindSafe(|| pool.get())).is_err());
    let stats = pool.stats();
    assert_eq!((stats.in_use, stats.idle, stats.discarded), (0, 0, 1));
}

#[test]
fn leases_are_send_and_sync_as_their_values_are() {
    fn send<T: Send>(_: &T) {}
    fn sync<T: Sync>(_: &T) {}
    let pool = Pool::new(|| Cell::new(0_u8));
    send(&pool);
    sync(&pool);
    send(&pool.get());
    let pool = Pool::new(String::new);
    sync(&pool.get());
}
