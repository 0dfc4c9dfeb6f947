//! The cost of picking a member and of returning it: each balancer of `upstream`, beside tower's p2c and pingora's load
//! balancing.
//!
//! `cargo bench -p chain-benches --bench upstream` prints nanoseconds (the least of criterion's measurements),
//! instructions and allocations of one request that is answered at once, among 3, 30 and 3,000 members, and writes the
//! same to `target/upstream.json`. It fails if one of ours allocates. `-- tower` measures the rows with this word.
//!
//! One request is this: a member is picked, and counted as busy; a reply is there; its time is noted, and the member is
//! no longer busy. Pingora's balancers pick, and do not know the rest. They are measured only with
//! `RUSTFLAGS="--cfg chain_pingora"`, since they need `cmake`.

#[path = "upstream/peers.rs"]
mod peers;

use std::cell::RefCell;
use std::collections::HashSet;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use chain_benches::allocations::{Asked, Counting};
use chain_benches::callgrind;
use chain_benches::table::{Table, publish};
use chain_runtime::upstream::{
    Balance, LeastRequests, Member, PeakEwma, Pick, Registry, Ring, RoundRobin, Subset, Zoned,
};
use criterion::{Criterion, SamplingMode};

#[global_allocator]
static COUNTING: Counting = Counting;

const MEMBERS: [usize; 3] = [3, 30, 3_000];

/// Serves so many requests, and returns who served the last.
type Serve<'a> = Box<dyn FnMut(u64) -> usize + 'a>;

/// What all threads share; each begins by itself.
trait Shared: Sync {
    /// What serves on one thread.
    fn start(&self) -> Serve<'_>;
}

impl<F: Fn() -> usize + Sync> Shared for F {
    fn start(&self) -> Serve<'_> {
        Box::new(|requests| (0..requests).fold(0, |_, _| black_box(self())))
    }
}

/// A row: its name, and how it is made with so many members.
type Contestant = (&'static str, fn(usize) -> Box<dyn Shared>);

fn chain<B: Balance<usize, Table: Send + Sync> + Send + Sync + 'static>(members: usize, balance: B) -> Box<dyn Shared> {
    let registry = Registry::new();
    for number in 0..members {
        let zone = if number % 2 == 0 { "a" } else { "b" };
        registry
            .register(Member::new(format!("{number:04}"), number).zone(zone), Duration::MAX)
            .expect("there is room");
    }
    let pick = Pick::new(Arc::new(registry), balance);
    Box::new(move || {
        let lease = pick.lease().expect("all are ready");
        lease.replied(true);
        *lease.endpoint()
    })
}

const OURS: [Contestant; 6] = [
    ("chain, PeakEwma", |members| chain(members, PeakEwma::new())),
    ("chain, LeastRequests", |members| chain(members, LeastRequests::new())),
    ("chain, RoundRobin", |members| chain(members, RoundRobin::new())),
    ("chain, Ring", |members| chain(members, Ring::new())),
    ("chain, Zoned of PeakEwma", |members| chain(members, Zoned::new("a", PeakEwma::new()))),
    ("chain, Subset of PeakEwma", |members| chain(members, Subset::numbered(2, 8, PeakEwma::new()))),
];

// ---- what is measured

/// Allocations of each request, once warm.
fn allocations((_, make): Contestant, members: usize) -> f64 {
    const REQUESTS: u64 = 10_000;
    let shared = make(members);
    let mut serve = shared.start();
    serve(REQUESTS);
    let before = Asked::so_far();
    serve(REQUESTS);
    (Asked::so_far() - before).times as f64 / REQUESTS as f64
}

/// How long it takes until all threads have served so many requests each.
fn elapsed(shared: &dyn Shared, threads: usize, requests: u64) -> Duration {
    let gate = Barrier::new(threads);
    let spans = thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut serve = shared.start();
                    serve(100);
                    gate.wait();
                    let began = Instant::now();
                    black_box(serve(requests));
                    (began, Instant::now())
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect::<Vec<_>>()
    });
    // One that begins when another has ended was not beside it.
    let began = spans.iter().map(|span| span.0).min().expect("a thread");
    spans.iter().map(|span| span.1 - began).max().expect("a thread")
}

/// Nanoseconds of each request: the least of what criterion measured, since the machine is shared.
fn time(criterion: &mut Criterion, (name, make): Contestant, members: usize, threads: usize) -> f64 {
    let samples = RefCell::new(Vec::new());
    let shared = make(members);
    let mut group = criterion.benchmark_group(format!("{name}, threads: {threads}"));
    group.sampling_mode(SamplingMode::Flat).bench_function(members.to_string(), |bencher| {
        // What the warm-up took is not wanted: criterion calls this once for it, and once to measure.
        samples.borrow_mut().clear();
        bencher.iter_custom(|requests| {
            let took = elapsed(&*shared, threads, requests);
            samples.borrow_mut().push(took.as_nanos() as f64 / requests as f64);
            took
        });
    });
    group.finish();
    samples.into_inner().into_iter().fold(f64::NAN, f64::min)
}

/// All ask more than one.
fn check((name, make): Contestant) {
    let shared = make(3);
    let mut serve = shared.start();
    let asked: HashSet<usize> = (0..1_000).map(|_| serve(1)).collect();
    assert!(asked.len() > 1 && asked.iter().all(|member| *member < 3), "`{name}` asks {asked:?}");
}

fn main() -> ExitCode {
    let contestants = || OURS.into_iter().chain(peers::peers());
    if let Some((case, requests)) = callgrind::asked() {
        let (name, members) = case.rsplit_once('/').expect("a name and a number");
        let (_, make) = contestants().find(|(other, _)| *other == name).expect("a name of the table");
        let shared = make(members.parse().expect("a number"));
        black_box(shared.start()(requests));
        return ExitCode::SUCCESS;
    }
    // Cargo adds `--bench`.
    let named: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_named = |name: &str| named.is_empty() || named.iter().any(|wanted| name.contains(wanted.as_str()));
    let counted = callgrind::is_there();
    let mut criterion = Criterion::default()
        .sample_size(300)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .nresamples(1_000)
        .without_plots();
    let columns = |of: &str| MEMBERS.map(|members| format!("{members}{of}"));
    let title = "nanoseconds of a pick and its return, by members";
    let mut times = Table::new(title, "ns", columns("").into_iter().chain(columns(", 2 threads")));
    let title = "instructions and allocations of a pick and its return, by members";
    let mut counts = Table::new(title, "count", columns(", instructions").into_iter().chain(columns(", allocations")));
    let mut claims = Vec::new();
    for contestant in contestants().filter(|(name, _)| is_named(name)) {
        let name = contestant.0;
        check(contestant);
        let mut on = |threads| MEMBERS.map(|members| time(&mut criterion, contestant, members, threads));
        let (one, two) = (on(1), on(2));
        times.row(name, one.into_iter().chain(two));
        let instructions = MEMBERS.map(|members| {
            counted.then(|| callgrind::per_run(&format!("{name}/{members}"), None, 1_000, 11_000).round())
        });
        let allocations = MEMBERS.map(|members| allocations(contestant, members));
        if name.starts_with("chain") {
            claims.push((format!("{name}: nothing is allocated"), allocations == [0.0; 3]));
        }
        counts.row(name, instructions.into_iter().chain(allocations.map(Some)));
    }
    publish("upstream", &[times, counts]);
    callgrind::verdict(&claims)
}
