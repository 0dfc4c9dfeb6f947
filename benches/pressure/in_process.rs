//! The doors before a simulated service, on a real runtime.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::doors::{self, Door, Request};
use crate::plan::{Ends, Plan};
use crate::run::{Run, Setting};
use crate::service::{Capacity, Service, share};

/// Some 1,500 requests a second, with tokio's timer, which counts in whole milliseconds.
const CAPACITY: Capacity = Capacity { workers: 16, takes: Duration::from_millis(10) };
pub(crate) const DEADLINE: Duration = Duration::from_millis(100);
/// What little-loadshedder is told to aim at, and how long who waits for a place does.
const AIM: Duration = Duration::from_millis(30);

pub(crate) fn setting() -> Setting {
    Setting { name: "in process", capacity: capacity(), deadline: DEADLINE, doors: &doors::NAMES }
}

/// What the service can do at most: all of its workers are kept busy.
fn capacity() -> f64 {
    const LASTS: Duration = Duration::from_secs(1);
    let (runtime, service) = (runtime(), Arc::new(Service::new(CAPACITY)));
    runtime.block_on(async {
        let started = Instant::now();
        let users = (0..2 * CAPACITY.workers as u64).map(|user| {
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                let mut served = 0;
                while started.elapsed() < LASTS {
                    service.serve(share(served * 31 + user)).await;
                    served += 1;
                }
                served
            })
        });
        let mut served = 0;
        for user in users.collect::<Vec<_>>() {
            served += user.await.expect("nothing panics here");
        }
        served as f64 / started.elapsed().as_secs_f64()
    })
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

pub(crate) fn run(door: &str, index: usize, plan: Plan) -> Result<Run, String> {
    let service = Arc::new(Service::new(CAPACITY));
    let limit = CAPACITY.workers;
    Ok(match index {
        0 => drive(|| doors::open(service), plan),
        1 => drive(|| doors::fixed(service, limit), plan),
        2 => drive(|| doors::waits(service, limit, AIM), plan),
        3 => drive(|| doors::fixed(service, 8 * limit), plan),
        4 => drive(|| doors::tower(service, limit), plan),
        5 => drive(|| doors::little(service, AIM), plan),
        6 => drive(|| doors::vegas(service), plan),
        7 => drive(|| doors::gradient(service), plan),
        _ => return Err(format!("no door is called `{door}`")),
    })
}

/// Sends what is due, and waits a little for what is still under way. A client that has waited too long does not say so, and is served all the same.
fn drive<D: Door>(door: impl FnOnce() -> D, plan: Plan) -> Run {
    let runtime = runtime();
    let door = runtime.block_on(async { door() });
    let ends = Arc::new(Ends::of(&plan));
    let started = Instant::now();
    for (number, due) in plan.due.iter().enumerate() {
        let at = started + due.at;
        thread::sleep(at.saturating_duration_since(Instant::now()));
        let (door, ends, class) = (door.clone(), Arc::clone(&ends), due.class);
        runtime.spawn(async move {
            let reply = door.ask(Request { number: number as u64, class }).await;
            ends.ended(number, at.elapsed(), reply);
        });
    }
    thread::sleep(DEADLINE * 2);
    runtime.shutdown_background();
    Run { plan, ends }
}
