//! The cost of a request's own values: kept in a pooled context, in a fresh one, and in what other libraries use for
//! it.
//!
//! `cargo bench -p chain-benches --bench context` prints, for each contestant, allocations and bytes for each request,
//! instructions (if valgrind is installed), and nanoseconds on one thread and on two. Four values are written, as early
//! nodes do, and then read twice, as later nodes do; every contestant must read the same. The pool against other pools
//! is the bench `pool`.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use chain_benches::allocations::{Asked, Counting};
use chain_benches::callgrind;
use chain_benches::table::{Table, publish};
use chain_runtime::{Context, Pool, Reset};
use criterion::Criterion;
use http::Extensions;

#[global_allocator]
static COUNTING: Counting = Counting;

// ---- a request's values

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[derive(Clone, Copy)]
struct User(u64);

#[derive(Clone, Copy)]
struct Route(u64);

#[derive(Clone)]
struct Trace(String);

#[derive(Clone)]
struct Tried(Vec<u8>);

/// What later nodes read, as one number.
fn mixed(user: u64, route: u64, trace: &str, tried: &[u8]) -> u64 {
    let bytes = trace.len() + tried.iter().map(|&byte| usize::from(byte)).sum::<usize>();
    user.rotate_left(7) ^ route ^ bytes as u64
}

/// Where a request's values are kept.
trait Values {
    fn write(&mut self, request: u64);
    fn read(&self) -> u64;
}

/// One request: some nodes write, later ones read.
#[inline]
fn request<V: Values>(values: &mut V, request: u64) -> u64 {
    values.write(black_box(request));
    let values = black_box(values);
    values.read().wrapping_add(black_box(&*values).read())
}

/// A user's own context: a field for each value.
#[derive(Default, Reset)]
struct Visit {
    user: u64,
    route: u64,
    trace: String,
    tried: Vec<u8>,
}

impl Values for Visit {
    #[inline]
    fn write(&mut self, request: u64) {
        self.user = request;
        self.route = request % 37;
        self.trace.push_str(TRACE);
        self.tried.extend_from_slice(&request.to_le_bytes());
    }

    #[inline]
    fn read(&self) -> u64 {
        mixed(self.user, self.route, &self.trace, &self.tried)
    }
}

/// The ready context: what has a buffer there is kept in it, the user's own types in the extensions.
impl Values for Context {
    #[inline]
    fn write(&mut self, request: u64) {
        self.request.extensions.insert(User(request));
        self.request.extensions.insert(Route(request % 37));
        self.scratch.text.push_str(TRACE);
        self.scratch.bytes.extend_from_slice(&request.to_le_bytes());
    }

    #[inline]
    fn read(&self) -> u64 {
        let User(user) = *self.request.extensions.get().expect("written");
        let Route(route) = *self.request.extensions.get().expect("written");
        mixed(user, route, &self.scratch.text, &self.scratch.bytes)
    }
}

/// Maps from a type to its value: all four are inserted.
macro_rules! by_type {
    ($($map:ty)+) => {$(
        impl Values for $map {
            #[inline]
            fn write(&mut self, request: u64) {
                self.insert(User(request));
                self.insert(Route(request % 37));
                self.insert(Trace(TRACE.to_owned()));
                self.insert(Tried(request.to_le_bytes().to_vec()));
            }

            #[inline]
            fn read(&self) -> u64 {
                let user = self.get::<User>().expect("written");
                let route = self.get::<Route>().expect("written");
                let trace = self.get::<Trace>().expect("written");
                let tried = self.get::<Tried>().expect("written");
                mixed(user.0, route.0, &trace.0, &tried.0)
            }
        }
    )+};
}

type AnyMap = anymap3::Map<dyn std::any::Any + Send>;
type TypeMap = type_map::concurrent::TypeMap;

by_type! { Extensions AnyMap TypeMap }

// ---- the contestants: each makes what serves one request after another, on one thread

type Serve<'a> = Box<dyn FnMut(u64) -> u64 + 'a>;

struct Contestant {
    name: &'static str,
    start: Box<dyn Fn() -> Serve<'static> + Sync>,
}

fn pooled<V: Values + Reset + Send + Default + 'static>(name: &'static str) -> Contestant {
    let pool: &'static Pool<V> = Box::leak(Box::default());
    Contestant { name, start: Box::new(move || Box::new(|number| request(&mut *pool.get(), number))) }
}

fn fresh<V: Values + 'static>(name: &'static str, new: fn() -> V) -> Contestant {
    Contestant { name, start: Box::new(move || Box::new(move |number| request(&mut new(), number))) }
}

/// One for each thread, as for one connection after another: the least that reuse can cost.
fn cleared<V: Values + 'static>(name: &'static str, new: fn() -> V, clear: fn(&mut V)) -> Contestant {
    let start = move || -> Serve<'static> {
        let mut values = new();
        Box::new(move |number| {
            let read = request(&mut values, number);
            clear(&mut values);
            read
        })
    };
    Contestant { name, start: Box::new(start) }
}

fn contestants() -> Vec<Contestant> {
    vec![
        pooled::<Visit>("own struct, pooled"),
        fresh("own struct, fresh", Visit::default),
        pooled::<Context>("Context, pooled"),
        fresh("Context, fresh", Context::new),
        fresh("http::Extensions, fresh", Extensions::new),
        cleared("http::Extensions, cleared", Extensions::new, Extensions::clear),
        fresh("anymap3, fresh", AnyMap::new),
        cleared("anymap3, cleared", AnyMap::new, AnyMap::clear),
        fresh("type-map, fresh", TypeMap::new),
        cleared("type-map, cleared", TypeMap::new, TypeMap::clear),
    ]
}

// ---- what is measured

fn serve(serve: &mut Serve<'_>, requests: u64) -> u64 {
    (0..requests).fold(0, |sum, number| sum.wrapping_add(serve(number)))
}

/// Allocations and bytes for each request, once warm.
fn asked(contestant: &Contestant) -> [f64; 2] {
    const REQUESTS: u64 = 100;
    let mut start = (contestant.start)();
    serve(&mut start, REQUESTS);
    let before = Asked::so_far();
    serve(&mut start, REQUESTS);
    let asked = Asked::so_far() - before;
    [asked.times, asked.bytes].map(|count| count as f64 / REQUESTS as f64)
}

/// How long the slowest of the threads takes for its requests.
fn elapsed(contestant: &Contestant, threads: usize, requests: u64) -> Duration {
    let gate = Barrier::new(threads);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut start = (contestant.start)();
                    serve(&mut start, 100);
                    gate.wait();
                    let began = Instant::now();
                    black_box(serve(&mut start, requests));
                    began.elapsed()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("it does not panic")).max().expect("a thread")
    })
}

/// Nanoseconds for each request: the median of what criterion measured.
fn time(criterion: &mut Criterion, contestant: &Contestant, threads: usize) -> f64 {
    let samples = RefCell::new(Vec::new());
    criterion.bench_function(&format!("{}, threads: {threads}", contestant.name), |bencher| {
        // The figures of the warm-up are not wanted: criterion calls this once for it, and once to measure.
        samples.borrow_mut().clear();
        bencher.iter_custom(|requests| {
            let took = elapsed(contestant, threads, requests);
            samples.borrow_mut().push(took.as_nanos() as f64 / requests as f64);
            took
        });
    });
    let mut samples = samples.into_inner();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    let contestants = contestants();
    if let Some((name, requests)) = callgrind::asked() {
        let contestant = contestants.iter().find(|contestant| contestant.name == name).expect("a name of the table");
        black_box(serve(&mut (contestant.start)(), requests));
        return;
    }
    let results: Vec<_> = contestants.iter().map(|contestant| serve(&mut (contestant.start)(), 1_000)).collect();
    assert!(results.iter().all(|result| *result == results[0]), "not the same work: {results:?}");

    let counted = callgrind::is_there();
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .nresamples(1_000)
        .without_plots();
    let columns =
        ["allocations", "bytes", "instructions", "1 thread, ns", "ratio", "2 threads, ns", "2 threads, ratio"];
    let mut table = Table::new("a request with four values; ratios are to the first row", "values in", columns);
    let mut least = None;
    for contestant in &contestants {
        let [times, bytes] = asked(contestant);
        let instructions = counted.then(|| callgrind::per_run(contestant.name, None, 1_000, 11_000));
        let [one, two] = [1, 2].map(|threads| time(&mut criterion, contestant, threads));
        let (first, second) = *least.get_or_insert((one, two));
        let figures =
            [Some(times), Some(bytes), instructions, Some(one), Some(one / first), Some(two), Some(two / second)];
        table.row(contestant.name, figures);
    }
    publish("context", &[table]);
}
