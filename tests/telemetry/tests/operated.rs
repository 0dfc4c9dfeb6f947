//! Prometheus accepts what is exposed of upstreams and of pressure: its own tool says so. The series are bounded, and
//! match the facts.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chain_runtime::pressure::source::{Fault, Unit, own};
use chain_runtime::pressure::{Adaptive, Anyone, Fixed, Level, Pressure, Thresholds};
use chain_runtime::telemetry::prometheus::{Format, GroupReading, PressureReading, Pressures, Upstreams, render_all};
use chain_runtime::upstream::{Health, Member, Outcome, Registry, State};

/// What `promtool check metrics` has to say of it.
fn complaints(text: &str) -> String {
    let mut tool = Command::new("promtool");
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.spawn().expect("promtool, of Debian's package prometheus");
    tool.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = tool.wait_with_output().expect("its output");
    let said = [&*output.stdout, &*output.stderr].concat();
    assert_eq!(output.status.success(), said.is_empty(), "it says what is wrong");
    String::from_utf8_lossy(&said).into_owned()
}

fn upstreams(format: Format, registry: &Arc<Registry<u16>>) -> String {
    let registry = Arc::clone(registry);
    let read = move || vec![GroupReading::of("orders", &registry), GroupReading::of("empty", &Registry::<u16>::new())];
    render_all(format, [Box::new(Upstreams::new(read)) as _])
}

/// The value of a series.
fn value(text: &str, series: &str) -> f64 {
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {series}: {text}"))
}

#[tokio::test(start_paused = true)]
async fn groups_and_members_are_exposed_as_they_are() {
    let health = Health::new().failures(2, Duration::from_secs(10));
    let registry = Arc::new(Registry::new().with_health(health).with_limit(3));
    let lease = Duration::from_secs(60);
    let a = registry.register(Member::new("a", 1).zone("z\"1").weight(3), lease).unwrap();
    registry.register(Member::new("b\"\\", 2), lease).unwrap();
    registry.register(Member::new("b\"\\", 3), lease).unwrap();
    registry.register(Member::new("c", 3), lease).unwrap();
    registry.register(Member::new("d", 3), lease).unwrap_err();
    let snapshot = registry.snapshot().keep();
    let seat = |name: &str| Arc::clone(snapshot.get(name).unwrap().seat());
    let ok = Outcome::Replied { ok: true };
    for outcome in [ok, ok, Outcome::Cancelled] {
        seat("a").note(outcome, Duration::from_millis(20));
    }
    (0..2).for_each(|_| seat("b\"\\").note(Outcome::Failed, Duration::from_millis(1)));
    let _request = seat("a").begin().unwrap();
    registry.drain(&a).unwrap();

    let text = upstreams(Format::Text, &registry);
    assert_eq!(complaints(&text), "", "{text}");
    let of = |name: &str, labels: &str| value(&text, &format!("chain_upstream_{name}{{group=\"orders\"{labels}}}"));
    for (state, count) in [("ready", 1.0), ("draining", 1.0), ("ejected", 1.0), ("unhealthy", 0.0)] {
        assert_eq!(of("members", &format!(",state=\"{state}\"")), count, "{state}");
    }
    assert_eq!((of("members_limit", ""), of("members_without_series", ""), of("panic", "")), (3.0, 0.0, 0.0));
    assert_eq!((of("registered_total", ""), of("left_total", ",cause=\"superseded\"")), (4.0, 1.0));
    assert_eq!((of("refused_total", ",cause=\"full\""), of("ejections_total", ",cause=\"in_a_row\"")), (1.0, 1.0));
    assert_eq!(of("requests_total", ",member=\"a\",outcome=\"ok\""), 2.0);
    assert_eq!(of("requests_total", ",member=\"a\",outcome=\"cancelled\""), 1.0);
    assert_eq!(of("requests_total", ",member=\"b\\\"\\\\\",outcome=\"failed\""), 2.0);
    assert_eq!((of("in_flight", ",member=\"a\""), of("weight", ",member=\"a\",zone=\"z\\\"1\"")), (1.0, 3.0));
    assert_eq!(of("state", ",member=\"a\",state=\"draining\""), 1.0);
    assert_eq!(of("state", ",member=\"a\",state=\"ready\""), 0.0);
    assert!((0.019..0.021).contains(&of("expected_seconds", ",member=\"a\"")));
    assert!(!text.contains("chain_upstream_expected_seconds{group=\"orders\",member=\"c\"}"), "nothing is known of it");
    assert!(upstreams(Format::OpenMetrics, &registry).ends_with("# EOF\n"));
}

#[test]
fn many_members_have_few_series() {
    let registry = Arc::new(Registry::new());
    let registrations: Vec<_> = (0..3_000)
        .map(|number| registry.register(Member::new(format!("member-{number:04}"), 1), Duration::MAX).unwrap())
        .collect();
    let text = upstreams(Format::Text, &registry);
    assert_eq!(value(&text, "chain_upstream_members{group=\"orders\",state=\"ready\"}"), 3_000.0);
    assert_eq!(value(&text, "chain_upstream_members_without_series{group=\"orders\"}"), 2_800.0);
    let series = text.lines().filter(|line| line.contains("member=\"")).count();
    assert_eq!(series, 200 * (6 + 1 + 4 + 1), "outcomes, in flight, states, weight");
    // Those that come later by name move no others.
    registry.change_state(&registrations[0], |_, _| State::Unhealthy).unwrap();
    let again = upstreams(Format::Text, &registry);
    assert!(again.contains("member=\"member-0199\"") && !again.contains("member=\"member-0200\""));
}

#[test]
fn pressure_and_who_is_let_in_are_exposed() {
    let limits = || Thresholds::new([0.80, 0.90, 0.97], [0.75, 0.85, 0.93]);
    let builder = Pressure::builder().source(own("share", limits(), |_| Ok(0.85)).unit(Unit::Share));
    let builder = builder.source(own("lag", limits(), |_| Ok(0.5)).unit(Unit::Seconds));
    let builder = builder.source(own("queue", limits(), |_| Ok(0.25)).unit(Unit::Count));
    let builder = builder.source(own("broken", limits(), |_| Err(Fault::NotANumber)));
    let (pressure, mut sampler) = builder.build().expect("it is one");
    sampler.sample(Instant::now());
    let admission = Adaptive::<Anyone, Fixed>::fixed(1).queue(1);
    let status = admission.status();
    let reading = PressureReading::of(Some(pressure.status())).admission("requests", status);
    let text = render_all(Format::Text, [Box::new(Pressures::new(move || reading.clone())) as _]);
    assert_eq!(complaints(&text), "", "{text}");
    for (series, expected) in [
        ("chain_pressure_level", 1.0),
        ("chain_pressure_forced", 0.0),
        ("chain_pressure_samples_total", 1.0),
        ("chain_pressure_source_level{source=\"share\"}", 1.0),
        ("chain_pressure_source_ratio{source=\"share\"}", 0.85),
        ("chain_pressure_source_seconds{source=\"lag\"}", 0.5),
        ("chain_pressure_source_things{source=\"queue\"}", 0.25),
        ("chain_pressure_source_faults_total{source=\"broken\"}", 1.0),
        ("chain_admission_limit{admission=\"requests\"}", 1.0),
        ("chain_admission_in_flight{admission=\"requests\"}", 0.0),
        ("chain_admission_places{admission=\"requests\"}", 1.0),
        ("chain_admission_waiting{admission=\"requests\",priority=\"critical\"}", 0.0),
        ("chain_admission_turned_away_total{admission=\"requests\",priority=\"default\",reason=\"full\"}", 0.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}: {text}");
    }
    pressure.force(Level::Critical);
    let reading = PressureReading::of(Some(pressure.status()));
    let text = render_all(Format::Text, [Box::new(Pressures::new(move || reading.clone())) as _]);
    assert_eq!((value(&text, "chain_pressure_level"), value(&text, "chain_pressure_forced")), (3.0, 1.0));
}
