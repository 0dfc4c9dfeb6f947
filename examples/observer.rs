//! An observer that measures each node's own time: its way in, its way out, and how often it was polled.
//!
//! It counts only the stretches in which a node's own code runs, so waiting belongs to no node. A chain without
//! `#[observe(..)]` contains no instruction for this.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::{Observer, Way};
use chain_runtime::{Ending, chain, node};

/// One line of the table.
#[derive(Clone, Copy, Default)]
struct Line {
    way_in: Duration,
    way_out: Duration,
    polls: u32,
}

static TABLE: Mutex<[Line; 3]> = Mutex::new([Line { way_in: Duration::ZERO, way_out: Duration::ZERO, polls: 0 }; 3]);

/// One value is made for each run, and moves with the run from thread to thread.
struct Stopwatch {
    since: Instant,
    lines: [Line; 3],
}

impl Stopwatch {
    /// A node's own code begins to run.
    fn start(&mut self) {
        self.since = Instant::now();
    }

    /// It ends, or pauses.
    fn stop(&mut self, node: &NodeInfo, way: Way) {
        let line = &mut self.lines[node.position];
        line.polls += 1;
        match way {
            Way::In => line.way_in += self.since.elapsed(),
            Way::Out => line.way_out += self.since.elapsed(),
        }
    }
}

impl Observer for Stopwatch {
    fn begin(_: &'static ChainInfo) -> Self {
        Self { since: Instant::now(), lines: Default::default() }
    }

    fn enter(&mut self, _: &'static NodeInfo) {
        self.start();
    }
    fn resume(&mut self, _: &'static NodeInfo, _: Way) {
        self.start();
    }
    fn leave(&mut self, _: &'static NodeInfo) {
        self.start();
    }

    fn entered(&mut self, node: &'static NodeInfo) {
        self.stop(node, Way::In);
    }
    fn broke(&mut self, node: &'static NodeInfo) {
        self.stop(node, Way::In);
    }
    fn suspend(&mut self, node: &'static NodeInfo, way: Way) {
        self.stop(node, way);
    }
    fn left(&mut self, node: &'static NodeInfo) {
        if node.facts.exit.is_present() {
            self.stop(node, Way::Out);
        }
    }

    fn end(self, _: Option<&'static Ending>) {
        let mut table = TABLE.lock().expect("nothing panics while it is held");
        for (line, more) in table.iter_mut().zip(self.lines) {
            line.way_in += more.way_in;
            line.way_out += more.way_out;
            line.polls += more.polls;
        }
    }
}

struct Request(u64);
struct Sum(u64);

/// Works.
#[node]
fn add(request: &Request) -> Sum {
    Sum((0..request.0).fold(0, |sum, next| std::hint::black_box(sum + next)))
}

/// Works on its way out.
struct Check;

#[node]
impl Check {
    fn exit(&self, sum: &Sum, request: &Request) {
        let again: u64 = (0..request.0).fold(0, |sum, next| std::hint::black_box(sum + next));
        assert_eq!(again, sum.0);
    }
}

/// Waits, which takes long, but is not its own time.
#[node]
async fn store(sum: &Sum) -> Result<u64, u64> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(sum.0)
}

chain! {
    #[observe(Stopwatch)]
    struct Sums {
        check: Check,
    }

    async fn(request: Request) -> u64 {
        add => check => store
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sums = Sums { check: Check };
    let began = Instant::now();
    for _ in 0..100 {
        sums.run(Request(10_000)).await;
    }
    println!("100 requests in {:?}, of which in the nodes' own code:", began.elapsed());
    println!("{:8} {:>12} {:>12} {:>6}", "node", "way in", "way out", "polls");
    for (node, line) in Sums::NODES.iter().zip(*TABLE.lock().expect("nothing panics while it is held")) {
        println!("{:8} {:>12?} {:>12?} {:>6}", node.name, line.way_in, line.way_out, line.polls);
    }
}
