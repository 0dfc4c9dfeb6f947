//! Series for groups of upstreams.

use core::fmt;
use std::string::String;
use std::time::Duration;
use std::vec;
use std::vec::Vec;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::{Families, Series};
use crate::upstream::{Counts, Registry, RegistryTotals, Totals};

/// How many members of a group have series of their own.
const MEMBERS: usize = 200;

const STATES: [&str; 4] = ["ready", "draining", "ejected", "unhealthy"];

/// A group of upstreams at one moment, for [`Upstreams`].
///
/// At most 200 of its members have series of their own, the first ones by name. The others are counted.
#[derive(Clone, Debug)]
pub struct GroupReading {
    group: String,
    counts: Counts,
    limit: usize,
    is_panic: bool,
    totals: RegistryTotals,
    members: Vec<MemberReading>,
}

#[derive(Clone, Debug)]
struct MemberReading {
    name: String,
    zone: String,
    weight: u32,
    state: &'static str,
    in_flight: usize,
    expected: Option<Duration>,
    totals: Totals,
}

impl GroupReading {
    /// The present state of this registry. `group` tells it apart from others of the program.
    pub fn of<T>(group: impl Into<String>, registry: &Registry<T>) -> Self {
        let snapshot = registry.snapshot().keep();
        let members = snapshot.members().iter().take(MEMBERS).map(|entry| {
            let seat = entry.seat();
            MemberReading {
                name: seat.name().into(),
                zone: seat.zone().unwrap_or_default().into(),
                weight: entry.weight().get(),
                state: entry.state().name(),
                in_flight: seat.in_flight(),
                expected: seat.expected(),
                totals: seat.totals(),
            }
        });
        Self {
            group: group.into(),
            counts: snapshot.counts(),
            limit: registry.limit(),
            is_panic: snapshot.is_panic(),
            totals: registry.totals(),
            members: members.collect(),
        }
    }

    fn states(&self) -> [(&'static str, usize); 4] {
        let Counts { ready, draining, ejected, unhealthy } = self.counts;
        let counts = [ready, draining, ejected, unhealthy];
        core::array::from_fn(|at| (STATES[at], counts[at]))
    }
}

/// Groups of upstreams as a `Collector`, read anew for each scrape.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use chain_runtime::telemetry::prometheus::{Format, GroupReading, Upstreams, render_all};
/// use chain_runtime::upstream::{Member, Registry};
///
/// let registry = Arc::new(Registry::new());
/// registry.register(Member::new("10.0.0.7:8080", 80), Duration::MAX)?;
/// let upstreams = Upstreams::new(move || vec![GroupReading::of("orders", &registry)]);
/// let text = render_all(Format::OpenMetrics, [Box::new(upstreams) as _]);
/// assert!(text.contains("chain_upstream_members{group=\"orders\",state=\"ready\"} 1"));
/// # Ok::<(), chain_runtime::upstream::Refused>(())
/// ```
pub struct Upstreams<F>(F);

impl<F: Fn() -> Vec<GroupReading> + Send + Sync + 'static> Upstreams<F> {
    /// The groups that this closure reads. No two may have the same name.
    pub const fn new(read: F) -> Self {
        Self(read)
    }
}

impl<F> fmt::Debug for Upstreams<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upstreams")
    }
}

impl<F: Fn() -> Vec<GroupReading> + Send + Sync + 'static> Collector for Upstreams<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let groups = (self.0)();
        let mut families = Families(&mut encoder);
        of_groups(&groups, &mut families)?;
        of_registries(&groups, &mut families)?;
        of_members(&groups, &mut families)
    }
}

/// The series of each group, one for each label.
fn of_each<'a, V>(
    groups: &'a [GroupReading],
    of: impl Fn(&'a GroupReading) -> Vec<Series<'a, V>>,
) -> Vec<Series<'a, V>> {
    let named = |group: &'a GroupReading| {
        of(group).into_iter().map(|(mut labels, value)| {
            labels.insert(0, ("group", &*group.group));
            (labels, value)
        })
    };
    groups.iter().flat_map(named).collect()
}

fn of_groups(groups: &[GroupReading], families: &mut Families<'_, '_>) -> fmt::Result {
    let states =
        |group: &GroupReading| group.states().map(|(state, count)| (vec![("state", state)], count as f64)).into();
    families.gauges("chain_upstream_members", "Members, by their state", None, of_each(groups, states))?;
    type Gauge = (&'static str, &'static str, fn(&GroupReading) -> f64);
    let gauges: [Gauge; 3] = [
        ("chain_upstream_members_limit", "How many members there may be", |group| group.limit as f64),
        (
            "chain_upstream_members_without_series",
            "Members that have no series of their own, since there are so many",
            |group| (group.counts.all().saturating_sub(group.members.len())) as f64,
        ),
        ("chain_upstream_panic", "Whether so few are ready that all are asked", |group| {
            f64::from(u8::from(group.is_panic))
        }),
    ];
    for (name, help, value) in gauges {
        families.gauges(name, help, None, of_each(groups, |group| vec![(vec![], value(group))]))?;
    }
    Ok(())
}

fn of_registries(groups: &[GroupReading], families: &mut Families<'_, '_>) -> fmt::Result {
    type Counts = (&'static str, &'static str, &'static str, fn(&RegistryTotals) -> Vec<(&'static str, u64)>);
    let counters: [Counts; 7] = [
        ("chain_upstream_registered", "Members that were registered", "", |totals| vec![("", totals.registered)]),
        ("chain_upstream_left", "Members that are gone", "cause", |totals| {
            vec![("lease", totals.evicted), ("removed", totals.removed), ("superseded", totals.superseded)]
        }),
        ("chain_upstream_late_heartbeats", "Heartbeats of who was gone already", "", |totals| vec![("", totals.late)]),
        ("chain_upstream_refused", "Members that were refused", "cause", |totals| {
            vec![("full", totals.full), ("name", totals.misnamed)]
        }),
        ("chain_upstream_lists", "Lists of members that a source told, by what became of them", "result", |totals| {
            vec![("taken", totals.lists_taken), ("refused", totals.lists_refused), ("failed", totals.lists_failed)]
        }),
        ("chain_upstream_ejections", "Times that a member was ejected", "cause", |totals| {
            let ejected = totals.ejected;
            let of_it = [("in_a_row", ejected.in_a_row), ("lasting", ejected.lasting), ("rate", ejected.rate)];
            [&of_it[..], &[("told", ejected.told)]].concat()
        }),
        ("chain_upstream_found_unhealthy", "Times that a member was asked how it is and was not well", "", |totals| {
            vec![("", totals.unhealthy)]
        }),
    ];
    for (name, help, label, counts) in counters {
        let series = of_each(groups, |group| {
            let labels = |of: &'static str| if label.is_empty() { vec![] } else { vec![(label, of)] };
            counts(&group.totals).into_iter().map(|(of, count)| (labels(of), count)).collect()
        });
        families.counters(name, help, series)?;
    }
    Ok(())
}

fn of_members(groups: &[GroupReading], families: &mut Families<'_, '_>) -> fmt::Result {
    let each = |member: &MemberReading| {
        let Totals { ok, not_ok, failed, timed_out, cancelled, panicked } = member.totals;
        [
            ("ok", ok),
            ("not_ok", not_ok),
            ("failed", failed),
            ("timed_out", timed_out),
            ("cancelled", cancelled),
            ("panicked", panicked),
        ]
    };
    let series = of_each(groups, |group| {
        let all = group
            .members
            .iter()
            .flat_map(|member| each(member).map(|(outcome, count)| (&*member.name, outcome, count)));
        all.map(|(name, outcome, count)| (vec![("member", name), ("outcome", outcome)], count)).collect()
    });
    families.counters("chain_upstream_requests", "Requests that ended, by how they did", series)?;
    let in_flight = of_each(groups, |group| {
        group.members.iter().map(|member| (vec![("member", &*member.name)], member.in_flight as f64)).collect()
    });
    families.gauges("chain_upstream_in_flight", "Requests that are under way", None, in_flight)?;
    let expected = of_each(groups, |group| {
        let known = group.members.iter().filter_map(|member| Some((member, member.expected?)));
        known.map(|(member, expected)| (vec![("member", &*member.name)], expected.as_secs_f64())).collect()
    });
    let help = "What a request is expected to take: the decaying peak of those before";
    families.gauges("chain_upstream_expected", help, Some(&Unit::Seconds), expected)?;
    let states = of_each(groups, |group| {
        let all = group.members.iter().flat_map(|member| STATES.map(|state| (member, state)));
        let is_it = |(member, state): (&'_ MemberReading, &'static str)| f64::from(u8::from(member.state == state));
        all.map(|one| (vec![("member", &*one.0.name), ("state", one.1)], is_it(one))).collect()
    });
    families.gauges("chain_upstream_state", "1 for the state that the member is in", None, states)?;
    let weights = of_each(groups, |group| {
        let of_one = |member: &MemberReading| f64::from(member.weight);
        let all = group.members.iter();
        all.map(|member| (vec![("member", &*member.name), ("zone", &*member.zone)], of_one(member))).collect()
    });
    families.gauges("chain_upstream_weight", "The member's weight, and its zone as a label", None, weights)
}
