//! A group of upstreams that serve the same: its registry knows its members and their health.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chain_runtime::nodes::access_log::Lines;
use chain_runtime::proxy::Upstream;
use chain_runtime::upstream::{Changes, Health, Listed, Member, Registry, Source as _, State};
use tokio::task::JoinSet;

use super::failure::Failure;
use super::logging;
use super::target::{Followed, Target};

/// The group.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) registry: Arc<Registry<Upstream>>,
    lines: Lines,
    lists: Mutex<Lists>,
    /// It ends with the group.
    _keeper: JoinSet<()>,
}

/// Where members come from.
struct Lists {
    addresses: List,
    names: Vec<Name>,
}

type List = Arc<Mutex<Listed<Upstream>>>;

/// A name that is followed until this is dropped.
struct Name {
    target: Target,
    list: List,
    _task: JoinSet<()>,
}

/// Members that are valid, and change nothing yet.
pub(crate) struct Prepared {
    addresses: Vec<Member<Upstream>>,
    new: Vec<Followed>,
    targets: Vec<Target>,
}

impl Group {
    /// A group without members.
    pub(crate) fn new(name: impl Into<String>, lines: &Lines) -> Self {
        // A member that is back after a moment gets requests again soon.
        let health = Health::new().ejection(Duration::from_millis(500), Duration::from_secs(30));
        let registry = Arc::new(Registry::new().with_health(health));
        let (mut keeper, kept) = (JoinSet::new(), Arc::clone(&registry));
        keeper.spawn(async move { kept.keep().await });
        let name = name.into();
        keeper.spawn(tell(name.clone(), Arc::clone(&registry), lines.clone()));
        let lists = Lists { addresses: Arc::new(Mutex::new(registry.listed())), names: Vec::new() };
        Self { name, registry, lines: lines.clone(), lists: Mutex::new(lists), _keeper: keeper }
    }

    /// Resolves the new names among these. A name without addresses is a mistake, unless they may still come.
    pub(crate) async fn prepare(&self, targets: &[Target], may_come: bool) -> Result<Prepared, Failure> {
        let twice = |(at, target): (usize, &Target)| targets[..at].iter().any(|other| other.name() == target.name());
        if let Some((_, target)) = targets.iter().enumerate().find(|found| twice(*found)) {
            return Err(Failure::usage(format_args!("{} is in the group {} twice", target.name(), self.name)));
        }
        let known: Vec<Target> = self.lists().names.iter().map(|name| name.target.clone()).collect();
        let (mut addresses, mut new) = (Vec::new(), Vec::new());
        for target in targets {
            match target.member() {
                Some(member) => addresses.push(member),
                None if known.contains(target) => {}
                None => {
                    let followed = target.follow().await.map_err(Failure::usage)?;
                    match &followed.first {
                        Err(why) if !may_come => return Err(Failure::failed(why)),
                        Err(why) => logging::warn(&self.lines, format_args!("upstreams of {}: {why}", self.name)),
                        Ok(_) => {}
                    }
                    new.push(followed);
                }
            }
        }
        Ok(Prepared { addresses, new, targets: targets.to_vec() })
    }

    /// Makes these its members, and returns the changes. Members that stay keep their health and their latencies. New
    /// ones come before others go.
    pub(crate) fn apply(&self, prepared: Prepared) -> Vec<String> {
        let Prepared { addresses, new, targets } = prepared;
        let mut lists = self.lists();
        let mut told = Vec::new();
        for Followed { target, mut dns, first } in new {
            let list: List = Arc::new(Mutex::new(self.registry.listed()));
            told.extend(self.replace(&list, first.unwrap_or_default()));
            let (mut task, followed) = (JoinSet::new(), Arc::clone(&list));
            let (name, lines) = (target.name(), self.lines.clone());
            task.spawn(async move {
                while let Some(next) = dns.next().await {
                    match next.map(|members| lock(&followed).replace(members)) {
                        Ok(Ok(changes)) => logging::info(&lines, format_args!("upstreams by {name}: {changes}")),
                        Ok(Err(refused)) => logging::warn(&lines, format_args!("upstreams by {name} stay: {refused}")),
                        Err(error) => logging::warn(&lines, format_args!("upstreams by {name} stay: {error}")),
                    }
                }
            });
            lists.names.push(Name { target, list, _task: task });
        }
        told.extend(self.replace(&lists.addresses, addresses));
        let gone: Vec<Name> = lists.names.extract_if(.., |name| !targets.contains(&name.target)).collect();
        for Name { list, _task, .. } in gone {
            drop(_task);
            told.extend(self.replace(&list, Vec::new()));
        }
        // A page that shows the group now shows these.
        self.registry.publish();
        told
    }

    fn replace(&self, list: &List, members: Vec<Member<Upstream>>) -> Option<String> {
        let Self { name, .. } = self;
        match lock(list).replace(members) {
            Ok(Changes { added: 0, removed: 0, reweighed: 0, .. }) => None,
            Ok(changes) => Some(format!("group {name}: {changes}")),
            Err(refused) => Some(format!("group {name} stays: {refused}")),
        }
    }

    fn lists(&self) -> impl std::ops::DerefMut<Target = Lists> {
        lock(&self.lists)
    }
}

/// Logs which members are ejected, and which return.
async fn tell(group: String, registry: Arc<Registry<Upstream>>, lines: Lines) {
    let (mut ejected, mut seen) = (BTreeMap::new(), 0);
    loop {
        let now = registry.changed(seen).await;
        seen = now.version();
        // A member that is no longer in the group does not return.
        ejected.retain(|name: &String, _| now.get(name).is_some());
        for entry in now.members() {
            let name = entry.seat().name();
            match entry.state() {
                State::Ejected { until } if ejected.insert(name.to_owned(), until) != Some(until) => {
                    let time = until.saturating_duration_since(Instant::now()).as_millis();
                    let what =
                        format_args!("group {group}: upstream {name} is ejected for {time} ms: its requests fail");
                    logging::warn(&lines, what);
                }
                State::Ejected { .. } => {}
                state => {
                    if ejected.remove(name).is_some() && state == State::Ready {
                        logging::info(&lines, format_args!("group {group}: upstream {name} returns"));
                    }
                }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let snapshot = self.registry.snapshot();
        if snapshot.members().is_empty() {
            f.write_str(": none yet")?;
        }
        for (at, entry) in snapshot.members().iter().enumerate() {
            write!(f, "{}{}", if at == 0 { ": " } else { " " }, entry.seat().name())?;
            if entry.weight() != NonZeroU32::MIN {
                write!(f, "*{}", entry.weight())?;
            }
        }
        Ok(())
    }
}
