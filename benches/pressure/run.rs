//! One kind of admission under one load, and the aims for all of them.

use std::sync::Arc;
use std::time::Duration;

use chain_benches::table::Table;
use serde_json::{Value, json};

use crate::plan::{Class, Ends, Plan, Stretch, course, judge, recovered};

/// What was asked, and what became of it.
pub(crate) struct Run {
    pub plan: Plan,
    pub ends: Arc<Ends>,
}

/// Where it is measured.
pub(crate) struct Setting {
    pub name: &'static str,
    /// Requests a second.
    pub capacity: f64,
    pub deadline: Duration,
    pub doors: &'static [&'static str],
}

/// How long.
pub(crate) struct Pace {
    /// How often each load is asked: the median counts.
    pub rounds: usize,
    /// At each load, before it is counted, and while it is.
    pub settles: Duration,
    pub lasts: Duration,
    /// Calm weather before a burst, the burst, and calm weather after it.
    pub calm: Duration,
    pub burst: Duration,
    pub watched: Duration,
}

/// Times the capacity.
pub(crate) const LOADS: [f64; 5] = [0.5, 1.0, 2.0, 5.0, 10.0];
const CALM: f64 = 0.5;
const BURST: f64 = 10.0;

/// What is wanted.
const GOODPUT: f64 = 0.95;
const SLOWER: f64 = 2.0;
const RECOVERS: f64 = 2.0;

/// What was found out about one door.
pub(crate) struct Found {
    pub door: &'static str,
    /// For each load.
    pub goodput: Vec<f64>,
    pub critical_p99: Vec<f64>,
    pub critical_served: Vec<f64>,
    pub sheddable_served: Vec<f64>,
    /// Seconds.
    pub recovered: Option<f64>,
    /// Seconds, and replies within their deadline a second.
    pub course: Vec<(f64, f64)>,
}

/// All loads, and then a burst, before one door.
pub(crate) fn found(
    setting: &Setting,
    door: &'static str,
    pace: &Pace,
    run: impl Fn(Plan) -> Result<Run, String>,
) -> Result<Found, String> {
    let mut found = Found {
        door,
        goodput: Vec::new(),
        critical_p99: Vec::new(),
        critical_served: Vec::new(),
        sheddable_served: Vec::new(),
        recovered: None,
        course: Vec::new(),
    };
    for load in LOADS {
        let rate = load * setting.capacity;
        let mut stretches = Vec::new();
        for _ in 0..pace.rounds {
            let plan =
                Plan::new().then(CALM * setting.capacity, pace.settles).then(rate, pace.settles / 3 + pace.lasts);
            let run = run(plan)?;
            let from = pace.settles + pace.settles / 3;
            stretches.push(judge(&run.plan, &run.ends, from, from + pace.lasts, setting.deadline));
        }
        found.goodput.push(median(&stretches, |stretch| stretch.goodput));
        found.critical_p99.push(median(&stretches, |stretch| stretch.critical_p99));
        found.critical_served.push(median(&stretches, |stretch| stretch.served[Class::Critical as usize]));
        found.sheddable_served.push(median(&stretches, |stretch| stretch.served[Class::Sheddable as usize]));
    }
    let calm = CALM * setting.capacity;
    let plan = Plan::new().then(calm, pace.calm).then(BURST * setting.capacity, pace.burst).then(calm, pace.watched);
    let run = run(plan)?;
    let after = pace.calm + pace.burst;
    found.recovered = recovered(&run.plan, &run.ends, pace.calm, after, setting.deadline);
    found.course = course(&run.plan, &run.ends, Duration::from_millis(250), setting.deadline);
    Ok(found)
}

fn median(stretches: &[Stretch], figure: impl Fn(&Stretch) -> f64) -> f64 {
    let mut figures: Vec<_> = stretches.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

impl Found {
    /// Goodput at ten times the capacity, of that at the capacity.
    fn kept(&self) -> f64 {
        self.goodput[4] / self.goodput[1]
    }

    fn slower(&self) -> f64 {
        self.critical_p99[4] / self.critical_p99[0]
    }

    /// What is wanted of it, and whether it holds.
    pub(crate) fn claims(&self) -> [(String, bool); 3] {
        let recovered =
            self.recovered.map_or("no recovery".to_owned(), |seconds| format!("recovers in {seconds:.1} s"));
        [
            (
                format!("goodput at 10 x is {:.2} of that at capacity, wanted: {GOODPUT}", self.kept()),
                self.kept() >= GOODPUT,
            ),
            (
                format!("critical p99 at 10 x is {:.2} times its calm value, wanted: {SLOWER}", self.slower()),
                self.slower() <= SLOWER,
            ),
            (format!("{recovered}, wanted: {RECOVERS} s"), self.recovered.is_some_and(|seconds| seconds <= RECOVERS)),
        ]
    }
}

/// The tables of one setting.
pub(crate) fn tables(setting: &Setting, pace: &Pace, found: &[Found]) -> [Table; 3] {
    let Setting { name, capacity, deadline, .. } = setting;
    let title = format!(
        "{name}: replies within {deadline:?}, of {capacity:.0} a second that the service can give at most, under so many times as many requests"
    );
    let columns =
        LOADS.map(|load| format!("{load} x")).into_iter().chain(["10 x / 1 x".into(), "back to normal, s".into()]);
    let mut goodput = Table::new(&title, "what decides", columns);
    for found in found {
        let mut row: Vec<_> = found.goodput.iter().map(|goodput| json!(goodput / capacity)).collect();
        row.push(json!(found.kept()));
        row.push(found.recovered.map_or(json!(format!("> {}", pace.watched.as_secs())), |seconds| json!(seconds)));
        goodput.row(found.door, row);
    }
    let title = format!("{name}: p99 of the critical requests that were let in, ms");
    let columns = LOADS.map(|load| format!("{load} x")).into_iter().chain(["10 x / 0.5 x".into()]);
    let mut critical = Table::new(&title, "what decides", columns);
    for found in found {
        let row = found.critical_p99.iter().copied().chain([found.slower()]).map(Value::from);
        critical.row(found.door, row);
    }
    let title = format!("{name}: the share of critical requests that were served in time, and of sheddable ones");
    let mut shares = Table::new(&title, "what decides", LOADS.map(|load| format!("{load} x")));
    for found in found {
        let both = found.critical_served.iter().zip(&found.sheddable_served);
        shares.row(found.door, both.map(|(critical, sheddable)| format!("{critical:.2} / {sheddable:.2}")));
    }
    [goodput, critical, shares]
}
