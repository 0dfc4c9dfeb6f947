//! `#[shed(.., detach)]`: the work goes behind the request.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use chain_runtime::observe::{Event, Recorder, Recording};
use chain_runtime::shed::{How, Level};
use chain_runtime::tasks::Tasks;
use chain_runtime::telemetry::{Manual, Meter};
use chain_runtime::{Shedding, chain, node};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use crate::{Path, done, is_local, seen};

/// What happened, in order: work behind a request may be on any thread.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<&'static str>>>);

impl Book {
    fn writes(&self, line: &'static str) {
        self.0.lock().unwrap().push(line);
    }
    fn taken(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[node]
fn metrics(book: &Book) -> impl Future<Output = ()> + Send + 'static {
    let book = book.clone();
    async move {
        sleep(Duration::from_secs(1)).await;
        book.writes("metrics");
    }
}

#[node]
fn audit(book: &Book) -> impl Future<Output = ()> + Send + 'static {
    let book = book.clone();
    async move { book.writes("audit") }
}

#[node]
fn replies(book: &Book) -> &'static str {
    book.writes("reply");
    "done"
}

#[node]
async fn waits() {
    sleep(Duration::from_secs(60)).await;
}

chain! {
    #[observe(Recorder)]
    struct Site { shedding: Shedding, tasks: Tasks, book: Book }
    async fn(path: Path) -> &'static str { #[shed(high, detach)] metrics => replies }
}

fn site(tasks: Tasks) -> Site {
    Site { shedding: Shedding::new(), tasks, book: Book::default() }
}

fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn below_its_level_a_node_is_awaited() {
    paused().block_on(async {
        let site = site(Tasks::new(8));
        site.sheds().force(Level::Elevated);
        site.run(Path("/")).await;
        assert_eq!(site.book.taken(), ["metrics", "reply"]);
        assert_eq!((site.sheds().count("metrics"), site.tasks.counts().begun), (Ok(0), 0));
    });
}

#[test]
fn from_its_level_on_its_work_goes_behind_the_request() {
    assert_eq!(Site::CHAIN.sheds[0].how, How::Behind);
    paused().block_on(async {
        let site = site(Tasks::new(8));
        site.sheds().force(Level::High);
        let recording = Recording::start();
        site.run(Path("/")).await;
        assert_eq!(site.book.taken(), ["reply"]);
        assert_eq!(recording.events()[1], Event::Shed("metrics"));
        assert!(!recording.events().contains(&Event::Enter("metrics")));
        sleep(Duration::from_secs(2)).await;
        assert_eq!(site.book.taken(), ["metrics"]);
        assert_eq!((site.sheds().count("metrics"), site.tasks.counts().begun), (Ok(1), 1));
    });
}

#[test]
fn work_that_finds_no_place_is_dropped_and_counted() {
    paused().block_on(async {
        let site = site(Tasks::builder().queue(2).build());
        site.sheds().force(Level::Critical);
        for _ in 0..5 {
            site.run(Path("/")).await;
        }
        sleep(Duration::from_secs(10)).await;
        let lines = site.book.taken();
        assert_eq!(lines.iter().filter(|line| **line == "metrics").count(), 2);
        assert_eq!((site.sheds().count("metrics"), site.tasks.counts().dropped), (Ok(5), 3));
    });
}

#[test]
fn work_behind_a_request_goes_on_when_that_is_cancelled() {
    chain! {
        struct Waits { shedding: Shedding, tasks: Tasks, book: Book }
        async fn(path: Path) -> &'static str { #[shed(high, detach)] metrics => waits => replies }
    }
    paused().block_on(async {
        let site = Waits { shedding: Shedding::new(), tasks: Tasks::new(8), book: Book::default() };
        site.sheds().force(Level::High);
        timeout(Duration::from_millis(10), site.run(Path("/"))).await.unwrap_err();
        assert!(site.book.taken().is_empty());
        sleep(Duration::from_secs(2)).await;
        assert_eq!(site.book.taken(), ["metrics"]);
    });
}

#[test]
fn what_would_not_have_run_does_not_go_behind_the_request() {
    chain! {
        struct Asks { shedding: Shedding, queue: Queue, book: Book }
        async fn(path: Path) -> &'static str {
            #[shed(high, detach)] #[when(is_local)] audit => #[shed(high, sample = 0, "block")] { #[shed(high, detach, "second")] audit } => done
        }
    }
    type Queue = Tasks;
    paused().block_on(async {
        let site = Asks { shedding: Shedding::new(), queue: Tasks::new(8), book: Book::default() };
        site.sheds().force(Level::High);
        site.run(Path("/elsewhere")).await;
        sleep(Duration::from_secs(1)).await;
        assert!(site.book.taken().is_empty());
        site.run(Path("/")).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(site.book.taken(), ["audit"]);
        let counts: Vec<_> = site.sheds().iter().map(|shed| shed.count).collect();
        assert_eq!((counts, site.queue.counts().begun), (vec![1, 2, 0], 1));
        let _ = seen();
    });
}

#[test]
fn a_meter_counts_what_went_behind_as_shed_skipped_and_detached() {
    chain! {
        #[observe(meter)]
        struct Metered { shedding: Shedding, tasks: Tasks, book: Book, meter: Arc<Meter<Manual>> }
        async fn(path: Path) -> &'static str { #[shed(high, detach)] metrics => replies }
    }
    paused().block_on(async {
        let meter = Arc::new(Meter::builder(Metered::CHAIN).clock(Manual::new()).build());
        let tasks = Tasks::builder().queue(1).build();
        let site = Metered { shedding: Shedding::new(), tasks, book: Book::default(), meter: Arc::clone(&meter) };
        for level in [Level::Calm, Level::High, Level::High] {
            site.sheds().force(level);
            site.run(Path("/")).await;
        }
        let totals = &meter.snapshot().nodes[0];
        // The second found no place.
        assert_eq!((totals.entered, totals.shed, totals.skipped, totals.detached), (1, 2, 2, 1));
    });
}
