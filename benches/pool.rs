//! The alternatives to `Pool`, measured on identical work: get a value, write to it, give it back reset.
//!
//! `cargo bench -p chain-benches --bench pool` prints nanoseconds for each lease, the median of [`ROUNDS`] rounds in which the candidates take
//! turns, and writes the same to `target/pool.json`. Trust the ratios within one run.

#![allow(clippy::vec_box, reason = "a lease moves one pointer, and a value keeps its place")]

use std::cell::RefCell;
use std::hint::black_box;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use chain_benches::callgrind;
use chain_benches::table::{Table, publish};
use chain_runtime::{Lease, Reset};
use crossbeam_queue::ArrayQueue;
use thread_local::ThreadLocal;

const ROUNDS: usize = 9;
const LEASES: usize = 400_000;
const CAPACITY: usize = 4096;
const MAGAZINE: usize = 32;

/// About as large as a request's context, and with a buffer.
#[derive(Clone, Default)]
struct Slate {
    text: String,
    numbers: [u64; 32],
}

impl Slate {
    fn new() -> Self {
        Slate { text: String::with_capacity(1024), numbers: [0; 32] }
    }

    fn write(&mut self) {
        self.text.push_str("GET /");
        self.numbers[0] += 1;
    }
}

impl Reset for Slate {
    #[inline]
    fn reset(&mut self) {
        self.text.clear();
        self.numbers[0] = 0;
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        self.text.trim(limit);
    }
}

trait Candidate: Sync {
    /// What gives the value back when it is dropped.
    type Lease<'a>: Send
    where
        Self: 'a;

    /// Takes a value and writes to it.
    fn lend(&self) -> Self::Lease<'_>;
}

/// The write, where the compiler cannot see that nobody reads it.
#[inline]
fn written<L: DerefMut<Target = Slate>>(mut lease: L) -> L {
    lease.write();
    black_box(&mut *lease);
    lease
}

// What the table compares: each candidate in as few lines as it takes.

struct Ours(chain_runtime::Pool<Slate>);

impl Candidate for Ours {
    type Lease<'a> = Lease<'a, Slate>;

    #[inline]
    fn lend(&self) -> Lease<'_, Slate> {
        written(self.0.get())
    }
}

struct OursOwned(Arc<chain_runtime::Pool<Slate>>);

impl Candidate for OursOwned {
    type Lease<'a> = Lease<'static, Slate>;

    #[inline]
    fn lend(&self) -> Lease<'static, Slate> {
        written(self.0.get_owned())
    }
}

/// A free list of boxes: what most candidates differ in.
trait FreeList: Sync {
    fn pop(&self) -> Option<Box<Slate>>;
    fn push(&self, slate: Box<Slate>);
}

struct Boxed<'a, F: FreeList>(Option<Box<Slate>>, &'a F);

impl<F: FreeList> Deref for Boxed<'_, F> {
    type Target = Slate;

    #[inline]
    fn deref(&self) -> &Slate {
        self.0.as_ref().unwrap()
    }
}

impl<F: FreeList> DerefMut for Boxed<'_, F> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Slate {
        self.0.as_mut().unwrap()
    }
}

impl<F: FreeList> Drop for Boxed<'_, F> {
    #[inline]
    fn drop(&mut self) {
        let mut slate = self.0.take().unwrap();
        slate.reset();
        self.1.push(slate);
    }
}

impl<F: FreeList> Candidate for F {
    type Lease<'a>
        = Boxed<'a, F>
    where
        F: 'a;

    #[inline]
    fn lend(&self) -> Boxed<'_, F> {
        let slate = self.pop().unwrap_or_else(|| Box::new(Slate::new()));
        written(Boxed(Some(slate), self))
    }
}

/// No pool.
struct Fresh;

impl FreeList for Fresh {
    #[inline]
    fn pop(&self) -> Option<Box<Slate>> {
        None
    }

    #[inline]
    fn push(&self, slate: Box<Slate>) {
        drop(slate);
    }
}

struct Locked(Mutex<Vec<Box<Slate>>>);

impl FreeList for Locked {
    #[inline]
    fn pop(&self) -> Option<Box<Slate>> {
        self.0.lock().unwrap().pop()
    }

    #[inline]
    fn push(&self, slate: Box<Slate>) {
        self.0.lock().unwrap().push(slate);
    }
}

struct Queue(ArrayQueue<Box<Slate>>);

impl FreeList for Queue {
    #[inline]
    fn pop(&self) -> Option<Box<Slate>> {
        self.0.pop()
    }

    #[inline]
    fn push(&self, slate: Box<Slate>) {
        let _ = self.0.push(slate);
    }
}

thread_local! {
    static LIST: RefCell<Vec<Box<Slate>>> = const { RefCell::new(Vec::new()) };
    static LOADED: RefCell<Vec<Box<Slate>>> = const { RefCell::new(Vec::new()) };
}

/// Nothing comes back from another thread.
struct ThreadList;

impl FreeList for ThreadList {
    #[inline]
    fn pop(&self) -> Option<Box<Slate>> {
        LIST.with_borrow_mut(Vec::pop)
    }

    #[inline]
    fn push(&self, slate: Box<Slate>) {
        LIST.with_borrow_mut(|list| {
            if list.len() < CAPACITY {
                list.push(slate);
            }
        });
    }
}

fn load(magazine: &mut Vec<Box<Slate>>, depot: &ArrayQueue<Box<Slate>>) -> Option<Box<Slate>> {
    if magazine.is_empty() {
        while magazine.len() < MAGAZINE / 2 {
            let Some(slate) = depot.pop() else { break };
            magazine.push(slate);
        }
    }
    magazine.pop()
}

fn unload(magazine: &mut Vec<Box<Slate>>, depot: &ArrayQueue<Box<Slate>>, slate: Box<Slate>) {
    if magazine.len() == MAGAZINE {
        while magazine.len() > MAGAZINE / 2 {
            let _ = depot.push(magazine.pop().unwrap());
        }
    }
    magazine.push(slate);
}

/// A magazine in a `thread_local!`: one pool for each type, and no statistics.
struct StaticMagazine(ArrayQueue<Box<Slate>>);

impl FreeList for StaticMagazine {
    #[inline]
    fn pop(&self) -> Option<Box<Slate>> {
        LOADED.with_borrow_mut(|magazine| load(magazine, &self.0))
    }

    #[inline]
    fn push(&self, slate: Box<Slate>) {
        LOADED.with_borrow_mut(|magazine| unload(magazine, &self.0, slate));
    }
}

/// A magazine in a `ThreadLocal`: any number of pools; as ours, without statistics, limits, trimming and panics.
struct OwnMagazine(ThreadLocal<Padded>, ArrayQueue<Box<Slate>>);

/// On cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Padded(RefCell<Vec<Box<Slate>>>);

impl FreeList for OwnMagazine {
    #[inline]
    fn pop(&self) -> Option<Box<Slate>> {
        load(&mut self.0.get_or_default().0.borrow_mut(), &self.1)
    }

    #[inline]
    fn push(&self, slate: Box<Slate>) {
        unload(&mut self.0.get_or_default().0.borrow_mut(), &self.1, slate);
    }
}

struct Sharded(sharded_slab::Pool<Slab>);

#[derive(Default)]
struct Slab(Slate);

impl sharded_slab::Clear for Slab {
    fn clear(&mut self) {
        self.0.reset();
    }
}

/// A guard of this slab stays on its thread, and what crosses threads is the key.
struct Key<'a>(usize, &'a sharded_slab::Pool<Slab>);

impl Drop for Key<'_> {
    #[inline]
    fn drop(&mut self) {
        self.1.clear(self.0);
    }
}

impl Candidate for Sharded {
    type Lease<'a> = Key<'a>;

    #[inline]
    fn lend(&self) -> Key<'_> {
        let mut slab = self.0.create().unwrap();
        slab.0.write();
        black_box(&mut slab.0);
        Key(slab.key(), &self.0)
    }
}

struct Allocator;

impl opool::PoolAllocator<Slate> for Allocator {
    fn allocate(&self) -> Slate {
        Slate::new()
    }

    fn reset(&self, slate: &mut Slate) {
        slate.reset();
    }
}

struct Opool(opool::Pool<Allocator, Slate>);

impl Candidate for Opool {
    type Lease<'a> = opool::RefGuard<'a, Allocator, Slate>;

    #[inline]
    fn lend(&self) -> Self::Lease<'_> {
        written(self.0.get())
    }
}

struct Lockfree(lockfree_object_pool::LinearObjectPool<Slate>);

impl Candidate for Lockfree {
    type Lease<'a> = lockfree_object_pool::LinearReusable<'a, Slate>;

    #[inline]
    fn lend(&self) -> Self::Lease<'_> {
        written(self.0.pull())
    }
}

struct ObjectPool(object_pool::Pool<Slate>);

impl Candidate for ObjectPool {
    type Lease<'a> = object_pool::Reusable<'a, Slate>;

    #[inline]
    fn lend(&self) -> Self::Lease<'_> {
        let mut slate = self.0.pull(Slate::new);
        slate.reset();
        written(slate)
    }
}

// What is measured.

fn per_lease(elapsed: Duration, leases: usize) -> f64 {
    elapsed.as_nanos() as f64 / leases as f64
}

fn one_at_a_time<C: Candidate>(pool: &C, leases: usize) {
    for _ in 0..leases {
        drop(pool.lend());
    }
}

/// Each thread gets and gives back, one at a time.
fn on_threads<C: Candidate>(pool: &C, threads: usize) -> f64 {
    let start = Barrier::new(threads);
    let slowest = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    one_at_a_time(pool, 1000);
                    start.wait();
                    let began = Instant::now();
                    one_at_a_time(pool, LEASES);
                    began.elapsed()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    });
    per_lease(slowest, LEASES)
}

/// 64 are out at once: more than a magazine holds.
fn many_at_once<C: Candidate>(pool: &C) -> f64 {
    const OUT: usize = 64;
    let mut held = Vec::with_capacity(OUT);
    let mut turn = |turns: usize| {
        for _ in 0..turns {
            for _ in 0..OUT {
                held.push(pool.lend());
            }
            black_box(&mut held).clear();
        }
    };
    turn(20);
    let began = Instant::now();
    turn(LEASES / OUT);
    per_lease(began.elapsed(), LEASES)
}

/// One thread gets, another gives back. They meet once for 256 leases, so that the channel is not what is measured.
fn returned_elsewhere<C: Candidate>(pool: &C) -> f64 {
    const BATCH: usize = 256;
    let batches = LEASES / BATCH;
    thread::scope(|scope| {
        let (full, incoming) = mpsc::sync_channel::<Vec<C::Lease<'_>>>(4);
        let (emptied, empties) = mpsc::channel();
        for _ in 0..4 {
            emptied.send(Vec::with_capacity(BATCH)).unwrap();
        }
        scope.spawn(move || {
            for mut batch in incoming {
                batch.clear();
                // The other side is gone once it has seen enough.
                let _ = emptied.send(batch);
            }
        });
        let began = Instant::now();
        for _ in 0..batches {
            let mut batch = empties.recv().unwrap();
            batch.extend((0..BATCH).map(|_| pool.lend()));
            full.send(batch).unwrap();
        }
        drop(full);
        per_lease(began.elapsed(), batches * BATCH)
    })
}

const SCENARIOS: [&str; 4] = ["1 thread", "2 threads", "64 at once", "other thread"];

fn measure<C: Candidate>(pool: &C) -> [f64; 4] {
    [on_threads(pool, 1), on_threads(pool, 2), many_at_once(pool), returned_elsewhere(pool)]
}

/// A candidate, and what was measured of it.
struct Row {
    name: &'static str,
    measure: Box<dyn Fn() -> [f64; 4]>,
    lease: Box<dyn Fn(usize)>,
    rounds: Vec<[f64; 4]>,
}

fn row<C: Candidate + 'static>(name: &'static str, pool: C) -> Row {
    let pool = Rc::new(pool);
    let same = Rc::clone(&pool);
    Row {
        name,
        measure: Box::new(move || measure(&*pool)),
        lease: Box::new(move |leases| one_at_a_time(&*same, leases)),
        rounds: Vec::new(),
    }
}

fn median(rounds: &[[f64; 4]], scenario: usize) -> f64 {
    let mut figures: Vec<_> = rounds.iter().map(|round| round[scenario]).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    let pool = || chain_runtime::Pool::<Slate>::builder().capacity(CAPACITY..=CAPACITY).build(Slate::new);
    let queue = || ArrayQueue::new(CAPACITY);
    let mut rows = vec![
        row("chain Pool::get", Ours(pool())),
        row("chain Pool::get_owned", OursOwned(Arc::new(pool()))),
        row("ThreadLocal magazine", OwnMagazine(ThreadLocal::new(), queue())),
        row("thread_local! magazine", StaticMagazine(queue())),
        row("thread_local! list", ThreadList),
        row("ArrayQueue", Queue(queue())),
        row("Mutex<Vec>", Locked(Mutex::new(Vec::with_capacity(CAPACITY)))),
        row("sharded-slab", Sharded(sharded_slab::Pool::new())),
        row("opool", Opool(opool::Pool::new(CAPACITY, Allocator))),
        row("lockfree-object-pool", Lockfree(lockfree_object_pool::LinearObjectPool::new(Slate::new, Slate::reset))),
        row("object-pool", ObjectPool(object_pool::Pool::new(32, Slate::new))),
        row("fresh Box", Fresh),
    ];
    if let Some((name, leases)) = callgrind::asked() {
        let row = rows.iter().find(|row| row.name == name).expect("a name of the table");
        return (row.lease)(leases as usize);
    }
    // `cargo bench -p chain-benches --bench pool -- magazine` measures only what is named like that; Cargo adds `--bench`.
    let named: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    rows.retain(|row| named.is_empty() || named.iter().any(|wanted| row.name.contains(wanted.as_str())));
    let counted = callgrind::is_there();
    for _ in 0..ROUNDS {
        for row in &mut rows {
            row.rounds.push((row.measure)());
        }
    }

    let title = format!("nanoseconds per lease, median of {ROUNDS} rounds of {LEASES} leases");
    let mut table = Table::new(&title, "candidate", SCENARIOS.into_iter().chain(["instructions"]));
    for row in &rows {
        let times = (0..SCENARIOS.len()).map(|scenario| Some(median(&row.rounds, scenario)));
        let instructions = counted.then(|| callgrind::per_run(row.name, None, 1_000, 11_000));
        table.row(row.name, times.chain([instructions]));
    }
    publish("pool", &[table]);
}
