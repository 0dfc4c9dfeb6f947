//! What is given up when memory becomes tight, and in which order; no node needs it.
//!
//! Three nodes may go: the log, the metrics, the warming of a cache. They provide an `Option`, so no later node can
//! rely on the value. After them, a limit turns requests away, the least important first. The memory and the clock are
//! simulated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chain_runtime::pressure::source::{Unit, own};
use chain_runtime::pressure::{Adaptive, ByPriority, Fixed, Level, Pressure, Priority, Thresholds, TurnedAway};
use chain_runtime::{IntoReply, Shedding, chain, node};

struct Request {
    priority: Priority,
}

struct Reply(String);

/// At `critical` there is none, and `page` has to handle that.
struct Warm(&'static str);

/// How often each of these ran.
#[derive(Default)]
struct Ran {
    log: AtomicU64,
    metrics: AtomicU64,
}

#[node]
fn log(ran: &Ran) {
    ran.log.fetch_add(1, Relaxed);
}

#[node]
fn metrics(ran: &Ran) {
    ran.metrics.fetch_add(1, Relaxed);
}

#[node]
fn priority(request: &Request) -> Priority {
    request.priority
}

#[node]
fn warm_cache() -> Warm {
    Warm("warm")
}

#[node]
async fn page(warm: &Option<Warm>) -> Reply {
    tokio::task::yield_now().await;
    Reply(format!("page, cache {}", warm.as_ref().map_or("cold", |warm| warm.0)))
}

impl IntoReply<Reply> for TurnedAway {
    fn into_reply(self) -> Reply {
        Reply(format!("turned away: {self}"))
    }
}

chain! {
    struct Shop { shedding: Shedding, admission: Adaptive<ByPriority, Fixed>, ran: Ran }

    async fn(request: Request) -> Reply {
        #[shed(elevated, sample = 1 / 100)] log
        => #[shed(high)] metrics
        => priority
        => admission { #[shed(critical)] warm_cache => page }
    }
}

/// A thousand requests of each priority, one after another.
async fn ask(shop: &Shop) {
    for priority in Priority::ALL {
        let mut last = String::new();
        for _ in 0..1_000 {
            last = shop.run(Request { priority }).await.0;
        }
        println!("  {priority:<10} {last}");
    }
    let ran = [&shop.ran.log, &shop.ran.metrics].map(|ran| ran.swap(0, Relaxed));
    println!("  of 3000: log ran {} times, metrics {}", ran[0], ran[1]);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Megabytes in use, of 1,000.
    let used = Arc::new(AtomicU64::new(300));
    let thresholds = Thresholds::new([0.80, 0.90, 0.97], [0.75, 0.85, 0.93]);
    let reads = Arc::clone(&used);
    let memory = own("memory", thresholds, move |_| Ok(reads.load(Relaxed) as f64 / 1_000.0)).unit(Unit::Share);
    let (pressure, mut sampler) = Pressure::builder().source(memory).build().expect("one source");
    let shop = Shop {
        shedding: pressure.shedding(),
        admission: Adaptive::fixed(2).under(Arc::clone(pressure.cell())),
        ran: Ran::default(),
    };
    println!("What the compiler knows:\n\n{}\n", shop.sheds());

    println!("A drill: each level is forced.");
    for level in Level::ALL {
        pressure.force(level);
        println!("\n{level}:");
        ask(&shop).await;
    }
    pressure.release();

    println!("\nMemory grows and shrinks, and nobody forces anything:\n");
    let mut now = Instant::now();
    for megabytes in [500, 820, 910, 980, 980, 700, 300, 300, 300, 300, 300, 300, 300, 300] {
        used.store(megabytes, Relaxed);
        now += Duration::from_millis(300);
        if let Some(change) = sampler.sample(now) {
            println!("  {megabytes} MB   {change}");
        }
    }
    println!("\n{}:", pressure.level());
    ask(&shop).await;
    let shed: Vec<_> = shop.sheds().iter().map(|shed| format!("{} {} times", shed.info.name, shed.count)).collect();
    println!("\nGiven up in all: {}. Turned away: {}.", shed.join(", "), shop.admission.status().turned_away_in_all());
    println!("The log goes first, the cache last, and what is critical was always served.");
}
